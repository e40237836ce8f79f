// Random steps in the graph dialect: arguments that are updated, any op that
// moves or combines elements, values returned twice or unchanged.
#pragma once

#include <string>

namespace gradus {

/// The text of a module with a function `step`; the same for the same seed.
std::string randomProgram(unsigned seed);

} // namespace gradus
