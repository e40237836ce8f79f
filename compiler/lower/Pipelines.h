// The lowering of kernels as lists of passes. Each works on a module of
// kernels.
#pragma once

#include "compiler/lower/Lower.h"

#include "mlir/Pass/PassManager.h"

namespace gradus::lower {

/// linalg on tensors -> linalg on buffers, nothing fused, all loops plain.
void addReferenceLoops(mlir::OpPassManager &passes);

/// linalg on tensors -> fused, tiled loops of vectors on buffers.
void addScheduledLoops(mlir::OpPassManager &passes, Vectors vectors);

/// Loops, vectors and buffers -> LLVM dialect with entry points.
/// For more than one worker, kernels with enough to do are split among them.
void addLoopsToLLVM(mlir::OpPassManager &passes, const Workers &workers = {});

/// Makes the pipelines above known to gradus-opt by name.
void registerLowerPipelines();

} // namespace gradus::lower
