// See Batch.h.
#include "compiler/differentiate/Batch.h"
#include "compiler/differentiate/Differentiate.h"
#include "dialect/Batching.h"
#include "dialect/Costs.h"
#include "dialect/Duals.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace gradus::differentiate {

#define GEN_PASS_DEF_BATCHROWS
#include "compiler/differentiate/Passes.h.inc"

static RankedTensorType tensorOf(Value x) {
  return cast<RankedTensorType>(x.getType());
}

static Value reshaped(OpBuilder &builder, Location loc, Value x,
                      ArrayRef<int64_t> shape) {
  if (tensorOf(x).getShape() == shape)
    return x;
  return graph::ReshapeOp::create(builder, loc, x, shape);
}

//===-- Jacobians ---------------------------------------------------------===//

/// The derivatives by `x` as rows of a jvp, of which the axes of x are in
/// front.
static Value byColumns(OpBuilder &builder, graph::JacobianOp jacobian,
                       unsigned place) {
  Location loc = jacobian.getLoc();
  Value x = jacobian.getWrt()[place], y = jacobian.getY();
  Value seed = graph::SeedOp::create(builder, loc, x.getType());
  auto pushed = graph::JvpOp::create(builder, loc, y, x, seed);
  if (auto names = jacobian->getAttrOfType<ArrayAttr>(
          graph::GraphDialect::namesAttrName))
    pushed->setAttr(graph::GraphDialect::namesAttrName,
                    builder.getArrayAttr({names[0], names[1 + place]}));
  auto rows = graph::RowsOp::create(builder, loc, seed, pushed.getTangents());
  int64_t ofX = tensorOf(x).getRank(), ofY = tensorOf(y).getRank();
  SmallVector<int64_t> permutation;
  for (int64_t axis = 0; axis < ofX + ofY; ++axis)
    permutation.push_back((axis + ofX) % (ofX + ofY));
  return graph::TransposeOp::create(builder, loc, rows.getAll().front(),
                                    permutation);
}

/// Metadata: the code, the names of y and x, how many numbers, their bytes, the
/// budget.
static LogicalResult refuseSize(graph::JacobianOp jacobian, unsigned place,
                                int64_t bytes, int64_t budget) {
  int64_t numbers = tensorOf(jacobian.getJacobians()[place]).getNumElements();
  auto names =
      jacobian->getAttrOfType<ArrayAttr>(graph::GraphDialect::namesAttrName);
  auto name = [&](unsigned i) {
    return names ? cast<StringAttr>(names[i]).str() : std::string("?");
  };
  InFlightDiagnostic error = jacobian->emitError("a result of ")
                             << bytes << " bytes is above the budget of "
                             << budget;
  for (const std::string &part :
       {std::string("E0515"), name(0), name(1 + place), std::to_string(numbers),
        std::to_string(bytes), std::to_string(budget)})
    error.getUnderlyingDiagnostic()->getMetadata().emplace_back(
        StringAttr::get(jacobian->getContext(), part));
  return error;
}

LogicalResult expandJacobian(graph::JacobianOp jacobian, int64_t budget) {
  OpBuilder builder(jacobian);
  Location loc = jacobian.getLoc();
  for (auto [place, result] : llvm::enumerate(jacobian.getJacobians()))
    if (int64_t bytes = graph::bytesOf(result.getType()); bytes > budget)
      return refuseSize(jacobian, place, bytes, budget);
  int64_t inputs = 0;
  for (Value x : jacobian.getWrt())
    inputs += tensorOf(x).getNumElements();
  int64_t outputs = tensorOf(jacobian.getY()).getNumElements();
  if (inputs < outputs) {
    SmallVector<Value> results;
    for (unsigned place = 0; place < jacobian.getWrt().size(); ++place)
      results.push_back(byColumns(builder, jacobian, place));
    jacobian.replaceAllUsesWith(results);
  } else {
    Value y = jacobian.getY();
    Value seed = graph::SeedOp::create(builder, loc, y.getType());
    auto pulled =
        graph::VjpOp::create(builder, loc, y, seed, jacobian.getWrt());
    pulled->setDiscardableAttrs(jacobian->getDiscardableAttrDictionary());
    auto rows =
        graph::RowsOp::create(builder, loc, seed, pulled.getCotangents());
    jacobian.replaceAllUsesWith(rows.getAll());
  }
  jacobian.erase();
  return success();
}

