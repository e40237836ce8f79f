// What a reduction does to each element. Next: the schedules of reductions.
#pragma once

#include "compiler/lower/Passes.h"

#include <optional>

namespace gradus::lower {

/// A body of the form result = combine(accumulator, f(inputs)).
struct Combination {
  mlir::Operation *combine = nullptr;
  mlir::Value term;
  mlir::TypedAttr neutral;
};

/// The combination in the body of `op`; nothing if it has another form.
std::optional<Combination> combinationOf(mlir::linalg::LinalgOp op);

/// The op of `combination` on other values.
mlir::Value combine(mlir::OpBuilder &builder, const Combination &combination,
                    mlir::Value a, mlir::Value b);

/// Whether the body is result = accumulator + x * y, as graph.einsum becomes.
bool multipliesAndAdds(mlir::linalg::LinalgOp op);

} // namespace gradus::lower
