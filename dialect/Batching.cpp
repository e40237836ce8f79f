// See Batching.h.
#include "dialect/Batching.h"
#include "dialect/Duals.h"
#include "dialect/Einsum.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace gradus::graph {

static RankedTensorType tensorOf(Value x) {
  return cast<RankedTensorType>(x.getType());
}

static int64_t rankOf(Value x) { return tensorOf(x).getRank(); }
static int64_t rowsOf(Value x) { return tensorOf(x).getDimSize(0); }

static bool isRow(Value x) {
  return isa_and_nonnull<EachOp, DiagonalOp>(x.getDefiningOp());
}

/// Nothing has been folded yet: the zero of a `where` is a number, spread.
static bool isZero(Value x) {
  Operation *op = x.getDefiningOp();
  while (isa_and_nonnull<BroadcastOp, ReshapeOp, ConvertOp>(op)) {
    x = op->getOperand(0);
    op = x.getDefiningOp();
  }
  return matchPattern(x, m_AnyZeroFloat()) || matchPattern(x, m_Zero());
}

//===-- Axes --------------------------------------------------------------===//

static DenseI64ArrayAttr shifted(Builder &builder, DenseI64ArrayAttr axes) {
  return builder.getDenseI64ArrayAttr(llvm::map_to_vector(
      axes.asArrayRef(), [](int64_t axis) { return axis + 1; }));
}

static DenseI64ArrayAttr withFirst(Builder &builder, int64_t first,
                                   DenseI64ArrayAttr rest) {
  SmallVector<int64_t> all{first};
  llvm::append_range(all, rest.asArrayRef());
  return builder.getDenseI64ArrayAttr(all);
}

static DenseI64ArrayAttr behindRows(Builder &builder,
                                    DenseI64ArrayAttr permutation) {
  return withFirst(builder, 0, shifted(builder, permutation));
}

static Value moveAxis(OpBuilder &builder, Location loc, Value x, int64_t from,
                      int64_t to) {
  if (from == to)
    return x;
  SmallVector<int64_t> permutation;
  for (int64_t axis = 0; axis < rankOf(x); ++axis)
    if (axis != from)
      permutation.push_back(axis);
  permutation.insert(permutation.begin() + to, from);
  return TransposeOp::create(builder, loc, x, permutation);
}

static Value rowsAsColumns(OpBuilder &builder, Location loc, Value x) {
  int64_t rows = rowsOf(x);
  x = moveAxis(builder, loc, x, 0, rankOf(x) - 1);
  SmallVector<int64_t> shape(tensorOf(x).getShape().drop_back());
  shape.back() *= rows;
  return ReshapeOp::create(builder, loc, x, shape);
}

static Value columnsAsRows(OpBuilder &builder, Location loc, Value x,
                           Value like) {
  SmallVector<int64_t> shape(tensorOf(like).getShape().drop_front());
  shape.push_back(rowsOf(like));
  x = ReshapeOp::create(builder, loc, x, shape);
  return moveAxis(builder, loc, x, rankOf(x) - 1, 0);
}

static Value repeated(OpBuilder &builder, Location loc, Value x, int64_t rows) {
  return BroadcastOp::create(builder, loc, x, ArrayRef<int64_t>{0},
                             ArrayRef<int64_t>{rows});
}

static bool isAmong(IntegerAttr axis, DenseI64ArrayAttr dims) {
  return llvm::is_contained(dims.asArrayRef(), axis.getInt());
}

static Value sumOfRows(OpBuilder &builder, Location loc, Value x,
                       DenseI64ArrayAttr dims, IntegerAttr axis) {
  Value rows = moveAxis(builder, loc, x, axis.getInt(), 0);
  SmallVector<int64_t> others;
  for (int64_t dim : dims.asArrayRef())
    if (dim != axis.getInt())
      others.push_back(dim < axis.getInt() ? dim + 1 : dim);
  return others.empty() ? rows : SumOp::create(builder, loc, rows, others);
}

static IntegerAttr afterDropped(Builder &builder, IntegerAttr axis,
                                DenseI64ArrayAttr dims) {
  int64_t dropped = llvm::count_if(
      dims.asArrayRef(), [&](int64_t dim) { return dim < axis.getInt(); });
  return builder.getI64IntegerAttr(axis.getInt() - dropped);
}

static IntegerAttr afterNew(Builder &builder, IntegerAttr axis,
                            DenseI64ArrayAttr dims) {
  int64_t after = axis.getInt();
  for (int64_t dim : dims.asArrayRef())
    after += dim <= after;
  return builder.getI64IntegerAttr(after);
}

