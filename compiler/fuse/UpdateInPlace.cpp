// Kernel calls -> the same calls in an order in which every result that updates
// an argument can be written where the argument lies. A value that cannot gets
// a call of a kernel that copies. Takes what FormKernels gives.
#include "compiler/fuse/Passes.h"
#include "compiler/fuse/Plan.h"
#include "dialect/Graph.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace gradus::fuse {
#define GEN_PASS_DEF_UPDATEINPLACE
#include "compiler/fuse/Passes.h.inc"

namespace {

/// The order that calls of one function must keep: values before their uses,
/// reads of an old value before its update.
class CallOrder {
public:
  explicit CallOrder(Block &body) : body(body) {}

  /// Whether `op` must run after `other`.
  bool needs(Operation *op, Operation *other) const {
    DenseSet<Operation *> seen;
    SmallVector<Operation *> open = {op};
    while (!open.empty()) {
      Operation *current = open.pop_back_val();
      if (current == other)
        return true;
      if (seen.insert(current).second)
        forEachNeeded(current, [&](Operation *next) { open.push_back(next); });
    }
    return false;
  }

  /// From now on `reader`, which does not need `writer`, runs before it.
  void addBefore(Operation *reader, Operation *writer) {
    before[writer].push_back(reader);
  }

  /// Rearranges the block: each op as early as its old place, but behind
  /// whatever it needs.
  void apply() {
    SmallVector<Operation *> ops;
    for (Operation &op : body.without_terminator())
      ops.push_back(&op);
    for (Operation *op : ops)
      place(op);
  }

private:
  template <typename Visit>
  void forEachNeeded(Operation *op, Visit visit) const {
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp())
        visit(producer);
    if (auto readers = before.find(op); readers != before.end())
      for (Operation *reader : readers->second)
        visit(reader);
  }

  void place(Operation *op) {
    if (!placed.insert(op).second)
      return;
    forEachNeeded(op, [&](Operation *next) { place(next); });
    op->moveBefore(body.getTerminator());
  }

  Block &body;
  DenseMap<Operation *, SmallVector<Operation *>> before;
  DenseSet<Operation *> placed;
};

/// Makes the updates of one function. Which result of which call is written
/// over which operand is collected in `marks`, since kernels are shared.
class Updater {
public:
  using Marks = llvm::MapVector<Operation *, SmallVector<int64_t>>;

  Updater(func::FuncOp step, Marks &marks)
      : step(step), order(step.front()), marks(marks) {}

  void run() {
    for (auto call : step.front().getOps<func::CallOp>())
      marks[call].assign(call.getNumResults(), -1);
    // Updates have the first claim on the results of calls. In the body of a
    // loop they have the last: a value that is stacked and carried on mostly
    // comes from a product with the one before, which it cannot be written
    // over.
    Operation *end = step.front().getTerminator();
    SmallVector<OpOperand *> updates, others;
    for (OpOperand &result : end->getOpOperands())
      (argumentOf(result) ? updates : others).push_back(&result);
    bool isBody = step->hasAttr(kBody);
    for (OpOperand *result : llvm::concat<OpOperand *>(
             isBody ? others : updates, isBody ? updates : others)) {
      if (staysWhereItIs(*result))
        continue;
      if (!isFree(result->get()))
        copyAtEnd(*result);
      taken.insert(bytesBehind(result->get()));
    }
    // All reads of arguments are known from here on.
    for (OpOperand *result : updates)
      if (!staysWhereItIs(*result))
        update(*result);
    order.apply();
  }

private:
  /// The argument that a returned value is written over, if any.
  BlockArgument argumentOf(OpOperand &result) {
    auto updated = updatedArgument(step, result.getOperandNumber());
    return updated ? step.getArgument(*updated) : BlockArgument();
  }

  bool staysWhereItIs(OpOperand &result) {
    BlockArgument argument = argumentOf(result);
    return argument && bytesBehind(result.get()) == argument;
  }

  /// Copies aside what cannot be written over its argument directly: once if
  /// the kernel stands in the way, twice if the copy itself reads an argument
  /// that is updated before.
  void update(OpOperand &result) {
    BlockArgument argument = argumentOf(result);
    while (!writeOver(result.get(), argument))
      copyAtEnd(result);
  }

  /// Whether the bytes of `value` are those of a kernel's result that has no
  /// place yet.
  bool isFree(Value value) {
    Value bytes = bytesBehind(value);
    return bytes.getDefiningOp() && !taken.contains(bytes);
  }

