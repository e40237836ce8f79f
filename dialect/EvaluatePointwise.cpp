// What leaves and element-wise ops compute.
#include "dialect/Formulas.h"

#include <algorithm>
#include <limits>

using namespace mlir;

namespace gradus::graph {

//===-- Conversion --------------------------------------------------------===//

int64_t toWhole(double x, IntegerType to) {
  if (to.getWidth() == 1)
    return x != 0;
  if (std::isnan(x))
    return 0;
  unsigned bits = to.getWidth();
  double low = to.isUnsigned() ? 0 : -std::ldexp(1.0, bits - 1);
  // One past the largest, which itself may not be a double.
  double end = std::ldexp(1.0, to.isUnsigned() ? bits : bits - 1);
  if (x >= end)
    return to.isUnsigned() ? (int64_t(1) << bits) - 1
                           : std::numeric_limits<int64_t>::max() >> (64 - bits);
  return static_cast<int64_t>(std::max(x, low));
}

int64_t wrap(int64_t x, IntegerType to) {
  if (to.getWidth() == 1)
    return x != 0;
  unsigned unused = 64 - to.getWidth();
  auto bits = static_cast<uint64_t>(x) << unused;
  return to.isUnsigned() ? static_cast<int64_t>(bits >> unused)
                         : static_cast<int64_t>(bits) >> unused;
}

SmallVector<Array> ConvertOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  auto whole = dyn_cast<IntegerType>(getElement());
  for (int64_t i = 0; i < y.size(); ++i) {
    if (whole)
      y.wholes[i] = x[0].isReal() ? toWhole(x[0].reals[i], whole)
                                  : wrap(x[0].wholes[i], whole);
    else
      y.reals[i] =
          x[0].isReal() ? x[0].reals[i] : static_cast<double>(x[0].wholes[i]);
  }
  return {y};
}

//===-- Leaves ------------------------------------------------------------===//

SmallVector<Array> ConstantOp::evaluate(ArrayRef<Array>) {
  Array y(cast<RankedTensorType>(getType()));
  auto integer = dyn_cast<IntegerType>(y.type.getElementType());
  if (!integer) {
    for (auto [i, number] : llvm::enumerate(getValue().getValues<APFloat>()))
      y.reals[i] = y.type.getElementType().isF32() ? number.convertToFloat()
                                                   : number.convertToDouble();
    return {y};
  }
  for (auto [i, number] : llvm::enumerate(getValue().getValues<APInt>()))
    y.wholes[i] = wrap(number.getSExtValue(), integer);
  return {y};
}

SmallVector<Array> IotaOp::evaluate(ArrayRef<Array>) {
  Array y(getType());
  auto integer = dyn_cast<IntegerType>(getElement());
  for (int64_t i = 0; i < y.size(); ++i) {
    if (integer)
      y.wholes[i] = wrap(i, integer);
    else
      y.reals[i] = static_cast<double>(i);
  }
  return {y};
}

//===-- Pointwise ---------------------------------------------------------===//

static SmallVector<Array> map(ArrayRef<Array> x, double (*formula)(double)) {
  Array y(x[0].type);
  llvm::transform(x[0].reals, y.reals.begin(), formula);
  return {y};
}

static SmallVector<Array> map(ArrayRef<Array> x,
                              double (*formula)(double, double)) {
  Array y(x[0].type);
  for (int64_t i = 0; i < y.size(); ++i)
    y.reals[i] = formula(x[0].reals[i], x[1].reals[i]);
  return {y};
}

#define UNARY(OP, FORMULA)                                                     \
  SmallVector<Array> OP::evaluate(ArrayRef<Array> x) {                         \
    return map(x, Formula<OP>::of);                                            \
  }
#define BINARY(OP, FORMULA) UNARY(OP, FORMULA)
#include "dialect/Formulas.def"

SmallVector<Array> CompareOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  for (int64_t i = 0; i < y.size(); ++i)
    y.wholes[i] = x[0].isReal()
                      ? holds(getPredicate(), x[0].reals[i], x[1].reals[i])
                      : holds(getPredicate(), x[0].wholes[i], x[1].wholes[i]);
  return {y};
}

SmallVector<Array> SelectOp::evaluate(ArrayRef<Array> x) {
  Array y = x[2];
  for (int64_t i = 0; i < y.size(); ++i) {
    if (!x[0].wholes[i])
      continue;
    if (y.isReal())
      y.reals[i] = x[1].reals[i];
    else
      y.wholes[i] = x[1].wholes[i];
  }
  return {y};
}

//===-- Whole numbers -----------------------------------------------------===//

int64_t compute(Arithmetic formula, int64_t a, int64_t b, IntegerType to) {
  // Unsigned, where overflow means modulo.
  auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  switch (formula) {
  case Arithmetic::add:
    return wrap(static_cast<int64_t>(x + y), to);
  case Arithmetic::sub:
    return wrap(static_cast<int64_t>(x - y), to);
  case Arithmetic::mul:
    return wrap(static_cast<int64_t>(x * y), to);
  case Arithmetic::floor_div:
    if (b == 0)
      return 0;
    if (b == -1)
      return wrap(static_cast<int64_t>(-x), to);
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
  case Arithmetic::remainder:
    if (b == 0)
      return a;
    if (b == -1)
      return 0;
    return a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0);
  case Arithmetic::max:
    return std::max(a, b);
  case Arithmetic::min:
    return std::min(a, b);
  }
  llvm_unreachable("a formula beyond the enumeration");
}

SmallVector<Array> WholeOp::evaluate(ArrayRef<Array> x) {
  Array y(cast<RankedTensorType>(getType()));
  auto element = cast<IntegerType>(y.type.getElementType());
  for (int64_t i = 0; i < y.size(); ++i)
    y.wholes[i] =
        compute(getFormula(), x[0].wholes[i], x[1].wholes[i], element);
  return {y};
}

} // namespace gradus::graph
