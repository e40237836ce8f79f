// dx = dy * a(x) * b(x) + dy * c(x) * d(x) of an element-wise chain y = f(x) ->
// dx = dy * f'(x), where f'(x) is computed together with f(x): in place of x
// and of what a, b, c and d are computed from, one tensor is kept for the
// backward pass.
#include "compiler/fuse/CheaperForms.h"
#include "compiler/fuse/Legality.h"
#include "dialect/Costs.h"
#include "dialect/Duals.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace gradus::fuse {

namespace {

/// More ops than this in one chain are not looked at.
constexpr size_t kMostOps = 64;

/// The places of ops in the program. A block would count anew after each
/// rewrite.
using Places = DenseMap<Operation *, size_t>;

/// Element-wise ops that are linear in one value, the gradient `dy`, and have
/// one result that others read.
class Chain {
public:
  Chain(Value dy, Places &places)
      : dy(dy), block(dy.getParentBlock()), places(places) {
    collect();
  }

  /// Whether keeping the local derivative takes less memory than keeping what
  /// it is computed from.
  bool isWorthIt() const;

  /// Lets the result be one product with the local derivative; of the ops in
  /// between nothing is left.
  void rewrite(DenseSet<Value> &erased);

private:
  void collect();
  bool isLinear(Operation *op) const;
  bool has(Value value) const { return value == dy || linear.contains(value); }
  bool collectSources(Value value, llvm::SetVector<Operation *> &chain,
                      llvm::SetVector<Value> &stored) const;
  bool dependsOn(Operation *argument) const;
  Value derivativeOf(Operation *op);
  Value copyOf(Operation *op, IRMapping mapping);
  Value factor(Value value) const { return derivative.lookup(value); }

