// What comes behind the check of a body that may return from the midst of it.
#pragma once

#include "compiler/check/TypedAst.h"

namespace gradus::typed {

class CheckerState;

/// Puts variables in the place of each `return` inside of a `for`, and of a
/// branch that may also go on: what follows it would else belong to both of its
/// ends, and double with each such branch. The result's type is known by now.
void leaveByVariables(CheckerState &state, Function &function);

} // namespace gradus::typed
