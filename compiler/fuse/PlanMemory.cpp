// An ordered list of kernel calls -> the same with a place for every operand.
// Arguments and results of the function lie in buffers of the caller, all else
// in one arena, laid out from lifetimes counted in calls (Arena.h).
#include "compiler/fuse/Arena.h"
#include "compiler/fuse/Passes.h"
#include "compiler/fuse/Plan.h"
#include "dialect/Costs.h"

using namespace mlir;

namespace gradus::fuse {
#define GEN_PASS_DEF_PLANMEMORY
#include "compiler/fuse/Passes.h.inc"

namespace {

/// The plan of one function in the making.
class Planner {
public:
  explicit Planner(func::FuncOp step)
      : step(step), builder(step.getContext()) {}

  LogicalResult run() {
    collect();
    placeArguments();
    if (failed(placeResults()))
      return failure();
    placeArena();
    for (func::CallOp call : calls)
      call->setAttr(kOperands, operandsOf(call));
    return success();
  }

private:
  void collect() {
    for (Operation &op : step.front())
      if (auto call = dyn_cast<func::CallOp>(op)) {
        number[call] = static_cast<int64_t>(calls.size());
        calls.push_back(call);
      }
  }

  void placeArguments() {
    for (BlockArgument argument : step.getArguments())
      places[argument] = buffer(argument.getArgNumber());
  }

  /// Each result of the function belongs to the kernel that computes it.
  LogicalResult placeResults() {
    int64_t next = step.getNumArguments();
    for (auto [index, operand] :
         llvm::enumerate(step.front().getTerminator()->getOperands())) {
      Value value = bytesBehind(operand);
      auto updated = updatedArgument(step, index);
      StringAttr place = buffer(updated ? *updated : next++);
      auto [position, isNew] = places.try_emplace(value, place);
      if (!isNew && position->second != place)
        return step.emitError("result ")
               << index << " shares its bytes with another value: run "
               << "graph-update-in-place first";
    }
    return success();
  }

  void placeArena() {
    std::vector<Lifetime> lifetimes;
    SmallVector<Value> values;
    for (func::CallOp call : calls)
      for (Value result : call.getResults())
        if (!places.contains(result)) {
          values.push_back(result);
          lifetimes.push_back({number[call], lastUse(result, number[call]),
                               graph::bytesOf(result.getType())});
        }
    size_t firstScratch = values.size();
    for (func::CallOp call : calls)
      if (int64_t bytes = scratchBytes(call))
        lifetimes.push_back({number[call], number[call], bytes});

    ArenaLayout layout = layOut(lifetimes);
    for (auto [value, offset] : llvm::zip(values, layout.offsets))
      places[value] = arena(offset);
    for (func::CallOp call : calls)
      if (scratchBytes(call))
        scratch[call] = arena(layout.offsets[firstScratch++]);
    step->setAttr(kArenaBytes, builder.getI64IntegerAttr(layout.bytes));
  }

  /// The last call that reads `value`, under whatever name; at least `last`.
  int64_t lastUse(Value value, int64_t last) {
    for (Operation *user : value.getUsers()) {
      if (isa<func::CallOp>(user))
        last = std::max(last, number[user]);
      else if (auto reshape = dyn_cast<graph::ReshapeOp>(user))
        last = lastUse(reshape, last);
    }
    return last;
  }

  ArrayAttr operandsOf(func::CallOp call) {
    SmallVector<Attribute> operands;
    for (Value operand : call.getOperands())
      operands.push_back(places[bytesBehind(operand)]);
    for (OpResult result : call.getResults())
      if (!updatedArgument(kernelOf(call), result.getResultNumber()))
        operands.push_back(places[result]);
    if (StringAttr place = scratch.lookup(call))
      operands.push_back(place);
    return builder.getArrayAttr(operands);
  }

  static int64_t scratchBytes(func::CallOp call) {
    auto bytes = kernelOf(call)->getAttrOfType<IntegerAttr>(kScratch);
    return bytes ? bytes.getInt() : 0;
  }

  StringAttr buffer(int64_t index) {
    return builder.getStringAttr("buffer " + Twine(index));
  }
  StringAttr arena(int64_t offset) {
    return builder.getStringAttr("arena " + Twine(offset));
  }

  func::FuncOp step;
  Builder builder;
  SmallVector<func::CallOp> calls;
  DenseMap<Operation *, int64_t> number;
  DenseMap<Value, StringAttr> places;
  DenseMap<Operation *, StringAttr> scratch;
};

class PlanMemory : public impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    for (func::FuncOp step : stepsAndBodies(getOperation()))
      if (failed(plan(step)))
        return signalPassFailure();
  }

  /// Plans a function behind the bodies of its loops, whose arenas are the
  /// scratch of these.
  LogicalResult plan(func::FuncOp step) {
    if (!planned.insert(step).second)
      return success();
    for (auto call : step.getOps<func::CallOp>()) {
      func::FuncOp kernel = kernelOf(call);
      graph::RoundsOp rounds = roundsOf(kernel);
      if (!rounds)
        continue;
      func::FuncOp body = bodyOf(rounds);
      if (failed(plan(body)))
        return failure();
      int64_t arena = body->getAttrOfType<IntegerAttr>(kArenaBytes).getInt();
      kernel->setAttr(
          kScratch,
          Builder(&getContext()).getI64IntegerAttr(loopScratch(arena)));
    }
    return Planner(step).run();
  }

  DenseSet<Operation *> planned;
};

} // namespace
} // namespace gradus::fuse
