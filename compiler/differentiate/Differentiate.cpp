// Takes a graph with gradients and custom calls, gives a plain graph: rounds of
// expanding, applying and batching, then the customs inlined.
#include "compiler/differentiate/Differentiate.h"
#include "compiler/differentiate/Batch.h"
#include "dialect/Graph.h"
#include "dialect/Origins.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace gradus::differentiate {

#define GEN_PASS_DEF_DIFFERENTIATE
#include "compiler/differentiate/Passes.h.inc"

/// Puts the forward body of `call` in its place.
static void inlineCustom(graph::CustomOp call, func::FuncOp forward) {
  IRMapping mapping;
  mapping.map(forward.getArguments(), call.getOperands());
  OpBuilder builder(call);
  for (Operation &op : forward.front().without_terminator())
    builder.clone(op, mapping)->walk([&](Operation *copy) {
      copy->setLoc(graph::inlinedAt(copy->getLoc(), call.getLoc()));
    });
  Value y = forward.front().getTerminator()->getOperand(0);
  call.replaceAllUsesWith(mapping.lookupOrDefault(y));
  call.erase();
}

void inlineCustoms(ModuleOp module) {
  SymbolTable symbols(module);
  for (auto function : module.getOps<func::FuncOp>())
    // A body may hold calls itself; they are found by the next round.
    for (bool found = true; found;) {
      SmallVector<graph::CustomOp> calls;
      function.walk([&](graph::CustomOp call) { calls.push_back(call); });
      for (graph::CustomOp call : calls)
        inlineCustom(call, symbols.lookup<func::FuncOp>(call.getForward()));
      found = !calls.empty();
    }
  // All that is private was a forward or a backward.
  for (auto function :
       llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    if (function.isPrivate())
      function.erase();
}

/// Erases ops whose results nobody reads, so that the next round does not walk
/// over the unused half of a rule.
static void eraseDead(ModuleOp module) {
  module.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (isOpTriviallyDead(op))
      op->erase();
  });
}

LogicalResult takeDerivatives(ModuleOp module, int64_t budget) {
  FailureOr<int> expanded;
  do {
    expanded = expandGradients(module, budget);
    if (failed(expanded) || failed(applyDerivatives(module)))
      return failure();
    eraseDead(module);
    *expanded += batchRows(module, budget);
  } while (*expanded > 0);
  return success();
}

namespace {
struct Differentiate : impl::DifferentiateBase<Differentiate> {
  using impl::DifferentiateBase<Differentiate>::DifferentiateBase;

  void runOnOperation() override {
    if (failed(takeDerivatives(getOperation(), budget)))
      return signalPassFailure();
    inlineCustoms(getOperation());
  }
};
} // namespace

} // namespace gradus::differentiate
