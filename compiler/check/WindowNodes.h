// The nodes of the typed AST that slide windows: convolutions and pooling. Part
// of TypedAst.h.
#pragma once

#include "compiler/check/Dims.h"

namespace gradus::typed {

struct Expr;
enum class Builtin : uint8_t;

/// A window of `size` taps, `dilation` apart, that moves along an axis with
/// `pad` zeros at either end in steps of `stride`.
struct Window {
  Dim size, stride = 1, pad, dilation = 1;

  /// From the first tap to the last one.
  Dim span() const { return dilation * (size - Dim(1)) + Dim(1); }
};
/// `conv1d`, `conv2d`, `conv_transpose2d`: x[.., C, H, W], one window for each
/// of the last axes, and w[Out, C / groups, K, L] (transposed: [C, Out /
/// groups, K, L]) give [.., Out, H', W'].
struct Convolve {
  Builtin op;
  const Expr *operand, *weights;
  std::vector<Window> windows;
  Dim groups;
};
/// `max_pool`, `avg_pool`: one window for each of the last axes.
struct Pool {
  Builtin op;
  const Expr *operand;
  std::vector<Window> windows;
};

} // namespace gradus::typed
