// unfold and fold: their types and what they compute.
#include "dialect/Windows.h"

using namespace mlir;

namespace gradus::graph {

/// The windows of an op, one for each axis of `dims`; none if the lists do not
/// fit each other or the axes of a value with `rank` axes before the taps.
static std::optional<SmallVector<Window>>
windowsOf(int64_t rank, ArrayRef<int64_t> dims, ArrayRef<int64_t> sizes,
          ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations) {
  if (sizes.size() != dims.size() || strides.size() != dims.size() ||
      dilations.size() != dims.size())
    return std::nullopt;
  SmallVector<Window> windows;
  int64_t previous = -1;
  for (size_t n = 0; n < dims.size(); ++n) {
    windows.push_back({sizes[n], strides[n], dilations[n]});
    if (dims[n] <= previous || dims[n] >= rank || !windows.back().isValid())
      return std::nullopt;
    previous = dims[n];
  }
  return windows;
}

static constexpr const char *kLists =
    "needs a size, a stride and a dilation other than zero for each of "
    "ascending axes";

LogicalResult UnfoldOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(op.getX().getType());
  auto windows = windowsOf(type.getRank(), op.getDims(), op.getSizes(),
                           op.getStrides(), op.getDilations());
  if (!windows)
    return emitOptionalError(loc, kLists);
  SmallVector<int64_t> shape(type.getShape());
  for (auto [dim, window] : llvm::zip_equal(op.getDims(), *windows)) {
    shape[dim] = window.positions(shape[dim]);
    if (shape[dim] < 1)
      return emitOptionalError(loc, "a window of ", window.span(),
                               " does not fit axis ", dim, " of ", type);
    shape.push_back(window.size);
  }
  types.push_back(RankedTensorType::get(shape, type.getElementType()));
  return success();
}

LogicalResult FoldOp::inferReturnTypes(MLIRContext *,
                                       std::optional<Location> loc, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(op.getX().getType());
  int64_t count = op.getDims().size(), rank = type.getRank() - count;
  ArrayRef<int64_t> extents = op.getExtents();
  if (rank < count || static_cast<int64_t>(extents.size()) != count)
    return emitOptionalError(loc, "needs an axis of taps and an extent for "
                                  "each axis");
  auto windows = windowsOf(rank, op.getDims(), type.getShape().take_back(count),
                           op.getStrides(), op.getDilations());
  if (!windows)
    return emitOptionalError(loc, kLists);
  SmallVector<int64_t> shape(type.getShape().drop_back(count));
  for (auto [dim, window, extent] :
       llvm::zip_equal(op.getDims(), *windows, extents)) {
    if (window.positions(extent) != shape[dim])
      return emitOptionalError(loc, "axis ", dim, " of ", type, " holds ",
                               shape[dim], " positions of a window, ", extent,
                               " elements have ", window.positions(extent));
    shape[dim] = extent;
  }
  types.push_back(RankedTensorType::get(shape, type.getElementType()));
  return success();
}

SmallVector<Window> windowsOf(UnfoldOp op) {
  return *windowsOf(cast<RankedTensorType>(op.getX().getType()).getRank(),
                    op.getDims(), op.getSizes(), op.getStrides(),
                    op.getDilations());
}

SmallVector<Window> windowsOf(FoldOp op) {
  auto type = cast<RankedTensorType>(op.getX().getType());
  return *windowsOf(type.getRank(), op.getDims(),
                    type.getShape().take_back(op.getDims().size()),
                    op.getStrides(), op.getDilations());
}

/// The index, without the taps, of what lies under the taps of `index`.
static SmallVector<int64_t> underTaps(ArrayRef<int64_t> index,
                                      ArrayRef<int64_t> dims,
                                      ArrayRef<Window> windows) {
  SmallVector<int64_t> place(index.drop_back(dims.size()));
  ArrayRef<int64_t> taps = index.take_back(dims.size());
  for (auto [dim, window, tap] : llvm::zip_equal(dims, windows, taps))
    place[dim] = window.at(place[dim], tap);
  return place;
}

SmallVector<Array> UnfoldOp::evaluate(ArrayRef<Array> x) {
  Array y(cast<RankedTensorType>(getType()));
  SmallVector<Window> windows = windowsOf(*this);
  int64_t next = 0;
  forEachIndex(y.shape(), [&](ArrayRef<int64_t> index) {
    int64_t from = offsetOf(x[0].shape(), underTaps(index, getDims(), windows));
    if (y.isReal())
      y.reals[next++] = x[0].reals[from];
    else
      y.wholes[next++] = x[0].wholes[from];
  });
  return {y};
}

SmallVector<Array> FoldOp::evaluate(ArrayRef<Array> x) {
  Array y(cast<RankedTensorType>(getType()));
  SmallVector<Window> windows = windowsOf(*this);
  int64_t next = 0;
  forEachIndex(x[0].shape(), [&](ArrayRef<int64_t> index) {
    y.reals[offsetOf(y.shape(), underTaps(index, getDims(), windows))] +=
        x[0].reals[next++];
  });
  return {y};
}

} // namespace gradus::graph
