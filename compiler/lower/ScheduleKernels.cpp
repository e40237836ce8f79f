// A kernel on buffers -> loops of vectors. Each linalg op gets the first
// schedule that fits it: contraction (with its epilogue), products channel by
// channel, reduction, pointwise; what none fits becomes scalar loops.
#include "compiler/lower/Emitter.h"
#include "compiler/lower/RowAxes.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

namespace gradus::lower {
#define GEN_PASS_DEF_SCHEDULEKERNELS
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

bool writes(linalg::LinalgOp op, Value base) {
  return llvm::any_of(op.getDpsInits(), [&](Value init) {
    return isa<MemRefType>(init.getType()) && baseOf(init) == base;
  });
}

/// What an op fills its buffer with, if that is all it does.
Value filledValue(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1 ||
      op.getNumLoops() != op.getNumParallelLoops() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isPermutation())
    return {};
  Value value = op.getBlock()->getTerminator()->getOperand(0);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != op.getBlock())
      return value;
    OpOperand &operand = op->getOpOperand(argument.getArgNumber());
    bool isScalar = !isa<MemRefType>(operand.get().getType());
    return isScalar ? operand.get() : Value();
  }
  return value.getParentBlock() == op.getBlock() ? Value() : value;
}

struct ScheduleKernelsPass : impl::ScheduleKernelsBase<ScheduleKernelsPass> {
  using ScheduleKernelsBase::ScheduleKernelsBase;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    DenseSet<Operation *> done;
    for (size_t i = 0; i < ops.size(); ++i) {
      if (done.contains(ops[i]) || ops[i].getNumReductionLoops() == 0)
        continue;
      scheduleReducing(ops, i, done);
    }
    for (linalg::LinalgOp op : ops)
      if (!done.contains(op) && schedulePointwise(op, unit()))
        done.insert(op);
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops) {
      if (done.contains(op))
        continue;
      rewriter.setInsertionPoint(op);
      if (succeeded(linalg::linalgOpToLoops(rewriter, op)))
        rewriter.eraseOp(op);
    }
  }

  const VectorUnit &unit() const { return unitOf(vectors); }

  /// A contraction or reduction, with the fill before and, for a contraction,
  /// the reader after it.
  void scheduleReducing(ArrayRef<linalg::LinalgOp> ops, size_t number,
                        DenseSet<Operation *> &done) {
    linalg::LinalgOp op = ops[number];
    linalg::LinalgOp fill = fillBefore(op);
    Value start = fill ? filledValue(fill) : Value();
    Operation *address = op;
    if (linalg::LinalgOp epilogue = epilogueOf(op, fill)) {
      Operation *reader = epilogue;
      if (scheduleContraction(op, start, epilogue, unit())) {
        done.insert(address);
        done.insert(reader);
        done.insert(fill);
        fill->erase();
        return;
      }
    }
    auto multiply = [&](Value start) {
      return scheduleContraction(op, start, nullptr, unit()) ||
             scheduleChannelwise(op, start, unit());
    };
    bool starts = multiply(start);
    // Or it adds to what is in memory: then the fill stays.
    bool adds = !starts && multiply(Value());
    if (!starts && !adds && !scheduleReduction(op, start, unit()))
      return;
    done.insert(address);
    if (fill && !adds) {
      done.insert(fill);
      fill->erase();
    }
  }

  /// The op that fills the result of `op`, if nothing touches the buffer in
  /// between.
  linalg::LinalgOp fillBefore(linalg::LinalgOp op) {
    if (op.getNumDpsInits() != 1)
      return nullptr;
    Value result = op.getDpsInitOperand(0)->get();
    Value base = baseOf(result);
    for (Operation *before = op->getPrevNode(); before;
         before = before->getPrevNode()) {
      if (auto fill = dyn_cast<linalg::LinalgOp>(before);
          fill && fill.getNumDpsInits() == 1 &&
          fill.getDpsInitOperand(0)->get() == result && filledValue(fill))
        return fill;
      bool touches = before->getNumRegions() > 0 ||
                     llvm::any_of(before->getOperands(), [&](Value operand) {
                       return isa<MemRefType>(operand.getType()) &&
                              !isa<ViewLikeOpInterface>(before) &&
                              baseOf(operand) == base;
                     });
      if (touches)
        return nullptr;
    }
    return nullptr;
  }

  /// The only reader of what `op` computes, if it is pointwise and may run
  /// together with it: the result is a buffer of the kernel's own, nothing
  /// between the two changes what `op` reads, and neither does the reader.
  linalg::LinalgOp epilogueOf(linalg::LinalgOp op, linalg::LinalgOp fill) {
    if (!fill)
      return nullptr;
    Value result = op.getDpsInitOperand(0)->get();
    if (!result.getDefiningOp<memref::AllocOp>())
      return nullptr;
    linalg::LinalgOp reader;
    for (Operation *user : result.getUsers()) {
      if (user == op || user == fill || isa<memref::DeallocOp>(user))
        continue;
      if (reader && user != reader)
        return nullptr;
      reader = dyn_cast<linalg::LinalgOp>(user);
      if (!reader)
        return nullptr;
    }
    if (!reader || reader->getBlock() != op->getBlock() ||
        !op->isBeforeInBlock(reader) || reader.getNumReductionLoops() > 0 ||
        writes(reader, result))
      return nullptr;
    SmallVector<Value> sources;
    for (Value input : op.getDpsInputs())
      sources.push_back(baseOf(input));
    for (Operation *between = op; between != reader;) {
      between = between->getNextNode();
      if (isa<memref::AllocOp, memref::DeallocOp>(between) ||
          isMemoryEffectFree(between))
        continue;
      auto other = dyn_cast<linalg::LinalgOp>(between);
      if (!other || llvm::any_of(sources, [&](Value source) {
            return writes(other, source);
          }))
        return nullptr;
    }
    return reader;
  }
};

} // namespace
} // namespace gradus::lower
