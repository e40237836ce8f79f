// The passes of the stage `lower`: kernels of graph ops -> linalg on tensors ->
// loops and vectors on buffers -> the LLVM dialect.
#pragma once

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

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/lower/Passes.h.inc"

} // namespace gradus::lower
