// Which ops share a kernel. The costs behind the rules: a value that crosses a
// kernel boundary is written and read once (4 bytes an element and way through
// the caches), a kernel call costs as much as some thousand elements of such
// traffic, arithmetic on a value at hand is nearly free, and a transcendental
// function costs about as much as the traffic it would save.
//
//  1. An op joins the kernel that computes one of its operands where one loop
//     nest can hold both (Legality.h): behind a contraction first, else the
//     latest. So bias, activation, mask and the whole optimizer update follow
//     the contraction that gives them their operand.
//  2. Nothing is fused in front of a contraction: its operands are read many
//     times, what precedes them would be computed as often. What shares a batch
//     axis with all its operands may share its kernel: there it is stored, for
//     one step of that axis (the heads of an attention).
//  3. Kernels that feed each other merge where the rules permit it; scalar
//     kernels also merge with each other.
//  4. A cheap op moves or is repeated where its result is read, if its operands
//     are stored anyway or much smaller, or if storing one operand saves
//     storing several results (Recompute.cpp).
//  5. No merge may close a cycle between kernels.
//  6. A reshape belongs to no kernel: it renames bytes.
// Every rule goes through the ops in program order, so equal layers give equal
// kernels.
#pragma once

#include "compiler/fuse/Legality.h"

#include "llvm/ADT/BitVector.h"

#include <memory>
#include <vector>

namespace gradus::fuse {

/// The ops of one kernel to be, in program order; or one reshape.
struct Cluster {
  std::vector<mlir::Operation *> ops;
  Kind kind = Kind::Rows;
  /// The place of the last op in the program.
  int64_t last = 0;
  /// The numbers of all clusters that this one needs, directly or not.
  unsigned id = 0;
  llvm::BitVector needed;

  bool isView() const;
  bool needs(const Cluster *other) const {
    return other->id < needed.size() && needed.test(other->id);
  }
  /// Whether that is new.
  bool addNeeded(const Cluster *other);
};

/// A partition of the ops of a block into clusters.
class Clustering {
public:
  /// Numbers the ops of `body`; no op belongs to a cluster yet.
  explicit Clustering(mlir::Block &body);

  /// Rules 1 to 3 and 5, 6.
  void form();

  /// Rule 4.
  void recompute();

  /// The clusters, each behind all that it needs: as soon as that is there, and
  /// otherwise where its main op stood. What a cluster reads is then still in a
  /// cache, and its memory is free early.
  std::vector<Cluster *> inOrder() const;

  /// Null for values from outside.
  Cluster *clusterOf(mlir::Value value) const;

private:
  using Ops = std::vector<mlir::Operation *>;

  Cluster *clusterOf(mlir::Operation *op) const { return owner.lookup(op); }
  /// `op` and the operands it carries, in program order.
  Ops unitOf(mlir::Operation *op) const;
  /// The clusters that compute what `ops` read.
  llvm::SmallVector<Cluster *>
  producersOf(llvm::ArrayRef<mlir::Operation *> ops) const;
  void place(mlir::Operation *op);
  bool tryMerge(Cluster *into, Cluster *from);
  bool mergeNeighbours();
  void mergeScalars();
  /// Whether a way leads from `first` through a third cluster to `second`.
  bool hasDetour(Cluster *first, Cluster *second) const;
  /// Copies for a `user` stand right in front of it.
  void add(Cluster *cluster, llvm::ArrayRef<mlir::Operation *> ops,
           mlir::Operation *user = nullptr);
  Cluster *newCluster();
  void passOn(const Cluster *grown);
  void update(Cluster *cluster);

  /// Ops to be repeated in the kernels that read the result of the last.
  struct Repetition {
    llvm::SmallSetVector<Cluster *, 4> readers;
    Ops ops;
  };
  std::optional<Repetition> repetitionOf(mlir::Operation *op) const;
  bool recomputeOne(mlir::Operation *op);
  void storeSource(mlir::Operation *op);
  bool isStored(mlir::Value value) const;
  bool collectCheap(mlir::Operation *op, const Cluster *from, mlir::Value whole,
                    Ops &ops) const;
  void removeDead(Cluster *cluster);

  mlir::Block &body;
  std::vector<std::unique_ptr<Cluster>> clusters;
  llvm::DenseMap<mlir::Operation *, Cluster *> owner;
  /// Places in the program; a copy has that of its user.
  llvm::DenseMap<mlir::Operation *, int64_t> number;
  /// Values stored because others are computed from them where they are read.
  llvm::DenseSet<mlir::Value> kept;
  /// Replaced by copies, without operands; erased when `recompute` ends.
  std::vector<mlir::Operation *> dead;
};

/// Gives each user of a leaf or a broadcast its own copy, so that neither binds
/// kernels together.
void duplicateLeaves(mlir::Block &body);

} // namespace gradus::fuse
