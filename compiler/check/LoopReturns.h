// What comes behind the check of a body that returns from inside of a loop.
#pragma once

#include "compiler/check/TypedAst.h"

namespace gradus::typed {

class CheckerState;

/// Puts variables in the place of each `return` inside of a `for`, so that only
/// branches return. The result's type is known by now.
void leaveLoopsByVariables(CheckerState &state, Function &function);

} // namespace gradus::typed
