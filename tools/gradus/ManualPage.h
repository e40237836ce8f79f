// The table of verbs as a manual page.
#pragma once

#include <string>

namespace gradus {

/// gradus(1), in the language of man(7).
std::string manualPage();

} // namespace gradus
