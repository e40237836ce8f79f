// Folds without their overlapping writes. The fold of an einsum, the gradient
// of a convolution by its input, becomes einsums that gather, one for each
// phase r of the stride s, with the windows over dy walked backwards:
//
//   y[s h + r] = sum over i of dy[h - i] w[s i + r]
//
// What a slice cuts off again, the padding of a convolution, is not computed.
// The fold of windows that tile the axis, the gradient of pooling, only moves
// elements.
#include "compiler/fuse/CheaperForms.h"

#include "dialect/Duals.h"
#include "dialect/Einsum.h"
#include "dialect/Windows.h"

using namespace mlir;

namespace gradus::fuse {
namespace {

ArrayRef<int64_t> shapeOf(Value x) {
  return cast<RankedTensorType>(x.getType()).getShape();
}

/// Ops at one place, on values whose shape changes from op to op.
struct Writer {
  OpBuilder builder;
  Location loc;

  Value reshape(Value x, ArrayRef<int64_t> shape) {
    return graph::ReshapeOp::create(builder, loc, x, shape);
  }
  /// Zeros before and behind one axis.
  Value pad(Value x, int64_t axis, int64_t low, int64_t high) {
    if (low == 0 && high == 0)
      return x;
    SmallVector<int64_t> lows(shapeOf(x).size(), 0), highs = lows;
    lows[axis] = low;
    highs[axis] = high;
    return graph::PadOp::create(builder, loc, x, lows, highs);
  }
  /// `size` elements along one axis.
  Value slice(Value x, int64_t axis, int64_t offset, int64_t size) {
    if (shapeOf(x)[axis] == size)
      return x;
    SmallVector<int64_t> sizes(shapeOf(x)), offsets(sizes.size(), 0);
    offsets[axis] = offset;
    sizes[axis] = size;
    return graph::SliceOp::create(builder, loc, x, offsets, sizes);
  }
  /// One axis of a * b elements as two.
  Value split(Value x, int64_t axis, int64_t b) {
    SmallVector<int64_t> shape(shapeOf(x));
    shape[axis] /= b;
    shape.insert(shape.begin() + axis + 1, b);
    return reshape(x, shape);
  }
  Value merge(Value x, int64_t axis) {
    SmallVector<int64_t> shape(shapeOf(x));
    shape[axis] *= shape[axis + 1];
    shape.erase(shape.begin() + axis + 1);
    return reshape(x, shape);
  }
};

/// fold(einsum(d, w)) where the positions of all windows are indices of d alone
/// and their taps indices of w alone.
class GatheredFold {
public:
  static void rewrite(graph::FoldOp fold) {
    auto einsum = fold.getX().getDefiningOp<graph::EinsumOp>();
    if (!einsum || !einsum->hasOneUse())
      return;
    GatheredFold gathered(fold, einsum);
    if (gathered.fits())
      gathered.write();
  }

private:
  GatheredFold(graph::FoldOp fold, graph::EinsumOp einsum)
      : fold(fold), windows(graph::windowsOf(fold)), replaced(fold),
        writer{OpBuilder(fold), fold.getLoc()}, d(einsum.getA()),
        w(einsum.getB()), begin(windows.size(), 0), end(fold.getExtents()) {
    graph::EinsumSpec spec = *graph::parseEinsum(einsum.getSpec());
    ofD = spec.a;
    ofW = spec.b;
    rank = spec.y.size() - windows.size();
    result = spec.y.substr(0, rank);
    taps = spec.y.substr(rank);
    useSlice();
  }

  /// If a slice along the windows' axes is all that reads the fold, its box is
  /// what is computed.
  void useSlice() {
    auto slice = fold->hasOneUse()
                     ? dyn_cast<graph::SliceOp>(*fold->user_begin())
                     : graph::SliceOp();
    if (!slice)
      return;
    for (auto [axis, size] : llvm::enumerate(slice.getSizes()))
      if (size != shapeOf(fold.getY())[axis] &&
          !llvm::is_contained(fold.getDims(), static_cast<int64_t>(axis)))
        return;
    for (auto [n, dim] : llvm::enumerate(fold.getDims())) {
      begin[n] = slice.getOffsets()[dim];
      end[n] = begin[n] + slice.getSizes()[dim];
    }
    replaced = slice;
  }

  bool fits() {
    auto has = [](const std::string &list, char index) {
      return list.find(index) != list.npos;
    };
    if (!has(ofD, result[fold.getDims()[0]])) {
      std::swap(d, w);
      std::swap(ofD, ofW);
    }
    for (auto [n, dim] : llvm::enumerate(fold.getDims()))
      if (!has(ofD, result[dim]) || has(ofW, result[dim]) ||
          !has(ofW, taps[n]) || has(ofD, taps[n]) || windows[n].dilation < 0)
        return false;
    return true;
  }

