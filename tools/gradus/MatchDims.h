// The dims of an exported function, found from the shapes of the values it is
// given.
#pragma once

#include "compiler/check/TypedAst.h"

#include <string>
#include <vector>

namespace gradus {

/// Binds the generics of `function` so that its arguments have these shapes,
/// one for each argument in order. Throws E1009 if a shape does not fit, E1042
/// if two arguments disagree, E1046 if a generic stays unknown, E1047 if a
/// `requires` fails.
typed::DimEnvironment
matchDims(const typed::Function &function,
          const std::vector<std::vector<int64_t>> &shapes);

} // namespace gradus
