// Kernel of loops on buffers -> the same, run by several workers at once: each
// takes its part of the steps of the parallel loops of the body, the first one
// what stands between them, and all wait for each other where one may read what
// another has written. Which worker takes a step changes nothing in it, so
// results are the same for any number of workers.
#include "compiler/lower/RowAxes.h"

namespace gradus::lower {
#define GEN_PASS_DEF_SPLITKERNELS
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

/// What a top-level op of the kernel means to workers.
enum class Part : uint8_t {
  /// Each computes it for itself: it reads and writes no memory.
  Pure,
  /// Each for itself, when what it reads is complete.
  Reads,
  /// The first worker alone.
  Alone,
  /// Split among all.
  Shared,
  /// Each takes its part of loops inside.
  SharedWithin,
  /// It writes, and something reads its result: the kernel stays whole.
  Unfit
};

int64_t stepsOf(scf::ForOp loop) {
  auto begin = getConstantIntValue(loop.getLowerBound()),
       end = getConstantIntValue(loop.getUpperBound()),
       step = getConstantIntValue(loop.getStep());
  return begin && end && step ? llvm::divideCeil(*end - *begin, *step) : 1;
}

/// Operations of a block with all steps of its loops.
int64_t workOf(Block &block) {
  int64_t work = 0;
  for (Operation &op : block) {
    auto loop = dyn_cast<scf::ForOp>(op);
    work += loop ? stepsOf(loop) * workOf(*loop.getBody()) : 1;
  }
  return work;
}

bool writes(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        bool changes =
            !isMemoryEffectFree(inner) &&
            !inner->hasTrait<OpTrait::HasRecursiveMemoryEffects>() &&
            !isa<memref::LoadOp, vector::MaskedLoadOp, vector::LoadOp,
                 vector::GatherOp, memref::PrefetchOp, memref::AllocOp,
                 memref::DeallocOp>(inner);
        return changes ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether the steps divide well: with three of them two workers would save a
/// third of the time, and lose it to what lies in each other's caches.
bool dividesWell(int64_t steps, int64_t workers) {
  return steps * 5 >=
         8 * static_cast<int64_t>(llvm::divideCeil(steps, workers));
}

/// Whether the op writes to nothing but buffers of which each worker has its
/// own.
bool writesPrivately(Operation *op) {
  auto isPrivate = [](Value buffer) {
    Operation *alloc = baseOf(buffer).getDefiningOp();
    return isa_and_present<memref::AllocOp>(alloc) && alloc->hasAttr(kPrivate);
  };
  WalkResult walk = op->walk([&](Operation *inner) {
    if (inner->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
        isMemoryEffectFree(inner))
      return WalkResult::advance();
    auto effects = getEffectsRecursively(inner);
    bool isKnown =
        effects &&
        llvm::all_of(*effects, [&](MemoryEffects::EffectInstance &e) {
          return !isa<MemoryEffects::Write>(e.getEffect()) ||
                 (e.getValue() && isPrivate(e.getValue()));
        });
    return isKnown ? WalkResult::advance() : WalkResult::interrupt();
  });
  return !walk.wasInterrupted();
}

/// What workers do inside of a loop that all of them run.
struct Within {
  SmallVector<scf::ForOp> shared;
  SmallVector<Operation *> alone;
};

/// Whether it is worth to split the loop, which runs so many times.
bool isWorth(scf::ForOp loop, int64_t times, int64_t worth, int64_t workers) {
  return loop->hasAttr(kParallel) && dividesWell(stepsOf(loop), workers) &&
         times * stepsOf(loop) * workOf(*loop.getBody()) >= worth;
}

/// Finds what to split in a loop whose ops write to places of their own, and to
/// the same ones in every step. A worker that has the same part each time then
/// meets nobody; what is not split does the first one. Nothing if there is
/// nothing to split.
std::optional<Within> findWithin(scf::ForOp loop, int64_t times, int64_t worth,
                                 int64_t workers) {
  Within found;
  times *= stepsOf(loop);
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (!writes(&op) || writesPrivately(&op))
      continue;
    if (op.getNumResults() > 0)
      return std::nullopt;
    auto inner = dyn_cast<scf::ForOp>(op);
    if (inner && isWorth(inner, times, worth, workers)) {
      found.shared.push_back(inner);
      continue;
    }
    std::optional<Within> deeper;
    if (inner && (inner->hasAttr(kParallel) || inner->hasAttr(kAdds)))
      deeper = findWithin(inner, times, worth, workers);
    if (deeper) {
      found.shared.append(deeper->shared);
      found.alone.append(deeper->alone);
    } else {
      found.alone.push_back(&op);
    }
  }
  if (found.shared.empty())
    return std::nullopt;
  return found;
}

Part partOf(Operation *op, int64_t worth, int64_t workers) {
  if (isa<memref::AllocOp, memref::DeallocOp>(op) || isMemoryEffectFree(op))
    return Part::Pure;
  if (!writes(op))
    return Part::Reads;
  if (op->getNumResults() > 0)
    return Part::Unfit;
  auto loop = dyn_cast<scf::ForOp>(op);
  if (!loop)
    return Part::Alone;
  bool isWhole = isWorth(loop, 1, worth, workers);
  auto inside = loop->getAttrOfType<BoolAttr>(kInside);
  if (isWhole && !(inside && inside.getValue()))
    return Part::Shared;
  if ((loop->hasAttr(kAdds) || inside) && findWithin(loop, 1, worth, workers))
    return Part::SharedWithin;
  return isWhole ? Part::Shared : Part::Alone;
}

/// The ops of the body that touch a buffer, in order.
SmallVector<Operation *> touching(memref::AllocOp alloc, Block &body) {
  SetVector<Operation *> found;
  SmallVector<Value> pending{alloc.getResult()};
  DenseSet<Value> seen;
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    for (Operation *user : value.getUsers()) {
      if (!isa<memref::DeallocOp>(user) && !isMemoryEffectFree(user))
        found.insert(body.findAncestorOpInBlock(*user));
      for (Value result : user->getResults())
        if (isa<MemRefType>(result.getType()))
          pending.push_back(result);
    }
  }
  SmallVector<Operation *> ops = found.takeVector();
  llvm::sort(ops,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return ops;
}

/// Whether anything in `op` reads the buffer.
bool reads(Operation *op, memref::AllocOp alloc) {
  WalkResult walk = op->walk([&](MemoryEffectOpInterface inner) {
    SmallVector<MemoryEffects::EffectInstance> effects;
    inner.getEffects(effects);
    bool found = llvm::any_of(effects, [&](MemoryEffects::EffectInstance &e) {
      return isa<MemoryEffects::Read>(e.getEffect()) &&
             (!e.getValue() || baseOf(e.getValue()) == alloc.getResult());
    });
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return walk.wasInterrupted();
}

struct SplitKernelsPass : impl::SplitKernelsBase<SplitKernelsPass> {
  using impl::SplitKernelsBase<SplitKernelsPass>::SplitKernelsBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<func::FuncOp>())
      if (!kernel.isExternal() && llvm::hasSingleElement(kernel.getBody()))
        split(kernel);
  }

  void split(func::FuncOp kernel) {
    Block &body = kernel.getBody().front();
    SmallVector<std::pair<Operation *, Part>> parts;
    bool any = false;
    for (Operation &op : body.without_terminator()) {
      Part part = partOf(&op, worth, count);
      if (part == Part::Unfit)
        return;
      any |= part == Part::Shared || part == Part::SharedWithin;
      parts.push_back({&op, part});
    }
    if (!any)
      return;

    // What was to be one step of a loop may have become ops of the body: then
    // they hand the buffer on to each other. But a loop that reads it itself
    // works in it, and the first worker does what is left over behind the loop.
    DenseMap<Operation *, Part> partOfOp(parts.begin(), parts.end());
    DenseSet<Operation *> leftOver;
    for (auto alloc : body.getOps<memref::AllocOp>()) {
      SmallVector<Operation *> ops = touching(alloc, body);
      auto isShared = [&](Operation *op) {
        Part part = partOfOp.lookup(op);
        return part == Part::Shared || part == Part::SharedWithin;
      };
      if (!alloc->hasAttr(kPrivate) || ops.size() < 2)
        continue;
      if (isShared(ops[0]) && reads(ops[0], alloc))
        leftOver.insert(std::next(ops.begin()), ops.end());
      else
        alloc->removeAttr(kPrivate);
    }
    for (auto &[op, part] : parts)
      if (leftOver.contains(op) && part != Part::Reads && part != Part::Pure)
        part = Part::Alone;

    for (auto &[op, part] : parts)
      if (part == Part::SharedWithin)
        part = partOf(op, worth, count);

    Location loc = kernel.getLoc();
    OpBuilder builder(kernel);
    kernel->setAttr(kSplit, builder.getUnitAttr());
    for (int i = 0; i < 3; ++i)
      (void)kernel.insertArgument(kernel.getNumArguments(),
                                  builder.getIndexType(), {}, loc);
    worker = kernel.getArguments().end()[-3];
    workers = kernel.getArguments().end()[-2];
    meeting = kernel.getArguments().back();

    // Whether something has been written since all have met.
    bool isOpen = false;
    scf::IfOp alone;
    for (auto [op, part] : parts) {
      if (part == Part::Pure)
        continue;
      bool goesOn = part == Part::Alone && alone;
      builder.setInsertionPoint(op);
      if (isOpen && !goesOn)
        meet(builder, loc);
      if (!goesOn) {
        isOpen = false;
        alone = nullptr;
      }
      if (part == Part::Shared)
        share(builder, cast<scf::ForOp>(op));
      else if (part == Part::SharedWithin)
        shareWithin(builder, cast<scf::ForOp>(op));
      else if (part == Part::Alone) {
        if (!alone)
          alone = onlyFirst(builder, loc);
        else
          alone->moveBefore(op);
        op->moveBefore(alone.thenBlock()->getTerminator());
      }
      isOpen |= part != Part::Reads;
    }
  }

  void meet(OpBuilder &builder, Location loc) {
    ModuleOp module = getOperation();
    StringRef name = "gradusBarrier";
    if (!module.lookupSymbol(name)) {
      OpBuilder outside = OpBuilder::atBlockBegin(module.getBody());
      auto type =
          outside.getFunctionType({outside.getIndexType()}, TypeRange());
      func::FuncOp::create(outside, module.getLoc(), name, type).setPrivate();
    }
    func::CallOp::create(builder, loc, name, TypeRange(), meeting);
  }

  scf::IfOp onlyFirst(OpBuilder &builder, Location loc) {
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value isFirst = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::eq, worker, zero);
    return scf::IfOp::create(builder, loc, isFirst, /*withElseRegion=*/false);
  }

