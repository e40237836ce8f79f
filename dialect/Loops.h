// What is written with loops: builders that the emitter, the pullback and the
// passes share.
#pragma once

#include "dialect/Graph.h"

namespace gradus::graph {

/// Operands of a loop in the making, by their part.
struct LoopOperands {
  llvm::SmallVector<mlir::Value> carried, over, with;
};

/// A loop over an empty body, whose arguments it has; the results are added
/// when `finishLoop` ends the body.
LoopOp beginLoop(mlir::OpBuilder &builder, mlir::Location loc, int64_t rounds,
                 bool reverse, const LoopOperands &operands);

/// Ends the body of `loop` with a yield of these values and gives the loop its
/// results; `loop` is replaced by what is returned.
LoopOp finishLoop(LoopOp loop, mlir::ValueRange carriedOn,
                  mlir::ValueRange stacked);

/// The type of `row` stacked over `rounds` rounds.
mlir::RankedTensorType stackedType(mlir::Value row, int64_t rounds);

/// The loop with the arguments of its carried values among the stacks; replaces
/// `loop` unless they are there already. The pullback needs them.
LoopOp saveCarried(LoopOp loop);

} // namespace gradus::graph