  Value dy;
  Block *block;
  Places &places;
  /// In the order of the program.
  llvm::SetVector<Value> linear;
  /// What others read; null unless it is one value.
  Value result;
  /// Of a linear value by dy; null stands for 1.
  DenseMap<Value, Value> derivative;
};

/// Whether the op, one of whose operands is linear in dy, is so itself.
bool Chain::isLinear(Operation *op) const {
  if (!isElementwise(op) || op->getResult(0).getType() != dy.getType())
    return false;
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<graph::MulOp, graph::StrongMulOp>([&](Operation *product) {
        return has(product->getOperand(0)) != has(product->getOperand(1));
      })
      .Case<graph::AddOp, graph::SubOp>([&](Operation *sum) {
        return llvm::all_of(sum->getOperands(),
                            [&](Value x) { return has(x); });
      })
      .Case([&](graph::DivOp ratio) { return !has(ratio.getB()); })
      .Case([&](graph::NegOp) { return true; })
      .Case([&](graph::SelectOp choice) {
        return (has(choice.getA()) || isZero(choice.getA())) &&
               (has(choice.getB()) || isZero(choice.getB()));
      })
      .Default(false);
}

void Chain::collect() {
  // Users of what is linear, in the order of the program: both operands of a
  // sum are known before the sum.
  SmallVector<Operation *> ops;
  auto add = [&](Value value, size_t from) {
    llvm::append_range(ops, value.getUsers());
    std::sort(ops.begin() + from, ops.end(), [&](Operation *a, Operation *b) {
      return places.lookup(a) < places.lookup(b);
    });
  };
  auto isNear = [&](Operation *user) { return user->getBlock() == block; };
  if (!llvm::all_of(dy.getUsers(), isNear))
    return;
  add(dy, 0);
  for (size_t next = 0; next < ops.size() && linear.size() <= kMostOps;
       ++next) {
    Operation *op = ops[next];
    if (!isLinear(op) || !linear.insert(op->getResult(0)))
      continue;
    if (!llvm::all_of(op->getUsers(), isNear))
      return;
    add(op->getResult(0), next + 1);
  }
  unsigned read = 0;
  for (Value value : linear)
    if (llvm::any_of(value.getUsers(), [&](Operation *user) {
          return user->getNumResults() != 1 || !has(user->getResult(0));
        })) {
      result = value;
      ++read;
    }
  if (read != 1 || linear.size() > kMostOps)
    result = Value();
}

/// Collects the element-wise ops behind `value`, and what has to be stored to
/// compute it cheaply; false if it depends on dy or comes from elsewhere.
bool Chain::collectSources(Value value, llvm::SetVector<Operation *> &chain,
                           llvm::SetVector<Value> &stored) const {
  SmallVector<std::pair<Value, bool>> open{{value, true}};
  DenseSet<Value> seen, seenCheap;
  while (!open.empty()) {
    auto [next, isCheapSoFar] = open.pop_back_val();
    if (!(isCheapSoFar ? seenCheap : seen).insert(next).second)
      continue;
    Operation *op = next.getDefiningOp();
    if (!op || op->getBlock() != block || has(next))
      return false;
    if (isLeaf(op) || isa<graph::BroadcastOp>(op))
      continue;
    bool isEnd = !isElementwise(op);
    if (isCheapSoFar && (isEnd || !isCheap(op))) {
      stored.insert(next);
      isCheapSoFar = false;
    }
    chain.insert(op);
    if (chain.size() > kMostOps)
      return false;
    if (!isEnd)
      for (Value operand : op->getOperands())
        open.emplace_back(operand, isCheapSoFar);
  }
  return true;
}

/// Whether dy is an element-wise function of what `argument` computes, as far
/// as it is looked at.
bool Chain::dependsOn(Operation *argument) const {
  llvm::SetVector<Operation *> open;
  open.insert(dy.getDefiningOp());
  for (size_t next = 0; next < open.size() && next < kMostOps; ++next) {
    if (open[next] == argument)
      return true;
    if (isElementwise(open[next]))
      for (Value operand : open[next]->getOperands())
        if (Operation *op = operand.getDefiningOp())
          open.insert(op);
  }
  return false;
}

bool Chain::isWorthIt() const {
  if (!result || linear.size() < 2)
    return false;
  llvm::SetVector<Operation *> chain;
  llvm::SetVector<Value> stored;
  for (Value value : linear)
    for (Value operand : value.getDefiningOp()->getOperands())
      if (!has(operand) && !collectSources(operand, chain, stored))
        return false;
  // f has one argument, which something computes that is not element-wise, and
  // which dy is no function of.
  auto arguments = llvm::make_filter_range(
      chain, [](Operation *op) { return !isElementwise(op); });
  if (!llvm::hasSingleElement(arguments) || dependsOn(*arguments.begin()))
    return false;
  // Behind dy nothing else reads any of it: then it would be kept anyway.
  Operation *first = linear.front().getDefiningOp();
  for (Operation *op : chain)
    for (Operation *user : op->getUsers())
      if (!chain.contains(user) && places.lookup(first) < places.lookup(user) &&
          (user->getNumResults() != 1 || !linear.contains(user->getResult(0))))
        return false;
  int64_t bytes = 0;
  for (Value value : stored)
    bytes += graph::bytesOf(value.getType());
  return bytes > graph::bytesOf(dy.getType());
}

/// By dy, of the result of a linear op.
Value Chain::derivativeOf(Operation *op) {
  OpBuilder builder(op);
  auto one = [&](Value value) {
    Value known = factor(value);
    return known ? known : graph::fillLike(builder, op->getLoc(), dy, 1);
  };
  if (isa<graph::NegOp, graph::AddOp, graph::SubOp, graph::SelectOp,
          graph::DivOp>(op)) {
    IRMapping mapping;
    for (Value operand : op->getOperands())
      if (has(operand))
        mapping.map(operand, one(operand));
    return copyOf(op, mapping);
  }
  bool isFirst = has(op->getOperand(0));
  Value known = factor(op->getOperand(!isFirst));
  Value other = op->getOperand(isFirst);
  if (!known)
    return other;
  IRMapping mapping;
  mapping.map(op->getOperand(!isFirst), known);
  return copyOf(op, mapping);
}

/// In the place of `op`.
Value Chain::copyOf(Operation *op, IRMapping mapping) {
  Operation *copy = OpBuilder(op).clone(*op, mapping);
  places[copy] = places.lookup(op);
  return copy->getResult(0);
}

void Chain::rewrite(DenseSet<Value> &erased) {
  bool isStrong = false;
  for (Value value : linear) {
    Operation *op = value.getDefiningOp();
    derivative[value] = derivativeOf(op);
    isStrong |= isa<graph::StrongMulOp>(op);
  }
  OpBuilder builder(result.getDefiningOp());
  Location loc = result.getLoc();
  Value whole = factor(result);
  Value product =
      isStrong ? graph::StrongMulOp::create(builder, loc, dy, whole).getResult()
               : graph::MulOp::create(builder, loc, dy, whole).getResult();
  places[product.getDefiningOp()] = places.lookup(result.getDefiningOp());
  result.replaceAllUsesWith(product);
  for (Value value : llvm::reverse(linear.getArrayRef())) {
    erased.insert(value);
    value.getDefiningOp()->erase();
  }
}

} // namespace

void computeLocalDerivatives(Block &body) {
  // Rewrites create ops, which are no gradients, and erase others.
  SmallVector<Value> gradients;
  Places places;
  for (Operation &op : body) {
    places[&op] = places.size();
    if (op.getNumResults() == 1 && !isLeaf(&op) &&
        isa<FloatType>(getElementTypeOrSelf(op.getResult(0))))
      gradients.push_back(op.getResult(0));
  }
  DenseSet<Value> erased;
  for (Value dy : gradients) {
    if (erased.contains(dy))
      continue;
    if (Chain chain(dy, places); chain.isWorthIt())
      chain.rewrite(erased);
  }
}

} // namespace gradus::fuse
