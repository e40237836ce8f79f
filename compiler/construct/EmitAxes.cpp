// Nodes that move, repeat, drop or contract axes. Entries of symbolic shapes
// become axes here: a pack is as many as it is bound to.
#include "compiler/DiagnosticKinds.h"
#include "compiler/construct/Emitter.h"
#include "dialect/Duals.h"
#include "dialect/Einsum.h"

using namespace mlir;

namespace gradus::construct {

using typed::Builtin;

/// The axes of several entries, ascending.
static SmallVector<int64_t> axesOf(const typed::Shape &shape,
                                   const std::vector<unsigned> &entries,
                                   const typed::DimEnvironment &dims) {
  SmallVector<int64_t> axes;
  for (unsigned entry : entries) {
    auto [first, last] = construct::axesOf(shape, entry, dims);
    llvm::append_range(axes, llvm::seq(first, last));
  }
  return axes;
}

Value Emitter::visit(const typed::Broadcast &node, const Expr &expr,
                     Frame &frame) {
  Value operand = emit(*node.operand, frame);
  RankedTensorType type = typeOf(expr.type, frame);
  SmallVector<int64_t> kept = axesOf(expr.type.shape, node.entries, frame.dims);
  SmallVector<int64_t> dims, sizes;
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (!llvm::is_contained(kept, axis)) {
      dims.push_back(axis);
      sizes.push_back(type.getDimSize(axis));
    }
  return graph::BroadcastOp::create(builder, location, operand, dims, sizes);
}

//===-- Reductions --------------------------------------------------------===//

Value Emitter::sumOver(Value x, ArrayRef<int64_t> dims) {
  if (isWhole(x))
    return graph::WholeReduceOp::create(builder, location,
                                        graph::Arithmetic::add, x, dims);
  return graph::SumOp::create(builder, location, x, dims);
}

Value Emitter::meanOver(Value x, ArrayRef<int64_t> dims) {
  Value sum = sumOver(x, dims);
  auto type = cast<RankedTensorType>(x.getType());
  double count = 1;
  for (int64_t dim : dims)
    count *= type.getDimSize(dim);
  return graph::DivOp::create(builder, location, sum, number(sum, count));
}

Value Emitter::visit(const typed::Reduce &node, const Expr &expr,
                     Frame &frame) {
  Value x = emit(*node.operand, frame);
  SmallVector<int64_t> dims =
      axesOf(node.operand->type.shape, node.entries, frame.dims);
  auto batch = frame.batchAxis(node.operand->type.shape);
  if (batch && (*batch < 0 || llvm::is_contained(dims, *batch)))
    leaveLoops();
  return reduce(node.op, x, dims, node.operand->type.element, expr.range);
}

Value Emitter::reduce(Builtin op, Value x, ArrayRef<int64_t> dims,
                      typed::ElementType element, Range range) {
  auto toReal = [&](Value x) -> Value {
    return graph::ConvertOp::create(builder, location, x, model.real);
  };
  auto compareWithZero = [&](graph::Predicate predicate, Value x) -> Value {
    return graph::CompareOp::create(builder, location, predicate, x,
                                    number(x, 0));
  };
  auto argmax = [&](Value x) -> Value {
    if (dims.size() != 1)
      refuse(range, fmt::format("`{}` over several axes is", typed::str(op)));
    return graph::ArgmaxOp::create(builder, location, x, dims.front());
  };
  auto negate = [&](Value x) -> Value {
    return graph::NegOp::create(builder, location, x);
  };
  if (isWhole(x))
    return wholeReduction(op, x, dims, range);
  bool isBool =
      cast<RankedTensorType>(x.getType()).getElementType().isInteger(1);
  if (!graph::isReal(x) && !isBool)
    refuse(range,
           fmt::format("`{}` of {} is", typed::str(op), typed::str(element)));

  switch (op) {
  case Builtin::Sum:
    return sumOver(x, dims);
  case Builtin::Mean:
    return meanOver(isBool ? toReal(x) : x, dims);
  case Builtin::MaxOf:
    return graph::ReduceMaxOp::create(builder, location, x, dims);
  case Builtin::MinOf:
    return negate(
        graph::ReduceMaxOp::create(builder, location, negate(x), dims));
  case Builtin::Prod:
    return productOver(x, dims);
  case Builtin::Any: // some are true: their number is not zero
    return compareWithZero(graph::Predicate::gt, sumOver(toReal(x), dims));
  case Builtin::All: // none is false
    return compareWithZero(
        graph::Predicate::eq,
        sumOver(toReal(graph::SelectOp::create(builder, location, x,
                                               number(x, 0), number(x, 1))),
                dims));
  case Builtin::ArgMax:
    return argmax(x);
  case Builtin::ArgMin:
    return argmax(negate(x));
  default:
    refuse(range, fmt::format("`{}` is", typed::str(op)));
  }
}

//===-- Products ----------------------------------------------------------===//

Value Emitter::visit(const typed::Contract &node, const Expr &, Frame &frame) {
  Value left = emit(*node.left, frame), right = emit(*node.right, frame);
  auto leftRank = cast<RankedTensorType>(left.getType()).getRank();
  auto rightRank = cast<RankedTensorType>(right.getType()).getRank();
  const typed::Shape &leftShape = node.left->type.shape;
  const typed::Shape &rightShape = node.right->type.shape;
  int64_t batch =
      node.batch
          ? construct::axesOf(leftShape, node.batch - 1, frame.dims).second
          : 0;
  int64_t leftAxis =
      construct::axesOf(leftShape, node.leftEntry, frame.dims).first;
  int64_t rightAxis =
      construct::axesOf(rightShape, node.rightEntry, frame.dims).first;
  if (leftRank + rightRank > 52)
    refuse(node.left->range, "a product over so many axes is");

  graph::EinsumSpec spec;
  auto letter = [next = 0]() mutable -> char {
    int i = next++;
    return i < 26 ? 'a' + i : 'A' + (i - 26);
  };
  for (int64_t axis = 0; axis < leftRank; ++axis) {
    spec.a += letter();
    if (axis != leftAxis)
      spec.y += spec.a.back();
  }
  for (int64_t axis = 0; axis < rightRank; ++axis) {
    spec.b += axis < batch        ? spec.a[axis]
              : axis == rightAxis ? spec.a[leftAxis]
                                  : letter();
    if (axis >= batch && axis != rightAxis)
      spec.y += spec.b.back();
  }
  return graph::EinsumOp::create(builder, location, left, right, spec.str());
}

//===-- Layout ------------------------------------------------------------===//

Value Emitter::visit(const typed::Transpose &node, const Expr &, Frame &frame) {
  Value operand = emit(*node.operand, frame);
  return graph::TransposeOp::create(builder, location, operand,
                                    ArrayRef<int64_t>{1, 0});
}

Value Emitter::visit(const typed::Reshape &node, const Expr &expr,
                     Frame &frame) {
  Value operand = emit(*node.operand, frame);
  RankedTensorType type = typeOf(expr.type, frame);
  if (type.getNumElements() !=
      cast<RankedTensorType>(operand.getType()).getNumElements()) {
    model.diagnostics.report(diag::ReshapeCount, expr.range, expr.type.str(),
                             node.operand->type.str());
    throw Refused();
  }
  auto reshape =
      graph::ReshapeOp::create(builder, location, operand, type.getShape());
  // Which axis the batch becomes its name tells; of one row its size does not.
  auto axis = frame.batchAxis(expr.type.shape);
  if (axis && *axis >= 0 && type.getDimSize(*axis) == 1)
    reshape->setAttr(batchAttrName, builder.getI64IntegerAttr(*axis));
  return reshape;
}

/// `index == 0, 1, ..., size - 1` along a new last axis.
Value Emitter::compareWithIota(Value index, int64_t size) {
  auto type = cast<RankedTensorType>(index.getType());
  int64_t rank = type.getRank();
  Value repeated = graph::BroadcastOp::create(builder, location, index,
                                              ArrayRef<int64_t>{rank},
                                              ArrayRef<int64_t>{size});
  Value iota =
      graph::IotaOp::create(builder, location, size, type.getElementType());
  Value numbers = graph::BroadcastOp::create(
      builder, location, iota, llvm::to_vector(llvm::seq<int64_t>(0, rank)),
      type.getShape());
  return graph::CompareOp::create(builder, location, graph::Predicate::eq,
                                  repeated, numbers);
}

Value Emitter::visit(const typed::Pick &node, const Expr &, Frame &frame) {
  Value operand = emit(*node.operand, frame);
  Value index = emit(*node.index, frame);
  auto type = cast<RankedTensorType>(operand.getType());
  int64_t last = type.getRank() - 1;
  Value isPicked = compareWithIota(index, type.getDimSize(last));
  Value alone = graph::SelectOp::create(builder, location, isPicked, operand,
                                        number(operand, 0));
  return graph::SumOp::create(builder, location, alone,
                              ArrayRef<int64_t>{last});
}

Value Emitter::visit(const typed::OneHot &node, const Expr &expr,
                     Frame &frame) {
  Value index = emit(*node.index, frame);
  RankedTensorType type = typeOf(expr.type, frame);
  return graph::ConvertOp::create(
      builder, location, compareWithIota(index, type.getShape().back()),
      type.getElementType());
}

Value Emitter::visit(const typed::Concat &node, const Expr &expr,
                     Frame &frame) {
  SmallVector<Value> operands;
  for (const Expr *operand : node.operands)
    operands.push_back(emit(*operand, frame));
  return graph::ConcatOp::create(
      builder, location, operands,
      construct::axesOf(expr.type.shape, node.entry, frame.dims).first);
}

Value Emitter::visit(const typed::Slice &node, const Expr &expr, Frame &frame) {
  Value operand = emit(*node.operand, frame);
  RankedTensorType result = typeOf(expr.type, frame);
  // Positions that loops count; from the last axis on, so that others stay.
  for (size_t entry = node.parts.size(); entry-- > 0;)
    if (const typed::Dim &position = node.parts[entry].begin;
        isRolled(position))
      operand = takeInRound(
          operand,
          construct::axesOf(node.operand->type.shape, entry, frame.dims).first,
          position, frame);
  auto type = cast<RankedTensorType>(operand.getType());
  SmallVector<int64_t> offsets, sizes;
  unsigned kept = 0;
  for (auto [entry, part] : llvm::enumerate(node.parts)) {
    if (isRolled(part.begin))
      continue;
    const typed::Axis &axis = node.operand->type.shape[entry];
    auto [first, last] =
        construct::axesOf(node.operand->type.shape, entry, frame.dims);
    for (int64_t i = first; i < last; ++i) {
      offsets.push_back(axis.isPack() ? 0 : part.begin.evaluate(frame.dims));
      sizes.push_back(part.isDropped ? 1 : result.getDimSize(kept++));
    }
  }
  for (auto [axis, bounds] : llvm::enumerate(llvm::zip(offsets, sizes))) {
    auto [offset, size] = bounds;
    if (offset < 0 || offset + size > type.getDimSize(axis)) {
      model.diagnostics.report(diag::IndexPastEnd, expr.range,
                               node.operand->type.str());
      throw Refused();
    }
  }
  Value box =
      graph::SliceOp::create(builder, location, operand, offsets, sizes);
  return graph::ReshapeOp::create(builder, location, box, result.getShape());
}

Value Emitter::visit(const typed::Eye &, const Expr &expr, Frame &frame) {
  RankedTensorType type = typeOf(expr.type, frame);
  Value rows = graph::IotaOp::create(builder, location, type.getDimSize(0),
                                     builder.getI32Type());
  return graph::ConvertOp::create(builder, location,
                                  compareWithIota(rows, type.getDimSize(1)),
                                  type.getElementType());
}

Value Emitter::visit(const typed::Iota &, const Expr &expr, Frame &frame) {
  RankedTensorType type = typeOf(expr.type, frame);
  return graph::IotaOp::create(builder, location, type.getDimSize(0),
                               type.getElementType());
}

} // namespace gradus::construct
