// A kernel on buffers whose ops all walk the same rows -> one loop over blocks
// of these rows around all of them: what one op writes, the next reads from the
// nearest cache, and buffers of the kernel's own shrink to a block. A row is
// what outer axes count: one example, one head of an attention.
#include "compiler/lower/Passes.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/EquivalenceClasses.h"

namespace gradus::lower {
#define GEN_PASS_DEF_TILEROWS
#include "compiler/lower/Passes.h.inc"

namespace {
using namespace mlir;

/// What the buffers of one block may take: half of the nearest cache.
constexpr int64_t kBlockBytes = 16 * 1024;

bool isBuffer(Value value) { return isa<MemRefType>(value.getType()); }

int64_t bytesOf(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return type.getNumElements() *
         llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

bool reads(linalg::GenericOp op, Value buffer) {
  return llvm::any_of(op->getOpOperands(), [&](OpOperand &operand) {
    return operand.get() == buffer && op.payloadUsesValueFromOperand(&operand);
  });
}

bool writes(linalg::GenericOp op, Value buffer) {
  return llvm::is_contained(op.getDpsInits(), buffer);
}

/// Whether swapping two ops could be noticed.
bool conflict(linalg::GenericOp a, linalg::GenericOp b) {
  auto meets = [](linalg::GenericOp writer, linalg::GenericOp other) {
    return llvm::any_of(writer.getDpsInits(), [&](Value buffer) {
      return reads(other, buffer) || writes(other, buffer);
    });
  };
  return meets(a, b) || meets(b, a);
}

/// Whether an op only fills its results.
bool isFill(linalg::GenericOp op) {
  return llvm::none_of(op.getDpsInputs(), isBuffer);
}

/// A product of matrices, whose schedule has tiles of its own: each operand has
/// a loop that is kept and that the other lacks.
bool isContraction(linalg::GenericOp op) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInputs() != 2)
    return false;
  auto hasOwn = [&](unsigned i, unsigned j) {
    AffineMap map = op.getMatchingIndexingMap(op.getDpsInputOperand(i));
    AffineMap other = op.getMatchingIndexingMap(op.getDpsInputOperand(j));
    SmallVector<unsigned> kept;
    op.getParallelDims(kept);
    return llvm::any_of(kept, [&](unsigned loop) {
      return map.isFunctionOfDim(loop) && !other.isFunctionOfDim(loop);
    });
  };
  return hasOwn(0, 1) && hasOwn(1, 0);
}

/// An axis of a buffer or a loop of an op: its owner and its number.
using Axis = std::pair<void *, int64_t>;

Axis axisOf(Value buffer, int64_t number) {
  return {buffer.getAsOpaquePointer(), number};
}

Axis axisOf(Operation *op, int64_t number) { return {op, number}; }

class RowLoop {
public:
  explicit RowLoop(Block &body) : body(body) {}

  /// Puts the loop around the ops if they share rows and need it.
  void tile() {
    if (!collect())
      return;
    connectAxes();
    chooseRows();
    if (rows.empty() || !arrange(rows.size()))
      return;
    emit();
  }

private:
  //===--- what is shared ---------------------------------------------------//

  /// The ops of the kernel; false if it does anything but compute in buffers.
  bool collect() {
    for (Operation &op : body.without_terminator()) {
      if (auto generic = dyn_cast<linalg::GenericOp>(op))
        ops.push_back(generic);
      else if (isa<memref::DeallocOp>(op))
        deallocs.push_back(&op);
      else if (isa<ViewLikeOpInterface>(op) ||
               (!isa<memref::AllocOp>(op) && !isMemoryEffectFree(&op)))
        return false;
    }
    return llvm::all_of(ops, [](linalg::GenericOp op) {
      return llvm::all_of(op->getOperands(), [](Value operand) {
        auto type = dyn_cast<MemRefType>(operand.getType());
        return !type ||
               (type.hasStaticShape() && type.getLayout().isIdentity());
      });
    });
  }

  /// Axes that are walked together form a class.
  void connectAxes() {
    for (linalg::GenericOp op : ops)
      for (OpOperand &operand : op->getOpOperands()) {
        if (!isBuffer(operand.get()))
          continue;
        AffineMap map = op.getMatchingIndexingMap(&operand);
        for (auto [number, result] : llvm::enumerate(map.getResults())) {
          Axis axis = axisOf(operand.get(), number);
          if (auto loop = dyn_cast<AffineDimExpr>(result)) {
            classes.unionSets(axis, axisOf(op, loop.getPosition()));
            continue;
          }
          // Windows and constants.
          bound.push_back(axis);
          result.walk([&](AffineExpr part) {
            if (auto loop = dyn_cast<AffineDimExpr>(part))
              bound.push_back(axisOf(op, loop.getPosition()));
          });
        }
      }
  }

