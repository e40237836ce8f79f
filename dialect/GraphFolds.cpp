// Constant folding of splats (every scalar is one) and the identities that need
// no new op. Folds keep values up to the sign of a zero; arithmetic is done in
// double and rounded once, which is exact for + - * / and sqrt of f32.
#include "dialect/Duals.h"
#include "dialect/Formulas.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

#include <cmath>

using namespace mlir;

namespace gradus::graph {
#include "dialect/Identities.inc"

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

/// The number a constant holds in every element, if it does.
static std::optional<double> splatValue(Attribute attribute) {
  auto splat = dyn_cast_if_present<SplatElementsAttr>(attribute);
  if (!splat)
    return std::nullopt;
  if (isa<FloatType>(splat.getElementType())) {
    APFloat value = splat.getSplatValue<APFloat>();
    return splat.getElementType().isF32() ? value.convertToFloat()
                                          : value.convertToDouble();
  }
  auto integer = cast<IntegerType>(splat.getElementType());
  APInt value = splat.getSplatValue<APInt>();
  bool isSigned = !integer.isUnsigned() && integer.getWidth() > 1;
  return isSigned ? static_cast<double>(value.getSExtValue())
                  : static_cast<double>(value.getZExtValue());
}

static bool isSplat(Attribute attribute, double value) {
  return splatValue(attribute) == value;
}

using Unary = double (*)(double);
using Binary = double (*)(double, double);

static OpFoldResult foldUnary(Operation *op, Attribute x, Unary function) {
  if (auto value = splatValue(x))
    return splatOf(op->getResult(0).getType(), function(*value));
  return {};
}

static OpFoldResult foldBinary(Operation *op, Attribute a, Attribute b,
                               Binary function) {
  auto left = splatValue(a), right = splatValue(b);
  if (left && right)
    return splatOf(op->getResult(0).getType(), function(*left, *right));
  return {};
}

//===-- Pointwise ---------------------------------------------------------===//

#define UNARY(OP, FORMULA)                                                     \
  OpFoldResult OP::fold(FoldAdaptor operands) {                                \
    return foldUnary(*this, operands.getX(), Formula<OP>::of);                 \
  }
#define BINARY(OP, FORMULA)
#include "dialect/Formulas.def"

OpFoldResult AddOp::fold(FoldAdaptor operands) {
  if (isSplat(operands.getB(), 0))
    return getA();
  return foldBinary(*this, operands.getA(), operands.getB(),
                    Formula<AddOp>::of);
}

OpFoldResult SubOp::fold(FoldAdaptor operands) {
  if (isSplat(operands.getB(), 0))
    return getA();
  return foldBinary(*this, operands.getA(), operands.getB(),
                    Formula<SubOp>::of);
}

OpFoldResult MulOp::fold(FoldAdaptor operands) {
  if (isSplat(operands.getB(), 1))
    return getA();
  return foldBinary(*this, operands.getA(), operands.getB(),
                    Formula<MulOp>::of);
}

OpFoldResult DivOp::fold(FoldAdaptor operands) {
  if (isSplat(operands.getB(), 1))
    return getA();
  return foldBinary(*this, operands.getA(), operands.getB(),
                    Formula<DivOp>::of);
}

OpFoldResult PowOp::fold(FoldAdaptor operands) {
  if (isSplat(operands.getB(), 1))
    return getA();
  return foldBinary(*this, operands.getA(), operands.getB(),
                    Formula<PowOp>::of);
}

OpFoldResult MaxOp::fold(FoldAdaptor operands) {
  return foldBinary(*this, operands.getA(), operands.getB(),
                    Formula<MaxOp>::of);
}

OpFoldResult MinOp::fold(FoldAdaptor operands) {
  return foldBinary(*this, operands.getA(), operands.getB(),
                    Formula<MinOp>::of);
}

OpFoldResult StrongMulOp::fold(FoldAdaptor operands) {
  if (isSplat(operands.getA(), 0) || isSplat(operands.getB(), 0))
    return splatOf(getType(), 0);
  return foldBinary(*this, operands.getA(), operands.getB(),
                    Formula<StrongMulOp>::of);
}

OpFoldResult CompareOp::fold(FoldAdaptor operands) {
  auto a = splatValue(operands.getA()), b = splatValue(operands.getB());
  if (a && b)
    return splatOf(getType(), holds(getPredicate(), *a, *b));
  return {};
}

OpFoldResult SelectOp::fold(FoldAdaptor operands) {
  if (getA() == getB())
    return getA();
  if (auto condition = splatValue(operands.getCondition()))
    return *condition != 0 ? getA() : getB();
  return {};
}

OpFoldResult ConvertOp::fold(FoldAdaptor operands) {
  if (getX().getType() == getType())
    return getX();
  auto value = splatValue(operands.getX());
  if (!value)
    return {};
  auto whole = dyn_cast<IntegerType>(getElement());
  if (!whole)
    return splatOf(getType(), *value);
  // Beyond 2^53 not every whole number is a double.
  if (std::fabs(*value) > 0x1p53)
    return {};
  int64_t element = isReal(getX()) ? toWhole(*value, whole)
                                   : wrap(static_cast<int64_t>(*value), whole);
  return splatOf(getType(), static_cast<double>(element));
}

//===-- Linear ------------------------------------------------------------===//

/// A splat moved or repeated is a splat.
static OpFoldResult foldMovedSplat(Operation *op, Attribute x) {
  if (auto splat = dyn_cast_if_present<SplatElementsAttr>(x))
    return splat.resizeSplat(cast<ShapedType>(op->getResult(0).getType()));
  return {};
}

OpFoldResult SumOp::fold(FoldAdaptor operands) {
  if (getDims().empty())
    return getX();
  if (auto value = splatValue(operands.getX())) {
    auto type = cast<RankedTensorType>(getX().getType());
    double count = 1;
    for (int64_t dim : getDims())
      count *= type.getDimSize(dim);
    return splatOf(getType(), count * *value);
  }
  return {};
}

OpFoldResult BroadcastOp::fold(FoldAdaptor operands) {
  if (getDims().empty())
    return getX();
  return foldMovedSplat(*this, operands.getX());
}

OpFoldResult TransposeOp::fold(FoldAdaptor operands) {
  if (llvm::is_sorted(getPermutation()))
    return getX();
  return foldMovedSplat(*this, operands.getX());
}

OpFoldResult ReshapeOp::fold(FoldAdaptor operands) {
  if (getX().getType() == getType())
    return getX();
  if (auto elements = dyn_cast_if_present<DenseElementsAttr>(operands.getX()))
    return elements.reshape(cast<ShapedType>(getType()));
  return {};
}

OpFoldResult SliceOp::fold(FoldAdaptor operands) {
  if (getX().getType() == getType())
    return getX();
  return foldMovedSplat(*this, operands.getX());
}

OpFoldResult PadOp::fold(FoldAdaptor operands) {
  if (getX().getType() == getType())
    return getX();
  if (isSplat(operands.getX(), 0))
    return splatOf(getType(), 0);
  return {};
}

OpFoldResult UnfoldOp::fold(FoldAdaptor operands) {
  if (getDims().empty())
    return getX();
  return foldMovedSplat(*this, operands.getX());
}

OpFoldResult FoldOp::fold(FoldAdaptor operands) {
  if (getDims().empty())
    return getX();
  if (isSplat(operands.getX(), 0))
    return splatOf(getType(), 0);
  return {};
}

//===-- Canonicalization --------------------------------------------------===//

void NegOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<NegOfNegCancels>(context);
}

void AddOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<AddOfNegSubtracts>(context);
}

void SubOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<SubOfNegAdds>(context);
}

void MulOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<MulOfNegsCancels>(context);
}

void StrongMulOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<StrongMulByConstantMultiplies>(context);
}

void EinsumOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<EinsumOfOnesTransposesA, EinsumOfOnesTransposesB>(context);
}

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<TransposeOfTransposeComposes>(context);
}

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<ReshapeOfReshapeReshapes>(context);
}

} // namespace gradus::graph
