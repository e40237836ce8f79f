// All derivatives of a value at once: each row of a Jacobian is a pullback of
// its own, and what they have in common is computed once. The rules are a
// table, dialect/Batching.td.
#pragma once

#include "dialect/Loops.h"

namespace gradus::differentiate {

/// Replaces `jacobian` by the rows of a vjp or, where that is fewer rows, by
/// the columns of a jvp: of values that depend on a seed, for each of its
/// elements. Failure after an error if the result has more than `budget` bytes.
llvm::LogicalResult expandJacobian(graph::JacobianOp jacobian, int64_t budget);

/// Replaces the rows of `module` whose values are plain graph by ops on all
/// rows at once, or by a loop over blocks of rows if that takes more than
/// `budget` bytes; returns how many.
int batchRows(mlir::ModuleOp module, int64_t budget);

} // namespace gradus::differentiate
