// linalg on tensors -> the same with element-wise ops merged into their first
// reader, so that a value between two of them is never stored. A merged op may
// have several results (relu and its mask, a parameter and its slots).
#include "compiler/lower/Passes.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"

namespace gradus::lower {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

bool isParallel(linalg::GenericOp op) {
  return op.getNumLoops() == op.getNumParallelLoops();
}

/// Whether computing an element again costs about as much as loading it.
bool isCheap(linalg::GenericOp op) {
  int64_t count = 0;
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (isa<math::MathDialect>(inner.getDialect()) || isa<arith::DivFOp>(inner))
      return false;
    ++count;
  }
  return count <= 4;
}

/// Whether the op only moves elements.
bool isCopy(linalg::GenericOp op) {
  return op.getNumDpsInits() == 1 && llvm::hasSingleElement(*op.getBlock()) &&
         isa<BlockArgument>(op.getBlock()->getTerminator()->getOperand(0));
}

/// A product summed over reduced loops: its schedule wants it bare.
bool isContraction(linalg::GenericOp op) {
  return op.getNumReductionLoops() > 0 && op.getNumDpsInputs() == 2 &&
         llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *input) {
           return op.payloadUsesValueFromOperand(input);
         });
}

/// Whether the loops over the taps of a producer's windows, reduced by its only
/// reader, would be bounded by no operand once the two are merged.
bool losesBounds(linalg::GenericOp producer, linalg::GenericOp reduction) {
  return reduction.getNumReductionLoops() > 0 &&
         reduction.getNumDpsInputs() == 1 && producer->hasOneUse() &&
         llvm::any_of(producer.getIndexingMapsArray(), [](AffineMap map) {
           return !map.isProjectedPermutation();
         });
}

/// The reduction with an operand that it does not read, of the size of its
/// reduced loops.
linalg::GenericOp withBounds(IRRewriter &rewriter, linalg::GenericOp op) {
  rewriter.setInsertionPoint(op);
  SmallVector<int64_t> sizes, ranges = op.getStaticLoopRanges();
  SmallVector<AffineExpr> loops;
  for (auto [loop, type] : llvm::enumerate(op.getIteratorTypesArray()))
    if (type == utils::IteratorType::reduction) {
      sizes.push_back(ranges[loop]);
      loops.push_back(rewriter.getAffineDimExpr(loop));
    }
  SmallVector<Value> inputs = op.getDpsInputs();
  inputs.push_back(tensor::EmptyOp::create(rewriter, op.getLoc(), sizes,
                                           getElementTypeOrSelf(inputs[0])));
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps.insert(maps.begin() + 1, AffineMap::get(op.getNumLoops(), 0, loops,
                                               rewriter.getContext()));
  auto bounded = linalg::GenericOp::create(
      rewriter, op.getLoc(), op.getResultTypes(), inputs, op.getDpsInits(),
      maps, op.getIteratorTypesArray());
  rewriter.inlineRegionBefore(op.getRegion(), bounded.getRegion(),
                              bounded.getRegion().begin());
  bounded.getBlock()->insertArgument(1, getElementTypeOrSelf(inputs[1]),
                                     op.getLoc());
  rewriter.replaceOp(op, bounded);
  return bounded;
}

/// The first reader of the op's results, in program order.
Operation *firstReader(linalg::GenericOp op) {
  Operation *first = nullptr;
  for (Operation *user : op->getUsers()) {
    if (user->getBlock() != op->getBlock())
      return nullptr;
    if (!first || user->isBeforeInBlock(first))
      first = user;
  }
  return first;
}