static IntegerAttr afterPermuted(Builder &builder, IntegerAttr axis,
                                 DenseI64ArrayAttr permutation) {
  const int64_t *found = llvm::find(permutation.asArrayRef(), axis.getInt());
  return builder.getI64IntegerAttr(found - permutation.asArrayRef().begin());
}

static DenseI64ArrayAttr movedBy(Builder &builder, DenseI64ArrayAttr rows,
                                 DenseI64ArrayAttr steps, IntegerAttr axis,
                                 int64_t sign) {
  return builder.getDenseI64ArrayAttr(
      {rows[0] + sign * steps[axis.getInt()], rows[1]});
}

/// The axis of `shape` with as many elements, and as many in front of it, as
/// `axis` of x; -1 if there is none.
static int64_t findInShape(int64_t axis, Value x, ArrayRef<int64_t> shape) {
  ArrayRef<int64_t> before = tensorOf(x).getShape();
  int64_t wanted = llvm::product_of(before.take_front(axis)), inFront = 1;
  for (auto [place, size] : llvm::enumerate(shape)) {
    if (inFront == wanted && size == before[axis])
      return static_cast<int64_t>(place);
    inFront *= size;
  }
  return -1;
}

static bool survivesReshape(IntegerAttr axis, Value x,
                            DenseI64ArrayAttr shape) {
  return findInShape(axis.getInt(), x, shape) >= 0;
}

static IntegerAttr axisInShape(Builder &builder, IntegerAttr axis, Value x,
                               DenseI64ArrayAttr shape) {
  return builder.getI64IntegerAttr(findInShape(axis.getInt(), x, shape));
}

//===-- Specs -------------------------------------------------------------===//

static StringAttr withRows(Builder &builder, StringAttr text, bool inA,
                           bool inB) {
  EinsumSpec spec = *parseEinsum(text.getValue());
  std::string used = spec.str();
  // Of 52 letters a tensor has room for few.
  char fresh = 'a';
  while (used.find(fresh) != std::string::npos)
    fresh = fresh == 'z' ? 'A' : static_cast<char>(fresh + 1);
  if (inA)
    spec.a.insert(spec.a.begin(), fresh);
  if (inB)
    spec.b.insert(spec.b.begin(), fresh);
  spec.y.insert(spec.y.begin(), fresh);
  return builder.getStringAttr(spec.str());
}

static char letterOf(const EinsumSpec &spec, IntegerAttr axis, bool ofA) {
  return (ofA ? spec.a : spec.b)[axis.getInt()];
}

static bool keepsAxis(StringAttr text, IntegerAttr axis, bool ofA) {
  EinsumSpec spec = *parseEinsum(text.getValue());
  return spec.y.find(letterOf(spec, axis, ofA)) != std::string::npos;
}

static IntegerAttr axisInResult(Builder &builder, StringAttr text,
                                IntegerAttr axis, bool ofA) {
  EinsumSpec spec = *parseEinsum(text.getValue());
  return builder.getI64IntegerAttr(
      static_cast<int64_t>(spec.y.find(letterOf(spec, axis, ofA))));
}

static StringAttr axisInFront(Builder &builder, StringAttr text,
                              IntegerAttr axis, bool ofA) {
  EinsumSpec spec = *parseEinsum(text.getValue());
  spec.y.insert(spec.y.begin(), letterOf(spec, axis, ofA));
  return builder.getStringAttr(spec.str());
}

//===-- Rules that stand beside the table ---------------------------------===//

/// Rows `offset` and following of `rows` are x, the others zeros; rows of x
/// that are none of them are dropped.
static Value amongRows(OpBuilder &builder, Location loc, Value x,
                       DenseI64ArrayAttr rows) {
  int64_t begin = rows[0], end = begin + rowsOf(x), count = rows[1];
  int64_t before = std::max<int64_t>(-begin, 0),
          after = std::max<int64_t>(end - count, 0);
  SmallVector<int64_t> low(rankOf(x)), high(rankOf(x));
  if (before > 0 || after > 0) {
    SmallVector<int64_t> sizes(tensorOf(x).getShape());
    low[0] = before;
    sizes[0] -= before + after;
    x = SliceOp::create(builder, loc, x, low, sizes);
  }
  low[0] = begin + before;
  high[0] = count - (end - after);
  if (low[0] == 0 && high[0] == 0)
    return x;
  return PadOp::create(builder, loc, x, low, high);
}

