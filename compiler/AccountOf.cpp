// See AccountOf.h. Every op of a kernel has a place in the source of its own
// (fuse::originsOf), so that work is counted op by op; what crosses the
// boundary of the kernel belongs to the ops that read and write it.
#include "compiler/AccountOf.h"

#include "compiler/fuse/Legality.h"
#include "compiler/fuse/Outline.h"
#include "compiler/fuse/Plan.h"
#include "dialect/Costs.h"
#include "dialect/Origins.h"

using namespace mlir;

namespace gradus {

namespace {

using Key = std::pair<SourceLine, Phase>;

Phase phaseOf(mlir::Location origin) {
  if (graph::isMarked(origin, graph::updateMark))
    return Phase::Update;
  return graph::isMarked(origin, graph::derivativeMark) ? Phase::Backward
                                                        : Phase::Forward;
}

/// Names of bytes, constants and repetitions: no kernel computes or stores
/// them, fused or not.
bool isFree(Operation *op) {
  return fuse::isLeaf(op) ||
         isa<graph::ReshapeOp, graph::BroadcastOp, graph::StopOp>(op);
}

/// Elements that an op other than a contraction computes: it visits what it
/// reads or what it gives, whatever is more.
int64_t elementsOf(Operation *op) {
  if (isFree(op) || graph::flopsOf(op) > 0)
    return 0;
  int64_t most = 0;
  auto count = [&](Type type) {
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      most = std::max(most, tensor.getNumElements());
  };
  for (Type type : op->getResultTypes())
    count(type);
  // What takes a part of a table does not visit all of it.
  if (!isa<graph::GatherOp, graph::ScatterAddOp, graph::SliceOp>(op))
    for (Type type : op->getOperandTypes())
      count(type);
  return most;
}

/// Bytes that `op` reads of an operand from outside of its kernel.
int64_t bytesRead(OpOperand &use) {
  Operation *op = use.getOwner();
  int64_t bytes = graph::bytesOf(use.get().getType());
  if (isa<graph::GatherOp, graph::SliceOp>(op) && use.getOperandNumber() == 0)
    return std::min(bytes, graph::bytesOf(op->getResult(0).getType()));
  return bytes;
}

class Accountant {
public:
  explicit Accountant(const Places &places) : places(places) {}

  CallAccount account(func::CallOp call) {
    func::FuncOp kernel = fuse::kernelOf(call);
    CallAccount result;
    result.kernel = kernel.getName().str();
    add(call, /*rounds=*/1, /*inLoopOf=*/std::nullopt, result);
    result.isLoop = static_cast<bool>(fuse::roundsOf(kernel));
    return result;
  }

  Key keyOf(mlir::Location origin) const {
    return {places.line(origin), phaseOf(origin)};
  }

private:
  /// `inLoopOf`: the phase of the loop around it. What a loop of the backward
  /// pass computes again is backward.
  void add(func::CallOp call, int64_t rounds, std::optional<Phase> inLoopOf,
           CallAccount &into) {
    func::FuncOp kernel = fuse::kernelOf(call);
    if (graph::RoundsOp loop = fuse::roundsOf(kernel)) {
      if (loop.getWhen())
        return;
      Phase phase = phaseOf(call.getLoc());
      if (inLoopOf && *inLoopOf != Phase::Forward)
        phase = *inLoopOf;
      for (auto inner : fuse::bodyOf(loop).getOps<func::CallOp>())
        add(inner, rounds * static_cast<int64_t>(loop.getRounds()), phase,
            into);
      return;
    }

    auto origins = fuse::originsOf(call, kernel);
    DenseMap<Operation *, Key> keys;
    for (auto [op, origin] :
         llvm::zip_equal(kernel.front().without_terminator(), origins)) {
      Key key = keyOf(origin);
      if (inLoopOf && key.second == Phase::Forward)
        key.second = *inLoopOf;
      keys[&op] = key;
      into.lines[key] += Work{graph::flopsOf(&op), elementsOf(&op), 0} * rounds;
    }
    addReads(kernel, keys, rounds, into);
    addWrites(kernel, keys, rounds, into);
    addSpared(kernel, rounds, into);
  }

  /// Each argument once, shared by the ops that read it.
  static void addReads(func::FuncOp kernel,
                       const DenseMap<Operation *, Key> &keys, int64_t rounds,
                       CallAccount &into) {
    for (BlockArgument argument : kernel.getArguments()) {
      SmallVector<Operation *> readers;
      int64_t bytes = 0;
      for (OpOperand &use : argument.getUses())
        if (keys.contains(use.getOwner())) {
          readers.push_back(use.getOwner());
          bytes = std::max(bytes, bytesRead(use));
        }
      share(bytes * rounds, readers, keys, into);
    }
  }

  static void addWrites(func::FuncOp kernel,
                        const DenseMap<Operation *, Key> &keys, int64_t rounds,
                        CallAccount &into) {
    for (Value result : kernel.front().getTerminator()->getOperands())
      if (Operation *writer = result.getDefiningOp())
        share(graph::bytesOf(result.getType()) * rounds, {writer}, keys, into);
  }

  static void share(int64_t bytes, ArrayRef<Operation *> ops,
                    const DenseMap<Operation *, Key> &keys, CallAccount &into) {
    for (auto [i, op] : llvm::enumerate(ops)) {
      int64_t count = ops.size(), number = i;
      into.lines[keys.at(op)].bytes +=
          bytes * (number + 1) / count - bytes * number / count;
    }
  }