/// The operand through which `producer` may be merged into `consumer`.
OpOperand *fusableOperand(linalg::GenericOp producer,
                          linalg::GenericOp consumer) {
  bool onlyReader = llvm::all_of(
      producer->getUsers(), [&](Operation *user) { return user == consumer; });
  int64_t links = llvm::count_if(consumer->getOperands(), [&](Value operand) {
    return operand.getDefiningOp() == producer;
  });
  for (OpOperand *operand : consumer.getDpsInputOperands()) {
    if (operand->get().getDefiningOp() != producer ||
        !linalg::areElementwiseOpsFusable(operand))
      continue;
    bool sameLoops = consumer.getMatchingIndexingMap(operand).isPermutation();
    if (isContraction(consumer)) {
      if (isCopy(producer) && onlyReader && links == 1)
        return operand;
      continue;
    }
    // A producer that others read too, or that is read twice, keeps its
    // results: they must not depend on loops the producer does not have.
    if (!onlyReader || links > 1) {
      if (sameLoops && isParallel(consumer))
        return operand;
      continue;
    }
    if (sameLoops || isCheap(producer))
      return operand;
  }
  return nullptr;
}

/// Whether an op only repeats elements: a broadcast or windows, which are an
/// index map in whatever reads them.
bool isRepetition(linalg::GenericOp op) {
  return isCopy(op) && isParallel(op) && !op.getDpsInputs().empty() &&
         !op.getMatchingIndexingMap(op.getDpsInputOperand(0)).isPermutation();
}

struct FuseElementwisePass : impl::FuseElementwiseBase<FuseElementwisePass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (Block &block : getOperation().getBody()) {
      repeatForReaders(rewriter, block);
      while (fuseOne(rewriter, block)) {
      }
    }
  }

  /// Gives each reader of a repetition its own.
  void repeatForReaders(IRRewriter &rewriter, Block &block) {
    for (auto op :
         llvm::make_early_inc_range(block.getOps<linalg::GenericOp>())) {
      if (!isRepetition(op))
        continue;
      llvm::SetVector<Operation *> readers(op->user_begin(), op->user_end());
      for (Operation *reader : readers.getArrayRef().drop_back()) {
        if (!isa<linalg::GenericOp>(reader))
          continue;
        rewriter.setInsertionPoint(op);
        reader->replaceUsesOfWith(op->getResult(0),
                                  rewriter.clone(*op)->getResult(0));
      }
    }
  }

  bool fuseOne(IRRewriter &rewriter, Block &block) {
    for (auto producer : block.getOps<linalg::GenericOp>()) {
      if (!isParallel(producer) || !producer.hasPureTensorSemantics())
        continue;
      auto consumer =
          dyn_cast_or_null<linalg::GenericOp>(firstReader(producer));
      if (!consumer)
        continue;
      if (losesBounds(producer, consumer))
        consumer = withBounds(rewriter, consumer);
      OpOperand *operand = fusableOperand(producer, consumer);
      if (!operand)
        continue;
      rewriter.setInsertionPoint(consumer);
      auto fused = linalg::fuseElementwiseOps(rewriter, operand);
      if (failed(fused))
        continue;
      // A producer that is read twice is still read by the fused op, until the
      // other operand is merged too.
      for (auto [old, replacement] : fused->replacements)
        rewriter.replaceUsesWithIf(old, replacement, [&](OpOperand &use) {
          return use.getOwner() != fused->fusedOp;
        });
      rewriter.eraseOp(consumer);
      if (producer->use_empty())
        rewriter.eraseOp(producer);
      dropCopies(rewriter, cast<linalg::GenericOp>(fused->fusedOp));
      return true;
    }
    return false;
  }

  /// A producer read twice is merged twice. Its second copy goes at once: in a
  /// chain of such producers there would be a power of two.
  void dropCopies(IRRewriter &rewriter, linalg::GenericOp op) {
    rewriter.setInsertionPoint(op);
    auto lean = linalg::deduplicateOperandsAndRemoveDeadResults(
        rewriter, op, /*removeOutputs=*/false);
    if (failed(lean))
      return;
    DominanceInfo dominance(*lean);
    eliminateCommonSubExpressions(rewriter, dominance, *lean);
  }
};

} // namespace
} // namespace gradus::lower
