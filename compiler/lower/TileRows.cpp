// A kernel on buffers whose ops all walk the same rows -> one loop over blocks
// of these rows around all of them: what one op writes, the next reads from the
// nearest cache, and buffers of the kernel's own shrink to a block. Where ops
// need totals over all rows, there is one loop up to each of these totals.
#include "compiler/lower/RowLoop.h"

namespace gradus::lower {
#define GEN_PASS_DEF_TILEROWS
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

/// Ops in the order of the kernel's body.
using Ops = SmallVector<linalg::GenericOp>;

/// The ops of the kernel; nothing if it does anything but compute in buffers
/// and fixed parts of them.
std::optional<Ops> opsOf(Block &body) {
  Ops ops;
  for (Operation &op : body.without_terminator()) {
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      ops.push_back(generic);
    else if (isa<ViewLikeOpInterface>(op)
                 ? !isa<memref::SubViewOp>(op)
                 : !isa<memref::AllocOp, memref::DeallocOp>(op) &&
                       !isMemoryEffectFree(&op))
      return std::nullopt;
  }
  bool areFixed = llvm::all_of(ops, [](linalg::GenericOp op) {
    return llvm::all_of(op->getOperandTypes(), [](Type type) {
      auto buffer = dyn_cast<MemRefType>(type);
      return !buffer || (buffer.hasStaticShape() && buffer.isStrided());
    });
  });
  return areFixed ? std::optional(ops) : std::nullopt;
}

/// Whether `op` needs all that `sum` adds up.
bool waitsFor(linalg::GenericOp op, linalg::GenericOp sum) {
  return sum.getNumReductionLoops() > 0 &&
         llvm::any_of(sum.getDpsInits(),
                      [&](Value total) { return reads(op, total); });
}

/// The ops in groups, each of which needs totals of those before it only. Sums
/// come as early, what others need as late as they may.
SmallVector<Ops> phasesOf(Ops ops) {
  SmallVector<int64_t> phase(ops.size(), 0);
  for (size_t i = 0; i < ops.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (conflict(ops[j], ops[i]))
        phase[i] = std::max(phase[i], phase[j] + waitsFor(ops[i], ops[j]));
  for (size_t i = ops.size(); i-- > 0;) {
    if (ops[i].getNumReductionLoops() > 0)
      continue;
    std::optional<int64_t> latest;
    for (size_t j = i + 1; j < ops.size(); ++j)
      if (conflict(ops[i], ops[j]))
        latest = std::min(latest.value_or(phase[j]), phase[j]);
    phase[i] = latest.value_or(phase[i]);
  }
  SmallVector<Ops> phases;
  for (size_t i = 0; i < ops.size(); ++i) {
    phases.resize(std::max<size_t>(phases.size(), phase[i] + 1));
    phases[phase[i]].push_back(ops[i]);
  }
  return phases;
}

/// Allocations and constants first and nothing freed before the kernel ends, so
/// that ops may stand in another order.
void hoistBuffers(Block &body, Operation *first) {
  for (Operation &op : llvm::make_early_inc_range(body.without_terminator())) {
    if (isa<memref::DeallocOp>(op))
      op.erase();
    else if (!isa<linalg::GenericOp>(op) && first->isBeforeInBlock(&op))
      op.moveBefore(first);
  }
}

struct TileRowsPass : impl::TileRowsBase<TileRowsPass> {
  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (kernel.isExternal() || !llvm::hasSingleElement(kernel.getBody()))
      return;
    Block &body = kernel.getBody().front();
    std::optional<Ops> ops = opsOf(body);
    if (!ops || ops->empty())
      return;
    if (RowLoop whole(body, *ops); whole.choose()) {
      hoistBuffers(body, ops->front());
      return whole.emit();
    }
    SmallVector<Ops> phases = phasesOf(*ops);
    if (phases.size() == 1)
      return;
    hoistBuffers(body, ops->front());
    for (ArrayRef<linalg::GenericOp> phase : phases) {
      RowLoop part(body, phase);
      if (part.choose()) {
        part.emit();
        continue;
      }
      for (linalg::GenericOp op : phase)
        op->moveBefore(body.getTerminator());
    }
  }
};

} // namespace
} // namespace gradus::lower
