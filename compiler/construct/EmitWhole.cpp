// Arithmetic and reductions of whole numbers, in terms of `whole` and
// `whole_reduce`.
#include "compiler/construct/Emitter.h"
#include "dialect/Duals.h"

using namespace mlir;

namespace gradus::construct {

using typed::Builtin;

bool isWhole(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  return element.isSignlessInteger(32) || element.isSignlessInteger(64);
}

Value Emitter::wholePointwise(Builtin op, ArrayRef<Value> x, const Expr &expr) {
  auto whole = [&](graph::Arithmetic formula, Value a, Value b) -> Value {
    return graph::WholeOp::create(builder, location, formula, a, b);
  };
  using enum graph::Arithmetic;
  switch (op) {
  case Builtin::Neg:
    return whole(sub, number(x[0], 0), x[0]);
  case Builtin::Add:
    return whole(add, x[0], x[1]);
  case Builtin::Sub:
    return whole(sub, x[0], x[1]);
  case Builtin::Mul:
    return whole(mul, x[0], x[1]);
  case Builtin::FloorDiv:
    return whole(floor_div, x[0], x[1]);
  case Builtin::Remainder:
    return whole(remainder, x[0], x[1]);
  case Builtin::Max:
    return whole(max, x[0], x[1]);
  case Builtin::Min:
    return whole(min, x[0], x[1]);
  case Builtin::Abs:
    return whole(max, x[0], whole(sub, number(x[0], 0), x[0]));
  case Builtin::Sign:
    return whole(min, whole(max, x[0], number(x[0], -1)), number(x[0], 1));
  default:
    refuse(expr.range, fmt::format("`{}` of {} is", typed::str(op),
                                   typed::str(expr.type.element)));
  }
}

Value Emitter::wholeReduction(Builtin op, Value x, ArrayRef<int64_t> dims,
                              Range range) {
  auto type = cast<RankedTensorType>(x.getType());
  auto reduce = [&](graph::Arithmetic formula, Value x) -> Value {
    return graph::WholeReduceOp::create(builder, location, formula, x, dims);
  };
  // The least of the places where x is the extremum.
  auto place = [&](graph::Arithmetic extremum) -> Value {
    if (dims.size() != 1)
      refuse(range, fmt::format("`{}` over several axes is", typed::str(op)));
    int64_t axis = dims.front(), size = type.getDimSize(axis);
    Value best = graph::BroadcastOp::create(
        builder, location, reduce(extremum, x), dims, ArrayRef<int64_t>{size});
    Value isBest = graph::CompareOp::create(builder, location,
                                            graph::Predicate::eq, x, best);
    SmallVector<int64_t> others, sizes;
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (i != axis) {
        others.push_back(i);
        sizes.push_back(type.getDimSize(i));
      }
    Value places = graph::BroadcastOp::create(
        builder, location,
        graph::IotaOp::create(builder, location, size, builder.getI32Type()),
        others, sizes);
    Value candidates =
        graph::SelectOp::create(builder, location, isBest, places,
                                number(places, static_cast<double>(size)));
    return reduce(graph::Arithmetic::min, candidates);
  };
  switch (op) {
  case Builtin::Sum:
    return sumOver(x, dims);
  case Builtin::Prod:
    return reduce(graph::Arithmetic::mul, x);
  case Builtin::MaxOf:
    return reduce(graph::Arithmetic::max, x);
  case Builtin::MinOf:
    return reduce(graph::Arithmetic::min, x);
  case Builtin::ArgMax:
    return place(graph::Arithmetic::max);
  case Builtin::ArgMin:
    return place(graph::Arithmetic::min);
  default:
    refuse(range, fmt::format("`{}` of whole numbers is", typed::str(op)));
  }
}

} // namespace gradus::construct
