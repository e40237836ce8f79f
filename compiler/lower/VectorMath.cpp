// Transcendental functions of f32 -> polynomials, in every lane at once.
#include "compiler/lower/Passes.h"

#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace gradus::lower {
#define GEN_PASS_DEF_VECTORMATH
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

/// log(x) -> log(2^24 x) - 24 log 2 for subnormal x, which the polynomial takes
/// for the smallest normal number.
void scaleSubnormals(math::LogOp log) {
  OpBuilder builder(log);
  Location loc = log.getLoc();
  Value x = log.getOperand();
  auto constant = [&](double number) -> Value {
    auto value = builder.getF32FloatAttr(number);
    if (auto vector = dyn_cast<VectorType>(x.getType()))
      return arith::ConstantOp::create(builder, loc,
                                       DenseElementsAttr::get(vector, value));
    return arith::ConstantOp::create(builder, loc, value);
  };
  Value small = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT,
                                      x, constant(0x1p-126));
  Value scaled = arith::MulFOp::create(builder, loc, x, constant(0x1p24));
  log.getOperandMutable().assign(
      arith::SelectOp::create(builder, loc, small, scaled, x));
  builder.setInsertionPointAfter(log);
  Value excess = arith::SelectOp::create(
      builder, loc, small, constant(24 * 0.69314718055994531), constant(0));
  auto result = arith::SubFOp::create(builder, loc, log, excess);
  log.getResult().replaceAllUsesExcept(result, result);
}

struct VectorMathPass : impl::VectorMathBase<VectorMathPass> {
  void runOnOperation() override {
    // Functions whose polynomial keeps to a few units in the last place over
    // the whole range; sin and cos do not for large arguments.
    auto isExact = [](StringRef name) {
      return name == math::ExpOp::getOperationName() ||
             name == math::LogOp::getOperationName() ||
             name == math::Log1pOp::getOperationName() ||
             name == math::TanhOp::getOperationName() ||
             name == math::ErfOp::getOperationName();
    };
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns, isExact);
    FrozenRewritePatternSet frozen(std::move(patterns));
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<math::MathDialect>(op->getDialect()) &&
          op->getNumResults() == 1 &&
          getElementTypeOrSelf(op->getResult(0)).isF32())
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (auto log = dyn_cast<math::LogOp>(op))
        scaleSubnormals(log);
    if (failed(applyOpPatternsGreedily(ops, frozen)))
      signalPassFailure();
  }
};

} // namespace
} // namespace gradus::lower
