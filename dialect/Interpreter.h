// What a graph means: a function evaluated op by op in double precision, with
// no code in common with the lowering, which is tested against it. Slow.
// An op says what it computes in `Evaluable::evaluate` (GraphInterfaces.td);
// without it the dialect does not link.
#pragma once

#include "dialect/Array.h"
#include "dialect/Graph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace gradus::graph {

/// Called after each op, each round's of a loop too, with what it read and what
/// it gave, which it may change.
using Watch =
    llvm::function_ref<void(mlir::Operation *op, llvm::ArrayRef<Array> operands,
                            llvm::MutableArrayRef<Array> results)>;

/// The results of `function`, whose derivatives are taken, for arguments of its
/// types. Customs are called. Throws std::logic_error for an op that has no
/// value (a gradient).
llvm::SmallVector<Array> interpret(mlir::func::FuncOp function,
                                   llvm::ArrayRef<Array> arguments,
                                   Watch watch = {});

/// The same of a block: what its terminator takes.
llvm::SmallVector<Array>
interpret(mlir::Block &body, llvm::ArrayRef<Array> arguments, Watch watch = {});

/// The results of `loop`.
llvm::SmallVector<Array> interpret(LoopOp loop, llvm::ArrayRef<Array> operands,
                                   Watch watch = {});

} // namespace gradus::graph