  Axis classOf(Axis axis) { return classes.getOrInsertLeaderValue(axis); }

  /// The loops of `op`, or axes of a buffer, in class `row`.
  SmallVector<int64_t> loopsIn(linalg::GenericOp op, Axis row) {
    SmallVector<int64_t> loops;
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
      if (classOf(axisOf(op, loop)) == row)
        loops.push_back(loop);
    return loops;
  }

  SmallVector<int64_t> axesIn(Value buffer, Axis row) {
    SmallVector<int64_t> axes;
    int64_t rank = cast<MemRefType>(buffer.getType()).getRank();
    for (int64_t axis = 0; axis < rank; ++axis)
      if (classOf(axisOf(buffer, axis)) == row)
        axes.push_back(axis);
    return axes;
  }

  bool hasAllRows(Value buffer, size_t depth) {
    return llvm::all_of(ArrayRef(rows).take_front(depth),
                        [&](Axis row) { return !axesIn(buffer, row).empty(); });
  }

  /// Whether `row` is one loop of each op and one axis of each buffer at most,
  /// and not the one along which the buffer's elements lie: a block of a few
  /// would take lines of memory apart.
  bool isRow(Axis row) {
    if (llvm::any_of(bound, [&](Axis axis) { return classOf(axis) == row; }))
      return false;
    auto fits = [&](Value operand) {
      if (!isBuffer(operand))
        return true;
      SmallVector<int64_t> axes = axesIn(operand, row);
      int64_t rank = cast<MemRefType>(operand.getType()).getRank();
      return axes.empty() ||
             (axes.size() == 1 && (rank == 1 || axes[0] + 1 < rank));
    };
    return llvm::all_of(ops, [&](linalg::GenericOp op) {
      return loopsIn(op, row).size() <= 1 &&
             llvm::all_of(op->getOperands(), fits);
    });
  }

  /// Sorts the ops into those before, in and behind a loop over the first
  /// `depth` rows; false if one fits nowhere.
  bool arrange(size_t depth) {
    before.clear();
    inside.clear();
    behind.clear();
    addsUp = false;
    DenseSet<Value> totals;
    SmallVector<linalg::GenericOp> outside;
    for (linalg::GenericOp op : ops) {
      size_t parallel = 0, reduced = 0;
      for (Axis row : ArrayRef(rows).take_front(depth))
        for (int64_t loop : loopsIn(op, row))
          (op.getIteratorTypesArray()[loop] == utils::IteratorType::parallel
               ? parallel
               : reduced)++;
      if (parallel + reduced == 0) {
        outside.push_back(op);
        continue;
      }
      // A contraction is not split, but repeated for each row.
      bool splits = isContraction(op) &&
                    !llvm::all_of(op.getDpsInputs(), [&](Value operand) {
                      return hasAllRows(operand, depth);
                    });
      if ((parallel != depth && reduced != depth) || splits ||
          (parallel == depth &&
           !llvm::all_of(op.getDpsInits(), [&](Value result) {
             return hasAllRows(result, depth);
           })))
        return false;
      if (reduced == depth) {
        if (isContraction(op))
          return false;
        totals.insert_range(op.getDpsInits());
        addsUp = true;
      }
      inside.push_back(op);
    }
    // Sums over all rows are complete behind the loop only.
    for (linalg::GenericOp op : inside)
      for (Value total : totals)
        if (!writes(op, total) && reads(op, total))
          return false;
    return llvm::all_of(outside,
                        [&](linalg::GenericOp op) { return placeOutside(op); });
  }

  bool placeOutside(linalg::GenericOp op) {
    auto isFree = [&](ArrayRef<linalg::GenericOp> others, bool earlier) {
      return llvm::none_of(others, [&](linalg::GenericOp other) {
        return other->isBeforeInBlock(op) == earlier && conflict(op, other);
      });
    };
    if (isFree(inside, true) && isFree(behind, true)) {
      before.push_back(op);
      return true;
    }
    behind.push_back(op);
    return isFree(inside, false);
  }

  //===--- how much at once -------------------------------------------------//

