// Leaves and element-wise ops: each is one scalar formula inside a
// `linalg.generic` over identity maps. Booleans are stored as bytes 0 and 1 and
// are `i1` only between the ops of a body.
#include "compiler/lower/GraphToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace gradus::lower {
namespace {

Value real(OpBuilder &builder, Location loc, Type type, double value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getFloatAttr(type, value));
}

Value whole(OpBuilder &builder, Location loc, Type type, int64_t value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getIntegerAttr(type, value));
}

/// A stored boolean as `i1`.
Value loadBool(OpBuilder &builder, Location loc, Value byte) {
  return arith::TruncIOp::create(builder, loc, builder.getI1Type(), byte);
}

/// An `i1` as it is stored.
Value storeBool(OpBuilder &builder, Location loc, Value bit) {
  return arith::ExtUIOp::create(builder, loc, builder.getI8Type(), bit);
}

Type elementOf(Value x) { return getElementTypeOrSelf(x.getType()); }

//===-- Scalar formulas ---------------------------------------------------===//

/// The op of `arith` or `math` of the same meaning.
template <typename GraphOp, typename ScalarOp>
Value same(GraphOp, OpBuilder &builder, Location loc, ValueRange x) {
  return ScalarOp::create(builder, loc, TypeRange(x[0].getType()), x);
}

/// -1, 0 or 1, and x itself where it is NaN (or a zero of either sign).
Value signOf(graph::SignOp, OpBuilder &builder, Location loc, ValueRange x) {
  Type type = x[0].getType();
  Value zero = real(builder, loc, type, 0);
  Value above = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT,
                                      x[0], zero);
  Value below = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT,
                                      x[0], zero);
  Value rest = arith::SelectOp::create(builder, loc, below,
                                       real(builder, loc, type, -1), x[0]);
  return arith::SelectOp::create(builder, loc, above,
                                 real(builder, loc, type, 1), rest);
}

/// a zero wins against anything, else the product.
Value strongProduct(graph::StrongMulOp, OpBuilder &builder, Location loc,
                    ValueRange x) {
  Value zero = real(builder, loc, x[0].getType(), 0);
  Value noA = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ,
                                    x[0], zero);
  Value noB = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ,
                                    x[1], zero);
  Value none = arith::OrIOp::create(builder, loc, noA, noB);
  Value product = arith::MulFOp::create(builder, loc, x[0], x[1]);
  return arith::SelectOp::create(builder, loc, none, zero, product);
}

struct Predicates {
  arith::CmpFPredicate real;
  arith::CmpIPredicate ofSigned, ofUnsigned;
};

/// With NaN only `ne` holds.
Predicates predicatesOf(graph::Predicate predicate) {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  switch (predicate) {
  case graph::Predicate::eq:
    return {F::OEQ, I::eq, I::eq};
  case graph::Predicate::ne:
    return {F::UNE, I::ne, I::ne};
  case graph::Predicate::lt:
    return {F::OLT, I::slt, I::ult};
  case graph::Predicate::le:
    return {F::OLE, I::sle, I::ule};
  case graph::Predicate::gt:
    return {F::OGT, I::sgt, I::ugt};
  case graph::Predicate::ge:
    return {F::OGE, I::sge, I::uge};
  }
  llvm_unreachable("a predicate beyond the enumeration");
}

/// Whether elements of this graph type count from zero: `ui8` and `i1`.
bool isUnsigned(Type element) {
  return element.isUnsignedInteger() || element.isInteger(1);
}

Value comparison(graph::CompareOp op, OpBuilder &builder, Location loc,
                 ValueRange x) {
  Predicates predicates = predicatesOf(op.getPredicate());
  Type element = elementOf(op.getA());
  Value holds;
  if (isa<FloatType>(element))
    holds = arith::CmpFOp::create(builder, loc, predicates.real, x[0], x[1]);
  else
    holds = arith::CmpIOp::create(builder, loc,
                                  isUnsigned(element) ? predicates.ofUnsigned
                                                      : predicates.ofSigned,
                                  x[0], x[1]);
  return storeBool(builder, loc, holds);
}

/// a // b or a % b, without the two cases that trap.
Value division(bool isQuotient, OpBuilder &builder, Location loc, Value a,
               Value b) {
  Type type = a.getType();
  Value zero = whole(builder, loc, type, 0), one = whole(builder, loc, type, 1);
  auto compare = [&](arith::CmpIPredicate predicate, Value x,
                     Value y) -> Value {
    return arith::CmpIOp::create(builder, loc, predicate, x, y);
  };
  auto select = [&](Value c, Value x, Value y) -> Value {
    return arith::SelectOp::create(builder, loc, c, x, y);
  };
  using I = arith::CmpIPredicate;
  Value byZero = compare(I::eq, b, zero);
  Value byMinusOne = compare(I::eq, b, whole(builder, loc, type, -1));
  Value divisor =
      select(arith::OrIOp::create(builder, loc, byZero, byMinusOne), one, b);
  Value rest = arith::RemSIOp::create(builder, loc, a, divisor);
  Value isInexact = compare(I::ne, rest, zero);
  Value differ =
      compare(I::slt, arith::XOrIOp::create(builder, loc, a, divisor), zero);
  Value isAbove = arith::AndIOp::create(builder, loc, isInexact, differ);
  if (!isQuotient) {
    Value moved = arith::AddIOp::create(builder, loc, rest, divisor);
    return select(byZero, a, select(isAbove, moved, rest));
  }
  Value quotient = arith::DivSIOp::create(builder, loc, a, divisor);
  Value below = arith::SubIOp::create(builder, loc, quotient, one);
  Value negated = arith::SubIOp::create(builder, loc, zero, a);
  return select(byZero, zero,
                select(byMinusOne, negated, select(isAbove, below, quotient)));
}