  void write() {
    order = result;
    if (char last = lanes()) {
      result.erase(result.find(last), 1);
      result += last;
    }
    prepareTaps();
    SmallVector<int64_t> phases;
    finish(interleave(phases));
  }

  /// Gives a window with a stride dilation 1, by zeros between its taps, and
  /// makes whole strides of its taps: an axis of steps and one of phases.
  void prepareTaps() {
    int64_t axis = 0;
    for (char index : ofW) {
      size_t n = taps.find(index);
      if (n == taps.npos || windows[n].stride == 1) {
        ++axis;
        continue;
      }
      graph::Window &window = windows[n];
      if (window.dilation > 1) {
        w = writer.split(w, axis, 1);
        w = writer.pad(w, axis + 1, 0, window.dilation - 1);
        w = writer.slice(writer.merge(w, axis), axis, 0, window.span());
        window = {window.span(), window.stride, 1};
      }
      int64_t whole = llvm::alignTo(window.size, window.stride);
      w = writer.pad(w, axis, 0, whole - window.size);
      w = writer.split(w, axis, window.stride);
      axis += 2;
    }
  }

  /// The taps of a window that meet a phase.
  int64_t steps(int64_t n, int64_t phase) const {
    int64_t rest = windows[n].size - phase;
    return rest <= 0 ? 0 : (rest + windows[n].stride - 1) / windows[n].stride;
  }

  /// The taps of these phases.
  Value tapsOf(ArrayRef<int64_t> phases) {
    SmallVector<int64_t> offsets, sizes, shape;
    for (char index : ofW) {
      size_t n = taps.find(index);
      int64_t size = shapeOf(w)[sizes.size()];
      bool isSplit = n != taps.npos && windows[n].stride > 1;
      shape.push_back(isSplit ? steps(n, phases[n]) : size);
      offsets.push_back(0);
      sizes.push_back(shape.back());
      if (isSplit) {
        offsets.push_back(phases[n]);
        sizes.push_back(1);
      }
    }
    if (shape.size() == sizes.size())
      return w;
    Value box =
        graph::SliceOp::create(writer.builder, writer.loc, w, offsets, sizes);
    return writer.reshape(box, shape);
  }

  /// The positions of a phase along a window's axis: the first that is needed,
  /// and how many; as many in every phase.
  int64_t first(int64_t n, int64_t phase) const {
    return llvm::divideCeil(std::max<int64_t>(0, begin[n] - phase),
                            windows[n].stride);
  }
  int64_t count(int64_t n) const {
    return llvm::divideCeil(end[n] - begin[n], windows[n].stride);
  }

  /// All phases of the windows from the `phases.size()`-th on, in their axes:
  /// first the one of the first element that is needed.
  Value interleave(SmallVector<int64_t> &phases) {
    size_t n = phases.size();
    if (n == windows.size())
      return gather(phases);
    SmallVector<Value> parts;
    int64_t stride = windows[n].stride;
    for (int64_t step = 0; step < stride; ++step) {
      phases.push_back((begin[n] + step) % stride);
      parts.push_back(interleave(phases));
      phases.pop_back();
    }
    if (parts.size() == 1)
      return parts[0];
    int64_t axis = result.find(order[fold.getDims()[n]]);
    for (Value &part : parts)
      part = writer.split(part, axis, 1);
    Value y =
        graph::ConcatOp::create(writer.builder, writer.loc, parts, axis + 1);
    return writer.merge(y, axis);
  }

  /// The elements r, r + s, ... along each window's axis.
  Value gather(ArrayRef<int64_t> phases) {
    SmallVector<int64_t> dims, sizes, dilations;
    SmallVector<int64_t> low(ofD.size(), 0), high(ofD.size(), 0);
    std::string gatheredTaps;
    SmallVector<int64_t> byAxis =
        llvm::to_vector(llvm::seq<int64_t>(0, windows.size()));
    llvm::sort(byAxis,
               [&](int64_t a, int64_t b) { return axisInD(a) < axisInD(b); });
    Value d = this->d;
    for (int64_t n : byAxis) {
      int64_t dilation = windows[n].dilation, size = steps(n, phases[n]);
      int64_t axis = axisInD(n), positions = shapeOf(d)[axis];
      int64_t before = (size - 1) * dilation - first(n, phases[n]);
      int64_t behind = first(n, phases[n]) + count(n) - positions;
      int64_t unread = std::max<int64_t>(0, -before);
      int64_t read = positions - unread - std::max<int64_t>(0, -behind);
      if (size == 0 || read <= 0)
        return zeros();
      d = writer.slice(d, axis, unread, read);
      low[axis] = std::max<int64_t>(0, before);
      high[axis] = std::max<int64_t>(0, behind);
      dims.push_back(axis);
      sizes.push_back(size);
      dilations.push_back(-dilation);
      gatheredTaps += taps[n];
    }
    d = graph::PadOp::create(writer.builder, writer.loc, d, low, high);
    SmallVector<int64_t> ones(dims.size(), 1);
    d = graph::UnfoldOp::create(writer.builder, writer.loc, d, dims, sizes,
                                ones, dilations);
    return graph::EinsumOp::create(
        writer.builder, writer.loc, d, tapsOf(phases),
        graph::EinsumSpec{ofD + gatheredTaps, ofW, result}.str());
  }

