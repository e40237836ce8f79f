// What names of a model mean wherever they stand, and derivatives, which are
// taken by such names. Part of TypedAst.h.
#pragma once

#include "compiler/check/StoredValues.h"
#include "compiler/check/Types.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace gradus::typed {

struct Expr;
struct LayerDecl;
struct Local;
struct Module;
enum class Builtin : uint8_t;

/// Which instance of a module is meant: start at `file`'s only instance, or, if
/// that is null, at the instance the code runs in ("self"); then follow the
/// layers.
struct InstancePath {
  struct Step {
    const LayerDecl *layer = nullptr;
    /// Which one of an array; none if all of them are meant, which only the
    /// last step can.
    std::optional<Dim> element;

    bool operator==(const Step &) const = default;
  };
  const Module *file = nullptr;
  std::vector<Step> layers;

  bool operator==(const InstancePath &) const = default;
  /// Whether a whole array of layers is meant.
  bool isArray() const;
};

struct ParamReference {
  InstancePath instance;
  const Param *param = nullptr;
};
struct StateReference {
  InstancePath instance;
  const State *state = nullptr;
};
/// `net.params`: all parameters of an instance and of its layers, or of an
/// array of them, as one vector.
struct AllParams {
  InstancePath instance;
};

using DerivativeTarget = std::variant<Local *, ParamReference, AllParams>;
/// `grad(y, x)`, `vjp(y, x, v)`, `jvp(y, x, v)`, `hvp(y, x, v)`,
/// `jacobian(y, x)`, `hessian(y, x)`, by one target or by a tuple of them.
struct Derivative {
  /// Grad Vjp Jvp Hvp Jacobian Hessian.
  Builtin op;
  const Expr *y;
  std::vector<DerivativeTarget> targets;
  /// What the user wrote for each of them, and where for all.
  std::vector<std::string> names;
  Range targetsRange;
  /// The direction of `vjp`, of the type of y, and of `jvp` and `hvp`, of that
  /// of the targets: a tuple for a tuple. Else null.
  const Expr *v = nullptr;
};

} // namespace gradus::typed
