// What is computed where it is read instead of being stored: leaves and
// broadcasts always, cheap element-wise ops where their operands are stored
// anyway. Rule 4 of Clusters.h.
#include "compiler/fuse/Clusters.h"

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
  return !cluster || cluster->isView() ||
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

/// Computes the stored result of `op` in each kernel that reads it; false, and
/// nothing changes, if that is impossible or no gain.
bool Clustering::recomputeOne(Operation *op) {
  Cluster *from = clusterOf(op);
  if (from->isView() || isCarried(op) || !op->hasTrait<OpTrait::Elementwise>())
    return false;
  llvm::SmallSetVector<Cluster *, 4> readers;
  bool readAtHome = false;
  for (Operation *user : op->getUsers()) {
    Cluster *reader = clusterOf(user);
    if (!reader || reader->isView())
      return false; // returned or renamed: it has to be stored
    if (reader == from)
      readAtHome = true;
    else
      readers.insert(reader);
  }
  bool onlyMoves = readers.size() == 1 && !readAtHome;
  if (readers.empty() || (!isCheap(op) && !onlyMoves))
    return false;

  Ops repeated;
  if (!collectCheap(op, from, op->getResult(0), repeated))
    return false;
  for (Cluster *reader : readers) {
    Ops together = reader->ops;
    llvm::append_range(together, repeated);
    if (!kindOf(together))
      return false;
  }

  for (Cluster *reader : readers) {
    auto user = llvm::find_if(reader->ops, [&](Operation *candidate) {
      return llvm::is_contained(candidate->getOperands(), op->getResult(0));
    });
    OpBuilder builder(*user);
    IRMapping mapping;
    Ops copies;
    for (Operation *original : repeated) {
      Operation *copy = builder.clone(*original, mapping);
      number[copy] = number.lookup(*user);
      copies.push_back(copy);
    }
    op->getResult(0).replaceUsesWithIf(
        mapping.lookup(op->getResult(0)),
        [&](OpOperand &use) { return clusterOf(use.getOwner()) == reader; });
    add(reader, copies);
  }
  removeDead(from);
  return true;
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
