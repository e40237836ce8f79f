// Growing and merging of clusters: rules 1 to 3, 5 and 6 of Clusters.h.
#include "compiler/fuse/Clusters.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace gradus::fuse {

bool Cluster::isView() const { return isa<graph::ReshapeOp>(ops.front()); }

bool Cluster::addNeeded(const Cluster *other) {
  bool isNew = !needs(other) || other->needed.test(needed);
  needed |= other->needed;
  if (needed.size() <= other->id)
    needed.resize(other->id + 1);
  needed.set(other->id);
  return isNew;
}

Clustering::Clustering(Block &body) : body(body) {
  int64_t next = 0;
  for (Operation &op : body.without_terminator())
    number[&op] = next++;
}

Cluster *Clustering::clusterOf(Value value) const {
  Operation *op = value.getDefiningOp();
  return op ? clusterOf(op) : nullptr;
}

void Clustering::form() {
  for (Operation &op : body.without_terminator())
    if (!isCarried(&op))
      place(&op);
  while (mergeNeighbours())
    ;
  mergeScalars();
  std::erase_if(clusters,
                [](const auto &cluster) { return cluster->ops.empty(); });
}

Clustering::Ops Clustering::unitOf(Operation *op) const {
  Ops unit;
  for (Value operand : op->getOperands())
    if (Operation *producer = operand.getDefiningOp())
      if (isCarried(producer) && !llvm::is_contained(unit, producer))
        for (Operation *carried : unitOf(producer))
          unit.push_back(carried);
  unit.push_back(op);
  return unit;
}

SmallVector<Cluster *>
Clustering::producersOf(ArrayRef<Operation *> ops) const {
  SmallVector<Cluster *> producers;
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      if (Cluster *producer = clusterOf(operand))
        if (!llvm::is_contained(producers, producer))
          producers.push_back(producer);
  return producers;
}

void Clustering::add(Cluster *cluster, ArrayRef<Operation *> ops,
                     Operation *user) {
  for (Operation *op : ops)
    owner[op] = cluster;
  auto place = user ? llvm::find(cluster->ops, user) : cluster->ops.end();
  cluster->ops.insert(place, ops.begin(), ops.end());
  update(cluster);
  bool grows = false;
  for (Cluster *producer : producersOf(ops))
    if (producer != cluster)
      grows |= cluster->addNeeded(producer);
  if (grows)
    passOn(cluster);
}

/// Who needs `grown` needs what it needs.
void Clustering::passOn(const Cluster *grown) {
  for (const auto &cluster : clusters)
    if (cluster->needs(grown))
      cluster->addNeeded(grown);
}

Cluster *Clustering::newCluster() {
  clusters.push_back(std::make_unique<Cluster>());
  clusters.back()->id = clusters.size() - 1;
  clusters.back()->needed.resize(clusters.size());
  return clusters.back().get();
}

void Clustering::update(Cluster *cluster) {
  // In the order of the program, copies as they stand: not by isBeforeInBlock,
  // which counts the whole block anew after each copy.
  SmallVector<std::tuple<int64_t, size_t, Operation *>> places;
  for (auto [i, op] : llvm::enumerate(cluster->ops))
    places.emplace_back(number.lookup(op), i, op);
  llvm::sort(places);
  for (auto [i, place] : llvm::enumerate(places))
    cluster->ops[i] = std::get<Operation *>(place);
  if (cluster->ops.empty())
    return;
  cluster->kind = kindOf(cluster->ops).value_or(Kind::Rows);
  cluster->last = *llvm::max_element(llvm::map_range(
      cluster->ops, [&](Operation *op) { return number.lookup(op); }));
}

/// Rule 1: `op`, which nobody uses yet, joins a producer or founds a cluster.
void Clustering::place(Operation *op) {
  Ops unit = unitOf(op);
  SmallVector<Cluster *> candidates = producersOf(unit);
  SmallVector<Cluster *> producers = candidates;
  llvm::sort(candidates, [](Cluster *a, Cluster *b) {
    bool left = a->kind == Kind::Contraction;
    bool right = b->kind == Kind::Contraction;
    return left != right ? left : a->last > b->last;
  });
  auto fits = [&](Cluster *candidate) {
    if (candidate->isView() || isa<graph::ReshapeOp>(op))
      return false;
    Ops together = candidate->ops;
    llvm::append_range(together, unit);
    return kindOf(together) && llvm::none_of(producers, [&](Cluster *producer) {
             return producer != candidate && producer->needs(candidate);
           });
  };
  auto found = llvm::find_if(candidates, fits);
  if (found != candidates.end())
    return add(*found, unit);
  add(newCluster(), unit);
}

