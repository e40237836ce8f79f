// Rewrites of a step that would harm derivatives or readability earlier, and
// that make its kernels cheaper now. Each keeps values up to rounding.
#pragma once

#include "mlir/IR/Block.h"

namespace gradus::fuse {

/// Applies all of them to a straight line of graph ops, derivatives taken.
void useCheaperForms(mlir::Block &body);

/// Folds of einsums become einsums (GatherFolds.cpp).
void gatherFolds(mlir::Block &body);

/// Computes what is summed or cut again of each operand of a concat
/// (SplitConcats.cpp).
void splitConcats(mlir::Block &body);

/// Folds of windows that tile their axes become movements (GatherFolds.cpp).
void moveTiles(mlir::Block &body);

/// Keeps the local derivative of an element-wise chain in place of several
/// values that it is computed from (LocalDerivatives.cpp).
void computeLocalDerivatives(mlir::Block &body);

/// Moves transpositions down to where they cancel (SinkTransposes.cpp).
void sinkTransposes(mlir::Block &body);

} // namespace gradus::fuse
