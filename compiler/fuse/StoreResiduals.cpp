// Takes plain graph with loops whose rounds compute again what an earlier loop
// computed in the same rounds, as pullbacks do; gives loops that read it where
// reading costs less. What to keep is a minimum cut between the contractions,
// which are not to be done twice, and what is needed: the fewest bytes (Chen et
// al.: Training Deep Nets with Sublinear Memory Cost, 2016; the cut as in He,
// Yu: Transcending Runtime-Memory Tradeoffs in Checkpointing by Being
// Fusion-Aware, MLSys 2023).
#include "compiler/fuse/MinCut.h"
#include "compiler/fuse/Passes.h"
#include "dialect/Costs.h"
#include "dialect/Loops.h"

using namespace mlir;

namespace gradus::fuse {

#define GEN_PASS_DEF_STORERESIDUALS
#include "compiler/fuse/Passes.h.inc"

namespace {

/// Multiplications and additions for each byte of the result from which on it
/// is read rather than computed: a byte goes to memory and back in about 0.2
/// ns, in which a core computes ten of them.
constexpr int64_t kProductsForByte = 5;

bool isExpensive(Operation &op) {
  if (auto einsum = dyn_cast<graph::EinsumOp>(op))
    return graph::productsOf(einsum) >=
           kProductsForByte * graph::bytesOf(einsum.getType());
  return isa<graph::LoopOp, graph::SolveOp, graph::CholeskyOp, graph::ExternOp>(
      op);
}

/// What the rounds of `later` have in common with those of `earlier`.
class CommonRounds {
public:
  CommonRounds(graph::LoopOp earlier, graph::LoopOp later)
      : earlier(earlier), later(later) {
    match();
  }

  /// Values of `later` that are better read than computed again.
  SmallVector<Value> worthReading();
  /// The value of `earlier` that is the same as this one of `later`.
  Value inEarlier(Value value) const { return same.lookup(value); }

private:
  void match();
  void matchOp(Operation &op);
  bool isCommon(Operation *op) const {
    return op->getNumResults() && same.contains(op->getResult(0));
  }
  bool isNeeded(Value value) const;

  graph::LoopOp earlier, later;
  DenseMap<Value, Value> same;
};

void CommonRounds::match() {
  same[later.counter()] = earlier.counter();
  auto matchOperands = [&](auto arguments, ValueRange operands, auto candidates,
                           ValueRange theirs) {
    for (auto [argument, operand] : llvm::zip_equal(arguments, operands))
      for (auto [candidate, other] : llvm::zip_equal(candidates, theirs))
        if (operand == other)
          same[argument] = candidate;
  };
  matchOperands(later.withArguments(), later.getWith(), earlier.withArguments(),
                earlier.getWith());
  matchOperands(later.overArguments(), later.getOver(), earlier.overArguments(),
                earlier.getOver());
  matchOperands(later.overArguments(), later.getOver(), earlier.stacked(),
                earlier.stacks());
  for (Operation &op : later.getBody().front().without_terminator())
    matchOp(op);
}

void CommonRounds::matchOp(Operation &op) {
  if (llvm::any_of(op.getOperands(),
                   [&](Value x) { return !same.contains(x); }))
    return;
  auto isSame = [&](Operation &candidate) {
    if (candidate.getBlock() != &earlier.getBody().front() ||
        !OperationEquivalence::isEquivalentTo(
            &op, &candidate,
            [&](Value a, Value b) { return success(same.lookup(a) == b); },
            [&](Value a, Value b) { same[a] = b; },
            OperationEquivalence::IgnoreLocations))
      return false;
    for (auto [a, b] : llvm::zip_equal(op.getResults(), candidate.getResults()))
      same[a] = b;
    return true;
  };
  if (op.getNumOperands() == 0) {
    (void)llvm::any_of(earlier.getBody().front().without_terminator(), isSame);
    return;
  }
  for (Operation *user : same.lookup(op.getOperand(0)).getUsers())
    if (isSame(*user))
      return;
}

/// By something that `earlier` has not computed.
bool CommonRounds::isNeeded(Value value) const {
  return llvm::any_of(value.getUsers(),
                      [&](Operation *user) { return !isCommon(user); });
}

SmallVector<Value> CommonRounds::worthReading() {
  SmallVector<Value> values;
  DenseMap<Value, size_t> numbers;
  ValueFlow flow;
  for (Operation &op : later.getBody().front().without_terminator()) {
    if (!isCommon(&op))
      continue;
    for (Value result : op.getResults()) {
      size_t number = values.size();
      numbers[result] = number;
      values.push_back(result);
      bool isKept = llvm::is_contained(earlier.stacked(), same[result]);
      flow.cost.push_back(isKept ? 0 : graph::bytesOf(result.getType()));
      for (Value operand : op.getOperands())
        if (auto found = numbers.find(operand); found != numbers.end())
          flow.edges.emplace_back(found->second, number);
      if (isExpensive(op))
        flow.sources.push_back(number);
      if (isNeeded(result))
        flow.sinks.push_back(number);
    }
  }
  return llvm::map_to_vector(cheapestCut(flow),
                             [&](size_t number) { return values[number]; });
}

struct StoreResiduals : impl::StoreResidualsBase<StoreResiduals> {
  using impl::StoreResidualsBase<StoreResiduals>::StoreResidualsBase;

  void runOnOperation() override {
    int64_t kept = 0;
    getOperation().walk([&](graph::LoopOp loop) {
      for (Value stack : loop.stacks())
        kept += graph::bytesOf(stack.getType());
    });
    // Inner loops first.
    getOperation().walk([&](graph::LoopOp later) {
      SmallVector<graph::LoopOp> before;
      for (Value tensor : later.getOver())
        if (auto loop = tensor.getDefiningOp<graph::LoopOp>();
            loop && loop.getRounds() == later.getRounds() &&
            loop.getWhen() == later.getWhen() &&
            !llvm::is_contained(before, loop))
          before.push_back(loop);
      for (graph::LoopOp earlier : before)
        store(earlier, later, kept);
    });
  }

  /// Reads in `later` what is worth it, unless that takes too many bytes.
  void store(graph::LoopOp earlier, graph::LoopOp later, int64_t &kept) {
    CommonRounds common(earlier, later);
    SmallVector<Value> values = common.worthReading(), rows;
    int64_t bytes = 0;
    for (Value value : values) {
      rows.push_back(common.inEarlier(value));
      if (!llvm::is_contained(earlier.stacked(), rows.back()))
        bytes += graph::bytesOf(value.getType()) *
                 static_cast<int64_t>(earlier.getRounds());
    }
    if (values.empty() || kept + bytes > budget)
      return;
    kept += bytes;
    earlier = graph::stackAlso(earlier, rows);
    for (auto [value, row] : llvm::zip_equal(values, rows))
      value.replaceAllUsesWith(
          graph::readAlso(later, graph::stackOf(earlier, row)));
  }
};

} // namespace

} // namespace gradus::fuse
