// What `~` means: of parameters how they start, of a `let` in a body numbers
// that are drawn anew in each step. Part of TypedAst.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gradus::typed {

struct Expr;

struct Distribution {
  enum Kind : uint8_t { Normal, Uniform, Bernoulli, He, Xavier } kind = Normal;
  /// Real, in the order of the parameters: normal(mean, std),
  /// uniform(low, high), bernoulli(p), he(n), xavier(n, m). Scalars, or of a
  /// draw also values of its shape.
  std::vector<const Expr *> arguments;
};
const char *str(Distribution::Kind kind);

/// `let z: real[B, Z] ~ normal(0, 1)`: of the type of the `let`.
struct Draw {
  Distribution distribution;
  /// Of the `let`: with the calls on the way to it, it tells draws apart.
  std::string name;
};

} // namespace gradus::typed
