// Type inference and verification of the ops, in the order of GraphOps.td. An
// op that infers its type refuses impossible operands there; a verifier holds
// what inference does not see.
#include "dialect/Duals.h"
#include "dialect/Einsum.h"
#include "dialect/Graph.h"
#include "dialect/Origins.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialect/GraphDialect.cpp.inc"
#include "dialect/GraphEnums.cpp.inc"
#include "dialect/GraphInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "dialect/GraphOps.cpp.inc"

using namespace mlir;

namespace gradus::graph {

void GraphDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialect/GraphOps.cpp.inc"
      >();
}

Operation *GraphDialect::materializeConstant(OpBuilder &builder,
                                             Attribute value, Type type,
                                             Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, elements);
}

static RankedTensorType tensorOf(Value x) {
  return cast<RankedTensorType>(x.getType());
}

/// One result type, found.
static LogicalResult infer(SmallVectorImpl<Type> &types,
                           ArrayRef<int64_t> shape, Type element) {
  types.push_back(RankedTensorType::get(shape, element));
  return success();
}

/// Whether `dims` is strictly ascending and within [0, rank).
static bool areAxes(ArrayRef<int64_t> dims, int64_t rank) {
  int64_t previous = -1;
  for (int64_t dim : dims) {
    if (dim <= previous || dim >= rank)
      return false;
    previous = dim;
  }
  return true;
}

/// The shape without the axes `dims`; an error if they are none of its axes.
static LogicalResult dropAxes(std::optional<Location> loc, Value x,
                              ArrayRef<int64_t> dims,
                              SmallVectorImpl<Type> &types) {
  RankedTensorType type = tensorOf(x);
  if (!areAxes(dims, type.getRank()))
    return emitOptionalError(loc, "axes must be ascending and below the rank, ",
                             type.getRank());
  SmallVector<int64_t> shape;
  for (auto [axis, size] : llvm::enumerate(type.getShape()))
    if (!llvm::is_contained(dims, static_cast<int64_t>(axis)))
      shape.push_back(size);
  return infer(types, shape, type.getElementType());
}

//===-- Leaves ------------------------------------------------------------===//

LogicalResult IotaOp::inferReturnTypes(MLIRContext *,
                                       std::optional<Location> loc, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  auto size = static_cast<int64_t>(op.getSize());
  if (size < 0)
    return emitOptionalError(loc, "has a negative size");
  return infer(types, {size}, op.getElement());
}

//===-- Pointwise ---------------------------------------------------------===//

LogicalResult CompareOp::inferReturnTypes(MLIRContext *context,
                                          std::optional<Location>, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  return infer(types, tensorOf(op.getA()).getShape(),
               IntegerType::get(context, 1));
}

LogicalResult ConvertOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location>, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  return infer(types, tensorOf(op.getX()).getShape(), op.getElement());
}

//===-- Linear ------------------------------------------------------------===//

LogicalResult EinsumOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  auto spec = parseEinsum(op.getSpec());
  if (!spec)
    return emitOptionalError(loc, "'", op.getSpec(),
                             "' is not of the form 'ij,jk->ik'");
  if (auto broken = einsumLawBroken(*spec))
    return emitOptionalError(loc, *broken);
  RankedTensorType a = tensorOf(op.getA()), b = tensorOf(op.getB());
  if (a.getElementType() != b.getElementType())
    return emitOptionalError(loc, "operands have different element types");
  auto shape = einsumShape(*spec, a.getShape(), b.getShape());
  if (!shape)
    return emitOptionalError(loc, "shapes of ", a, " and ", b, " do not fit '",
                             op.getSpec(), "'");
  return infer(types, *shape, a.getElementType());
}

LogicalResult SumOp::inferReturnTypes(MLIRContext *,
                                      std::optional<Location> loc, Adaptor op,
                                      SmallVectorImpl<Type> &types) {
  return dropAxes(loc, op.getX(), op.getDims(), types);
}

