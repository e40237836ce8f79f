// Folds without their overlapping writes. The fold of an einsum, the gradient
// of a convolution by its input, becomes an einsum that gathers:
//
//   y[s h + r] = sum over i of dy[h - i] w[s i + r]
//
// with the strides s as an axis r of their own (the phases), the taps of w
// padded to whole strides, and the windows over dy walked backwards. What a
// slice cuts off again, the padding of a convolution, is not computed. The fold
// of windows that tile the axis, the gradient of pooling, only moves elements.
#include "compiler/fuse/CheaperForms.h"

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

/// A letter that none of the lists has.
char freeLetter(const std::string &used) {
  for (char letter = 'a'; letter <= 'z'; ++letter)
    if (used.find(letter) == used.npos)
      return letter;
  for (char letter = 'A'; letter <= 'Z'; ++letter)
    if (used.find(letter) == used.npos)
      return letter;
  llvm_unreachable("an einsum of more than 50 indices");
}

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
    SmallVector<int64_t> dims, sizes, strides, dilations;
    SmallVector<int64_t> low(ofD.size(), 0), high(ofD.size(), 0);
    std::string gatheredTaps;
    SmallVector<int64_t> byAxis =
        llvm::to_vector(llvm::seq<int64_t>(0, windows.size()));
    llvm::sort(byAxis,
               [&](int64_t a, int64_t b) { return axisInD(a) < axisInD(b); });
    std::string phases = result;
    for (int64_t n : byAxis) {
      auto [size, stride, dilation] = windows[n];
      int64_t tapAxis = ofW.find(taps[n]);
      if (stride > 1 && dilation > 1) {
        // The same window with zeros between its taps.
        w = writer.split(w, tapAxis, 1);
        w = writer.merge(writer.pad(w, tapAxis + 1, 0, dilation - 1), tapAxis);
        size = windows[n].span();
        w = writer.slice(w, tapAxis, 0, size);
        dilation = 1;
      }
      if (stride > 1) {
        int64_t steps = llvm::divideCeil(size, stride);
        w = writer.pad(w, tapAxis, 0, steps * stride - size);
        w = writer.split(w, tapAxis, stride);
        char phase = freeLetter(ofD + ofW + phases);
        ofW.insert(tapAxis + 1, 1, phase);
        phases.insert(phases.find(result[fold.getDims()[n]]) + 1, 1, phase);
        size = steps;
      }
      int64_t axis = axisInD(n), positions = shapeOf(d)[axis];
      int64_t before = (size - 1) * dilation - begin[n] / stride;
      int64_t behind = llvm::divideCeil(end[n], stride) - positions;
      int64_t first = std::max<int64_t>(0, -before);
      d = writer.slice(d, axis, first,
                       positions - first - std::max<int64_t>(0, -behind));
      low[axis] = std::max<int64_t>(0, before);
      high[axis] = std::max<int64_t>(0, behind);
      dims.push_back(axis);
      sizes.push_back(size);
      strides.push_back(1);
      dilations.push_back(-dilation);
      gatheredTaps += taps[n];
    }
    d = graph::PadOp::create(writer.builder, writer.loc, d, low, high);
    d = graph::UnfoldOp::create(writer.builder, writer.loc, d, dims, sizes,
                                strides, dilations);
    ofD += gatheredTaps;
    if (char last = lanes())
      for (std::string *list : {&phases, &result}) {
        list->erase(list->find(last), 1);
        *list += last;
      }
    Value y =
        graph::EinsumOp::create(writer.builder, writer.loc, d, w,
                                graph::EinsumSpec{ofD, ofW, phases}.str());
    finish(y);
  }

  int64_t axisInD(int64_t n) { return ofD.find(result[fold.getDims()[n]]); }

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

  /// Phases back into their axes, the axes cut to their extents and put back
  /// into the order of the fold.
  void finish(Value y) {
    std::string order =
        graph::parseEinsum(
            fold.getX().getDefiningOp<graph::EinsumOp>().getSpec())
            ->y.substr(0, rank);
    SmallVector<int64_t> axes;
    for (auto [n, dim] : llvm::enumerate(fold.getDims())) {
      axes.push_back(result.find(order[dim]));
      if (windows[n].stride > 1)
        y = writer.merge(y, axes[n]);
    }
    for (auto [n, axis] : llvm::enumerate(axes))
      y = writer.slice(y, axis, begin[n] % windows[n].stride,
                       end[n] - begin[n]);
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
  /// The indices of d, w, the result before its taps, and the taps.
  std::string ofD, ofW, result, taps;
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
