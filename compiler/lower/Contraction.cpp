// einsum: loops over the result's indices, then over the contracted ones; the
// body multiplies and adds. Without a contracted index it is a pointwise
// product. `linalg.contract` is not used: it refuses outer products.
#include "compiler/lower/GraphToLinalg.h"
#include "dialect/Einsum.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace gradus::lower {
namespace {

/// The map from the loops, one for each letter of `loops`, to a tensor with
/// these indices.
AffineMap mapOf(MLIRContext *context, StringRef loops, StringRef indices) {
  SmallVector<AffineExpr> axes;
  for (char index : indices)
    axes.push_back(getAffineDimExpr(loops.find(index), context));
  return AffineMap::get(loops.size(), 0, axes, context);
}

Value product(OpBuilder &builder, Location loc, ValueRange x) {
  return arith::MulFOp::create(builder, loc, x[0], x[1]);
}

/// y[...] = sum of a[...] * b[...]
struct EinsumContracts : OpConversionPattern<graph::EinsumOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::EinsumOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    graph::EinsumSpec spec = *graph::parseEinsum(op.getSpec());
    auto type = cast<RankedTensorType>(op.getType());
    std::string contracted = spec.contracted(), loops = spec.y + contracted;
    AffineMap maps[] = {mapOf(getContext(), loops, spec.a),
                        mapOf(getContext(), loops, spec.b),
                        mapOf(getContext(), loops, spec.y)};
    if (contracted.empty()) {
      rewriter.replaceOp(op, mapElements(rewriter, op.getLoc(), type,
                                         operands.getOperands(),
                                         ArrayRef(maps).drop_back(), product));
      return success();
    }
    Value init = filled(rewriter, op.getLoc(), type,
                        rewriter.getZeroAttr(type.getElementType()));
    SmallVector<utils::IteratorType> iterators(spec.y.size(),
                                               utils::IteratorType::parallel);
    iterators.append(contracted.size(), utils::IteratorType::reduction);
    auto contraction = linalg::GenericOp::create(
        rewriter, op.getLoc(), type, operands.getOperands(), init, maps,
        iterators, [](OpBuilder &builder, Location loc, ValueRange x) {
          Value sum = arith::AddFOp::create(builder, loc, x[2],
                                            product(builder, loc, x));
          linalg::YieldOp::create(builder, loc, sum);
        });
    rewriter.replaceOp(op, contraction);
    return success();
  }
};

} // namespace

void populateContractionPatterns(const StorageTypes &types,
                                 RewritePatternSet &patterns) {
  patterns.add<EinsumContracts>(types, patterns.getContext());
}

} // namespace gradus::lower
