// Reductions: `linalg.generic` with reduction iterators over the axes that are
// dropped, accumulating in the element type.
#include "compiler/lower/GraphToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace gradus::lower {
namespace {

SmallVector<utils::IteratorType> reductionLoops(int64_t rank,
                                                ArrayRef<int64_t> dims) {
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  for (int64_t dim : dims)
    loops[dim] = utils::IteratorType::reduction;
  return loops;
}

/// y = combine over `dims` of x, from `start`
template <typename GraphOp, typename CombineOp>
struct ReductionCombines : OpConversionPattern<GraphOp> {
  ReductionCombines(const StorageTypes &types, MLIRContext *context,
                    double start)
      : OpConversionPattern<GraphOp>(types, context), start(start) {}

  LogicalResult
  matchAndRewrite(GraphOp op, GraphOp::Adaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    int64_t rank = cast<RankedTensorType>(op.getX().getType()).getRank();
    Value init = filled(rewriter, op.getLoc(), type,
                        rewriter.getFloatAttr(type.getElementType(), start));
    AffineMap maps[] = {rewriter.getMultiDimIdentityMap(rank),
                        dropAxes(op.getContext(), rank, op.getDims())};
    auto reduction = linalg::GenericOp::create(
        rewriter, op.getLoc(), type, operands.getX(), init, maps,
        reductionLoops(rank, op.getDims()),
        [](OpBuilder &builder, Location loc, ValueRange x) {
          linalg::YieldOp::create(
              builder, loc, Value(CombineOp::create(builder, loc, x[0], x[1])));
        });
    rewriter.replaceOp(op, reduction);
    return success();
  }

  double start;
};

/// y = combine over `dims` of whole numbers, from what changes none.
struct WholeReductionCombines : OpConversionPattern<graph::WholeReduceOp> {
  using OpConversionPattern::OpConversionPattern;

  static Value combine(graph::Arithmetic formula, OpBuilder &builder,
                       Location loc, Value a, Value b) {
    switch (formula) {
    case graph::Arithmetic::mul:
      return arith::MulIOp::create(builder, loc, a, b);
    case graph::Arithmetic::max:
      return arith::MaxSIOp::create(builder, loc, a, b);
    case graph::Arithmetic::min:
      return arith::MinSIOp::create(builder, loc, a, b);
    default:
      return arith::AddIOp::create(builder, loc, a, b);
    }
  }

  static int64_t start(graph::Arithmetic formula, unsigned bits) {
    switch (formula) {
    case graph::Arithmetic::mul:
      return 1;
    case graph::Arithmetic::max:
      return llvm::minIntN(bits);
    case graph::Arithmetic::min:
      return llvm::maxIntN(bits);
    default:
      return 0;
    }
  }

  LogicalResult
  matchAndRewrite(graph::WholeReduceOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    int64_t rank = cast<RankedTensorType>(op.getX().getType()).getRank();
    Type element = type.getElementType();
    Value init = filled(
        rewriter, op.getLoc(), type,
        rewriter.getIntegerAttr(
            element, start(op.getFormula(), element.getIntOrFloatBitWidth())));
    AffineMap maps[] = {rewriter.getMultiDimIdentityMap(rank),
                        dropAxes(op.getContext(), rank, op.getDims())};
    rewriter.replaceOp(
        op, linalg::GenericOp::create(
                rewriter, op.getLoc(), type, operands.getX(), init, maps,
                reductionLoops(rank, op.getDims()),
                [&](OpBuilder &builder, Location loc, ValueRange x) {
                  linalg::YieldOp::create(
                      builder, loc,
                      combine(op.getFormula(), builder, loc, x[0], x[1]));
                }));
    return success();
  }
};

/// The first maximum so far and where it was; NaN counts as the largest.
struct ArgmaxRemembers : OpConversionPattern<graph::ArgmaxOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::ArgmaxOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto from = cast<RankedTensorType>(op.getX().getType());
    auto type = cast<RankedTensorType>(op.getType());
    auto dim = static_cast<int64_t>(op.getDim());
    Type element = from.getElementType();
    auto best = type.clone(element);
    Value inits[] = {
        filled(rewriter, op.getLoc(), best,
               rewriter.getFloatAttr(element,
                                     -std::numeric_limits<double>::infinity())),
        filled(rewriter, op.getLoc(), type,
               rewriter.getZeroAttr(type.getElementType()))};
    AffineMap kept = dropAxes(getContext(), from.getRank(), dim);
    AffineMap maps[] = {rewriter.getMultiDimIdentityMap(from.getRank()), kept,
                        kept};
    auto search = linalg::GenericOp::create(
        rewriter, op.getLoc(), TypeRange{best, type}, operands.getX(), inits,
        maps, reductionLoops(from.getRank(), dim),
        [&](OpBuilder &builder, Location loc, ValueRange x) {
          // x > best or x is NaN, unless best is NaN already.
          Value larger = arith::CmpFOp::create(
              builder, loc, arith::CmpFPredicate::UGT, x[0], x[1]);
          Value open = arith::CmpFOp::create(
              builder, loc, arith::CmpFPredicate::ORD, x[1], x[1]);
          Value take = arith::AndIOp::create(builder, loc, larger, open);
          Value here = arith::IndexCastOp::create(
              builder, loc, type.getElementType(),
              linalg::IndexOp::create(builder, loc, dim));
          Value value = arith::SelectOp::create(builder, loc, take, x[0], x[1]);
          Value index = arith::SelectOp::create(builder, loc, take, here, x[2]);
          linalg::YieldOp::create(builder, loc, ValueRange{value, index});
        });
    rewriter.replaceOp(op, search.getResult(1));
    return success();
  }
};

} // namespace

void populateReductionPatterns(const StorageTypes &types,
                               RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ReductionCombines<graph::SumOp, arith::AddFOp>>(types, context,
                                                               0.0);
  patterns.add<ReductionCombines<graph::ReduceMaxOp, arith::MaximumFOp>>(
      types, context, -std::numeric_limits<double>::infinity());
  patterns.add<WholeReductionCombines, ArgmaxRemembers>(types, context);
}

} // namespace gradus::lower
