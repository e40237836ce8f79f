// The exported functions of a model, by the names that the command line gives.
#pragma once

#include "tools/gradus/Load.h"

namespace gradus {

/// As it stands in the syntax tree, before the model is checked. Without a name
/// the only one. Throws E1039 to E1041.
const ast::Fn *exportedFunction(const LoadedModel &loaded,
                                const std::string &name);

/// The same after the check.
const typed::Function *checkedFunction(const LoadedModel &loaded,
                                       const ast::Fn &function);

} // namespace gradus