LogicalResult BroadcastOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  RankedTensorType type = tensorOf(op.getX());
  ArrayRef<int64_t> dims = op.getDims(), sizes = op.getSizes();
  if (dims.size() != sizes.size())
    return emitOptionalError(loc, "needs one size for each new axis");
  int64_t rank = type.getRank() + dims.size();
  if (!areAxes(dims, rank))
    return emitOptionalError(
        loc, "new axes must be ascending and below the rank, ", rank);
  SmallVector<int64_t> shape(type.getShape());
  for (auto [dim, size] : llvm::zip_equal(dims, sizes))
    shape.insert(shape.begin() + dim, size);
  return infer(types, shape, type.getElementType());
}

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  RankedTensorType type = tensorOf(op.getX());
  ArrayRef<int64_t> permutation = op.getPermutation();
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, type.getRank())))
    return emitOptionalError(loc, "needs a permutation of ", type.getRank(),
                             " axes");
  return infer(
      types,
      llvm::map_to_vector(permutation,
                          [&](int64_t axis) { return type.getDimSize(axis); }),
      type.getElementType());
}

LogicalResult ReshapeOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location> loc,
                                          Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  RankedTensorType type = tensorOf(op.getX());
  auto result = RankedTensorType::get(op.getShape(), type.getElementType());
  if (result.getNumElements() != type.getNumElements())
    return emitOptionalError(loc, "cannot reshape ", type, " to ", result,
                             ": the number of elements differs");
  types.push_back(result);
  return success();
}

LogicalResult SliceOp::inferReturnTypes(MLIRContext *,
                                        std::optional<Location> loc, Adaptor op,
                                        SmallVectorImpl<Type> &types) {
  RankedTensorType type = tensorOf(op.getX());
  ArrayRef<int64_t> offsets = op.getOffsets(), sizes = op.getSizes();
  bool fits = static_cast<int64_t>(offsets.size()) == type.getRank() &&
              static_cast<int64_t>(sizes.size()) == type.getRank();
  for (int64_t axis = 0; fits && axis < type.getRank(); ++axis)
    fits = offsets[axis] >= 0 && sizes[axis] >= 0 &&
           offsets[axis] + sizes[axis] <= type.getDimSize(axis);
  if (!fits)
    return emitOptionalError(loc, "the box does not lie within ", type);
  return infer(types, sizes, type.getElementType());
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *,
                                      std::optional<Location> loc, Adaptor op,
                                      SmallVectorImpl<Type> &types) {
  RankedTensorType type = tensorOf(op.getX());
  ArrayRef<int64_t> low = op.getLow(), high = op.getHigh();
  auto negative = [](int64_t n) { return n < 0; };
  if (static_cast<int64_t>(low.size()) != type.getRank() ||
      static_cast<int64_t>(high.size()) != type.getRank() ||
      llvm::any_of(low, negative) || llvm::any_of(high, negative))
    return emitOptionalError(
        loc, "needs a non-negative number before and after each axis of ",
        type);
  SmallVector<int64_t> shape;
  for (auto [before, size, after] : llvm::zip_equal(low, type.getShape(), high))
    shape.push_back(before + size + after);
  return infer(types, shape, type.getElementType());
}

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  if (op.getOperands().empty())
    return emitOptionalError(loc, "needs an operand");
  RankedTensorType first = tensorOf(op.getOperands().front());
  int64_t dim = op.getDim();
  if (dim < 0 || dim >= first.getRank())
    return emitOptionalError(loc, "has no axis ", dim);
  SmallVector<int64_t> shape(first.getShape());
  for (Value operand : op.getOperands().drop_front()) {
    RankedTensorType type = tensorOf(operand);
    SmallVector<int64_t> expected(type.getShape());
    if (type.getRank() == first.getRank())
      expected[dim] = first.getDimSize(dim);
    if (first.clone(expected) != first ||
        type.getElementType() != first.getElementType())
      return emitOptionalError(loc, type, " and ", first,
                               " differ beyond axis ", dim);
    shape[dim] += type.getDimSize(dim);
  }
  return infer(types, shape, first.getElementType());
}

