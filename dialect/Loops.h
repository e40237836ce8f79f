// What is written with loops: builders that the emitter, the pullback and the
// passes share.
#pragma once

#include "dialect/Graph.h"

namespace gradus::graph {

/// The bytes that loops may keep for their derivatives if nothing else is said.
inline constexpr int64_t defaultBudget = int64_t(1) << 30;

/// Marks a loop over segments: how many rounds of the source one segment is.
inline constexpr llvm::StringLiteral everyAttr = "graph.every";

/// Operands of a loop in the making, by their part.
struct LoopOperands {
  llvm::SmallVector<mlir::Value> carried, over, with;
  /// Null for a loop that always runs.
  mlir::Value when = {};
};

/// All operands of `loop`.
LoopOperands operandsOf(LoopOp loop);

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

/// The loop with these values of its body among the stacks; replaces `loop`
/// unless they are there already.
LoopOp stackAlso(LoopOp loop, mlir::ValueRange rows);

/// The result of `loop` in which `row` is stacked.
mlir::Value stackOf(LoopOp loop, mlir::Value row);

/// Lets `loop` read the rows of one more tensor: the argument of its body.
mlir::BlockArgument readAlso(LoopOp loop, mlir::Value tensor);

/// The same of a value that all rounds read.
mlir::BlockArgument takeAlso(LoopOp loop, mlir::Value value);

} // namespace gradus::graph
