// Which sets of ops one loop nest can compute, and facts about single ops that
// clustering asks for. Pure questions about IR.
#pragma once

#include "dialect/Graph.h"

#include <optional>

namespace gradus::fuse {

/// The loops of a kernel.
enum class Kind {
  /// One einsum that sums products, then element-wise ops on its result.
  Contraction,
  /// Parallel over leading axes that all values share; reductions and
  /// broadcasts touch only axes behind them. Numbers that sum up the rows may
  /// follow (a mean loss).
  Rows,
  /// Rows with contractions among them, whose operands all have the leading
  /// axes: attention, where the scores of one example never leave the cache.
  Blocks,
  /// Parallel over trailing axes that all values share; reductions and
  /// broadcasts touch only axes before them (a bias gradient and its update).
  Columns,
  /// Numbers only.
  Scalars,
  /// One loop over a list of kernels.
  Loop,
  /// One op on whole matrices, which a function of the runtime computes.
  Call,
};

llvm::StringRef nameOf(Kind kind);

/// The loops that compute all of `ops` (one block, program order), or nothing
/// if they do not fit one kernel. A single op with its `carried` operands
/// always fits.
std::optional<Kind> kindOf(llvm::ArrayRef<mlir::Operation *> ops);

/// An op on elements one by one.
bool isElementwise(mlir::Operation *op);

/// A constant, all of whose elements are 0.
bool isZero(mlir::Value value);

/// An op that a function of the runtime computes.
bool isCall(mlir::Operation *op);

/// Computed from nothing: a constant, an iota, or element-wise on such.
bool isLeaf(mlir::Operation *op);

/// An einsum with an index that is summed over.
bool isContraction(mlir::Operation *op);

/// Element-wise and cheap enough to be computed twice rather than stored.
bool isCheap(mlir::Operation *op);

/// Whether `op` belongs to its only user in whatever kernel that lies: leaves,
/// and broadcasts into element-wise ops, which are index maps there.
bool isCarried(mlir::Operation *op);

} // namespace gradus::fuse
