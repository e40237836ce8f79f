// The passes of the stage `lower`: kernels of graph ops -> linalg on tensors ->
// loops and vectors on buffers -> the LLVM dialect.
#pragma once

#include "compiler/lower/VectorUnit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace gradus::lower {

/// On a result of a kernel: the number of the argument it is written over.
inline constexpr llvm::StringLiteral kUpdates = "graph.updates";

/// On a kernel after PlaceScratch: bytes of its last argument. Absent if it
/// has no such argument.
inline constexpr llvm::StringLiteral kScratch = "graph.scratch";

/// On a loop whose steps write to places of their own: they may run in any
/// order, or at once.
inline constexpr llvm::StringLiteral kParallel = "graph.parallel";

/// On a loop that adds to the same places in each of its steps: what stands in
/// it writes to places of its own, and to the same ones in every step.
inline constexpr llvm::StringLiteral kAdds = "graph.adds";

/// On a parallel loop whose parallel loops inside may be shared among workers
/// instead: what stands in a step reads nothing that another op of it writes,
/// but buffers of which each worker has its own. True: better so.
inline constexpr llvm::StringLiteral kInside = "graph.inside";

/// On a buffer inside of a kernel in which a step of a parallel loop works: no
/// step reads what another has left there.
inline constexpr llvm::StringLiteral kPrivate = "graph.private";

/// On a kernel whose parallel loops are split among workers: its last
/// arguments, but for scratch, are the number of the worker, how many there
/// are, and what `gradusBarrier` takes.
inline constexpr llvm::StringLiteral kSplit = "graph.split";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/lower/Passes.h.inc"

} // namespace gradus::lower