  /// As many outer loops of the deepest op as all ops share, until the buffers
  /// of a block are small; and how many steps of the last make a block.
  void chooseRows() {
    auto deepest =
        llvm::max_element(ops, [](linalg::GenericOp a, linalg::GenericOp b) {
          return a.getNumLoops() < b.getNumLoops();
        });
    if (deepest == ops.end())
      return;
    SmallVector<int64_t> ranges = deepest->getStaticLoopRanges();
    for (unsigned loop = 0; loop < deepest->getNumLoops(); ++loop) {
      rows.push_back(classOf(axisOf(*deepest, loop)));
      if (!isRow(rows.back()) || !arrange(rows.size()) || !isWorthwhile()) {
        rows.pop_back();
        // Heads may lie behind positions; in plain rows only outer axes count.
        if (llvm::any_of(ops, isContraction))
          continue;
        return;
      }
      sizes.push_back(ranges[loop]);
      int64_t each = bytesInside() / llvm::product_of(sizes);
      if (rows.size() == 1 && bytesInside() <= kBlockBytes) {
        rows.clear();
        return;
      }
      block = std::clamp<int64_t>(kBlockBytes / std::max<int64_t>(each, 1), 1,
                                  sizes.back());
      if (each <= kBlockBytes && !hasContraction())
        return;
    }
  }

  bool hasContraction() const { return llvm::any_of(inside, isContraction); }

  /// Whether several ops share the loop; a contraction with fill and epilogue
  /// has a schedule of its own.
  bool isWorthwhile() const {
    auto computing = llvm::count_if(
        inside, [](linalg::GenericOp op) { return !isFill(op); });
    auto reducing = llvm::count_if(inside, [](linalg::GenericOp op) {
      return op.getNumReductionLoops() > 0;
    });
    return computing > 1 && (!hasContraction() || reducing > 1);
  }

  int64_t bytesInside() {
    llvm::SetVector<Value> buffers;
    for (linalg::GenericOp op : inside)
      for (Value operand : op->getOperands())
        if (isBuffer(operand) && hasAllRows(operand, rows.size()))
          buffers.insert(operand);
    int64_t bytes = 0;
    for (Value buffer : buffers)
      bytes += bytesOf(buffer);
    return bytes;
  }

  //===--- the loop ---------------------------------------------------------//

  void emit() {
    // Allocations and constants first, then three groups in their order.
    SmallVector<Operation *> early;
    for (Operation &op : body.without_terminator())
      if (!isa<linalg::GenericOp, memref::DeallocOp>(op))
        early.push_back(&op);
    for (Operation *op : early)
      op->moveBefore(ops.front());
    Operation *end = body.getTerminator();
    for (linalg::GenericOp op : before)
      op->moveBefore(end);
    OpBuilder builder(end);
    shrinkBuffers(builder);
    openLoops(builder, {});
    for (linalg::GenericOp op : behind)
      op->moveBefore(end);
    for (Operation *dealloc : deallocs)
      dealloc->erase();
    for (linalg::GenericOp op : inside)
      op->erase();
    for (auto [old, shrunk] : shrunken)
      old.getDefiningOp()->erase();
  }

  /// The shape of a block of `buffer` and, if `place` is not empty, where it
  /// starts.
  SmallVector<int64_t> blockShape(Value buffer, int64_t steps) {
    SmallVector<int64_t> shape(cast<MemRefType>(buffer.getType()).getShape());
    for (auto [level, row] : llvm::enumerate(rows))
      for (int64_t axis : axesIn(buffer, row))
        shape[axis] = level + 1 == rows.size() ? steps : 1;
    return shape;
  }

  /// Buffers of the kernel that only ops in the loop touch.
  void shrinkBuffers(OpBuilder &builder) {
    for (auto alloc : body.getOps<memref::AllocOp>()) {
      Value buffer = alloc.getResult();
      bool isLocal = llvm::all_of(alloc->getUsers(), [&](Operation *user) {
        auto op = dyn_cast<linalg::GenericOp>(user);
        return isa<memref::DeallocOp>(user) ||
               (op && llvm::is_contained(inside, op));
      });
      if (!isLocal || !hasAllRows(buffer, rows.size()))
        continue;
      auto type = MemRefType::get(blockShape(buffer, block),
                                  alloc.getType().getElementType());
      shrunken[buffer] = memref::AllocOp::create(builder, alloc.getLoc(), type,
                                                 builder.getI64IntegerAttr(64));
      shrunken[buffer].getDefiningOp()->setAttr(kPrivate,
                                                builder.getUnitAttr());
    }
  }