bool Clustering::hasDetour(Cluster *first, Cluster *second) const {
  return llvm::any_of(producersOf(second->ops), [&](Cluster *producer) {
    return producer != first && producer != second && producer->needs(first);
  });
}

bool Clustering::tryMerge(Cluster *into, Cluster *from) {
  if (into == from || into->isView() || from->isView())
    return false;
  Ops together = into->ops;
  llvm::append_range(together, from->ops);
  if (!kindOf(together) || hasDetour(into, from) || hasDetour(from, into))
    return false;
  Ops moved = std::move(from->ops);
  from->ops.clear();
  add(into, moved);
  // Who needs one of them needs both.
  into->addNeeded(from);
  into->needed.reset(into->id);
  into->needed.reset(from->id);
  for (const auto &cluster : clusters)
    if (cluster.get() != into && cluster->needs(from))
      cluster->addNeeded(into);
  passOn(into);
  return true;
}

/// Rule 3 for clusters that feed each other; whether anything merged.
bool Clustering::mergeNeighbours() {
  bool merged = false;
  for (const auto &cluster : clusters) {
    if (cluster->ops.empty())
      continue;
    for (Cluster *producer : producersOf(cluster->ops))
      merged |= tryMerge(cluster.get(), producer);
  }
  return merged;
}

void Clustering::mergeScalars() {
  auto isScalars = [](const std::unique_ptr<Cluster> &cluster) {
    return !cluster->ops.empty() && cluster->kind == Kind::Scalars;
  };
  for (size_t i = 0; i < clusters.size(); ++i)
    for (size_t j = i + 1; isScalars(clusters[i]) && j < clusters.size(); ++j)
      if (isScalars(clusters[j]))
        tryMerge(clusters[i].get(), clusters[j].get());
}

std::vector<Cluster *> Clustering::inOrder() const {
  auto anchor = [&](Cluster *cluster) {
    auto root = llvm::find_if(cluster->ops, isContraction);
    if (root == cluster->ops.end())
      root = llvm::find_if(cluster->ops,
                           [](Operation *op) { return !isLeaf(op); });
    return number.lookup(root == cluster->ops.end() ? cluster->ops.front()
                                                    : *root);
  };
  // Where all that a cluster needs stands. Numbers are computed when they are
  // asked for: the step count of an update delays no weight gradient.
  DenseMap<Cluster *, int64_t> ready;
  auto readyAt = [&](auto &self, Cluster *cluster) -> int64_t {
    if (auto known = ready.find(cluster); known != ready.end())
      return known->second;
    int64_t latest = cluster->kind == Kind::Scalars ? 0 : anchor(cluster);
    for (Cluster *producer : producersOf(cluster->ops))
      if (producer != cluster)
        latest = std::max(latest, self(self, producer));
    return ready[cluster] = latest;
  };
  auto rank = [&](Cluster *cluster) {
    return std::make_tuple(cluster->kind == Kind::Scalars,
                           readyAt(readyAt, cluster), anchor(cluster));
  };
  std::vector<Cluster *> byRank, order;
  for (const auto &cluster : clusters)
    byRank.push_back(cluster.get());
  llvm::sort(byRank, [&](Cluster *a, Cluster *b) { return rank(a) < rank(b); });
  DenseSet<Cluster *> done;
  auto visit = [&](auto &self, Cluster *cluster) -> void {
    if (!done.insert(cluster).second)
      return;
    for (Cluster *producer : producersOf(cluster->ops))
      self(self, producer);
    order.push_back(cluster);
  };
  for (Cluster *cluster : byRank)
    visit(visit, cluster);
  return order;
}

} // namespace gradus::fuse
