// The stage differentiate: a graph with gradients -> a plain graph. Two passes
// alternate until no gradient is left: ExpandGradients writes pullbacks,
// ApplyDerivatives dissolves them by the table. Next: compiler/fuse.
#pragma once

#include "dialect/Loops.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace gradus::differentiate {

#define GEN_PASS_DECL
#include "compiler/differentiate/Passes.h.inc"

/// Expands the gradients of `module` that depend on no other; returns how many,
/// or failure after an error at the user's line. Loops keep at most `budget`
/// bytes for each of them.
llvm::FailureOr<int> expandGradients(mlir::ModuleOp module,
                                     int64_t budget = graph::defaultBudget);

/// Whether `op` stands for derivatives that are still to be taken.
bool isUnfinished(mlir::Operation *op);

/// Dissolves all pullbacks of `module`.
llvm::LogicalResult applyDerivatives(mlir::ModuleOp module);

/// Takes all derivatives of `module`, round by round; calls of custom functions
/// stay.
llvm::LogicalResult takeDerivatives(mlir::ModuleOp module,
                                    int64_t budget = graph::defaultBudget);

/// Replaces calls of custom functions by their forward bodies and erases the
/// functions.
void inlineCustoms(mlir::ModuleOp module);

#define GEN_PASS_REGISTRATION
#include "compiler/differentiate/Passes.h.inc"

} // namespace gradus::differentiate