  void shareWithin(OpBuilder &builder, scf::ForOp loop) {
    std::optional<Within> within = findWithin(loop, 1, worth, count);
    loop->setAttr(kSplit, builder.getUnitAttr());
    for (scf::ForOp inner : within->shared) {
      builder.setInsertionPoint(inner);
      share(builder, inner);
    }
    for (Operation *op : within->alone) {
      builder.setInsertionPoint(op);
      scf::IfOp first = onlyFirst(builder, op->getLoc());
      op->moveBefore(first.thenBlock()->getTerminator());
    }
  }

  /// Steps n * i / workers up to n * (i + 1) / workers for worker i.
  void share(OpBuilder &builder, scf::ForOp loop) {
    Location loc = loop.getLoc();
    Value steps = arith::ConstantIndexOp::create(builder, loc, stepsOf(loop));
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    auto boundary = [&](Value number) -> Value {
      Value part = arith::DivUIOp::create(
          builder, loc, arith::MulIOp::create(builder, loc, steps, number),
          workers);
      return arith::AddIOp::create(
          builder, loc, loop.getLowerBound(),
          arith::MulIOp::create(builder, loc, part, loop.getStep()));
    };
    Value begin = boundary(worker);
    Value end = boundary(arith::AddIOp::create(builder, loc, worker, one));
    loop.setLowerBound(begin);
    loop.setUpperBound(end);
    loop->setAttr(kSplit, builder.getUnitAttr());
  }

  Value worker, workers, meeting;
};

} // namespace
} // namespace gradus::lower
