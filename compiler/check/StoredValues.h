// What a model stores from step to step: parameters, which training improves,
// and state, which the model changes itself. Nodes of the typed AST.
#pragma once

#include "compiler/Diagnostics.h"
#include "compiler/check/Types.h"

#include <string>
#include <variant>
#include <vector>

namespace gradus::typed {

struct Expr;

struct Distribution {
  enum Kind : uint8_t { Normal, Uniform, Bernoulli, He, Xavier } kind = Normal;
  /// Scalars, in the order of the parameters: normal(mean, std),
  /// uniform(low, high), bernoulli(p), he(n), xavier(n, m).
  std::vector<const Expr *> arguments;
};
const char *str(Distribution::Kind kind);

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
