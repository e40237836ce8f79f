// linalg on tensors -> the same with element-wise ops repeated where a total
// stands between what they compute and what reads it: they are computed again
// from what the kernel reads anyway, and never stored for a whole batch. So a
// batch normalization computes its gradient in two passes over its argument.
#include "compiler/lower/Passes.h"

#include "mlir/IR/IRMapping.h"

namespace gradus::lower {
#define GEN_PASS_DEF_REPEATPRODUCERS
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

/// Operations on an element that take about as long as reading and writing it.
constexpr int64_t kMostOperations = 24;

bool sumsUp(Operation *op) {
  auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
  return generic && generic.getNumReductionLoops() > 0;
}

int64_t elementsOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? type.getNumElements() : 1;
}

/// A kernel as phases, each of which needs totals of those before it only.
class Phases {
public:
  explicit Phases(Block &body) : body(body) {
    for (Operation &op : body) {
      int64_t number = 0;
      for (Value operand : op.getOperands())
        if (Operation *producer = operand.getDefiningOp())
          number = std::max(number, phase.lookup(producer) + sumsUp(producer));
      phase[&op] = number;
      last = std::max(last, number);
    }
    // What is no sum comes as late as its readers let it.
    for (Operation &op : llvm::reverse(body.without_terminator())) {
      if (sumsUp(&op) || op.use_empty())
        continue;
      int64_t earliest = last;
      for (Operation *user : op.getUsers())
        earliest = std::min(earliest, phase.lookup(user));
      phase[&op] = earliest;
    }
  }

  void repeat() {
    for (int64_t number = 1; number <= last; ++number)
      repeatIn(number);
  }

private:
  /// A value of an earlier phase and what reads it in this one.
  struct Crossing {
    Value value;
    SmallVector<Operation *> readers;
  };

  /// Computes again in phase `number` what it reads of earlier ones, if that
  /// moves less memory than to store it.
  void repeatIn(int64_t number) {
    llvm::SmallSetVector<Value, 8> whole, read;
    SmallVector<Crossing> crossings;
    int64_t saved = 0;
    for (Operation &op : body)
      if (phase[&op] == number)
        for (Value operand : op.getOperands())
          if (isa<BlockArgument>(operand))
            read.insert(operand);
    for (Operation &op : body) {
      if (phase[&op] >= number || op.getNumResults() != 1)
        continue;
      Crossing found{op.getResult(0), {}};
      bool isResult = false;
      for (Operation *user : op.getUsers()) {
        isResult |= user->hasTrait<OpTrait::IsTerminator>();
        if (phase[user] == number && isa<linalg::GenericOp>(user))
          found.readers.push_back(user);
      }
      llvm::SmallSetVector<Operation *, 16> cone;
      if (found.readers.empty() || !collect(found.value, cone) ||
          operationsOf(cone) > kMostOperations)
        continue;
      for (Operation *producer : cone)
        for (Value operand : producer->getOperands())
          if (isa<BlockArgument>(operand) &&
              elementsOf(operand) == elementsOf(found.value))
            whole.insert(operand);
      // Stored, it is written, for which its line is read, and read.
      saved += isResult ? 1 : 3;
      llvm::sort(found.readers, [](Operation *a, Operation *b) {
        return a->isBeforeInBlock(b);
      });
      crossings.push_back(std::move(found));
    }
    int64_t more =
        llvm::count_if(whole, [&](Value x) { return !read.contains(x); });
    if (crossings.empty() || more > saved)
      return;
    llvm::sort(crossings, [](const Crossing &a, const Crossing &b) {
      Operation *first = a.readers[0], *second = b.readers[0];
      if (first == second) {
        first = a.value.getDefiningOp();
        second = b.value.getDefiningOp();
      }
      return first->isBeforeInBlock(second);
    });
    IRMapping copies;
    for (Crossing &crossing : crossings) {
      OpBuilder builder(crossing.readers[0]);
      Value copy = copyOf(builder, crossing.value, copies, number);
      for (Operation *reader : crossing.readers)
        reader->replaceUsesOfWith(crossing.value, copy);
    }
  }

  /// Adds to `cone` the ops that compute `value` element by element from what
  /// is there or small; false if there are others or dear ones.
  bool collect(Value value, llvm::SmallSetVector<Operation *, 16> &cone) {
    auto op = value.getDefiningOp<linalg::GenericOp>();
    if (!op || sumsUp(op) || op.getNumDpsInits() != 1)
      return false;
    if (cone.contains(op))
      return true;
    for (Operation &inner : op.getBlock()->without_terminator())
      if (isa<math::MathDialect>(inner.getDialect()) ||
          isa<arith::DivFOp, linalg::IndexOp>(inner))
        return false;
    for (Value input : op.getDpsInputs())
      if (elementsOf(input) == elementsOf(value) &&
          !isa<BlockArgument>(input) && !collect(input, cone))
        return false;
    cone.insert(op);
    return true;
  }

  static int64_t
  operationsOf(const llvm::SmallSetVector<Operation *, 16> &cone) {
    int64_t count = 0;
    for (Operation *op : cone)
      count += llvm::range_size(
          cast<linalg::GenericOp>(op).getBlock()->without_terminator());
    return count;
  }

  Value copyOf(OpBuilder &builder, Value value, IRMapping &copies,
               int64_t number) {
    if (Value copy = copies.lookupOrNull(value))
      return copy;
    auto op = value.getDefiningOp<linalg::GenericOp>();
    IRMapping inputs;
    for (Value input : op.getDpsInputs())
      if (elementsOf(input) == elementsOf(value) && !isa<BlockArgument>(input))
        inputs.map(input, copyOf(builder, input, copies, number));
    Operation *copy = builder.clone(*op, inputs);
    phase[copy] = number;
    copies.map(value, copy->getResult(0));
    return copy->getResult(0);
  }

  Block &body;
  DenseMap<Operation *, int64_t> phase;
  int64_t last = 0;
};

struct RepeatProducersPass : impl::RepeatProducersBase<RepeatProducersPass> {
  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (!kernel.isExternal() && llvm::hasSingleElement(kernel.getBody()))
      Phases(kernel.getBody().front()).repeat();
  }
};

} // namespace
} // namespace gradus::lower
