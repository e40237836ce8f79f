// A training step of many equal layers, for bounds on what depth costs.
#pragma once

#include <string>

namespace gradus {

/// The text of a module with a function `step`: `layers` equal layers with tanh
/// between them, and momentum.
std::string deepNetwork(int layers);

} // namespace gradus