LogicalResult GatherOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  RankedTensorType type = tensorOf(op.getX());
  if (type.getRank() == 0)
    return emitOptionalError(loc, "needs rows, found ", type);
  SmallVector<int64_t> shape(tensorOf(op.getIndex()).getShape());
  llvm::append_range(shape, type.getShape().drop_front());
  return infer(types, shape, type.getElementType());
}

LogicalResult ScatterAddOp::inferReturnTypes(MLIRContext *,
                                             std::optional<Location> loc,
                                             Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  RankedTensorType type = tensorOf(op.getX());
  ArrayRef<int64_t> index = tensorOf(op.getIndex()).getShape();
  if (type.getShape().take_front(index.size()) != index)
    return emitOptionalError(loc, "needs a row for each index of ",
                             op.getIndex().getType(), ", found ", type);
  if (static_cast<int64_t>(op.getRows()) < 1)
    return emitOptionalError(loc, "needs at least one row, found ",
                             static_cast<int64_t>(op.getRows()));
  SmallVector<int64_t> shape{static_cast<int64_t>(op.getRows())};
  llvm::append_range(shape, type.getShape().drop_front(index.size()));
  return infer(types, shape, type.getElementType());
}

SmallVector<Value> ConcatOp::pullback(OpBuilder &builder, ArrayRef<Value> dy,
                                      bool) {
  SmallVector<Value> gradients;
  SmallVector<int64_t> offsets(getType().getRank());
  for (Value operand : getOperands()) {
    RankedTensorType type = tensorOf(operand);
    gradients.push_back(
        SliceOp::create(builder, getLoc(), dy[0], offsets, type.getShape()));
    offsets[getDim()] += type.getDimSize(getDim());
  }
  return gradients;
}

//===-- Reductions --------------------------------------------------------===//

LogicalResult ReduceMaxOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  for (int64_t dim : op.getDims())
    if (dim >= 0 && dim < tensorOf(op.getX()).getRank() &&
        tensorOf(op.getX()).getDimSize(dim) == 0)
      return emitOptionalError(loc, "has no element to choose along axis ",
                               dim);
  return dropAxes(loc, op.getX(), op.getDims(), types);
}

LogicalResult WholeReduceOp::inferReturnTypes(MLIRContext *,
                                              std::optional<Location> loc,
                                              Adaptor op,
                                              SmallVectorImpl<Type> &types) {
  switch (op.getFormula()) {
  case Arithmetic::add:
  case Arithmetic::mul:
  case Arithmetic::max:
  case Arithmetic::min:
    return dropAxes(loc, op.getX(), op.getDims(), types);
  default:
    return emitOptionalError(loc, "the order of elements matters to '",
                             stringifyArithmetic(op.getFormula()), "'");
  }
}

LogicalResult ArgmaxOp::inferReturnTypes(MLIRContext *context,
                                         std::optional<Location> loc,
                                         Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  if (failed(
          dropAxes(loc, op.getX(), {static_cast<int64_t>(op.getDim())}, types)))
    return failure();
  types.back() =
      cast<RankedTensorType>(types.back()).clone(IntegerType::get(context, 32));
  return success();
}

//===-- Calculus ----------------------------------------------------------===//

LogicalResult GradientOp::inferReturnTypes(MLIRContext *,
                                           std::optional<Location>, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  llvm::append_range(types, op.getWrt().getTypes());
  return success();
}

LogicalResult VjpOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                      Adaptor op,
                                      SmallVectorImpl<Type> &types) {
  llvm::append_range(types, op.getWrt().getTypes());
  return success();
}

LogicalResult VjpOp::verify() {
  if (getYs().getTypes() != getSeeds().getTypes())
    return emitOpError("needs a seed of its type for each value");
  return success();
}

LogicalResult JvpOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                      Adaptor op,
                                      SmallVectorImpl<Type> &types) {
  llvm::append_range(types, op.getYs().getTypes());
  return success();
}

LogicalResult JvpOp::verify() {
  if (getWrt().getTypes() != getDirections().getTypes())
    return emitOpError("needs a direction of its type for each value after "
                       "`wrt`");
  return success();
}