  /// Lets the call that computes `value` write over `argument`; false if some
  /// call would then read the old value too late.
  bool writeOver(Value value, BlockArgument argument) {
    auto bytes = cast<OpResult>(bytesBehind(value));
    auto writer = cast<func::CallOp>(bytes.getOwner());
    auto over = operandOver(writer, bytes, argument);
    if (!over)
      return false;
    llvm::SmallSetVector<Operation *, 8> readers;
    SmallVector<OpOperand *> uses = usesOfBytes(argument);
    for (OpOperand *use : llvm::reverse(uses))
      if (isa<func::CallOp>(use->getOwner()) && use->getOwner() != writer)
        readers.insert(use->getOwner());
    if (llvm::any_of(readers, [&](Operation *reader) {
          return order.needs(reader, writer);
        }))
      return false;
    for (Operation *reader : readers)
      order.addBefore(reader, writer);
    marks[writer][bytes.getResultNumber()] = *over;
    return true;
  }

  /// The operand of `writer` that holds `argument`: -1 if it does not read it;
  /// nothing if the kernel cannot know that the result lies on it.
  std::optional<int64_t> operandOver(func::CallOp writer, OpResult result,
                                     BlockArgument argument) {
    int64_t over = -1;
    for (auto [index, operand] : llvm::enumerate(writer.getOperands())) {
      if (bytesBehind(operand) != argument)
        continue;
      if (over >= 0 || operand.getType() != result.getType() ||
          roundsOf(kernelOf(writer)))
        return std::nullopt;
      over = static_cast<int64_t>(index);
    }
    return over;
  }

  /// Replaces a returned value by a copy, made after everything else.
  void copyAtEnd(OpOperand &result) {
    Operation *end = result.getOwner();
    OpBuilder builder(end);
    func::FuncOp kernel = copyKernel(result.get().getType());
    auto copy = func::CallOp::create(builder, result.get().getLoc(), kernel,
                                     result.get());
    marks[copy].assign(1, -1);
    result.set(copy.getResult(0));
  }

  /// The kernel that returns its argument of type `type`.
  func::FuncOp copyKernel(Type type) {
    auto module = step->getParentOfType<ModuleOp>();
    for (auto function : module.getOps<func::FuncOp>())
      if (auto kind = function->getAttrOfType<StringAttr>(kKernel))
        if (kind.getValue() == "copy" && function.getArgumentTypes()[0] == type)
          return function;
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto kernel = func::FuncOp::create(builder, builder.getUnknownLoc(), "copy",
                                       builder.getFunctionType(type, type));
    kernel.setPrivate();
    kernel->setAttr(kKernel, builder.getStringAttr("copy"));
    SymbolTable(module).insert(kernel);
    Block *body = kernel.addEntryBlock();
    builder.setInsertionPointToEnd(body);
    func::ReturnOp::create(builder, kernel.getLoc(), body->getArguments());
    return kernel;
  }

  func::FuncOp step;
  CallOrder order;
  Marks &marks;
  /// Results of calls that have their place in a buffer of the caller.
  DenseSet<Value> taken;
};

class UpdateInPlace : public impl::UpdateInPlaceBase<UpdateInPlace> {
  void runOnOperation() override {
    Updater::Marks marks;
    for (func::FuncOp step : stepsAndBodies(getOperation()))
      Updater(step, marks).run();
    markKernels(marks);
  }

  /// Writes the marks onto the kernels: calls of one kernel that differ in them
  /// call copies of it.
  void markKernels(const Updater::Marks &marks) {
    SymbolTable symbols(getOperation());
    llvm::MapVector<std::pair<Operation *, SmallVector<int64_t>>, func::FuncOp>
        variants;
    DenseSet<Operation *> used;
    for (const auto &[op, overs] : marks) {
      auto call = cast<func::CallOp>(op);
      func::FuncOp kernel = kernelOf(call);
      func::FuncOp &variant = variants[{kernel, overs}];
      if (!variant) {
        variant = kernel;
        if (!used.insert(kernel).second) {
          variant = kernel.clone();
          symbols.insert(variant, std::next(Block::iterator(kernel)));
        }
        marked.emplace_back(variant, overs);
      }
      call.setCallee(variant.getName());
    }
    Builder builder(&getContext());
    for (auto &[kernel, overs] : marked)
      for (auto [index, over] : llvm::enumerate(overs))
        if (over >= 0)
          kernel.setResultAttr(index, kUpdates,
                               builder.getI32IntegerAttr(over));
  }

  std::vector<std::pair<func::FuncOp, SmallVector<int64_t>>> marked;
};

} // namespace
} // namespace gradus::fuse
