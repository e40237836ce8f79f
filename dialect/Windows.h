// Where the taps of sliding windows lie: the geometry of `unfold` and `fold`.
#pragma once

#include "dialect/Graph.h"

#include <cstdlib>

namespace gradus::graph {

/// A window of `size` taps that moves along one axis by `stride`, its taps
/// `|dilation|` apart; backwards if the dilation is negative.
struct Window {
  int64_t size = 1, stride = 1, dilation = 1;

  bool isValid() const { return size >= 1 && stride >= 1 && dilation != 0; }
  /// From the first tap to the last one.
  int64_t span() const { return (size - 1) * std::abs(dilation) + 1; }
  /// How many positions fit an axis; not positive if none does.
  int64_t positions(int64_t extent) const {
    return extent < span() ? 0 : (extent - span()) / stride + 1;
  }
  /// Where the first tap lies in the window at 0.
  int64_t start() const { return dilation < 0 ? span() - 1 : 0; }
  /// The element of the axis under tap `tap` at position `position`.
  int64_t at(int64_t position, int64_t tap) const {
    return start() + position * stride + tap * dilation;
  }
};

/// The windows of an op, one for each of its `dims`.
llvm::SmallVector<Window> windowsOf(UnfoldOp op);
llvm::SmallVector<Window> windowsOf(FoldOp op);

} // namespace gradus::graph