Value rowsOfDiagonal(OpBuilder &builder, DiagonalOp diagonal) {
  Location loc = diagonal.getLoc();
  Value x = diagonal.getX();
  RankedTensorType type = tensorOf(x);
  auto axis = static_cast<int64_t>(diagonal.getAxis());
  int64_t first = diagonal.getRows()[0], rows = diagonal.getRows()[1];
  // The numbers of the rows, and of the indices along the axis, everywhere.
  auto everywhere = [&](Value indices, int64_t place) -> Value {
    SmallVector<int64_t> dims, sizes;
    for (int64_t dim = 0; dim <= type.getRank(); ++dim)
      if (dim != place) {
        dims.push_back(dim);
        sizes.push_back(dim == 0 ? rows : type.getDimSize(dim - 1));
      }
    return BroadcastOp::create(builder, loc, indices, dims, sizes);
  };
  Type whole = builder.getI32Type();
  Value indices = IotaOp::create(builder, loc, type.getDimSize(axis), whole);
  if (first != 0)
    indices = WholeOp::create(
        builder, loc, Arithmetic::add, indices,
        fillLike(builder, loc, indices, static_cast<double>(first)));
  Value isThere = CompareOp::create(
      builder, loc, Predicate::eq,
      everywhere(IotaOp::create(builder, loc, rows, whole), 0),
      everywhere(indices, axis + 1));
  Value repeated = BroadcastOp::create(builder, loc, x, ArrayRef<int64_t>{0},
                                       ArrayRef<int64_t>{rows});
  return SelectOp::create(builder, loc, isThere, repeated,
                          fillLike(builder, loc, repeated, 0));
}

namespace {
#include "dialect/Batching.inc"
} // namespace

/// The tensor of which `operand` is each row; the same value in all rows if it
/// does not depend on the row.
static Value allRows(OpBuilder &builder, Location loc, Value operand,
                     int64_t rows) {
  if (auto each = operand.getDefiningOp<EachOp>())
    return each.getX();
  return repeated(builder, loc, operand, rows);
}

/// How many rows the operands of `op` are of; nothing if none is a row, or one
/// is known by its diagonal alone.
static std::optional<int64_t> countRows(Operation *op) {
  std::optional<int64_t> rows;
  for (Value operand : op->getOperands()) {
    if (operand.getDefiningOp<DiagonalOp>())
      return std::nullopt;
    if (auto each = operand.getDefiningOp<EachOp>())
      rows = rowsOf(each.getX());
  }
  return rows;
}

namespace {

/// A pointwise op does to all rows what it does to one.
struct BatchPointwise : RewritePattern {
  explicit BatchPointwise(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    auto rows = countRows(op);
    if (!rows || !op->hasTrait<OpTrait::Elementwise>() ||
        op->getNumResults() != 1)
      return failure();
    OperationState state(op->getLoc(), op->getName());
    for (Value operand : op->getOperands())
      state.operands.push_back(allRows(rewriter, op->getLoc(), operand, *rows));
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    SmallVector<int64_t> shape{*rows};
    llvm::append_range(shape, type.getShape());
    state.addTypes(type.clone(shape));
    state.addAttributes(op->getDiscardableAttrDictionary().getValue());
    state.propertiesAttr = op->getPropertiesAsAttribute();
    Operation *all = rewriter.create(state);
    rewriter.replaceOpWithNewOp<EachOp>(op, all->getResult(0));
    return success();
  }
};

struct BatchConcat : OpRewritePattern<ConcatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConcatOp op,
                                PatternRewriter &rewriter) const override {
    auto rows = countRows(op);
    if (!rows)
      return failure();
    SmallVector<Value> operands;
    for (Value operand : op.getOperands())
      operands.push_back(allRows(rewriter, op.getLoc(), operand, *rows));
    Value all =
        ConcatOp::create(rewriter, op.getLoc(), operands, op.getDim() + 1);
    rewriter.replaceOpWithNewOp<EachOp>(op, all);
    return success();
  }
};

/// Where no rule keeps a diagonal one, its zeros are written out.
struct WriteDiagonal : RewritePattern {
  explicit WriteDiagonal(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 0, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    bool changed = false;
    for (OpOperand &operand : op->getOpOperands()) {
      auto diagonal = operand.get().getDefiningOp<DiagonalOp>();
      if (!diagonal)
        continue;
      Value each = EachOp::create(rewriter, op->getLoc(),
                                  rowsOfDiagonal(rewriter, diagonal));
      rewriter.modifyOpInPlace(op, [&] { operand.set(each); });
      changed = true;
    }
    return success(changed);
  }
};

} // namespace

void populateBatching(RewritePatternSet &rules) {
  populateWithGenerated(rules);
  rules.add<BatchPointwise, BatchConcat, WriteDiagonal>(rules.getContext());
}

} // namespace gradus::graph
