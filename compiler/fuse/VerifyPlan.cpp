// The re-check of a finished plan. It shares nothing with the planner: it reads
// the plan as others do (Plan.h) and follows which value every byte of the
// buffers and of the arena holds, call by call.
#include "compiler/fuse/Arena.h"
#include "compiler/fuse/Passes.h"
#include "compiler/fuse/Plan.h"
#include "dialect/Costs.h"

#include <map>

using namespace mlir;

namespace gradus::fuse {
#define GEN_PASS_DEF_VERIFYPLAN
#include "compiler/fuse/Passes.h.inc"

namespace {

/// A range of bytes: `block` is the number of a buffer, or -1 for the arena.
struct Bytes {
  int64_t block = -1, begin = 0, end = 0;

  bool overlaps(const Bytes &other) const {
    return block == other.block && begin < other.end && other.begin < end;
  }
};

/// What lies where: for each whole value in memory, its range.
class Memory {
public:
  /// `value` now lies in `bytes` and whatever lay there is lost. A null value
  /// only destroys.
  void write(const Bytes &bytes, Value value) {
    std::erase_if(values, [&](const std::pair<Bytes, Value> &held) {
      return held.first.overlaps(bytes);
    });
    if (value) {
      values.emplace_back(bytes, value);
      written.insert(value);
    }
  }

  bool holds(const Bytes &bytes, Value value) const {
    return llvm::any_of(values, [&](const std::pair<Bytes, Value> &held) {
      return held.second == value && held.first.block == bytes.block &&
             held.first.begin == bytes.begin && held.first.end == bytes.end;
    });
  }

  bool wasWritten(Value value) const { return written.contains(value); }

private:
  std::vector<std::pair<Bytes, Value>> values;
  DenseSet<Value> written;
};

class Verifier {
public:
  Verifier(func::FuncOp step, const Plan &plan) : step(step), plan(plan) {}

  LogicalResult run() {
    for (BlockArgument argument : step.getArguments())
      memory.write(bufferBytes(argument.getArgNumber()), argument);
    auto planned = plan.calls.begin();
    for (auto call : step.front().getOps<func::CallOp>())
      if (failed(checkCall(call, *planned++)))
        return failure();
    return checkResults();
  }

private:
  Bytes bufferBytes(int64_t index) const {
    return {index, 0, plan.buffers[index].bytes()};
  }

  /// The range of `size` bytes at `location`, checked to exist.
  FailureOr<Bytes> resolve(func::CallOp call, size_t operand, int64_t size) {
    const gradus::Location &location = current->operands[operand];
    auto refuse = [&](const Twine &why) {
      return call.emitError("operand ") << operand << " " << why;
    };
    if (location.space == gradus::Location::External) {
      if (location.buffer < 0 ||
          location.buffer >= static_cast<int64_t>(plan.buffers.size()))
        return refuse("names buffer " + Twine(location.buffer) +
                      ", which does not exist");
      Bytes bytes = bufferBytes(location.buffer);
      if (bytes.end != size)
        return refuse("has " + Twine(size) + " bytes, buffer " +
                      Twine(location.buffer) + " has " + Twine(bytes.end));
      return bytes;
    }
    if (location.offset < 0 || location.offset + size > plan.arenaBytes)
      return refuse("lies outside the arena of " + Twine(plan.arenaBytes) +
                    " bytes");
    if (location.offset % kAlignment != 0)
      return refuse("is not aligned to " + Twine(kAlignment) + " bytes");
    return Bytes{-1, location.offset, location.offset + size};
  }

  LogicalResult checkCall(func::CallOp call, const PlannedCall &planned) {
    current = &planned;
    func::FuncOp kernel = kernelOf(call);
    auto scratch = kernel->getAttrOfType<IntegerAttr>(kScratch);
    SmallVector<OpResult> separate;
    for (OpResult result : call->getResults())
      if (!updatedArgument(kernel, result.getResultNumber()))
        separate.push_back(result);
    size_t expected =
        call.getNumOperands() + separate.size() + (scratch ? 1 : 0);
    if (planned.operands.size() != expected)
      return call.emitError("expected ")
             << expected << " operands, found " << planned.operands.size();

    SmallVector<Bytes> reads;
    for (auto [index, operand] : llvm::enumerate(call.getOperands())) {
      auto bytes = resolve(call, index, graph::bytesOf(operand.getType()));
      if (failed(bytes) || failed(checkRead(call, index, *bytes, operand)))
        return failure();
      reads.push_back(*bytes);
    }

    // Everything the call destroys, with the argument it may share bytes with.
    struct Write {
      Bytes bytes;
      Value value;
      std::optional<int64_t> over;
    };
    SmallVector<Write> writes;
    size_t next = call.getNumOperands();
    for (OpResult result : call->getResults()) {
      auto over = updatedArgument(kernel, result.getResultNumber());
      size_t operand = over ? *over : next++;
      auto bytes = resolve(call, operand, graph::bytesOf(result.getType()));
      if (failed(bytes))
        return failure();
      writes.push_back({*bytes, result, over});
    }
    if (scratch) {
      auto bytes = resolve(call, next, scratch.getInt());
      if (failed(bytes))
        return failure();
      writes.push_back({*bytes, Value(), std::nullopt});
    }

    for (auto [index, write] : llvm::enumerate(writes)) {
      if (write.bytes.block >= 0 &&
          plan.buffers[write.bytes.block].access == Access::Read)
        return call.emitError("writes buffer ")
               << write.bytes.block << ", which the function only reads";
      for (auto [argument, read] : llvm::enumerate(reads))
        if (static_cast<int64_t>(argument) != write.over &&
            write.bytes.overlaps(read))
          return call.emitError("writes bytes that hold its argument ")
                 << argument;
      for (const Write &other : ArrayRef(writes).drop_front(index + 1))
        if (write.bytes.overlaps(other.bytes))
          return call.emitError("writes the same bytes twice");
    }
    for (const Write &write : writes)
      memory.write(write.bytes, write.value);
    return success();
  }

  LogicalResult checkRead(func::CallOp call, size_t index, const Bytes &bytes,
                          Value operand) {
    Value value = bytesBehind(operand);
    if (memory.holds(bytes, value))
      return success();
    return call.emitError("reads argument ")
           << index
           << (memory.wasWritten(value)
                   ? " where its bytes do not lie or were overwritten"
                   : " before it is written");
  }

  LogicalResult checkResults() {
    int64_t next = step.getNumArguments();
    for (auto [index, operand] :
         llvm::enumerate(step.front().getTerminator()->getOperands())) {
      auto updated = updatedArgument(step, index);
      int64_t buffer = updated ? *updated : next++;
      if (!memory.holds(bufferBytes(buffer), bytesBehind(operand)))
        return step.emitError("at the end result ")
               << index << " does not lie in buffer " << buffer;
    }
    return success();
  }

  func::FuncOp step;
  const Plan &plan;
  const PlannedCall *current = nullptr;
  Memory memory;
};

class VerifyPlan : public impl::VerifyPlanBase<VerifyPlan> {
  void runOnOperation() override {
    for (func::FuncOp step : stepsAndBodies(getOperation())) {
      FailureOr<Plan> plan = readPlan(step);
      if (failed(plan) || failed(Verifier(step, *plan).run()))
        return signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace gradus::fuse
