// What the table Batching.td calls by name: attributes of ops that have one
// more axis, in front, for the rows of a batch.
#pragma once

#include "dialect/Graph.h"

#include "mlir/IR/PatternMatch.h"

namespace gradus::graph {

/// The rules of the table, and those for all pointwise ops and for concat.
void populateBatching(mlir::RewritePatternSet &rules);

/// What a diagonal stands for, written out: all its rows, stacked.
mlir::Value rowsOfDiagonal(mlir::OpBuilder &builder, DiagonalOp diagonal);

} // namespace gradus::graph