  /// What would be a value in memory if each op were a kernel.
  static void addSpared(func::FuncOp kernel, int64_t rounds,
                        CallAccount &into) {
    for (Operation &op : kernel.front().without_terminator()) {
      if (isFree(&op))
        continue;
      for (Value value : op.getResults()) {
        bool isReturned = llvm::any_of(value.getUsers(), [](Operation *user) {
          return user->hasTrait<OpTrait::IsTerminator>();
        });
        auto readers = llvm::count_if(value.getUsers(), [](Operation *user) {
          return !user->hasTrait<OpTrait::IsTerminator>();
        });
        int64_t bytes = graph::bytesOf(value.getType()) * rounds;
        into.sparedTraffic += bytes * (readers + !isReturned);
        if (isReturned)
          continue;
        into.sparedValues += rounds;
        into.sparedBytes += bytes;
      }
    }
  }

  const Places &places;
};

/// Where `"arena N"` says that an operand lies.
std::optional<int64_t> offsetOf(Attribute attribute) {
  StringRef text = cast<StringAttr>(attribute).getValue();
  int64_t offset = 0;
  if (!text.consume_front("arena ") || text.getAsInteger(10, offset))
    return std::nullopt;
  return offset;
}

/// The last call that reads `value`, under whatever name; at least `last`.
int64_t lastUse(Value value, int64_t last,
                const DenseMap<Operation *, int64_t> &numbers) {
  for (Operation *user : value.getUsers()) {
    if (auto call = numbers.find(user); call != numbers.end())
      last = std::max(last, call->second);
    else if (isa<graph::ReshapeOp>(user))
      last = lastUse(user->getResult(0), last, numbers);
  }
  return last;
}

/// What is in the arena, from the operands that PlanMemory wrote: the results
/// of a call come last among them, behind them its scratch.
class ValueReader {
public:
  ValueReader(func::FuncOp step, const Accountant &accountant)
      : step(step), accountant(accountant) {
    for (auto call : step.getOps<func::CallOp>())
      numbers.try_emplace(call, int64_t(numbers.size()));
  }

  std::vector<PlannedValue> read() {
    for (auto call : step.getOps<func::CallOp>())
      readCall(call);
    // No two values of one call lie at the same place.
    llvm::sort(values, [](const PlannedValue &a, const PlannedValue &b) {
      return std::tuple(-a.bytes, a.first, a.offset) <
             std::tuple(-b.bytes, b.first, b.offset);
    });
    return std::move(values);
  }

private:
  void readCall(func::CallOp call) {
    func::FuncOp kernel = fuse::kernelOf(call);
    auto operands = call->getAttrOfType<ArrayAttr>(fuse::kOperands);
    size_t next = call.getNumOperands();
    int64_t number = numbers.at(call);
    for (OpResult result : call.getResults()) {
      if (fuse::updatedArgument(kernel, result.getResultNumber()))
        continue;
      if (auto offset = offsetOf(operands[next++])) {
        PlannedValue value = describe(call, kernel, result);
        value.bytes = graph::bytesOf(result.getType());
        value.offset = *offset;
        value.first = number;
        value.last = lastUse(result, number, numbers);
        values.push_back(std::move(value));
      }
    }
    auto scratch = kernel->getAttrOfType<IntegerAttr>(fuse::kScratch);
    if (!scratch || scratch.getInt() == 0)
      return;
    PlannedValue value;
    value.name = kernel.getName().str();
    value.line = accountant.keyOf(call.getLoc()).first;
    value.isScratch = true;
    value.bytes = scratch.getInt();
    value.offset = offsetOf(operands[next]).value();
    value.first = value.last = number;
    values.push_back(std::move(value));
  }

  PlannedValue describe(func::CallOp call, func::FuncOp kernel,
                        OpResult result) {
    mlir::Location origin = call.getLoc();
    Value returned =
        kernel.front().getTerminator()->getOperand(result.getResultNumber());
    auto origins = fuse::originsOf(call, kernel);
    for (auto [op, own] :
         llvm::zip_equal(kernel.front().without_terminator(), origins))
      if (&op == returned.getDefiningOp())
        origin = own;
    PlannedValue value;
    value.line = accountant.keyOf(origin).first;
    auto named = dyn_cast<NameLoc>(origin);
    value.name = named && phaseOf(origin) == Phase::Forward
                     ? named.getName().str()
                     : kernel.getName().str();
    value.shape = cast<RankedTensorType>(result.getType()).getShape().vec();
    return value;
  }

  func::FuncOp step;
  const Accountant &accountant;
  DenseMap<Operation *, int64_t> numbers;
  std::vector<PlannedValue> values;
};

} // namespace

StepAccount accountOf(func::FuncOp step, const Places &places) {
  Accountant accountant(places);
  StepAccount account;
  for (auto call : step.getOps<func::CallOp>())
    account.calls.push_back(accountant.account(call));
  if (auto arena = step->getAttrOfType<IntegerAttr>(fuse::kArenaBytes)) {
    account.arenaBytes = arena.getInt();
    account.values = ValueReader(step, accountant).read();
  }
  return account;
}

} // namespace gradus
