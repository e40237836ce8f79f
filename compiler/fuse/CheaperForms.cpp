// The rewrites behind CheaperForms.h, one function each.
#include "compiler/fuse/CheaperForms.h"

#include "dialect/Duals.h"
#include "dialect/Einsum.h"
#include "dialect/Graph.h"

using namespace mlir;

namespace gradus::fuse {

/// x > c -> max(x, c) > c, and x < c -> min(x, c) < c: equal for every x, and
/// where the maximum is kept (the output of a relu), x need not be.
static void compareExtremes(Block &body) {
  for (auto compare : body.getOps<graph::CompareOp>()) {
    bool greater = compare.getPredicate() == graph::Predicate::gt;
    if (!greater && compare.getPredicate() != graph::Predicate::lt)
      continue;
    for (Operation *user : compare.getA().getUsers()) {
      bool matches =
          greater ? isa<graph::MaxOp>(user) : isa<graph::MinOp>(user);
      if (!matches || !user->isBeforeInBlock(compare) ||
          !llvm::is_contained(user->getOperands(), compare.getB()))
        continue;
      compare.getAMutable().assign(user->getResult(0));
      break;
    }
  }
}

/// Whether the new axes of `broadcast` come behind those of its operand: what
/// is done to the operand is done once a row.
static bool repeatsAlongRows(graph::BroadcastOp broadcast) {
  auto rank = cast<RankedTensorType>(broadcast.getX().getType()).getRank();
  return llvm::all_of(broadcast.getDims(),
                      [&](int64_t dim) { return dim >= rank; });
}

/// x / broadcast(d) -> x * broadcast(1 / d), for a number or a number a row:
/// one division instead of one an element.
static void multiplyByReciprocals(Block &body) {
  DenseMap<Value, Value> reciprocals;
  for (auto divide : llvm::make_early_inc_range(body.getOps<graph::DivOp>())) {
    auto spread = divide.getB().getDefiningOp<graph::BroadcastOp>();
    if (!spread || !repeatsAlongRows(spread))
      continue;
    Value d = spread.getX();
    Value &reciprocal = reciprocals[d];
    OpBuilder builder(divide);
    if (!reciprocal) {
      builder.setInsertionPointAfterValue(d);
      reciprocal = graph::DivOp::create(
          builder, d.getLoc(), graph::fillLike(builder, d.getLoc(), d, 1), d);
      builder.setInsertionPoint(divide);
    }
    Value factor =
        graph::BroadcastOp::create(builder, spread.getLoc(), reciprocal,
                                   spread.getDims(), spread.getSizes());
    auto product =
        graph::MulOp::create(builder, divide.getLoc(), divide.getA(), factor);
    divide.replaceAllUsesWith(product.getResult());
    divide.erase();
    if (spread.use_empty())
      spread.erase();
  }
}

/// The operand of an einsum without a transpose or a broadcast in front of it,
/// and its indices then; false if neither stands there.
static bool absorbMovement(Value &operand, std::string &indices,
                           const std::string &other,
                           const std::string &result) {
  if (auto transpose = operand.getDefiningOp<graph::TransposeOp>()) {
    std::string before(indices.size(), ' ');
    for (auto [axis, from] : llvm::enumerate(transpose.getPermutation()))
      before[from] = indices[axis];
    operand = transpose.getX();
    indices = before;
    return true;
  }
  auto broadcast = operand.getDefiningOp<graph::BroadcastOp>();
  if (!broadcast)
    return false;
  std::string left;
  for (auto [axis, index] : llvm::enumerate(indices)) {
    if (!llvm::is_contained(broadcast.getDims(), static_cast<int64_t>(axis)))
      left += index;
    else if (other.find(index) == std::string::npos ||
             result.find(index) == std::string::npos)
      return false;
  }
  operand = broadcast.getX();
  indices = left;
  return true;
}

/// einsum(transpose(a), b) -> einsum(a, b) with the indices of a in their old
/// order, and einsum(broadcast(a), b) -> einsum(a, b) without the indices of
/// the new axes if b and the result have them.
static void absorbMovements(Block &body) {
  for (auto einsum :
       llvm::make_early_inc_range(body.getOps<graph::EinsumOp>())) {
    graph::EinsumSpec spec = *graph::parseEinsum(einsum.getSpec());
    Value a = einsum.getA(), b = einsum.getB();
    bool changed = false;
    while (absorbMovement(a, spec.a, spec.b, spec.y) ||
           absorbMovement(b, spec.b, spec.a, spec.y))
      changed = true;
    if (!changed)
      continue;
    OpBuilder builder(einsum);
    auto direct = graph::EinsumOp::create(builder, einsum.getLoc(), a, b,
                                          builder.getStringAttr(spec.str()));
    einsum.replaceAllUsesWith(direct.getResult());
    einsum.erase();
  }
}

/// An einsum with windows gives its result with an index of the other operand
/// last: the lanes of a convolution lie along channels, not along a row or the
/// taps of a window.
static void putChannelsLast(Block &body) {
  for (auto einsum :
       llvm::make_early_inc_range(body.getOps<graph::EinsumOp>())) {
    graph::EinsumSpec spec = *graph::parseEinsum(einsum.getSpec());
    Value other = einsum.getB();
    std::string windows = spec.a, indices = spec.b;
    if (!einsum.getA().getDefiningOp<graph::UnfoldOp>()) {
      if (!einsum.getB().getDefiningOp<graph::UnfoldOp>())
        continue;
      other = einsum.getA();
      std::swap(windows, indices);
    }
    size_t last = spec.y.npos;
    int64_t largest = 1;
    for (auto [axis, index] : llvm::enumerate(indices)) {
      int64_t size = cast<RankedTensorType>(other.getType()).getDimSize(axis);
      if (size >= largest && windows.find(index) == windows.npos) {
        last = spec.y.find(index);
        largest = size;
      }
    }
    if (last == spec.y.npos || last + 1 == spec.y.size())
      continue;
    graph::EinsumSpec moved = spec;
    std::rotate(moved.y.begin() + last, moved.y.begin() + last + 1,
                moved.y.end());
    SmallVector<int64_t> permutation;
    for (char index : spec.y)
      permutation.push_back(moved.y.find(index));
    OpBuilder builder(einsum);
    Value y = graph::EinsumOp::create(builder, einsum.getLoc(), einsum.getA(),
                                      einsum.getB(), moved.str());
    y = graph::TransposeOp::create(builder, einsum.getLoc(), y, permutation);
    einsum.replaceAllUsesWith(y);
    einsum.erase();
  }
}

/// A new axis of size 1 for a concat, and the same axis dropped from a slice,
/// only rename bytes; elsewhere such a broadcast or sum is part of a kernel.
static void renameUnitAxes(Block &body) {
  auto areOnes = [](Value x, ArrayRef<int64_t> dims) {
    return llvm::all_of(dims, [&](int64_t dim) {
      return cast<RankedTensorType>(x.getType()).getDimSize(dim) == 1;
    });
  };
  for (Operation &op : llvm::make_early_inc_range(body)) {
    auto broadcast = dyn_cast<graph::BroadcastOp>(op);
    auto sum = dyn_cast<graph::SumOp>(op);
    bool renames =
        (broadcast && areOnes(broadcast.getY(), broadcast.getDims()) &&
         llvm::all_of(op.getUsers(), llvm::IsaPred<graph::ConcatOp>)) ||
        (sum && areOnes(sum.getX(), sum.getDims()) &&
         sum.getX().getDefiningOp<graph::SliceOp>());
    if (!renames)
      continue;
    OpBuilder builder(&op);
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    Value renamed = graph::ReshapeOp::create(builder, op.getLoc(),
                                             op.getOperand(0), type.getShape());
    op.getResult(0).replaceAllUsesWith(renamed);
    op.erase();
  }
}

void useCheaperForms(Block &body) {
  renameUnitAxes(body);
  splitConcats(body);
  gatherFolds(body);
  putChannelsLast(body);
  sinkTransposes(body);
  moveTiles(body);
  compareExtremes(body);
  absorbMovements(body);
  multiplyByReciprocals(body);
  computeLocalDerivatives(body);
}

} // namespace gradus::fuse
