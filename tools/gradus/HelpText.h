// The table of verbs as text for people.
#pragma once

#include "tools/gradus/VerbTable.h"

#include <string>

namespace gradus {

/// `gradus --help`: what a newcomer needs; with `all` every verb.
std::string helpText(bool all);

/// `gradus VERB --help`.
std::string helpText(const VerbInfo &verb);

} // namespace gradus
