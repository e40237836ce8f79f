// Kernel with tensor arguments and results -> function on buffers without
// results. Inside, the body still computes with tensors; only the boundary is
// memory. Next: one-shot bufferization.
#include "compiler/lower/Passes.h"

namespace gradus::lower {
#define GEN_PASS_DEF_KERNELSTODESTINATIONS
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

MemRefType bufferOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

/// Lets the generic that computes `result` write over `updated`, the old value
/// of the same parameter, if each element depends on the old value at its own
/// place only. Bufferization still checks that nobody reads the old value
/// later, and copies if so.
void writeOver(Value result, Value updated) {
  auto generic = result.getDefiningOp<linalg::GenericOp>();
  if (!generic || generic.getNumLoops() != generic.getNumParallelLoops())
    return;
  auto number = cast<OpResult>(result).getResultNumber();
  OpOperand *init = generic.getDpsInitOperand(number);
  BlockArgument old = generic.getMatchingBlockArgument(init);
  if (!old.use_empty() || init->get().getType() != updated.getType())
    return;
  AffineMap map = generic.getMatchingIndexingMap(init);
  if (!map.isIdentity())
    return;
  for (OpOperand *input : generic.getDpsInputOperands()) {
    if (input->get() != updated)
      continue;
    if (generic.getMatchingIndexingMap(input) != map)
      return;
    generic.getMatchingBlockArgument(input).replaceAllUsesWith(old);
  }
  init->set(updated);
}

/// A tensor to compute into: an empty one, or one filled with a number.
bool isStart(Operation *op) {
  if (isa<tensor::EmptyOp>(op))
    return true;
  auto fill = dyn_cast<linalg::LinalgOp>(op);
  return fill && fill.getNumDpsInits() == 1 &&
         fill.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>() &&
         llvm::none_of(fill.getDpsInputs(), [](Value input) {
           return isa<RankedTensorType>(input.getType());
         });
}

/// Gives `result` a start of its own, although CSE has merged equal ones: the
/// start of a result will be the buffer of that result, and another result that
/// computed into it would be overwritten.
void ownStart(Value result) {
  while (Operation *op = result.getDefiningOp()) {
    if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(
            op)) {
      result = op->getOperand(0);
      continue;
    }
    auto computes = dyn_cast<DestinationStyleOpInterface>(op);
    if (!computes)
      return;
    OpOperand *init = computes.getTiedOpOperand(cast<OpResult>(result));
    Operation *start = init->get().getDefiningOp();
    if (start && !start->hasOneUse()) {
      OpBuilder builder(op);
      if (isStart(start))
        init->set(builder.clone(*start)->getResult(0));
      else
        init->set(bufferization::AllocTensorOp::create(
            builder, op->getLoc(), cast<RankedTensorType>(result.getType()),
            ValueRange(), /*copy=*/init->get()));
    }
    result = init->get();
  }
}