  /// A phase that no tap reaches.
  Value zeros() {
    auto type = cast<RankedTensorType>(fold.getY().getType());
    SmallVector<int64_t> shape;
    for (char index : result) {
      int64_t axis = order.find(index);
      shape.push_back(type.getDimSize(axis));
      for (auto [n, dim] : llvm::enumerate(fold.getDims()))
        if (dim == axis)
          shape.back() = count(static_cast<int64_t>(n));
    }
    return graph::ConstantOp::create(writer.builder, writer.loc,
                                     graph::splatOf(type.clone(shape), 0));
  }

  int64_t axisInD(int64_t n) { return ofD.find(order[fold.getDims()[n]]); }

  /// The index of the result along which w lies for the lanes: its largest that
  /// is no window's; 0 if it has none.
  char lanes() {
    char best = 0;
    int64_t bestSize = 0;
    for (auto [axis, index] : llvm::enumerate(result)) {
      int64_t size = shapeOf(fold.getY())[axis];
      if (ofD.find(index) == ofD.npos && size >= bestSize) {
        best = index;
        bestSize = size;
      }
    }
    return best;
  }

  /// Cuts the axes to what is needed and gives them the order of the fold.
  void finish(Value y) {
    for (auto [n, dim] : llvm::enumerate(fold.getDims()))
      y = writer.slice(y, result.find(order[dim]), 0, end[n] - begin[n]);
    SmallVector<int64_t> permutation;
    for (char index : order)
      permutation.push_back(result.find(index));
    if (!llvm::is_sorted(permutation))
      y = graph::TransposeOp::create(writer.builder, writer.loc, y,
                                     permutation);
    replaced->replaceAllUsesWith(ValueRange(y));
  }

  graph::FoldOp fold;
  SmallVector<graph::Window> windows;
  /// The fold, or the slice that cuts it.
  Operation *replaced;
  Writer writer;
  Value d, w;
  /// The indices of d, w, of the result before its taps as the fold has them
  /// and as they are computed, and the taps.
  std::string ofD, ofW, order, result, taps;
  int64_t rank = 0;
  /// The elements along each window's axis that are needed.
  SmallVector<int64_t> begin, end;
};

/// Windows next to each other: position and tap are one axis.
void moveTiles(graph::FoldOp fold) {
  SmallVector<graph::Window> windows = graph::windowsOf(fold);
  if (llvm::any_of(windows, [](graph::Window window) {
        return window.size != window.stride || window.dilation != 1;
      }))
    return;
  Writer writer{OpBuilder(fold), fold.getLoc()};
  auto rank = static_cast<int64_t>(shapeOf(fold.getY()).size());
  SmallVector<int64_t> permutation;
  for (int64_t axis = 0; axis < rank; ++axis) {
    permutation.push_back(axis);
    const auto *window = llvm::find(fold.getDims(), axis);
    if (window != fold.getDims().end())
      permutation.push_back(rank + (window - fold.getDims().begin()));
  }
  Value y = fold.getX();
  y = graph::TransposeOp::create(writer.builder, writer.loc, y, permutation);
  for (auto [n, dim] : llvm::enumerate(fold.getDims())) {
    y = writer.merge(y, dim);
    y = writer.pad(y, dim, 0, fold.getExtents()[n] - shapeOf(y)[dim]);
  }
  fold.replaceAllUsesWith(y);
}

} // namespace

void gatherFolds(Block &body) {
  for (auto fold : llvm::make_early_inc_range(body.getOps<graph::FoldOp>()))
    if (!fold.getDims().empty())
      GatheredFold::rewrite(fold); // what is replaced is dead
}

void moveTiles(Block &body) {
  for (auto fold : llvm::make_early_inc_range(body.getOps<graph::FoldOp>()))
    if (!fold.getDims().empty() && !fold->use_empty())
      moveTiles(fold);
}

} // namespace gradus::fuse