Value wholeArithmetic(graph::WholeOp op, OpBuilder &builder, Location loc,
                      ValueRange x) {
  switch (op.getFormula()) {
  case graph::Arithmetic::add:
    return arith::AddIOp::create(builder, loc, x[0], x[1]);
  case graph::Arithmetic::sub:
    return arith::SubIOp::create(builder, loc, x[0], x[1]);
  case graph::Arithmetic::mul:
    return arith::MulIOp::create(builder, loc, x[0], x[1]);
  case graph::Arithmetic::floor_div:
    return division(/*isQuotient=*/true, builder, loc, x[0], x[1]);
  case graph::Arithmetic::remainder:
    return division(/*isQuotient=*/false, builder, loc, x[0], x[1]);
  case graph::Arithmetic::max:
    return arith::MaxSIOp::create(builder, loc, x[0], x[1]);
  case graph::Arithmetic::min:
    return arith::MinSIOp::create(builder, loc, x[0], x[1]);
  }
  llvm_unreachable("a formula beyond the enumeration");
}

Value choice(graph::SelectOp, OpBuilder &builder, Location loc, ValueRange x) {
  return arith::SelectOp::create(builder, loc, loadBool(builder, loc, x[0]),
                                 x[1], x[2]);
}

Value isNonzero(OpBuilder &builder, Location loc, Value x) {
  Type type = x.getType();
  if (isa<FloatType>(type))
    return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, x,
                                 real(builder, loc, type, 0));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, x,
                               whole(builder, loc, type, 0));
}

/// Towards zero; beyond the range of `to` its nearest end, NaN gives 0.
Value realToWhole(OpBuilder &builder, Location loc, Value x, IntegerType to) {
  auto type = cast<FloatType>(x.getType());
  unsigned bits = to.getWidth();
  bool isSigned = !to.isUnsigned();
  auto limit = [&](const APInt &end) {
    APFloat value(type.getFloatSemantics());
    value.convertFromAPInt(end, isSigned, APFloat::rmTowardZero);
    return arith::ConstantOp::create(builder, loc, FloatAttr::get(type, value));
  };
  Value low = limit(isSigned ? APInt::getSignedMinValue(bits)
                             : APInt::getMinValue(bits));
  Value high = limit(isSigned ? APInt::getSignedMaxValue(bits)
                              : APInt::getMaxValue(bits));
  Value isNumber =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::ORD, x, x);
  Value number = arith::SelectOp::create(builder, loc, isNumber, x,
                                         real(builder, loc, type, 0));
  Value clamped = arith::MinimumFOp::create(
      builder, loc, arith::MaximumFOp::create(builder, loc, number, low), high);
  Type stored = IntegerType::get(builder.getContext(), bits);
  if (isSigned)
    return arith::FPToSIOp::create(builder, loc, stored, clamped);
  return arith::FPToUIOp::create(builder, loc, stored, clamped);
}

