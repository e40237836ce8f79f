// Ops that move elements and compute nothing: broadcast and transpose are maps
// of a `linalg.generic`, the rest are tensor ops that become views or copies.
#include "compiler/lower/GraphToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace gradus::lower {
namespace {

/// A pattern of this file: an op whose result is stored as `StorageTypes` says.
template <typename GraphOp> struct Movement : OpConversionPattern<GraphOp> {
  using OpConversionPattern<GraphOp>::OpConversionPattern;

  RankedTensorType stored(GraphOp op) const {
    return static_cast<const StorageTypes *>(this->getTypeConverter())
        ->storedTensor(op.getType());
  }
};

Value first(OpBuilder &, Location, ValueRange x) { return x[0]; }

/// y[i] = x[i without the new axes]
struct BroadcastProjects : Movement<graph::BroadcastOp> {
  using Movement::Movement;

  LogicalResult
  matchAndRewrite(graph::BroadcastOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = stored(op);
    rewriter.replaceOp(
        op, mapElements(rewriter, op.getLoc(), type, operands.getX(),
                        dropAxes(getContext(), type.getRank(), op.getDims()),
                        first));
    return success();
  }
};

/// y[i] = x[i permuted back]
struct TransposePermutes : Movement<graph::TransposeOp> {
  using Movement::Movement;

  LogicalResult
  matchAndRewrite(graph::TransposeOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    AffineMap map = inversePermutation(
        AffineMap::getPermutationMap(op.getPermutation(), getContext()));
    rewriter.replaceOp(op, mapElements(rewriter, op.getLoc(), stored(op),
                                       operands.getX(), map, first));
    return success();
  }
};

/// `x` as `type` if one of the two shapes only splits axes of the other.
Value splitOrMerge(OpBuilder &builder, Location loc, Value x,
                   RankedTensorType type) {
  auto from = cast<RankedTensorType>(x.getType());
  if (from == type)
    return x;
  auto groups = getReassociationIndicesForReshape(from, type);
  if (!groups)
    return {};
  if (from.getRank() > type.getRank())
    return tensor::CollapseShapeOp::create(builder, loc, type, x, *groups);
  return tensor::ExpandShapeOp::create(builder, loc, type, x, *groups);
}

/// Through one flat axis where no axes can be split or merged directly.
struct ReshapeSplitsAndMerges : Movement<graph::ReshapeOp> {
  using Movement::Movement;

  LogicalResult
  matchAndRewrite(graph::ReshapeOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = stored(op);
    Value y = splitOrMerge(rewriter, op.getLoc(), operands.getX(), type);
    if (!y) {
      auto flat =
          RankedTensorType::get({type.getNumElements()}, type.getElementType());
      y = splitOrMerge(rewriter, op.getLoc(), operands.getX(), flat);
      y = splitOrMerge(rewriter, op.getLoc(), y, type);
    }
    rewriter.replaceOp(op, y);
    return success();
  }
};

SmallVector<OpFoldResult> indices(Builder &builder, ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(builder.getContext(), values);
}

struct SliceExtracts : Movement<graph::SliceOp> {
  using Movement::Movement;

  LogicalResult
  matchAndRewrite(graph::SliceOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<int64_t> ones(op.getSizes().size(), 1);
    rewriter.replaceOpWithNewOp<tensor::ExtractSliceOp>(
        op, stored(op), operands.getX(), indices(rewriter, op.getOffsets()),
        indices(rewriter, op.getSizes()), indices(rewriter, ones));
    return success();
  }
};

struct PadSurrounds : Movement<graph::PadOp> {
  using Movement::Movement;

  // Not `tensor.pad`, which has a buffer of its own.
  LogicalResult
  matchAndRewrite(graph::PadOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = stored(op);
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(op.getX().getType()).getShape();
    SmallVector<int64_t> ones(shape.size(), 1);
    auto zeros = [&](ArrayRef<int64_t> shape) {
      return filled(rewriter, loc, type.clone(shape),
                    rewriter.getZeroAttr(type.getElementType()));
    };
    Value y;
    if (hasThinFrame(op, shape, type)) {
      y = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                  type.getElementType());
      // Slabs around what is left of the box by the axes before.
      SmallVector<int64_t> starts(shape.size(), 0), sizes(type.getShape());
      auto insert = [&](int64_t axis, int64_t start, int64_t size) {
        SmallVector<int64_t> from(starts), box(sizes);
        from[axis] = start;
        box[axis] = size;
        if (size > 0)
          y = tensor::InsertSliceOp::create(
              rewriter, loc, zeros(box), y, indices(rewriter, from),
              indices(rewriter, box), indices(rewriter, ones));
      };
      for (int64_t axis = 0; axis < type.getRank(); ++axis) {
        int64_t low = op.getLow()[axis], high = op.getHigh()[axis];
        insert(axis, 0, low);
        insert(axis, low + shape[axis], high);
        starts[axis] = low;
        sizes[axis] = shape[axis];
      }
    } else {
      y = zeros(type.getShape());
    }
    rewriter.replaceOpWithNewOp<tensor::InsertSliceOp>(
        op, operands.getX(), y, indices(rewriter, op.getLow()),
        indices(rewriter, shape), indices(rewriter, ones));
    return success();
  }

private:
  /// Whether a large box has so little around it, in lines of its own, that not
  /// all of the result is worth filling.
  static bool hasThinFrame(graph::PadOp op, ArrayRef<int64_t> shape,
                           RankedTensorType type) {
    constexpr int64_t kLarge = 1 << 16;
    int64_t inside = llvm::product_of(shape);
    return inside >= kLarge && 2 * inside >= type.getNumElements() &&
           op.getLow().back() == 0 && op.getHigh().back() == 0;
  }
};

/// Each operand inserted behind the one before.
struct ConcatInserts : Movement<graph::ConcatOp> {
  using Movement::Movement;

  LogicalResult
  matchAndRewrite(graph::ConcatOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = stored(op);
    Value y = tensor::EmptyOp::create(rewriter, op.getLoc(), type.getShape(),
                                      type.getElementType());
    SmallVector<int64_t> offsets(type.getRank(), 0), ones(type.getRank(), 1);
    for (Value x : operands.getOperands()) {
      ArrayRef<int64_t> shape = cast<RankedTensorType>(x.getType()).getShape();
      y = tensor::InsertSliceOp::create(
          rewriter, op.getLoc(), x, y, indices(rewriter, offsets),
          indices(rewriter, shape), indices(rewriter, ones));
      offsets[op.getDim()] += shape[op.getDim()];
    }
    rewriter.replaceOp(op, y);
    return success();
  }
};

} // namespace

void populateMovementPatterns(const StorageTypes &types,
                              RewritePatternSet &patterns) {
  patterns.add<BroadcastProjects, TransposePermutes, ReshapeSplitsAndMerges,
               SliceExtracts, PadSurrounds, ConcatInserts>(
      types, patterns.getContext());
}

} // namespace gradus::lower