  /// Opens the loops over `rows` further in than `place` and fills the last.
  void openLoops(OpBuilder &builder, SmallVector<OpFoldResult> place) {
    Location loc = body.getParentOp()->getLoc();
    size_t level = place.size();
    bool isLast = level + 1 == rows.size();
    int64_t size = sizes[level], step = isLast ? block : 1;
    int64_t whole = size / step * step;
    auto constant = [&](int64_t number) -> Value {
      return arith::ConstantIndexOp::create(builder, loc, number);
    };
    auto loop = scf::ForOp::create(builder, loc, constant(0), constant(whole),
                                   constant(step));
    // A total over all rows is added to in every step.
    if (!addsUp)
      loop->setAttr(kParallel, builder.getUnitAttr());
    OpBuilder inner(loop.getBody()->getTerminator());
    place.push_back(loop.getInductionVar());
    if (!isLast)
      return openLoops(inner, place);
    cloneOps(inner, place, block);
    if (whole == size)
      return;
    place.back() = builder.getIndexAttr(whole);
    cloneOps(builder, place, size - whole);
  }

  /// The ops for the `steps` rows at `place`.
  void cloneOps(OpBuilder &builder, ArrayRef<OpFoldResult> place,
                int64_t steps) {
    IRMapping views;
    for (linalg::GenericOp op : inside) {
      for (Value operand : op->getOperands())
        if (isBuffer(operand) && !views.contains(operand))
          views.map(operand, viewOf(builder, operand, place, steps));
      auto copy = cast<linalg::GenericOp>(builder.clone(*op, views));
      for (auto [row, start] : llvm::zip(rows, place))
        for (int64_t loop : loopsIn(op, row))
          shiftIndex(copy, loop, start);
    }
  }

  /// Lets the body of `op` count `loop` from `start`.
  void shiftIndex(linalg::GenericOp op, int64_t loop, OpFoldResult start) {
    for (auto index :
         llvm::make_early_inc_range(op.getBlock()->getOps<linalg::IndexOp>())) {
      if (static_cast<int64_t>(index.getDim()) != loop)
        continue;
      OpBuilder outer(op), builder(index->getContext());
      Value first = getValueOrCreateConstantIndexOp(outer, op.getLoc(), start);
      builder.setInsertionPointAfter(index);
      Value sum = arith::AddIOp::create(builder, index.getLoc(), index, first);
      index.getResult().replaceAllUsesExcept(sum, sum.getDefiningOp());
    }
  }

  Value viewOf(OpBuilder &builder, Value buffer, ArrayRef<OpFoldResult> place,
               int64_t steps) {
    auto isRowOf = [&](Axis row) { return !axesIn(buffer, row).empty(); };
    if (llvm::none_of(rows, isRowOf))
      return buffer;
    Value local = shrunken.lookup(buffer);
    if (local && steps == block)
      return local;
    SmallVector<int64_t> shape = blockShape(buffer, steps);
    SmallVector<OpFoldResult> starts(shape.size(), builder.getIndexAttr(0));
    if (!local)
      for (auto [row, start] : llvm::zip(rows, place))
        for (int64_t axis : axesIn(buffer, row))
          starts[axis] = start;
    SmallVector<OpFoldResult> sizes,
        strides(shape.size(), builder.getIndexAttr(1));
    for (int64_t size : shape)
      sizes.push_back(builder.getIndexAttr(size));
    return memref::SubViewOp::create(builder, buffer.getLoc(),
                                     local ? local : buffer, starts, sizes,
                                     strides);
  }

  Block &body;
  SmallVector<linalg::GenericOp> ops;
  SmallVector<Operation *> deallocs;
  llvm::EquivalenceClasses<Axis> classes;
  /// Axes that a loop does not walk step by step.
  SmallVector<Axis> bound;
  /// The classes looped over, outermost first, their sizes, and how many steps
  /// of the last are taken at once.
  SmallVector<Axis> rows;
  SmallVector<int64_t> sizes;
  int64_t block = 1;
  /// Whether an op in the loop adds up over the rows.
  bool addsUp = false;
  SmallVector<linalg::GenericOp> before, inside, behind;
  llvm::MapVector<Value, Value> shrunken;
};

struct TileRowsPass : impl::TileRowsBase<TileRowsPass> {
  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (!kernel.isExternal() && llvm::hasSingleElement(kernel.getBody()))
      RowLoop(kernel.getBody().front()).tile();
  }
};

} // namespace
} // namespace gradus::lower
