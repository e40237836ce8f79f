// Kernels on tensors -> the same kernels in LLVM dialect. A kernel is a
// function whose arguments and results are tensors of fixed shape and whose
// body is linalg, arith, math and tensor ops. Element types: f32, f64, i32,
// i64 and i8 (truth values and unsigned bytes are stored as i8).
// Next: compiler/native/Jit.h.
#pragma once

#include "compiler/lower/VectorUnit.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OwningOpRef.h"

namespace gradus::lower {

/// How many may run a kernel together, and the operations, a vector's counting
/// as one, below which that is not worth it.
struct Workers {
  int64_t count = 1;
  int64_t worth = 64 * 1024;
};

struct LowerOptions {
  /// False: the reference path, plain loops, no fusion, no vectors.
  bool schedule = true;
  Workers workers = {};
  /// Of the processor that will run them.
  Vectors vectors = Vectors::Avx512;
  /// False: stop at loops and vectors over buffers, to look at them.
  bool toLLVM = true;
};

/// The dialects kernels pass through, with the interfaces lowering needs. A
/// context that lowers kernels is made with these.
void registerLowerDialects(mlir::DialectRegistry &registry);

/// Lowers each function of `kernels`, in parallel if the context has threads,
/// and gives a module with one module per kernel. An entry point takes the
/// kernel's arguments, then a buffer per result that is not written over an
/// argument (`graph.updates`), then a block of scratch if it has the attribute
/// `graph.scratch` (bytes). A result's buffer overlaps no other operand; all
/// are aligned to their elements (a row of a stack to no more). `kernels` is
/// left as it was. With several workers, a kernel with the attribute
/// `graph.split` is to be run by all of them (`Worker` in runtime/Abi.h). Null
/// after an error, which has been reported at its location.
mlir::OwningOpRef<mlir::ModuleOp> lowerKernels(mlir::ModuleOp kernels,
                                               const LowerOptions &options);

} // namespace gradus::lower
