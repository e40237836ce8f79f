// Convolutions and pooling: windows over an operand surrounded by zeros, then
// an einsum or a reduction of them. A convolution is written channels last,
// with transpositions around it that cancel between layers.
#include "compiler/construct/Emitter.h"
#include "dialect/Duals.h"
#include "dialect/Einsum.h"

#include <limits>

using namespace mlir;

namespace gradus::construct {

using typed::Builtin;

namespace {

using Axes = SmallVector<int64_t>;

/// The windows of a node with numbers for dims.
struct Sizes {
  Axes sizes, strides, pads, dilations;

  Sizes(const std::vector<typed::Window> &windows,
        const typed::DimEnvironment &dims) {
    for (const typed::Window &window : windows) {
      sizes.push_back(window.size.evaluate(dims));
      strides.push_back(window.stride.evaluate(dims));
      pads.push_back(window.pad.evaluate(dims));
      dilations.push_back(window.dilation.evaluate(dims));
    }
  }
};

int64_t rankOf(Value x) {
  return cast<RankedTensorType>(x.getType()).getRank();
}

/// Axis `from` moved to `to`, as a permutation.
Axes moving(int64_t rank, int64_t from, int64_t to) {
  Axes axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  axes.erase(axes.begin() + from);
  axes.insert(axes.begin() + to, from);
  return axes;
}

/// `count` letters from `first` on.
std::string letters(char first, int64_t count) {
  std::string list;
  for (int64_t i = 0; i < count; ++i)
    list += static_cast<char>(first + i);
  return list;
}

} // namespace

Value Emitter::padAround(Value x, int64_t firstAxis, ArrayRef<int64_t> pads) {
  Axes around(rankOf(x), 0);
  llvm::copy(pads, around.begin() + firstAxis);
  if (llvm::all_of(around, [](int64_t n) { return n == 0; }))
    return x;
  return graph::PadOp::create(builder, location, x, around, around);
}

Value Emitter::splitAxis(Value x, int64_t axis, int64_t parts) {
  Axes shape(cast<RankedTensorType>(x.getType()).getShape());
  shape[axis] /= parts;
  shape.insert(shape.begin() + axis, parts);
  return graph::ReshapeOp::create(builder, location, x, shape);
}

Value Emitter::mergeAxis(Value x, int64_t axis) {
  Axes shape(cast<RankedTensorType>(x.getType()).getShape());
  shape[axis] *= shape[axis + 1];
  shape.erase(shape.begin() + axis + 1);
  return graph::ReshapeOp::create(builder, location, x, shape);
}

// With leading axes A, positions p, taps i, groups g, channels c and o:
//   y[A, p, g, o] = sum of x[A, p + i, g, c] w[g, o, c, i]
// and transposed, with the roles of positions and sums exchanged,
//   y[A, p + i, g, o] = sum of x[A, p, g, c] w[g, c, o, i].
Value Emitter::visit(const typed::Convolve &node, const Expr &expr,
                     Frame &frame) {
  Value x = emit(*node.operand, frame), w = emit(*node.weights, frame);
  Sizes sizes(node.windows, frame.dims);
  int64_t groups = node.groups.evaluate(frame.dims);
  auto axes = static_cast<int64_t>(node.windows.size());
  int64_t leading = rankOf(x) - axes - 1;
  if (leading > 10)
    refuse(expr.range, "a convolution with so many axes is");
  Axes positions = llvm::to_vector(llvm::seq(leading, leading + axes));

  x = graph::TransposeOp::create(builder, location, x,
                                 moving(rankOf(x), leading, leading + axes));
  std::string group = groups > 1 ? "g" : "";
  if (groups > 1) {
    x = splitAxis(x, leading + axes, groups);
    w = splitAxis(w, 0, groups);
  }
  std::string outside = letters('A', leading) + letters('p', axes) + group;
  std::string taps = letters('i', axes);
  bool isDepthwise = groups > 1 &&
                     cast<RankedTensorType>(w.getType()).getDimSize(1) == 1 &&
                     cast<RankedTensorType>(w.getType()).getDimSize(2) == 1;
  Value y;
  if (node.op == Builtin::ConvTranspose2d) {
    graph::EinsumSpec spec = {outside + "c", group + "co" + taps,
                              outside + "o" + taps};
    y = graph::EinsumOp::create(builder, location, x, w, spec.str());
    Axes extents;
    for (int64_t n = 0; n < axes; ++n)
      extents.push_back(
          (cast<RankedTensorType>(x.getType()).getDimSize(leading + n) - 1) *
              sizes.strides[n] +
          (sizes.sizes[n] - 1) * sizes.dilations[n] + 1);
    y = graph::FoldOp::create(builder, location, y, positions, extents,
                              sizes.strides, sizes.dilations);
    Axes offsets(rankOf(y), 0),
        box(cast<RankedTensorType>(y.getType()).getShape());
    for (int64_t n = 0; n < axes; ++n) {
      offsets[leading + n] = sizes.pads[n];
      box[leading + n] -= 2 * sizes.pads[n];
    }
    y = graph::SliceOp::create(builder, location, y, offsets, box);
  } else {
    x = padAround(x, leading, sizes.pads);
    x = graph::UnfoldOp::create(builder, location, x, positions, sizes.sizes,
                                sizes.strides, sizes.dilations);
    graph::EinsumSpec spec = {outside + "c" + taps, group + "oc" + taps,
                              outside + "o"};
    if (isDepthwise) {
      // One weight a channel and tap: channels last here, too.
      Axes permutation = llvm::to_vector(llvm::seq<int64_t>(1, rankOf(w)));
      permutation.push_back(0);
      w = graph::TransposeOp::create(builder, location, w, permutation);
      spec.b = "oc" + taps + group;
    }
    y = graph::EinsumOp::create(builder, location, x, w, spec.str());
  }
  if (groups > 1)
    y = mergeAxis(y, leading + axes);
  return graph::TransposeOp::create(builder, location, y,
                                    moving(rankOf(y), leading + axes, leading));
}

Value Emitter::visit(const typed::Pool &node, const Expr &, Frame &frame) {
  Value x = emit(*node.operand, frame);
  Sizes sizes(node.windows, frame.dims);
  auto axes = static_cast<int64_t>(node.windows.size());
  int64_t rank = rankOf(x);
  bool isMax = node.op == Builtin::MaxPool;
  auto type = cast<RankedTensorType>(x.getType());
  Value padded = padAround(x, rank - axes, sizes.pads);
  if (isMax && padded != x) {
    // Around the operand lies minus infinity.
    Value inside = constant(
        RankedTensorType::get(type.getShape().take_back(axes), model.real), 1);
    inside = padAround(inside, 0, sizes.pads);
    inside = graph::CompareOp::create(builder, location, graph::Predicate::eq,
                                      inside, number(inside, 1));
    inside = graph::BroadcastOp::create(
        builder, location, inside,
        llvm::to_vector(llvm::seq<int64_t>(0, rank - axes)),
        type.getShape().drop_back(axes));
    padded = graph::SelectOp::create(
        builder, location, inside, padded,
        number(padded, -std::numeric_limits<double>::infinity()));
  }
  Value windows = graph::UnfoldOp::create(
      builder, location, padded,
      llvm::to_vector(llvm::seq<int64_t>(rank - axes, rank)), sizes.sizes,
      sizes.strides, sizes.dilations);
  Axes taps = llvm::to_vector(llvm::seq<int64_t>(rank, rank + axes));
  if (isMax)
    return graph::ReduceMaxOp::create(builder, location, windows, taps);
  double count = 1;
  for (int64_t size : sizes.sizes)
    count *= static_cast<double>(size);
  Value sum = graph::SumOp::create(builder, location, windows, taps);
  return graph::DivOp::create(builder, location, sum, number(sum, count));
}

} // namespace gradus::construct
