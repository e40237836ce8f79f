// Takes plain graph with loops, gives loops that do in a round only what a
// round has to do: what no round changes is computed before the loop, and
// products that each round does with a matrix larger than its rows become one
// product for all rounds, before or behind the loop. So the gradient of a
// recurrent weight, a sum over rounds, is one contraction over rounds and rows
// (Appleyard et al.: Optimizing Performance of Recurrent Neural Networks on
// GPUs, 2016, section 3.2). It must follow StoreResiduals, which recognizes
// rounds by their ops.
#include "compiler/fuse/Legality.h"
#include "compiler/fuse/Passes.h"
#include "dialect/Costs.h"
#include "dialect/Einsum.h"
#include "dialect/Loops.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace gradus::fuse {

#define GEN_PASS_DEF_HOISTFROMLOOPS
#include "compiler/fuse/Passes.h.inc"

namespace {

int64_t sizeOf(Value value) { return graph::bytesOf(value.getType()); }

/// What leaves one loop.
class Hoisting {
public:
  Hoisting(graph::LoopOp loop, int64_t &room) : loop(loop), room(room) {}

  void run() {
    hoistInvariants();
    hoistProductsOfRows();
    sinkSums();
    sinkStackedProducts();
  }

private:
  void hoistInvariants();
  void hoistProductsOfRows();
  void sinkSums();
  void sinkStackedProducts();

  bool isWith(Value value) {
    return llvm::is_contained(loop.withArguments(), value);
  }
  bool isOver(Value value) {
    return llvm::is_contained(loop.overArguments(), value);
  }
  /// What an argument of the body stands for outside.
  Value outside(Value argument) {
    return loop->getOperand(cast<BlockArgument>(argument).getArgNumber() - 1);
  }
  /// Whether the rows of all rounds are there, or will be.
  bool isStacked(Value value) {
    return isOver(value) || llvm::is_contained(loop.stacked(), value);
  }
  /// The bytes that have to be added to the stacks of each round.
  int64_t newBytes(ArrayRef<Value> values) {
    int64_t bytes = 0;
    for (Value value : values)
      if (!isStacked(value))
        bytes += sizeOf(value);
    return bytes;
  }
  /// Whether there is room for so many bytes of each round; takes it.
  bool takeRoom(int64_t bytes) {
    bytes *= static_cast<int64_t>(loop.getRounds());
    if (bytes > room)
      return false;
    room -= bytes;
    return true;
  }
  /// A tensor of the values of all rounds.
  Value rowsOf(Value value) {
    if (isOver(value))
      return outside(value);
    loop = graph::stackAlso(loop, value);
    return graph::stackOf(loop, value);
  }
  /// `einsum` over the rows of all rounds; `isA`, `isB` and `isY` have rounds.
  Value ofAllRounds(OpBuilder &builder, graph::EinsumOp einsum, Value a,
                    Value b, bool isA, bool isB, bool isY);

  graph::LoopOp loop;
  /// Bytes that may still be kept.
  int64_t &room;
};

} // namespace

/// Index maps and constants cost nothing where they are used, and would take
/// memory outside.
static bool isFreeInside(Operation &op) {
  return isa<graph::ConstantOp, graph::IotaOp, graph::BroadcastOp,
             graph::ReshapeOp>(op);
}

void Hoisting::hoistInvariants() {
  OpBuilder builder(loop);
  IRMapping outer;
  for (BlockArgument argument : loop.withArguments())
    outer.map(argument, outside(argument));
  for (Operation &op : llvm::make_early_inc_range(
           loop.getBody().front().without_terminator())) {
    if (llvm::any_of(op.getOperands(),
                     [&](Value x) { return !outer.contains(x); }))
      continue;
    Operation *clone = builder.clone(op, outer);
    if (isFreeInside(op))
      continue;
    for (auto [result, value] :
         llvm::zip_equal(op.getResults(), clone->getResults())) {
      result.replaceAllUsesWith(graph::takeAlso(loop, value));
      outer.map(loop.withArguments().back(), value);
    }
  }
}

Value Hoisting::ofAllRounds(OpBuilder &builder, graph::EinsumOp einsum, Value a,
                            Value b, bool isA, bool isB, bool isY) {
  graph::EinsumSpec spec = *graph::parseEinsum(einsum.getSpec());
  char round = 'a';
  std::string used = spec.str();
  while (used.find(round) != std::string::npos)
    ++round;
  auto add = [&](std::string &indices, bool has) {
    if (has)
      indices.insert(indices.begin(), round);
  };
  add(spec.a, isA);
  add(spec.b, isB);
  add(spec.y, isY);
  return graph::EinsumOp::create(builder, einsum.getLoc(), a, b, spec.str());
}

