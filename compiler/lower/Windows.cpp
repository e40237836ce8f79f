// unfold and fold: the window is in the index map, so that an unfold fuses into
// what reads it. A second, empty operand of the size of the window bounds the
// loops over its taps where they are reduced; it goes where it is not needed.
#include "dialect/Windows.h"
#include "compiler/lower/GraphToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace gradus::lower {
namespace {

/// The loops over `rank` axes and then the taps -> the elements under the taps.
AffineMap mapOf(MLIRContext *context, int64_t rank, ArrayRef<int64_t> dims,
                ArrayRef<graph::Window> windows) {
  SmallVector<AffineExpr> axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    axes.push_back(getAffineDimExpr(axis, context));
  for (auto [n, window] : llvm::enumerate(windows))
    axes[dims[n]] = axes[dims[n]] * window.stride +
                    getAffineDimExpr(rank + n, context) * window.dilation +
                    window.start();
  return AffineMap::get(rank + windows.size(), 0, axes, context);
}

/// y[..., p, ..., i] = x[..., where tap i lies at p, ...]
struct UnfoldMaps : OpConversionPattern<graph::UnfoldOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::UnfoldOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = static_cast<const StorageTypes *>(getTypeConverter())
                    ->storedTensor(op.getType());
    int64_t taps = op.getDims().size(), rank = type.getRank() - taps;
    SmallVector<graph::Window> windows = graph::windowsOf(op);
    SmallVector<AffineExpr> ofWindow;
    for (int64_t n = 0; n < taps; ++n)
      ofWindow.push_back(rewriter.getAffineDimExpr(rank + n));
    Value window = tensor::EmptyOp::create(rewriter, op.getLoc(),
                                           type.getShape().take_back(taps),
                                           type.getElementType());
    AffineMap maps[] = {
        mapOf(getContext(), rank, op.getDims(), windows),
        AffineMap::get(type.getRank(), 0, ofWindow, getContext())};
    rewriter.replaceOp(op, mapElements(rewriter, op.getLoc(), type,
                                       {operands.getX(), window}, maps,
                                       [](OpBuilder &, Location, ValueRange x) {
                                         return x[0];
                                       }));
    return success();
  }
};

/// y[..., where tap i lies at p, ...] += x[..., p, ..., i], from zeros.
struct FoldAccumulates : OpConversionPattern<graph::FoldOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::FoldOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    if (op.getDims().empty()) {
      rewriter.replaceOp(op, operands.getX());
      return success();
    }
    auto from = cast<RankedTensorType>(op.getX().getType());
    auto type = cast<RankedTensorType>(op.getType());
    Value zeros = filled(rewriter, op.getLoc(), type,
                         rewriter.getZeroAttr(type.getElementType()));
    AffineMap maps[] = {rewriter.getMultiDimIdentityMap(from.getRank()),
                        mapOf(getContext(), type.getRank(), op.getDims(),
                              graph::windowsOf(op))};
    SmallVector<utils::IteratorType> loops(from.getRank(),
                                           utils::IteratorType::parallel);
    for (auto [n, dim] : llvm::enumerate(op.getDims()))
      loops[dim] = loops[type.getRank() + n] = utils::IteratorType::reduction;
    rewriter.replaceOpWithNewOp<linalg::GenericOp>(
        op, type, operands.getX(), zeros, maps, loops,
        [](OpBuilder &builder, Location loc, ValueRange x) {
          Value sum = arith::AddFOp::create(builder, loc, x[1], x[0]);
          linalg::YieldOp::create(builder, loc, sum);
        });
    return success();
  }
};

} // namespace

void populateWindowPatterns(const StorageTypes &types,
                            RewritePatternSet &patterns) {
  patterns.add<UnfoldMaps, FoldAccumulates>(types, patterns.getContext());
}

} // namespace gradus::lower
