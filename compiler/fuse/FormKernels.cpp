// The pass graph-form-kernels: a function of graph ops, derivatives taken ->
// the same function as a list of calls of kernels. Clusters.h decides which ops
// go together, Outline.h makes kernels of them. Next: UpdateInPlace.
#include "compiler/fuse/CheaperForms.h"
#include "compiler/fuse/Clusters.h"
#include "compiler/fuse/KernelName.h"
#include "compiler/fuse/Outline.h"
#include "compiler/fuse/Passes.h"
#include "compiler/fuse/Plan.h"

using namespace mlir;

namespace gradus::fuse {
#define GEN_PASS_DEF_FORMKERNELS
#include "compiler/fuse/Passes.h.inc"

namespace {

/// Only plain graph can be cut into kernels.
LogicalResult checkBody(func::FuncOp step) {
  if (!step.getBody().hasOneBlock())
    return step.emitError("a step is one straight line of ops");
  for (Operation &op : step.front().without_terminator()) {
    if (!isa<graph::GraphDialect>(op.getDialect()))
      return op.emitError("expected an op of graph, found '")
             << op.getName() << "'";
    if (isa<graph::GradientOp, graph::Pullback1Op, graph::Pullback2Op,
            graph::Pullback3Op, graph::CustomOp>(op))
      return op.emitError("derivatives must be taken before kernels are "
                          "formed, found '")
             << op.getName() << "'";
  }
  return success();
}

LogicalResult checkUpdates(func::FuncOp step) {
  DenseSet<int64_t> seen;
  for (unsigned i = 0; i < step.getNumResults(); ++i) {
    auto updated = updatedArgument(step, i);
    if (!updated)
      continue;
    if (*updated < 0 || *updated >= step.getNumArguments() ||
        step.getArgumentTypes()[*updated] != step.getResultTypes()[i])
      return step.emitError("result ")
             << i << " cannot update argument " << *updated
             << ": no argument of the same type";
    if (!seen.insert(*updated).second)
      return step.emitError("argument ") << *updated << " is updated twice";
  }
  return success();
}

void eraseDead(Block &body) {
  SmallVector<Operation *> ops;
  for (Operation &op : body.without_terminator())
    ops.push_back(&op);
  for (Operation *op : llvm::reverse(ops))
    if (op->use_empty())
      op->erase();
}

/// Rewrites a step cluster by cluster into a new body.
class Rewriter {
public:
  Rewriter(func::FuncOp step, KernelTable &kernels)
      : step(step), kernels(kernels), old(&step.front()),
        builder(step.getContext()) {
    auto *body = new Block();
    step.getBody().push_back(body);
    for (BlockArgument argument : old->getArguments())
      values.map(argument,
                 body->addArgument(argument.getType(), argument.getLoc()));
    builder.setInsertionPointToEnd(body);
  }

  void addView(Operation *reshape) { builder.clone(*reshape, values); }

  void addKernel(ArrayRef<Operation *> ops, StringRef kind,
                 const std::string &name) {
    kernels.outline(builder, ops, kind, name, values);
  }

  void finish() {
    builder.clone(*old->getTerminator(), values);
    old->dropAllReferences();
    old->erase();
  }

private:
  func::FuncOp step;
  KernelTable &kernels;
  Block *old;
  OpBuilder builder;
  IRMapping values;
};

class FormKernels : public impl::FormKernelsBase<FormKernels> {
  using FormKernelsBase::FormKernelsBase;

  void runOnOperation() override {
    KernelTable kernels(getOperation());
    for (func::FuncOp step : steps(getOperation())) {
      if (failed(checkBody(step)) || failed(checkUpdates(step)))
        return signalPassFailure();
      eraseDead(step.front());
      if (fuse)
        formKernels(step, kernels);
      else
        formOne(step, kernels);
    }
  }

  void formKernels(func::FuncOp step, KernelTable &kernels) {
    useCheaperForms(step.front());
    eraseDead(step.front());
    duplicateLeaves(step.front());
    Clustering clustering(step.front());
    clustering.form();
    clustering.recompute();
    Rewriter rewriter(step, kernels);
    for (Cluster *cluster : clustering.inOrder()) {
      if (cluster->isView())
        rewriter.addView(cluster->ops.front());
      else
        rewriter.addKernel(cluster->ops, nameOf(cluster->kind),
                           kernelName(step, cluster->ops));
    }
    rewriter.finish();
  }

  /// The reference path: whatever the function does, in one kernel.
  void formOne(func::FuncOp step, KernelTable &kernels) {
    SmallVector<Operation *> ops;
    for (Operation &op : step.front().without_terminator())
      ops.push_back(&op);
    Rewriter rewriter(step, kernels);
    if (!ops.empty())
      rewriter.addKernel(ops, "whole", (step.getName() + "_whole").str());
    rewriter.finish();
  }
};

} // namespace
} // namespace gradus::fuse