//===-- Batching ----------------------------------------------------------===//

namespace {

/// The rows of one op in the making.
class Batch {
public:
  Batch(graph::RowsOp rows, const FrozenRewritePatternSet &rules,
        int64_t budget)
      : rows(rows), rules(rules), budget(budget), builder(rows),
        loc(rows.getLoc()), type(tensorOf(rows.getSeed())) {}

  /// Replaces the op; false if what it reads is not plain graph yet.
  bool run();

private:
  std::optional<SmallVector<Value>> allAtOnce();
  SmallVector<Value> inBlocks(int64_t length);
  std::optional<SmallVector<Value>> batched(ArrayRef<Operation *> slice,
                                            ValueRange values, Value row,
                                            int64_t count, IRMapping &mapping);
  SmallVector<Value> cloned(ArrayRef<Operation *> slice, ValueRange values,
                            IRMapping &mapping);
  Value identityRows(Value counter, int64_t length);

  graph::RowsOp rows;
  const FrozenRewritePatternSet &rules;
  int64_t budget;
  OpBuilder builder;
  Location loc;
  /// Of the seed.
  RankedTensorType type;
};

} // namespace

/// What `values` are computed by, behind `seed` and from it on, in order.
static SmallVector<Operation *> sliceOf(Value seed, ValueRange values) {
  DenseSet<Operation *> needed;
  SmallVector<Value> pending(values);
  Block *block = seed.getParentBlock();
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val().getDefiningOp();
    if (op && op->getBlock() == block && needed.insert(op).second)
      llvm::append_range(pending, op->getOperands());
  }
  DenseSet<Value> dependent{seed};
  SmallVector<Operation *> slice;
  for (Operation *op = seed.getDefiningOp()->getNextNode(); op;
       op = op->getNextNode())
    if (needed.contains(op) && llvm::any_of(op->getOperands(), [&](Value v) {
          return dependent.contains(v);
        })) {
      slice.push_back(op);
      dependent.insert_range(op->getResults());
    }
  return slice;
}

/// The most bytes that results of `ops`, which stand in this order, have at a
/// time; those that others read live on.
static int64_t peakBytes(ArrayRef<Operation *> ops) {
  DenseSet<Operation *> inside(llvm::from_range, ops);
  DenseMap<Operation *, int64_t> freedAt;
  for (Operation *op : ops)
    for (Value result : op->getResults()) {
      Operation *end = nullptr;
      for (Operation *user : result.getUsers()) {
        if (!inside.contains(user)) {
          end = nullptr;
          break;
        }
        if (!end || end->isBeforeInBlock(user))
          end = user;
      }
      if (end)
        freedAt[end] += graph::bytesOf(result.getType());
    }
  int64_t bytes = 0, peak = 0;
  for (Operation *op : ops) {
    for (Value result : op->getResults())
      bytes += graph::bytesOf(result.getType());
    peak = std::max(peak, bytes);
    bytes -= freedAt.lookup(op);
  }
  return peak;
}

static bool isRow(Operation *op) {
  return isa_and_nonnull<graph::EachOp, graph::DiagonalOp>(op);
}

SmallVector<Value> Batch::cloned(ArrayRef<Operation *> slice, ValueRange values,
                                 IRMapping &mapping) {
  for (Operation *op : slice)
    builder.clone(*op, mapping);
  return llvm::map_to_vector(
      values, [&](Value value) { return mapping.lookupOrDefault(value); });
}

