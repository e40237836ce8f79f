// Takes pullbacks, gives the formulas of dialect/Derivatives.td. What has no
// rule is an error at the user's line.
#include "compiler/differentiate/Differentiate.h"
#include "dialect/Duals.h"
#include "dialect/Graph.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

namespace gradus::graph {
namespace {
#include "dialect/Derivatives.inc"
} // namespace

/// The rules of the table.
static void populateDerivatives(RewritePatternSet &rules) {
  populateWithGenerated(rules);
}
} // namespace gradus::graph

namespace gradus::differentiate {

#define GEN_PASS_DEF_APPLYDERIVATIVES
#include "compiler/differentiate/Passes.h.inc"

static bool isPullback(Operation *op) {
  return isa<graph::Pullback1Op, graph::Pullback2Op, graph::Pullback3Op>(op);
}

namespace {

/// Notes each strong_mul by which a rule meets an unmasked cotangent: there a
/// zero means nothing special, and the product may be a plain one.
class PlainProducts : public RewriterBase::Listener {
public:
  void notifyOperationInserted(Operation *op, OpBuilder::InsertPoint) override {
    if (auto product = dyn_cast<graph::StrongMulOp>(op))
      ofThisRule.push_back(product);
  }

  void notifyOperationReplaced(Operation *pullback, ValueRange) override {
    if (!pullback->hasAttr(graph::GraphDialect::maskedAttrName))
      for (graph::StrongMulOp product : ofThisRule)
        if (llvm::is_contained(product->getOperands(), pullback->getOperand(0)))
          plain.push_back(product);
    ofThisRule.clear();
  }

  void replaceAll() {
    for (graph::StrongMulOp op : plain) {
      OpBuilder builder(op);
      Value product =
          graph::MulOp::create(builder, op.getLoc(), op.getA(), op.getB());
      op.replaceAllUsesWith(product);
      op.erase();
    }
  }

private:
  SmallVector<graph::StrongMulOp> ofThisRule, plain;
};

} // namespace

LogicalResult applyDerivatives(ModuleOp module) {
  RewritePatternSet rules(module.getContext());
  graph::populateDerivatives(rules);
  PlainProducts products;
  walkAndApplyPatterns(module, std::move(rules), &products);
  products.replaceAll();

  auto refuseSurvivor = [](Operation *op) {
    if (!isPullback(op))
      return WalkResult::advance();
    op->emitError("cannot differentiate ")
        << op->getOperand(1).getDefiningOp()->getName().stripDialect();
    return WalkResult::interrupt();
  };
  return failure(module.walk(refuseSurvivor).wasInterrupted());
}

namespace {
struct ApplyDerivatives : impl::ApplyDerivativesBase<ApplyDerivatives> {
  void runOnOperation() override {
    if (failed(applyDerivatives(getOperation())))
      signalPassFailure();
  }
};
} // namespace

} // namespace gradus::differentiate
