// Nodes that run along an axis, made of shifts: products by halving the axis,
// running sums by doubling the shift, and pad. Every derivative of these is
// again made of shifts, products and sums: that of a product is right where
// factors are zero, at every order.
#include "compiler/construct/Emitter.h"

using namespace mlir;

namespace gradus::construct {

static RankedTensorType tensorOf(Value x) {
  return cast<RankedTensorType>(x.getType());
}

/// x[begin .. begin + size] along an axis.
Value Emitter::sliceAlong(Value x, int64_t axis, int64_t begin, int64_t size) {
  SmallVector<int64_t> offsets(tensorOf(x).getRank(), 0);
  SmallVector<int64_t> sizes(tensorOf(x).getShape());
  offsets[axis] = begin;
  sizes[axis] = size;
  return graph::SliceOp::create(builder, location, x, offsets, sizes);
}

Value Emitter::padAlong(Value x, int64_t axis, int64_t before, int64_t after) {
  if (!graph::isReal(x)) {
    SmallVector<Value> parts;
    auto add = [&](int64_t count) {
      SmallVector<int64_t> shape(tensorOf(x).getShape());
      shape[axis] = count;
      if (count)
        parts.push_back(constant(tensorOf(x).clone(shape), 0));
    };
    add(before);
    parts.push_back(x);
    add(after);
    return graph::ConcatOp::create(builder, location, parts, axis);
  }
  SmallVector<int64_t> low(tensorOf(x).getRank(), 0), high = low;
  low[axis] = before;
  high[axis] = after;
  return graph::PadOp::create(builder, location, x, low, high);
}

/// Multiplies the first half of the axis with the second until one element is
/// left; what halving leaves over is multiplied in at the end.
Value Emitter::productOver(Value x, ArrayRef<int64_t> dims) {
  auto product = [&](Value a, Value b) -> Value {
    return graph::MulOp::create(builder, location, a, b);
  };
  SmallVector<int64_t> shape;
  for (auto [axis, size] : llvm::enumerate(tensorOf(x).getShape()))
    if (!llvm::is_contained(dims, axis))
      shape.push_back(size);
  for (int64_t axis : dims) {
    Value rest;
    for (int64_t size = tensorOf(x).getDimSize(axis); size > 1; size /= 2) {
      if (size % 2) {
        Value last = sliceAlong(x, axis, size - 1, 1);
        rest = rest ? product(rest, last) : last;
      }
      x = product(sliceAlong(x, axis, 0, size / 2),
                  sliceAlong(x, axis, size / 2, size / 2));
    }
    x = rest ? product(x, rest) : x;
  }
  return graph::ReshapeOp::create(builder, location, x, shape);
}

/// Adds the value moved by 1, 2, 4, ... elements.
Value Emitter::visit(const typed::CumulativeSum &node, const Expr &expr,
                     Frame &frame) {
  Value x = emit(*node.operand, frame);
  int64_t axis = axesOf(expr.type.shape, node.entry, frame.dims).first;
  int64_t size = tensorOf(x).getDimSize(axis);
  for (int64_t shift = 1; shift < size; shift *= 2)
    x = pointwise(
        typed::Builtin::Add,
        {x, padAlong(sliceAlong(x, axis, 0, size - shift), axis, shift, 0)},
        expr);
  return x;
}

Value Emitter::visit(const typed::Pad &node, const Expr &expr, Frame &frame) {
  Value x = emit(*node.operand, frame), value = emit(*node.value, frame);
  int64_t axis = axesOf(expr.type.shape, node.entry, frame.dims).first;
  RankedTensorType type = typeOf(expr.type, frame);
  int64_t before = node.before.evaluate(frame.dims);
  int64_t size = tensorOf(x).getDimSize(axis);
  int64_t after = type.getDimSize(axis) - size - before;
  if (knownNumber(value) == 0.0)
    return padAlong(x, axis, before, after);

  auto filled = [&](int64_t count) -> Value {
    SmallVector<int64_t> shape(type.getShape());
    shape[axis] = count;
    return graph::BroadcastOp::create(
        builder, location, value,
        llvm::to_vector(llvm::seq<int64_t>(0, shape.size())), shape);
  };
  SmallVector<Value> parts;
  if (before)
    parts.push_back(filled(before));
  parts.push_back(x);
  if (after)
    parts.push_back(filled(after));
  if (parts.size() == 1)
    return x;
  return graph::ConcatOp::create(builder, location, parts, axis);
}

} // namespace gradus::construct