/// Rows of a tensor times a common matrix: all rows at once, before.
void Hoisting::hoistProductsOfRows() {
  for (auto einsum : llvm::make_early_inc_range(
           loop.getBody().front().getOps<graph::EinsumOp>())) {
    Value a = einsum.getA(), b = einsum.getB();
    bool isRowA = isOver(a) && isWith(b), isRowB = isWith(a) && isOver(b);
    if (!isRowA && !isRowB)
      continue;
    int64_t result = sizeOf(einsum.getResult());
    if (sizeOf(isRowA ? b : a) < 4 * result || !takeRoom(result))
      continue;
    OpBuilder builder(loop);
    Value all = ofAllRounds(builder, einsum, outside(a), outside(b), isRowA,
                            isRowB, /*isY=*/true);
    einsum.getResult().replaceAllUsesWith(graph::readAlso(loop, all));
    einsum.erase();
  }
}

/// The product that a carried value gathers and nothing else sees.
static graph::EinsumOp gathered(graph::LoopOp loop, BlockArgument sum) {
  auto add =
      loop.carriedOn()[sum.getArgNumber() - 1].getDefiningOp<graph::AddOp>();
  if (!add || !sum.hasOneUse() || *sum.user_begin() != add || !add->hasOneUse())
    return {};
  Value other = add->getOperand(add->getOperand(0) == sum ? 1 : 0);
  auto einsum = other.getDefiningOp<graph::EinsumOp>();
  return einsum && einsum->hasOneUse() ? einsum : graph::EinsumOp();
}

/// A sum of products over rounds: one product, behind.
void Hoisting::sinkSums() {
  for (size_t j = 0; j < loop.getCarried().size(); ++j) {
    graph::EinsumOp einsum = gathered(loop, loop.carriedArguments()[j]);
    if (!einsum)
      continue;
    Value a = einsum.getA(), b = einsum.getB();
    if (isWith(a) || isWith(b))
      continue;
    // A round reads and writes the sum; one product reads both factors once
    // more, from farther away, and has them written if they are not kept
    // anyway.
    int64_t kept = newBytes({a, b});
    if (sizeOf(einsum.getResult()) < 8 * (sizeOf(a) + sizeOf(b) + 2 * kept) ||
        !takeRoom(kept))
      continue;
    Value rowsA = rowsOf(a), rowsB = rowsOf(b);
    OpBuilder builder(loop->getContext());
    builder.setInsertionPointAfter(loop);
    Value sum = ofAllRounds(builder, einsum, rowsA, rowsB, true, true, false);
    if (Value init = loop.getCarried()[j]; !isZero(init))
      sum = graph::AddOp::create(builder, einsum.getLoc(), init, sum);
    loop.getResult(j).replaceAllUsesWith(sum);
  }
}

/// Products with a common matrix that are only stacked: all at once, behind.
void Hoisting::sinkStackedProducts() {
  for (size_t k = 0; k < loop.stacked().size(); ++k) {
    auto einsum = loop.stacked()[k].getDefiningOp<graph::EinsumOp>();
    if (!einsum || !einsum->hasOneUse())
      continue;
    Value a = einsum.getA(), b = einsum.getB();
    if (isWith(a) == isWith(b))
      continue;
    Value row = isWith(a) ? b : a, common = isWith(a) ? a : b;
    int64_t kept = newBytes({row});
    if ((kept && sizeOf(common) < 4 * kept) || !takeRoom(kept))
      continue;
    Value matrix = outside(common), rows = rowsOf(row);
    OpBuilder builder(loop->getContext());
    builder.setInsertionPointAfter(loop);
    bool isA = row == a;
    Value all = ofAllRounds(builder, einsum, isA ? rows : matrix,
                            isA ? matrix : rows, isA, !isA, true);
    loop.stacks()[k].replaceAllUsesWith(all);
  }
}

namespace {
struct HoistFromLoops : impl::HoistFromLoopsBase<HoistFromLoops> {
  using impl::HoistFromLoopsBase<HoistFromLoops>::HoistFromLoopsBase;

  void runOnOperation() override {
    int64_t room = budget;
    SmallVector<graph::LoopOp> loops;
    getOperation().walk([&](graph::LoopOp loop) {
      loops.push_back(loop);
      for (Value stack : loop.stacks())
        room -= sizeOf(stack);
    });
    // Inner loops first: what leaves one may leave the next.
    // From one that may not run, work would leave that need not be done.
    for (graph::LoopOp loop : loops)
      if (!loop.getWhen())
        Hoisting(loop, room).run();
  }
};
} // namespace

} // namespace gradus::fuse
