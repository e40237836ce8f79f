// Which loops of which ops, and which axes of which buffers, are walked
// together. Next: RowLoop.h.
#pragma once

#include "compiler/lower/Passes.h"

#include "llvm/ADT/EquivalenceClasses.h"

namespace gradus::lower {

bool isBuffer(mlir::Value value);

/// The buffer that `buffer` is a view of.
mlir::Value baseOf(mlir::Value buffer);

/// Whether `op` reads, or writes, anything in the buffer that `buffer` is or is
/// a view of.
bool reads(mlir::linalg::GenericOp op, mlir::Value buffer);
bool writes(mlir::linalg::GenericOp op, mlir::Value buffer);

/// Whether swapping two ops could be noticed.
bool conflict(mlir::linalg::GenericOp a, mlir::linalg::GenericOp b);

/// A product of matrices, whose schedule has tiles of its own: each operand has
/// a loop that is kept and that the other lacks.
bool isContraction(mlir::linalg::GenericOp op);

/// An axis of a buffer or a loop of an op: its owner and its number.
using Axis = std::pair<void *, int64_t>;

/// The loops and axes of some ops on buffers, in classes: what one op walks in
/// one loop is of one class. Classes are named by one of their members.
class RowAxes {
public:
  explicit RowAxes(llvm::ArrayRef<mlir::linalg::GenericOp> ops);

  Axis classOf(mlir::Operation *op, int64_t loop) const;

  /// The loops of `op` in class `row`.
  llvm::SmallVector<int64_t> loopsIn(mlir::linalg::GenericOp op,
                                     Axis row) const;

  /// The axes of `buffer` in class `row`.
  llvm::SmallVector<int64_t> axesIn(mlir::Value buffer, Axis row) const;

  bool hasAll(mlir::Value buffer, llvm::ArrayRef<Axis> rows) const;

  /// Whether `row` is one loop of each op and one axis of each buffer at most,
  /// and not the one along which the buffer's elements lie: a block of a few
  /// would take lines of memory apart.
  bool isRow(Axis row) const;

private:
  Axis leaderOf(Axis axis) const;

  llvm::SmallVector<mlir::linalg::GenericOp> ops;
  llvm::EquivalenceClasses<Axis> classes;
  /// Axes that a loop does not walk step by step.
  llvm::SmallVector<Axis> bound;
};

} // namespace gradus::lower