/// All `count` rows of `values`, computed by copies of `slice` when `mapping`
/// gives their operands; nothing if one of the ops has no rule.
std::optional<SmallVector<Value>> Batch::batched(ArrayRef<Operation *> slice,
                                                 ValueRange values, Value row,
                                                 int64_t count,
                                                 IRMapping &mapping) {
  SmallVector<Value> copies = cloned(slice, values, mapping);
  SmallVector<Operation *> clones = llvm::map_to_vector(
      slice, [&](Operation *op) { return mapping.lookup(op); });
  // Holds the values while rules replace what computes them.
  auto holder = graph::RowsOp::create(builder, loc, row, copies);
  GreedyRewriteConfig config;
  config.enableFolding(false).enableConstantCSE(false).setStrictness(
      GreedyRewriteStrictness::ExistingAndNewOps);
  for (Operation *clone : clones)
    (void)applyOpPatternsGreedily(clone, rules, config);

  bool isComplete = true;
  for (Operation *op = row.getDefiningOp(); op != holder;
       op = op->getNextNode())
    isComplete &= llvm::none_of(op->getOperands(), [](Value operand) {
      return isRow(operand.getDefiningOp());
    });
  SmallVector<Value> found;
  for (Value value : holder.getValues()) {
    if (auto each = value.getDefiningOp<graph::EachOp>())
      found.push_back(each.getX());
    else if (auto diagonal = value.getDefiningOp<graph::DiagonalOp>())
      found.push_back(graph::rowsOfDiagonal(builder, diagonal));
    else
      found.push_back(graph::BroadcastOp::create(
          builder, loc, value, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{count}));
  }
  holder.erase();
  return isComplete ? std::optional(found) : std::nullopt;
}

/// One axis of the seed after the other, from the last: along all of them the
/// seed is a diagonal of ones.
std::optional<SmallVector<Value>> Batch::allAtOnce() {
  Value seed = rows.getSeed();
  SmallVector<Value> values(rows.getValues());
  if (type.getRank() == 0) {
    IRMapping mapping;
    mapping.map(seed, graph::fillLike(builder, loc, seed, 1));
    return cloned(sliceOf(seed, values), values, mapping);
  }
  for (int64_t axis = type.getRank() - 1; axis >= 0; --axis) {
    Value outer = axis == 0 ? graph::fillLike(builder, loc, seed, 1)
                            : graph::SeedOp::create(builder, loc, type);
    Value row = graph::DiagonalOp::create(
        builder, loc, outer, axis, ArrayRef<int64_t>{0, type.getDimSize(axis)});
    IRMapping mapping;
    mapping.map(seed, row);
    auto found = batched(sliceOf(seed, values), values, row,
                         type.getDimSize(axis), mapping);
    if (!found)
      return std::nullopt;
    values = *found;
    seed = outer;
  }
  return values;
}

/// Rows `counter * length` and following of the identity, as long as there are
/// such, then zeros: of the shape of the seed, behind an axis of that length.
Value Batch::identityRows(Value counter, int64_t length) {
  int64_t count = type.getNumElements();
  auto along = [&](Value indices, int64_t newAxis, int64_t size) -> Value {
    return graph::BroadcastOp::create(builder, loc, indices,
                                      ArrayRef<int64_t>{newAxis},
                                      ArrayRef<int64_t>{size});
  };
  auto upTo = [&](int64_t size) -> Value {
    return graph::IotaOp::create(builder, loc, size, builder.getI32Type());
  };
  Value first = graph::WholeOp::create(
      builder, loc, graph::Arithmetic::mul, counter,
      graph::fillLike(builder, loc, counter, static_cast<double>(length)));
  Value places = graph::WholeOp::create(builder, loc, graph::Arithmetic::add,
                                        upTo(length), along(first, 0, length));
  Value isThere = graph::CompareOp::create(builder, loc, graph::Predicate::eq,
                                           along(places, 1, count),
                                           along(upTo(count), 0, length));
  Value identity =
      graph::ConvertOp::create(builder, loc, isThere, type.getElementType());
  SmallVector<int64_t> shape{length};
  llvm::append_range(shape, type.getShape());
  return reshaped(builder, loc, identity, shape);
}

