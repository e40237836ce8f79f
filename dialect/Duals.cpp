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

StringAttr matrixSpec(Builder &builder, Value x, StringRef spec) {
  EinsumSpec matrices = *parseEinsum(spec);
  std::string leading;
  for (size_t axis = 2; axis < shapeOf(x).size(); ++axis)
    leading += static_cast<char>('A' + axis - 2);
  for (std::string *list : {&matrices.a, &matrices.b, &matrices.y})
    list->insert(0, leading);
  return builder.getStringAttr(matrices.str());
}

DenseI64ArrayAttr swapLastAxes(Builder &builder, Value x) {
  auto rank = static_cast<int64_t>(shapeOf(x).size());
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(axes[rank - 2], axes[rank - 1]);
  return builder.getDenseI64ArrayAttr(axes);
}

Value halfLower(OpBuilder &builder, Location loc, Value x) {
  ArrayRef<int64_t> shape = shapeOf(x);
  auto rank = static_cast<int64_t>(shape.size());
  /// The number of each element's row (`axis` = rank - 2) or column.
  auto position = [&](int64_t axis) -> Value {
    Value steps =
        IotaOp::create(builder, loc, shape.back(), builder.getI32Type());
    SmallVector<int64_t> dims, sizes;
    for (int64_t other = 0; other < rank; ++other)
      if (other != axis) {
        dims.push_back(other);
        sizes.push_back(shape[other]);
      }
    return BroadcastOp::create(builder, loc, steps, dims, sizes);
  };
  Value row = position(rank - 2), column = position(rank - 1);
  auto is = [&](Predicate predicate) -> Value {
    return CompareOp::create(builder, loc, predicate, row, column);
  };
  Value rest = SelectOp::create(builder, loc, is(Predicate::eq),
                                fillLike(builder, loc, x, 0.5),
                                fillLike(builder, loc, x, 0));
  return SelectOp::create(builder, loc, is(Predicate::gt),
                          fillLike(builder, loc, x, 1), rest);
}

bool isFiniteNonzeroSplat(Value x) {
  SplatElementsAttr splat;
  if (!matchPattern(x, m_Constant(&splat)) || !isReal(x))
    return false;
  APFloat value = splat.getSplatValue<APFloat>();
  return value.isFinite() && !value.isZero();
}

} // namespace gradus::graph
