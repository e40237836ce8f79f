// What a model stores from step to step: parameters, which training improves,
// and state, which the model changes itself. Nodes of the typed AST.
#pragma once

#include "compiler/Diagnostics.h"
#include "compiler/check/RandomNodes.h"
#include "compiler/check/Types.h"

#include <string>
#include <variant>
#include <vector>

namespace gradus::typed {

struct Expr;

struct Param {
  std::string name;
  std::string doc;
  Range range;
  bool isExported = false;
  Type type;
  /// Of the type of the parameter, in terms of the module's generics and
  /// config; or how it is drawn.
  std::variant<const Expr *, Distribution> initial;
};

/// `state mu: real[C] = 0` of a file or module: lasts from step to step, and is
/// a constant to derivatives.
struct State {
  std::string name;
  std::string doc;
  Range range;
  bool isExported = false;
  Type type;
  /// Of that type, in terms of the module's generics and config.
  const Expr *initial = nullptr;
};

} // namespace gradus::typed