Value realToReal(OpBuilder &builder, Location loc, Value x, Type to) {
  unsigned from = x.getType().getIntOrFloatBitWidth();
  if (from == to.getIntOrFloatBitWidth())
    return x;
  if (from < to.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(builder, loc, to, x);
  return arith::TruncFOp::create(builder, loc, to, x);
}

Value wholeToWhole(OpBuilder &builder, Location loc, Value x, bool fromUnsigned,
                   unsigned bits) {
  unsigned from = x.getType().getIntOrFloatBitWidth();
  Type stored = IntegerType::get(builder.getContext(), bits);
  if (from == bits)
    return x;
  if (from > bits)
    return arith::TruncIOp::create(builder, loc, stored, x);
  if (fromUnsigned)
    return arith::ExtUIOp::create(builder, loc, stored, x);
  return arith::ExtSIOp::create(builder, loc, stored, x);
}

Value conversion(graph::ConvertOp op, OpBuilder &builder, Location loc,
                 ValueRange x) {
  Type from = elementOf(op.getX()), to = op.getElement();
  if (to.isInteger(1))
    return storeBool(builder, loc, isNonzero(builder, loc, x[0]));
  if (isa<FloatType>(from))
    return isa<FloatType>(to)
               ? realToReal(builder, loc, x[0], to)
               : realToWhole(builder, loc, x[0], cast<IntegerType>(to));
  if (!isa<FloatType>(to))
    return wholeToWhole(builder, loc, x[0], isUnsigned(from),
                        to.getIntOrFloatBitWidth());
  if (isUnsigned(from))
    return arith::UIToFPOp::create(builder, loc, to, x[0]);
  return arith::SIToFPOp::create(builder, loc, to, x[0]);
}

//===-- Patterns ----------------------------------------------------------===//

/// y[i] = formula(x[i]...)
template <typename GraphOp,
          Value (*formula)(GraphOp, OpBuilder &, Location, ValueRange)>
struct PointwiseMapsElements : OpConversionPattern<GraphOp> {
  using OpConversionPattern<GraphOp>::OpConversionPattern;

  LogicalResult
  matchAndRewrite(GraphOp op, GraphOp::Adaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = static_cast<const StorageTypes *>(this->getTypeConverter())
                    ->storedTensor(op.getType());
    SmallVector<AffineMap> maps(
        operands.getOperands().size(),
        rewriter.getMultiDimIdentityMap(type.getRank()));
    rewriter.replaceOp(
        op,
        mapElements(rewriter, op.getLoc(), type, operands.getOperands(), maps,
                    [&](OpBuilder &builder, Location loc, ValueRange x) {
                      return formula(op, builder, loc, x);
                    }));
    return success();
  }
};

template <typename GraphOp, typename ScalarOp>
using SameFormula = PointwiseMapsElements<GraphOp, same<GraphOp, ScalarOp>>;

/// stop(x) -> x: derivatives are taken.
struct StopIsIdentity : OpConversionPattern<graph::StopOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::StopOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, operands.getX());
    return success();
  }
};

struct ConstantIsStored : OpConversionPattern<graph::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::ConstantOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto value = dyn_cast<DenseElementsAttr>(op.getValue());
    if (!value)
      return rewriter.notifyMatchFailure(op, "is not a dense constant");
    Type element = value.getElementType();
    Type byte = rewriter.getI8Type();
    if (element.isUnsignedInteger(8))
      value = value.bitcast(byte);
    else if (element.isInteger(1))
      value =
          value.mapValues(byte, [](const APInt &bit) { return bit.zext(8); });
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, value);
    return success();
  }
};

/// y[i] = i
struct IotaReadsIndex : OpConversionPattern<graph::IotaOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::IotaOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = static_cast<const StorageTypes *>(getTypeConverter())
                    ->storedTensor(op.getType());
    rewriter.replaceOp(
        op, mapElements(rewriter, op.getLoc(), type, {}, {},
                        [&](OpBuilder &builder, Location loc, ValueRange) {
                          return element(builder, loc, op.getElement(),
                                         type.getElementType());
                        }));
    return success();
  }

  static Value element(OpBuilder &builder, Location loc, Type element,
                       Type stored) {
    Value index = linalg::IndexOp::create(builder, loc, 0);
    if (element.isInteger(1))
      return storeBool(builder, loc,
                       arith::CmpIOp::create(
                           builder, loc, arith::CmpIPredicate::ne, index,
                           arith::ConstantIndexOp::create(builder, loc, 0)));
    if (!isa<FloatType>(element))
      return arith::IndexCastOp::create(builder, loc, stored, index);
    Value whole =
        arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
    return arith::SIToFPOp::create(builder, loc, stored, whole);
  }
};

} // namespace

void populatePointwisePatterns(const StorageTypes &types,
                               RewritePatternSet &patterns) {
  using namespace graph;
  patterns.add<
      ConstantIsStored, IotaReadsIndex, StopIsIdentity,
      SameFormula<NegOp, arith::NegFOp>, SameFormula<ExpOp, math::ExpOp>,
      SameFormula<Expm1Op, math::ExpM1Op>, SameFormula<LogOp, math::LogOp>,
      SameFormula<Log1pOp, math::Log1pOp>, SameFormula<TanhOp, math::TanhOp>,
      SameFormula<ErfOp, math::ErfOp>, SameFormula<SqrtOp, math::SqrtOp>,
      SameFormula<SinOp, math::SinOp>, SameFormula<CosOp, math::CosOp>,
      SameFormula<AtanOp, math::AtanOp>, SameFormula<AbsOp, math::AbsFOp>,
      SameFormula<FloorOp, math::FloorOp>, SameFormula<AddOp, arith::AddFOp>,
      SameFormula<SubOp, arith::SubFOp>, SameFormula<MulOp, arith::MulFOp>,
      SameFormula<DivOp, arith::DivFOp>, SameFormula<PowOp, math::PowFOp>,
      SameFormula<MaxOp, arith::MaximumFOp>,
      SameFormula<MinOp, arith::MinimumFOp>,
      PointwiseMapsElements<SignOp, signOf>,
      PointwiseMapsElements<StrongMulOp, strongProduct>,
      PointwiseMapsElements<CompareOp, comparison>,
      PointwiseMapsElements<WholeOp, wholeArithmetic>,
      PointwiseMapsElements<SelectOp, choice>,
      PointwiseMapsElements<ConvertOp, conversion>>(types,
                                                    patterns.getContext());
}

} // namespace gradus::lower