/// The axes of `first`, then those of `then`.
static RankedTensorType axesOfBoth(Value first, Value then) {
  SmallVector<int64_t> shape(tensorOf(first).getShape());
  llvm::append_range(shape, tensorOf(then).getShape());
  return tensorOf(then).clone(shape);
}

LogicalResult JacobianOp::inferReturnTypes(MLIRContext *,
                                           std::optional<Location>, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  for (Value x : op.getWrt())
    types.push_back(axesOfBoth(op.getY(), x));
  return success();
}

LogicalResult RowsOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                       Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  for (Value value : op.getValues())
    types.push_back(axesOfBoth(op.getSeed(), value));
  return success();
}

LogicalResult EachOp::inferReturnTypes(MLIRContext *,
                                       std::optional<Location> loc, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  if (tensorOf(op.getX()).getRank() == 0)
    return emitOptionalError(loc, "one number has no rows");
  return dropAxes(loc, op.getX(), {0}, types);
}

/// A pullback belongs to the op that gave `y`: one result for each of its real
/// operands, of the operand's type.
static LogicalResult verifyPullback(Operation *pullback) {
  Value dy = pullback->getOperand(0), y = pullback->getOperand(1);
  if (dy.getType() != y.getType())
    return pullback->emitOpError("has a cotangent of another type than y");
  Operation *forward = y.getDefiningOp();
  if (!forward)
    return pullback->emitOpError("needs the op that gave y");
  auto real = llvm::make_filter_range(forward->getOperands(), isReal);
  if (!llvm::equal(llvm::map_range(real, [](Value x) { return x.getType(); }),
                   pullback->getResultTypes()))
    return pullback->emitOpError(
        "needs one result for each real operand of the op that gave y");
  return success();
}

LogicalResult Pullback1Op::verify() { return verifyPullback(*this); }
LogicalResult Pullback2Op::verify() { return verifyPullback(*this); }
LogicalResult Pullback3Op::verify() { return verifyPullback(*this); }

/// The function `name`, checked to take `inputs` and to give `results`.
static LogicalResult verifyCallee(CustomOp op, SymbolTableCollection &symbols,
                                  FlatSymbolRefAttr name, TypeRange inputs,
                                  TypeRange results) {
  auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(op, name);
  if (!callee)
    return op.emitOpError("calls the unknown function ") << name;
  auto expected = FunctionType::get(op.getContext(), inputs, results);
  if (callee.getFunctionType() != expected)
    return op.emitOpError("expects ") << name << " to be of type " << expected
                                      << ", found " << callee.getFunctionType();
  return success();
}

LogicalResult CustomOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (failed(verifyCallee(*this, symbols, getForwardAttr(),
                          getOperands().getTypes(), getType())))
    return failure();
  SmallVector<Type> inputs(getOperands().getTypes()), results;
  inputs.append(2, getType());
  for (Value operand : getOperands())
    if (isReal(operand))
      results.push_back(operand.getType());
  return verifyCallee(*this, symbols, getBackwardAttr(), inputs, results);
}

SmallVector<Value> CustomOp::pullback(OpBuilder &builder, ArrayRef<Value> dy,
                                      bool) {
  auto body = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      *this, getBackwardAttr());
  IRMapping mapping;
  SmallVector<Value> arguments(getOperands());
  arguments.append({getY(), dy[0]});
  mapping.map(body.getArguments(), arguments);
  for (Operation &op : body.front().without_terminator())
    builder.clone(op, mapping)->walk([&](Operation *copy) {
      copy->setLoc(marked(inlinedAt(copy->getLoc(), getLoc()), derivativeMark));
    });

  SmallVector<Value> gradients;
  auto result = body.front().getTerminator()->operand_begin();
  for (Value operand : getOperands())
    gradients.push_back(isReal(operand) ? mapping.lookupOrDefault(*result++)
                                        : Value());
  return gradients;
}

bool CustomOp::masksCotangents() {
  auto body = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      *this, getBackwardAttr());
  return body
      .walk([](Operation *op) {
        return op->hasTrait<Masking>() ? WalkResult::interrupt()
                                       : WalkResult::advance();
      })
      .wasInterrupted();
}

} // namespace gradus::graph
