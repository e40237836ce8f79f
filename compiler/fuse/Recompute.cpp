// What is computed where it is read instead of being stored: leaves and
// broadcasts always, cheap element-wise ops where their operands are stored
// anyway. Rule 4 of Clusters.h.
#include "compiler/fuse/Clusters.h"
#include "dialect/Costs.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace gradus::fuse {

/// No more ops than this are repeated for one value.
static constexpr size_t kMaxRepeated = 8;

void duplicateLeaves(Block &body) {
  SmallVector<Operation *> ops;
  for (Operation &op : body.without_terminator())
    if (isLeaf(&op) || isa<graph::BroadcastOp, graph::UnfoldOp>(op))
      ops.push_back(&op);
  // Backwards: a copy for each user exists before its operands are copied.
  for (Operation *op : llvm::reverse(ops)) {
    SmallVector<Operation *> users;
    for (Operation *user : op->getUsers())
      if (!llvm::is_contained(users, user))
        users.push_back(user);
    llvm::sort(users, [](Operation *a, Operation *b) {
      return a->isBeforeInBlock(b);
    });
    for (Operation *user : llvm::drop_begin(users)) {
      Operation *copy = OpBuilder(op).clone(*op);
      user->replaceUsesOfWith(op->getResult(0), copy->getResult(0));
    }
  }
}

bool Clustering::isStored(Value value) const {
  Cluster *cluster = clusterOf(value);
  return !cluster || cluster->isView() || kept.contains(value) ||
         llvm::any_of(value.getUsers(), [&](Operation *user) {
           return clusterOf(user) != cluster;
         });
}

/// Whether storing `operand` instead of `result` saves at least half: the
/// largest element of a window for a mask over its taps.
static bool isSmallBeside(Value operand, Value result) {
  auto elements = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getNumElements();
  };
  return 2 * elements(operand) <= elements(result);
}

/// Collects `op` and what it needs inside `from` down to values that are stored
/// or might be; false if something on the way is not cheap.
bool Clustering::collectCheap(Operation *op, const Cluster *from, Value whole,
                              Ops &ops) const {
  if (llvm::is_contained(ops, op))
    return true;
  for (Value operand : op->getOperands()) {
    Operation *producer = operand.getDefiningOp();
    if (!producer || clusterOf(producer) != from)
      continue;
    if (isCarried(producer) || !isStored(operand)) {
      if (!isCarried(producer) && !isCheap(producer)) {
        if (isSmallBeside(operand, whole))
          continue;
        return false;
      }
      if (!collectCheap(producer, from, whole, ops))
        return false;
    }
  }
  ops.push_back(op);
  return ops.size() <= kMaxRepeated;
}

/// How the stored result of `op` can be computed in each kernel that reads it;
/// nothing if that is impossible or no gain.
std::optional<Clustering::Repetition>
Clustering::repetitionOf(Operation *op) const {
  Cluster *from = clusterOf(op);
  if (from->isView() || isCarried(op) || !op->hasTrait<OpTrait::Elementwise>())
    return std::nullopt;
  Repetition repetition;
  bool readAtHome = false;
  for (Operation *user : op->getUsers()) {
    Cluster *reader = clusterOf(user);
    if (!reader || reader->isView())
      return std::nullopt; // returned or renamed: it has to be stored
    if (reader == from)
      readAtHome = true;
    else
      repetition.readers.insert(reader);
  }
  bool onlyMoves = repetition.readers.size() == 1 && !readAtHome;
  if (repetition.readers.empty() || (!isCheap(op) && !onlyMoves))
    return std::nullopt;
  if (!collectCheap(op, from, op->getResult(0), repetition.ops))
    return std::nullopt;
  for (Cluster *reader : repetition.readers) {
    Ops together = reader->ops;
    llvm::append_range(together, repetition.ops);
    if (!kindOf(together))
      return std::nullopt;
  }
  return repetition;
}

/// Computes the stored result of `op` where it is read, if possible.
bool Clustering::recomputeOne(Operation *op) {
  std::optional<Repetition> repetition = repetitionOf(op);
  if (!repetition)
    return false;
  Cluster *from = clusterOf(op);
  for (Cluster *reader : repetition->readers) {
    Operation *user = *llvm::find_if(reader->ops, [&](Operation *candidate) {
      return llvm::is_contained(candidate->getOperands(), op->getResult(0));
    });
    OpBuilder builder(user);
    IRMapping mapping;
    Ops copies;
    for (Operation *original : repetition->ops) {
      Operation *copy = builder.clone(*original, mapping);
      number[copy] = number.lookup(user);
      copies.push_back(copy);
    }
    op->getResult(0).replaceUsesWithIf(
        mapping.lookup(op->getResult(0)),
        [&](OpOperand &use) { return clusterOf(use.getOwner()) == reader; });
    add(reader, copies, user);
  }
  removeDead(from);
  return true;
}

/// Stores the result of `op` if several larger or equal values that are stored
/// can be computed from it where they are read: tanh(x) for 1 + tanh(x) and
/// 1 - tanh(x)^2.
void Clustering::storeSource(Operation *op) {
  Value source = op->getResult(0);
  if (clusterOf(op)->isView() || isCarried(op) || isCheap(op) ||
      isStored(source))
    return;
  SmallVector<Operation *> open = {op}, derived;
  for (size_t next = 0; next < open.size() && open.size() < 4 * kMaxRepeated;
       ++next)
    for (Operation *user : open[next]->getUsers())
      if (clusterOf(user) == clusterOf(op) && isCheap(user) &&
          !llvm::is_contained(open, user)) {
        open.push_back(user);
        if (isStored(user->getResult(0)) && !repetitionOf(user))
          derived.push_back(user);
      }
  if (derived.size() < 2)
    return;
  kept.insert(source);
  int64_t saved = 0;
  for (Operation *user : derived)
    if (repetitionOf(user))
      saved += graph::bytesOf(user->getResult(0).getType());
  if (saved <= graph::bytesOf(source.getType()))
    kept.erase(source);
}

void Clustering::removeDead(Cluster *cluster) {
  for (size_t i = cluster->ops.size(); i-- > 0;)
    if (Operation *op = cluster->ops[i]; op->use_empty()) {
      owner.erase(op);
      op->dropAllReferences();
      dead.push_back(op);
      cluster->ops.erase(cluster->ops.begin() + i);
    }
  update(cluster);
}

void Clustering::recompute() {
  SmallVector<Operation *> ops;
  for (Operation &op : body.without_terminator())
    ops.push_back(&op);
  for (Operation *op : ops)
    storeSource(op);
  // Backwards: what reads a value settles before the value itself.
  for (Operation *op : llvm::reverse(ops))
    if (owner.contains(op))
      recomputeOne(op);
  for (Operation *op : dead)
    op->erase();
  dead.clear();
  std::erase_if(clusters,
                [](const auto &cluster) { return cluster->ops.empty(); });
}

} // namespace gradus::fuse