/// A loop over blocks of `length` rows; one row at a time if some op among them
/// has no rule.
SmallVector<Value> Batch::inBlocks(int64_t length) {
  int64_t count = type.getNumElements();
  int64_t blocks = llvm::divideCeil(count, length);
  SmallVector<Operation *> slice = sliceOf(rows.getSeed(), rows.getValues());
  llvm::SetVector<Value> captured;
  DenseSet<Value> inside{rows.getSeed()};
  auto capture = [&](ValueRange operands) {
    for (Value operand : operands)
      if (!inside.contains(operand))
        captured.insert(operand);
  };
  for (Operation *op : slice) {
    capture(op->getOperands());
    inside.insert_range(op->getResults());
  }
  capture(rows.getValues());

  graph::LoopOperands operands;
  operands.with = llvm::to_vector(captured);
  graph::LoopOp loop =
      graph::beginLoop(builder, loc, blocks, /*reverse=*/false, operands);
  SmallVector<Value> stacked;
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&loop.getBody().front());
    IRMapping mapping;
    mapping.map(operands.with, loop.withArguments());
    Value seeds = identityRows(loop.counter(), length);
    if (length == 1) {
      mapping.map(rows.getSeed(),
                  reshaped(builder, loc, seeds, type.getShape()));
      for (Value value : cloned(slice, rows.getValues(), mapping)) {
        SmallVector<int64_t> shape{1};
        llvm::append_range(shape, tensorOf(value).getShape());
        stacked.push_back(reshaped(builder, loc, value, shape));
      }
    } else {
      Value row = graph::EachOp::create(builder, loc, seeds);
      mapping.map(rows.getSeed(), row);
      stacked = *batched(slice, rows.getValues(), row, length, mapping);
    }
  }
  loop = graph::finishLoop(loop, {}, stacked);

  SmallVector<Value> results;
  for (auto [stack, value] : llvm::zip_equal(loop.stacks(), rows.getValues())) {
    SmallVector<int64_t> shape{blocks * length};
    llvm::append_range(shape, tensorOf(value).getShape());
    Value all = reshaped(builder, loc, stack, shape);
    if (blocks * length > count) {
      SmallVector<int64_t> offsets(shape.size());
      shape[0] = count;
      all = graph::SliceOp::create(builder, loc, all, offsets, shape);
    }
    results.push_back(all);
  }
  return results;
}

bool Batch::run() {
  SmallVector<Operation *> slice = sliceOf(rows.getSeed(), rows.getValues());
  if (llvm::any_of(slice, isUnfinished))
    return false;
  Operation *before = rows->getPrevNode();
  auto found = allAtOnce();
  // What has been written, without what was only on the way.
  SmallVector<Operation *> written;
  for (Operation *op = rows->getPrevNode(); op != before;) {
    Operation *previous = op->getPrevNode();
    bool isRead = found && llvm::any_of(op->getResults(), [&](Value result) {
                    return llvm::is_contained(*found, result);
                  });
    if (op->use_empty() && !isRead)
      op->erase();
    else
      written.push_back(op);
    op = previous;
  }
  std::ranges::reverse(written);
  if (!found) {
    found = inBlocks(1);
  } else if (peakBytes(written) > budget) {
    for (Operation *op : llvm::reverse(written))
      op->erase();
    int64_t ofRow = std::max<int64_t>(peakBytes(slice), 1);
    found =
        inBlocks(std::clamp<int64_t>(budget / ofRow, 1, type.getNumElements()));
  }
  for (auto [all, rowsOfValue] : llvm::zip_equal(rows.getAll(), *found))
    all.replaceAllUsesWith(
        reshaped(builder, loc, rowsOfValue, tensorOf(all).getShape()));
  rows.erase();
  return true;
}

int batchRows(ModuleOp module, int64_t budget) {
  RewritePatternSet patterns(module.getContext());
  graph::populateBatching(patterns);
  FrozenRewritePatternSet rules(std::move(patterns));
  SmallVector<graph::RowsOp> pending;
  module.walk([&](graph::RowsOp rows) { pending.push_back(rows); });
  int done = 0;
  for (graph::RowsOp rows : pending)
    done += Batch(rows, rules, budget).run();
  return done;
}

namespace {
struct BatchRows : impl::BatchRowsBase<BatchRows> {
  using impl::BatchRowsBase<BatchRows>::BatchRowsBase;

  void runOnOperation() override { batchRows(getOperation(), budget); }
};
} // namespace

} // namespace gradus::differentiate
