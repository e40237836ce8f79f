// Operators and elementwise builtins in terms of the closed op set. All
// operands have the type of the result already.
#include "compiler/construct/Emitter.h"
#include "dialect/Duals.h"

#include "mlir/IR/Matchers.h"

#include <cmath>
#include <numbers>

using namespace mlir;

namespace gradus::construct {

using typed::Builtin;

Value Emitter::number(Value like, double value) {
  return constant(cast<RankedTensorType>(like.getType()), value);
}

std::optional<double> knownNumber(Value value) {
  if (auto broadcast = value.getDefiningOp<graph::BroadcastOp>())
    return knownNumber(broadcast.getX());
  if (auto negated = value.getDefiningOp<graph::NegOp>()) {
    auto number = knownNumber(negated.getX());
    return number ? std::optional(-*number) : std::nullopt;
  }
  SplatElementsAttr splat;
  if (!matchPattern(value, m_Constant(&splat)) ||
      !isa<FloatType>(splat.getElementType()))
    return std::nullopt;
  APFloat number = splat.getSplatValue<APFloat>();
  return splat.getElementType().isF32() ? number.convertToFloat()
                                        : number.convertToDouble();
}

/// x^n by squaring for the whole numbers people write, so that its derivatives
/// are products at every order; square roots by sqrt; else the general power.
Value Emitter::power(Value base, Value exponent) {
  constexpr double largestProduct = 64;
  auto known = knownNumber(exponent);
  if (known && *known == 0.5)
    return graph::SqrtOp::create(builder, location, base);
  if (!known || *known != std::floor(*known) ||
      std::fabs(*known) > largestProduct)
    return graph::PowOp::create(builder, location, base, exponent);

  auto n = static_cast<unsigned>(std::fabs(*known));
  if (n == 0)
    return number(base, 1);
  Value product;
  for (Value square = base;; n >>= 1) {
    if (n & 1)
      product = product
                    ? graph::MulOp::create(builder, location, product, square)
                    : square;
    if (n == 1)
      break;
    square = graph::MulOp::create(builder, location, square, square);
  }
  if (*known < 0)
    return graph::DivOp::create(builder, location, number(base, 1), product);
  return product;
}

/// floor(x + 1/2), one less where x lies halfway and that is odd.
Value Emitter::roundToEven(Value x) {
  auto floor = [&](Value x) -> Value {
    return graph::FloorOp::create(builder, location, x);
  };
  auto sub = [&](Value a, Value b) -> Value {
    return graph::SubOp::create(builder, location, a, b);
  };
  auto mul = [&](Value a, Value b) -> Value {
    return graph::MulOp::create(builder, location, a, b);
  };
  auto equal = [&](Value a, Value b) -> Value {
    return graph::CompareOp::create(builder, location, graph::Predicate::eq, a,
                                    b);
  };
  Value half = number(x, 0.5), one = number(x, 1), zero = number(x, 0);
  Value up = floor(graph::AddOp::create(builder, location, x, half));
  Value isOdd = sub(up, mul(number(x, 2), floor(mul(up, half))));
  Value excess = graph::SelectOp::create(builder, location,
                                         equal(sub(up, x), half), isOdd, zero);
  return sub(up, graph::SelectOp::create(builder, location, equal(excess, one),
                                         one, zero));
}

Value Emitter::pointwise(Builtin op, ArrayRef<Value> x, const Expr &expr) {
  auto unary = [&]<typename Op>(Value x) -> Value {
    return Op::create(builder, location, x);
  };
  auto binary = [&]<typename Op>(Value a, Value b) -> Value {
    return Op::create(builder, location, a, b);
  };
  auto compare = [&](graph::Predicate predicate, Value a, Value b) -> Value {
    return graph::CompareOp::create(builder, location, predicate, a, b);
  };
  auto select = [&](Value c, Value a, Value b) -> Value {
    return graph::SelectOp::create(builder, location, c, a, b);
  };
#define UNARY(OP, X) unary.template operator()<graph::OP>(X)
#define BINARY(OP, A, B) binary.template operator()<graph::OP>(A, B)

  switch (op) {
  case Builtin::Equal:
    return compare(graph::Predicate::eq, x[0], x[1]);
  case Builtin::NotEqual:
    return compare(graph::Predicate::ne, x[0], x[1]);
  case Builtin::Less:
    return compare(graph::Predicate::lt, x[0], x[1]);
  case Builtin::LessEqual:
    return compare(graph::Predicate::le, x[0], x[1]);
  case Builtin::Greater:
    return compare(graph::Predicate::gt, x[0], x[1]);
  case Builtin::GreaterEqual:
    return compare(graph::Predicate::ge, x[0], x[1]);
  case Builtin::And:
    return select(x[0], x[1], number(x[0], 0));
  case Builtin::Or:
    return select(x[0], number(x[0], 1), x[1]);
  case Builtin::Not:
    return select(x[0], number(x[0], 0), number(x[0], 1));
  case Builtin::Select:
    return select(x[0], x[1], x[2]);
  default:
    break;
  }

  if (isWhole(x.front()))
    return wholePointwise(op, x, expr);
  if (!graph::isReal(x.front()))
    refuse(expr.range, fmt::format("`{}` of {} is", typed::str(op),
                                   typed::str(expr.type.element)));
  switch (op) {
  case Builtin::Neg:
    return UNARY(NegOp, x[0]);
  case Builtin::Add:
    return BINARY(AddOp, x[0], x[1]);
  case Builtin::Sub:
    return BINARY(SubOp, x[0], x[1]);
  case Builtin::Mul:
    return BINARY(MulOp, x[0], x[1]);
  case Builtin::Div:
    return BINARY(DivOp, x[0], x[1]);
  case Builtin::Pow:
    return power(x[0], x[1]);
  case Builtin::Max:
    return BINARY(MaxOp, x[0], x[1]);
  case Builtin::Min:
    return BINARY(MinOp, x[0], x[1]);
  case Builtin::Clamp:
    return BINARY(MinOp, BINARY(MaxOp, x[0], x[1]), x[2]);
  case Builtin::Exp:
    return UNARY(ExpOp, x[0]);
  case Builtin::Expm1:
    return UNARY(Expm1Op, x[0]);
  case Builtin::Log:
    if (Value y = stableLog(x[0]))
      return y;
    return UNARY(LogOp, x[0]);
  case Builtin::Log1p:
    if (Value y = stableLog1p(x[0]))
      return y;
    return UNARY(Log1pOp, x[0]);
  case Builtin::Sqrt:
    return UNARY(SqrtOp, x[0]);
  case Builtin::Rsqrt:
    return BINARY(DivOp, number(x[0], 1), UNARY(SqrtOp, x[0]));
  case Builtin::Sin:
    return UNARY(SinOp, x[0]);
  case Builtin::Cos:
    return UNARY(CosOp, x[0]);
  case Builtin::Tan:
    return BINARY(DivOp, UNARY(SinOp, x[0]), UNARY(CosOp, x[0]));
  case Builtin::Sinh: // (expm1(x) - expm1(-x)) / 2 keeps small x
    return BINARY(MulOp, number(x[0], 0.5),
                  BINARY(SubOp, UNARY(Expm1Op, x[0]),
                         UNARY(Expm1Op, UNARY(NegOp, x[0]))));
  case Builtin::Cosh:
    return BINARY(
        MulOp, number(x[0], 0.5),
        BINARY(AddOp, UNARY(ExpOp, x[0]), UNARY(ExpOp, UNARY(NegOp, x[0]))));
  case Builtin::Tanh:
    return UNARY(TanhOp, x[0]);
  case Builtin::Asin:
  case Builtin::Acos: {
    // asin(x) = atan(x / sqrt((1 - x)(1 + x))), acos(x) = pi/2 - asin(x)
    Value one = number(x[0], 1);
    Value other = UNARY(SqrtOp, BINARY(MulOp, BINARY(SubOp, one, x[0]),
                                       BINARY(AddOp, one, x[0])));
    Value asin = UNARY(AtanOp, BINARY(DivOp, x[0], other));
    if (op == Builtin::Asin)
      return asin;
    return BINARY(SubOp, number(x[0], std::numbers::pi / 2), asin);
  }
  case Builtin::Atan:
    return UNARY(AtanOp, x[0]);
  case Builtin::Erf:
    return UNARY(ErfOp, x[0]);
  case Builtin::Floor:
    return UNARY(FloorOp, x[0]);
  case Builtin::Ceil:
    return UNARY(NegOp, UNARY(FloorOp, UNARY(NegOp, x[0])));
  case Builtin::Round:
    return roundToEven(x[0]);
  case Builtin::Abs:
    return UNARY(AbsOp, x[0]);
  case Builtin::Sign:
    return UNARY(SignOp, x[0]);
  case Builtin::IsNan:
    return compare(graph::Predicate::ne, x[0], x[0]);
  case Builtin::IsFinite: // x - x is NaN for an infinite x
    return compare(graph::Predicate::eq, BINARY(SubOp, x[0], x[0]),
                   number(x[0], 0));
  default:
    refuse(expr.range, fmt::format("`{}` is", typed::str(op)));
  }
#undef UNARY
#undef BINARY
}

const typed::Expr *Emitter::taken(const typed::Elementwise &node,
                                  const Frame &frame) const {
  if (node.op != Builtin::Select)
    return nullptr;
  auto condition = known(*node.operands[0], frame);
  return condition ? node.operands[*condition ? 1 : 2] : nullptr;
}

Value Emitter::visit(const typed::Elementwise &node, const Expr &expr,
                     Frame &frame) {
  if (const Expr *one = taken(node, frame))
    return emit(*one, frame);
  SmallVector<Value> operands;
  for (const Expr *operand : node.operands)
    operands.push_back(emit(*operand, frame));
  // E0504 points at what ends a derivative: the sign of a comparison.
  if (node.op >= Builtin::Equal && node.op <= Builtin::GreaterEqual)
    location = locate(node.opRange);
  return pointwise(node.op, operands, expr);
}

Value Emitter::visit(const typed::Convert &node, const Expr &expr,
                     Frame &frame) {
  Value operand = emit(*node.operand, frame);
  return graph::ConvertOp::create(builder, location, operand,
                                  elementOf(expr.type));
}

} // namespace gradus::construct
