// See Duals.h.
#include "dialect/Duals.h"
#include "dialect/Einsum.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace gradus::graph {

DenseElementsAttr splatOf(Type type, double value) {
  auto tensor = cast<RankedTensorType>(type);
  Type element = tensor.getElementType();
  Attribute splat;
  if (auto real = dyn_cast<FloatType>(element))
    splat = FloatAttr::get(real, value);
  else
    splat = IntegerAttr::get(element, static_cast<int64_t>(value));
  return DenseElementsAttr::get(tensor, splat);
}

Value fillLike(OpBuilder &builder, Location loc, Value like, double value) {
  return ConstantOp::create(builder, loc, splatOf(like.getType(), value));
}

DenseI64ArrayAttr inversePermutation(Builder &builder,
                                     DenseI64ArrayAttr permutation) {
  SmallVector<int64_t> inverse(permutation.size());
  for (auto [i, axis] : llvm::enumerate(permutation.asArrayRef()))
    inverse[axis] = i;
  return builder.getDenseI64ArrayAttr(inverse);
}

DenseI64ArrayAttr composePermutations(Builder &builder, DenseI64ArrayAttr first,
                                      DenseI64ArrayAttr second) {
  return builder.getDenseI64ArrayAttr(
      llvm::map_to_vector(second.asArrayRef(), [&](int64_t axis) {
        return first.asArrayRef()[axis];
      }));
}

StringAttr einsumWrtA(Builder &builder, StringAttr spec) {
  return builder.getStringAttr(parseEinsum(spec.getValue())->wrtA().str());
}

StringAttr einsumWrtB(Builder &builder, StringAttr spec) {
  return builder.getStringAttr(parseEinsum(spec.getValue())->wrtB().str());
}

bool onlyOrders(StringAttr text, bool ofA) {
  EinsumSpec spec = *parseEinsum(text.getValue());
  std::string operand = ofA ? spec.a : spec.b;
  return spec.contracted().empty() &&
         std::ranges::is_permutation(operand, spec.y);
}

DenseI64ArrayAttr orderInResult(Builder &builder, StringAttr text, bool ofA) {
  EinsumSpec spec = *parseEinsum(text.getValue());
  const std::string &operand = ofA ? spec.a : spec.b;
  return builder.getDenseI64ArrayAttr(
      llvm::map_to_vector(spec.y, [&](char index) {
        return static_cast<int64_t>(operand.find(index));
      }));
}

static ArrayRef<int64_t> shapeOf(Value x) {
  return cast<RankedTensorType>(x.getType()).getShape();
}

DenseI64ArrayAttr sizesAlong(Builder &builder, Value x,
                             DenseI64ArrayAttr dims) {
  return builder.getDenseI64ArrayAttr(llvm::map_to_vector(
      dims.asArrayRef(), [&](int64_t dim) { return shapeOf(x)[dim]; }));
}

DenseI64ArrayAttr shapeOf(Builder &builder, Value x) {
  return builder.getDenseI64ArrayAttr(shapeOf(x));
}

TypeAttr elementOf(Value x) {
  return TypeAttr::get(getElementTypeOrSelf(x.getType()));
}

IntegerAttr rowsOf(Builder &builder, Value x) {
  return builder.getI64IntegerAttr(shapeOf(x).front());
}

DenseI64ArrayAttr roomAfter(Builder &builder, Value x,
                            DenseI64ArrayAttr offsets,
                            DenseI64ArrayAttr sizes) {
  SmallVector<int64_t> room;
  for (auto [whole, offset, size] :
       llvm::zip_equal(shapeOf(x), offsets.asArrayRef(), sizes.asArrayRef()))
    room.push_back(whole - offset - size);
  return builder.getDenseI64ArrayAttr(room);
}

DenseI64ArrayAttr tapsOf(Builder &builder, Value x, DenseI64ArrayAttr dims) {
  return builder.getDenseI64ArrayAttr(shapeOf(x).take_back(dims.size()));
}

bool isFiniteNonzeroSplat(Value x) {
  SplatElementsAttr splat;
  if (!matchPattern(x, m_Constant(&splat)) || !isReal(x))
    return false;
  APFloat value = splat.getSplatValue<APFloat>();
  return value.isFinite() && !value.isZero();
}

} // namespace gradus::graph
