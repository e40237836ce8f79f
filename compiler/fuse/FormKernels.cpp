// The pass graph-form-kernels: a function of graph ops, derivatives taken ->
// the same function as a list of calls of kernels. Clusters.h decides which ops
// go together, Outline.h makes kernels of them. The body of a loop becomes such
// a list itself. Next: UpdateInPlace.
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
    if (isa<graph::Derivative, graph::Pullback1Op, graph::Pullback2Op,
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
    for (func::FuncOp step : steps(getOperation()))
      if (failed(form(step, kernels)))
        return signalPassFailure();
  }

  LogicalResult form(func::FuncOp step, KernelTable &kernels) {
    if (failed(checkBody(step)) || failed(checkUpdates(step)))
      return failure();
    eraseDead(step.front());
    for (auto loop : llvm::make_early_inc_range(step.getOps<graph::LoopOp>()))
      if (failed(formLoop(loop, step.getName(), kernels)))
        return failure();
    if (fuse)
      formKernels(step, kernels);
    else
      formWhole(step, kernels);
    return success();
  }

  /// The body of `loop` as a function of its own, each carried value written
  /// where the one before lies; `loop` becomes rounds of it.
  LogicalResult formLoop(graph::LoopOp loop, StringRef step,
                         KernelTable &kernels) {
    std::string name = (step + "_loop").str();
    Block &block = loop.getBody().front();
    OpBuilder builder(loop);
    auto body = func::FuncOp::create(
        loop.getLoc(), name,
        builder.getFunctionType(block.getArgumentTypes(),
                                block.getTerminator()->getOperandTypes()));
    body.setPrivate();
    body->setAttr(kBody, builder.getUnitAttr());
    for (unsigned j = 0; j < loop.getCarried().size(); ++j)
      body.setResultAttr(j, kUpdates, builder.getI64IntegerAttr(1 + j));
    body.getBody().takeBody(loop.getBody());
    Operation *yield = body.front().getTerminator();
    OpBuilder inside(yield);
    func::ReturnOp::create(inside, yield->getLoc(), yield->getOperands());
    yield->erase();
    if (failed(form(body, kernels))) {
      body.erase();
      return failure();
    }
    body = kernels.share(body, name);
    auto rounds = graph::RoundsOp::create(
        builder, loop.getLoc(), loop.getResultTypes(), body.getName(),
        loop.getRounds(), loop.getReverse(), loop.getCarried(), loop.getOver(),
        loop.getWith(), loop.getWhen());
    loop.replaceAllUsesWith(rounds.getResults());
    loop.erase();
    return success();
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

  /// The reference path: whatever the function does between its loops, in one
  /// kernel.
  void formWhole(func::FuncOp step, KernelTable &kernels) {
    std::string name = step.getName().str();
    Rewriter rewriter(step, kernels);
    SmallVector<Operation *> ops;
    auto close = [&] {
      if (!ops.empty())
        rewriter.addKernel(ops, "whole", name + "_whole");
      ops.clear();
    };
    SmallVector<Operation *> all;
    for (Operation &op : step.front().without_terminator())
      all.push_back(&op);
    for (Operation *op : all) {
      if (!isa<graph::RoundsOp>(op)) {
        ops.push_back(op);
        continue;
      }
      close();
      rewriter.addKernel(op, nameOf(Kind::Loop), name + "_rounds");
    }
    close();
    rewriter.finish();
  }
};

} // namespace
} // namespace gradus::fuse
