// The stages behind construct, each a function on a module under these options.
// Failures have been reported.
#pragma once

#include "compiler/Compiler.h"
#include "compiler/lower/Lower.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace gradus {

/// Bytes that loops may keep.
int64_t budgetOf(const CompileOptions &options);
lower::Workers workersOf(const CompileOptions &options);

/// graph with gradients -> plain graph, nothing simplified
llvm::LogicalResult differentiateOnly(mlir::ModuleOp module);

/// graph with gradients -> plain graph
llvm::LogicalResult takeDerivatives(mlir::ModuleOp module,
                                    const CompileOptions &options);

/// plain graph -> plain graph in which loops read what others have computed
llvm::LogicalResult storeResiduals(mlir::ModuleOp module,
                                   const CompileOptions &options);

/// What the loops of a function, still plain graph, stack for later ones.
std::vector<KeptRounds> keptRounds(mlir::func::FuncOp function);

/// plain graph -> kernels and their calls
llvm::LogicalResult formKernels(mlir::ModuleOp module,
                                const CompileOptions &options);

/// kernels and their calls -> a place for every value
llvm::LogicalResult planMemory(mlir::ModuleOp module);

/// The kernels alone, as linalg on tensors.
mlir::OwningOpRef<mlir::ModuleOp> linalgKernels(mlir::ModuleOp module);

/// These -> LLVM dialect, or loops and vectors over buffers, for a processor
/// with these vectors.
mlir::OwningOpRef<mlir::ModuleOp> lowerKernels(mlir::ModuleOp kernels,
                                               const CompileOptions &options,
                                               lower::Vectors vectors,
                                               bool toLLVM = true);

} // namespace gradus