struct KernelsToDestinationsPass
    : impl::KernelsToDestinationsBase<KernelsToDestinationsPass> {
  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (kernel.isExternal())
      return;
    auto isTensor = [](Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return tensor && tensor.hasStaticShape() &&
             tensor.getElementTypeBitWidth() >= 8;
    };
    if (!llvm::all_of(kernel.getArgumentTypes(), isTensor) ||
        !llvm::all_of(kernel.getResultTypes(), isTensor)) {
      kernel.emitError("kernel '")
          << kernel.getName()
          << "' must take and give tensors of fixed shape and whole bytes";
      return signalPassFailure();
    }
    SmallVector<std::optional<unsigned>> updates;
    if (failed(readUpdates(kernel, updates)))
      return signalPassFailure();

    Block &body = kernel.getBody().front();
    auto ret = cast<func::ReturnOp>(body.getTerminator());
    SmallVector<Value> results(ret.getOperands());
    unsigned arguments = body.getNumArguments();
    if (results.size() > 1)
      llvm::for_each(results, ownStart);

    OpBuilder builder = OpBuilder::atBlockBegin(&body);
    for (unsigned i = 0; i < arguments; ++i) {
      BlockArgument argument = body.getArgument(i);
      Type tensor = argument.getType();
      argument.setType(bufferOf(tensor));
      bool written = llvm::is_contained(updates, std::optional<unsigned>(i));
      auto value = bufferization::ToTensorOp::create(
          builder, argument.getLoc(), tensor, argument, /*restrict=*/true,
          /*writable=*/written);
      argument.replaceAllUsesExcept(value, value);
      for (Value &result : results)
        if (result == argument)
          result = value;
      values.push_back(value);
    }

    // All results are read before the first update is stored: a result that is
    // the old value of another argument is kept aside.
    builder.setInsertionPoint(ret);
    for (auto [number, result] : llvm::enumerate(results)) {
      if (updates[number])
        writeOver(result, values[*updates[number]]);
      if (isOldValue(result, updates[number]))
        result = bufferization::AllocTensorOp::create(
            builder, result.getLoc(), cast<RankedTensorType>(result.getType()),
            ValueRange(), /*copy=*/result);
    }
    for (auto [number, result] : llvm::enumerate(results)) {
      Value buffer = updates[number]
                         ? Value(body.getArgument(*updates[number]))
                         : Value(body.addArgument(bufferOf(result.getType()),
                                                  result.getLoc()));
      // Only a buffer that nothing reads may be computed into directly.
      bufferization::MaterializeInDestinationOp::create(
          builder, result.getLoc(), /*result=*/Type(), result, buffer,
          /*restrict=*/!updates[number].has_value(), /*writable=*/true);
    }
    func::ReturnOp::create(builder, ret.getLoc());
    ret.erase();
    values.clear();

    kernel.setFunctionType(
        FunctionType::get(&getContext(), body.getArgumentTypes(), {}));
    kernel.setAllResultAttrs(ArrayRef<DictionaryAttr>{});
    SmallVector<DictionaryAttr> attributes(
        body.getNumArguments(),
        builder.getDictionaryAttr(
            {builder.getNamedAttr("llvm.noalias", builder.getUnitAttr()),
             builder.getNamedAttr("llvm.nonnull", builder.getUnitAttr())}));
    kernel.setAllArgAttrs(attributes);
  }

  /// The argument each result is written over, from `graph.updates`.
  LogicalResult readUpdates(func::FuncOp kernel,
                            SmallVector<std::optional<unsigned>> &updates) {
    for (unsigned i = 0; i < kernel.getNumResults(); ++i) {
      auto attribute = kernel.getResultAttrOfType<IntegerAttr>(i, kUpdates);
      if (!attribute) {
        updates.push_back(std::nullopt);
        continue;
      }
      int64_t argument = attribute.getInt();
      if (argument < 0 || argument >= kernel.getNumArguments() ||
          kernel.getArgumentTypes()[argument] != kernel.getResultTypes()[i])
        return kernel.emitError("kernel '")
               << kernel.getName() << "': result " << i
               << " cannot be written over argument " << argument
               << ": no argument of the same type";
      if (llvm::is_contained(updates, std::optional<unsigned>(argument)))
        return kernel.emitError("kernel '")
               << kernel.getName() << "': argument " << argument
               << " is updated twice";
      updates.push_back(argument);
    }
    return success();
  }

  /// Whether `result` is what an argument held on entry, or a view of it, and
  /// so may be overwritten by another update.
  bool isOldValue(Value result, std::optional<unsigned> updated) {
    if (updated && result == values[*updated])
      return false;
    while (Operation *op = result.getDefiningOp()) {
      if (isa<bufferization::ToTensorOp>(op))
        return cast<bufferization::ToTensorOp>(op).getWritable();
      if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp,
               tensor::ExtractSliceOp, tensor::CastOp, tensor::ReshapeOp>(op))
        return false;
      result = op->getOperand(0);
    }
    return false;
  }

  /// Arguments as tensors.
  SmallVector<Value> values;
};

} // namespace
} // namespace gradus::lower
