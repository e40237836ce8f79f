// A loop nest seen as sizes and strides. Next: Emitter.h.
#pragma once

#include "compiler/lower/Passes.h"
#include "compiler/lower/VectorUnit.h"

#include <optional>

namespace gradus::lower {

/// How a nest touches a buffer: loops at (i0, i1, ...) use the element at
/// base + sum of strides[d] * i_d of `flat`, a one-dimensional view. A scalar
/// operand has no `flat`; its value is `scalar`.
struct Access {
  mlir::Value flat;
  mlir::Value scalar;
  mlir::Type element;
  int64_t base = 0;
  llvm::SmallVector<int64_t> strides;
  /// The level at which the nest itself has written the buffer; it is not read
  /// further out. 0 for what is there before the nest.
  unsigned level = 0;
};

/// A linalg op on buffers as numbers. Unit loops are dropped.
struct Nest {
  mlir::Operation *op = nullptr;
  mlir::Block *body = nullptr;
  unsigned inputs = 0;
  llvm::SmallVector<int64_t> sizes;
  llvm::SmallVector<bool> reduces;
  /// One per operand of `op`.
  llvm::SmallVector<Access> accesses;
  /// For each loop of `op` its loop here; -1 if it was dropped.
  llvm::SmallVector<int64_t> loopOf;

  unsigned loops() const { return sizes.size(); }
  /// Whether loops that reduce move through a result, as the windows of a fold:
  /// an element is then added to in several of their steps.
  bool scatters() const;
  const Access &output(unsigned i) const { return accesses[inputs + i]; }
};

/// The nest of `op`; views of its buffers are created before it. Nothing if an
/// operand's address is not a sum of fixed strides.
std::optional<Nest> nestOf(mlir::OpBuilder &builder, mlir::linalg::LinalgOp op);

/// Merges neighbouring loops that every access walks as one; of `other`, a nest
/// over the same loops, too.
void mergeLoops(Nest &nest, Nest *other = nullptr);

/// Makes loop `loop` two: the one around it, which takes `steps` steps of it at
/// once, becomes loop `loop`, the rest of the nest moves up by one. `steps`
/// divides its size.
void splitLoop(Nest &nest, unsigned loop, int64_t steps);

/// The greatest number of steps up to `most` that divides `size`; at least 1.
int64_t partOf(int64_t size, int64_t most);

/// Whether steps of a loop write to places of their own in every result.
bool isParallel(const Nest &nest, unsigned loop);

/// Whether every op of the body has a form on vectors.
bool hasVectorForm(mlir::Block &body);

/// Lanes of a vector of `bytes` bytes, in which the widest numbers of the nest
/// lie one behind the other; of at least 32 bits.
unsigned lanesOf(const Nest &nest, int64_t bytes);

} // namespace gradus::lower
