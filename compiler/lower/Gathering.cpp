// gather and scatter_add: a loop over the indices, one row after the other, so
// that sums always have the same order. Rows are boxes of tensors; what is done
// with a row becomes loops of vectors like everything else.
#include "compiler/lower/GraphToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace gradus::lower {
namespace {

/// A row of a table: a box over all its axes but the leading ones.
struct Row {
  SmallVector<OpFoldResult> offsets, sizes, strides;
  RankedTensorType type;

  Row(Builder &builder, Value table, ValueRange at) {
    auto whole = cast<RankedTensorType>(table.getType());
    offsets.append(at.begin(), at.end());
    sizes.append(at.size(), builder.getIndexAttr(1));
    for (int64_t size : whole.getShape().drop_front(at.size())) {
      offsets.push_back(builder.getIndexAttr(0));
      sizes.push_back(builder.getIndexAttr(size));
    }
    strides.append(sizes.size(), builder.getIndexAttr(1));
    type = RankedTensorType::get(whole.getShape().drop_front(at.size()),
                                 whole.getElementType());
  }

  /// A row of one number is that number.
  bool isNumber() const { return type.getRank() == 0; }
};

Value read(OpBuilder &builder, Location loc, Value table, ValueRange at) {
  Row row(builder, table, at);
  if (row.isNumber())
    return tensor::ExtractOp::create(builder, loc, table, at);
  return tensor::ExtractSliceOp::create(builder, loc, row.type, table,
                                        row.offsets, row.sizes, row.strides);
}

Value write(OpBuilder &builder, Location loc, Value value, Value table,
            ValueRange at) {
  Row row(builder, table, at);
  if (row.isNumber())
    return tensor::InsertOp::create(builder, loc, value, table, at);
  return tensor::InsertSliceOp::create(builder, loc, value, table, row.offsets,
                                       row.sizes, row.strides);
}

/// What an index does: it stands at `at` of the list of indices, means the row
/// `row`, and gives the result so far another value.
using Step = llvm::function_ref<Value(OpBuilder &, ValueRange at, Value row,
                                      Value result)>;

/// Loops over the axes of `index`, the last one innermost.
Value forEachIndex(OpBuilder &builder, Location loc, Value index, Value result,
                   Step step, SmallVector<Value> at = {}) {
  auto type = cast<RankedTensorType>(index.getType());
  if (static_cast<int64_t>(at.size()) == type.getRank()) {
    Value row = tensor::ExtractOp::create(builder, loc, index, at);
    row = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), row);
    return step(builder, at, row, result);
  }
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  return scf::ForOp::create(
             builder, loc, number(0), number(type.getDimSize(at.size())),
             number(1), result,
             [&](OpBuilder &inner, Location loc, Value i, ValueRange results) {
               at.push_back(i);
               scf::YieldOp::create(
                   inner, loc,
                   forEachIndex(inner, loc, index, results[0], step, at));
             })
      .getResult(0);
}

struct GatherCopiesRows : OpConversionPattern<graph::GatherOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::GatherOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type =
        cast<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    Value start = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                          type.getElementType());
    rewriter.replaceOp(
        op, forEachIndex(
                rewriter, loc, operands.getIndex(), start,
                [&](OpBuilder &inner, ValueRange at, Value row, Value result) {
                  Value x = read(inner, loc, operands.getX(), row);
                  return write(inner, loc, x, result, at);
                }));
    return success();
  }
};

struct ScatterAddsRows : OpConversionPattern<graph::ScatterAddOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(graph::ScatterAddOp op, OpAdaptor operands,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type =
        cast<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    Value start = filled(rewriter, loc, type,
                         rewriter.getZeroAttr(type.getElementType()));
    rewriter.replaceOp(
        op, forEachIndex(
                rewriter, loc, operands.getIndex(), start,
                [&](OpBuilder &inner, ValueRange at, Value row, Value result) {
                  Value x = read(inner, loc, operands.getX(), at);
                  Value old = read(inner, loc, result, row);
                  return write(inner, loc, sum(inner, loc, old, x), result,
                               row);
                }));
    return success();
  }

  static Value sum(OpBuilder &builder, Location loc, Value old, Value x) {
    auto type = dyn_cast<RankedTensorType>(old.getType());
    if (!type)
      return arith::AddFOp::create(builder, loc, old, x);
    AffineMap map = builder.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> loops(type.getRank(),
                                           utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               builder, loc, type, x, old, ArrayRef<AffineMap>{map, map}, loops,
               [](OpBuilder &body, Location loc, ValueRange x) {
                 Value sum = arith::AddFOp::create(body, loc, x[1], x[0]);
                 linalg::YieldOp::create(body, loc, sum);
               })
        .getResult(0);
  }
};

} // namespace

void populateGatheringPatterns(const StorageTypes &types,
                               RewritePatternSet &patterns) {
  patterns.add<GatherCopiesRows, ScatterAddsRows>(types, patterns.getContext());
}

} // namespace gradus::lower
