#include "compiler/lower/RowLoop.h"

#include "compiler/lower/Combination.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/IR/IRMapping.h"

namespace gradus::lower {
using namespace mlir;

/// What the buffers of one block may take: half of the nearest cache.
static constexpr int64_t kBlockBytes = 16 * 1024;

/// Rows whose totals are added up by themselves: at least so many, or a block
/// of a lone total, and so many parts of all rows at most.
static constexpr int64_t kRowsOfPart = 16;
static constexpr int64_t kMostParts = 32;

/// What a total that shares its loop with nothing reads at least, to have one.
static constexpr int64_t kBytesOfTotal = 128 * 1024;

static int64_t bytesOf(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return type.getNumElements() *
         llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

/// Whether an op only fills its results.
static bool isFill(linalg::GenericOp op) {
  return llvm::none_of(op.getDpsInputs(), isBuffer);
}

/// Sorts the ops into those before, in and behind a loop over the first
/// `depth` rows; false if one fits nowhere.
bool RowLoop::arrange(size_t depth) {
  ArrayRef<Axis> around = ArrayRef(rows).take_front(depth);
  before.clear();
  inside.clear();
  behind.clear();
  totals.clear();
  SmallVector<linalg::GenericOp> outside;
  for (linalg::GenericOp op : ops) {
    size_t parallel = 0, reduced = 0;
    for (Axis row : around)
      for (int64_t loop : axes.loopsIn(op, row))
        (op.getIteratorTypesArray()[loop] == utils::IteratorType::parallel
             ? parallel
             : reduced)++;
    if (parallel + reduced == 0) {
      outside.push_back(op);
      continue;
    }
    auto hasAll = [&](Value operand) { return axes.hasAll(operand, around); };
    // A contraction is not split, but repeated for each row.
    bool splits = isContraction(op) && !llvm::all_of(op.getDpsInputs(), hasAll);
    if ((parallel != depth && reduced != depth) || splits ||
        (parallel == depth && !llvm::all_of(op.getDpsInits(), hasAll)))
      return false;
    if (reduced == depth) {
      if (isContraction(op))
        return false;
      totals.push_back(op);
    }
    inside.push_back(op);
  }
  // Sums over all rows are complete behind the loop only.
  for (linalg::GenericOp op : inside)
    for (linalg::GenericOp sum : totals)
      if (llvm::any_of(sum.getDpsInits(), [&](Value total) {
            return !writes(op, total) && reads(op, total);
          }))
        return false;
  return llvm::all_of(outside,
                      [&](linalg::GenericOp op) { return placeOutside(op); });
}

bool RowLoop::placeOutside(linalg::GenericOp op) {
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

/// As many outer loops of the deepest op as all ops share, until the buffers
/// of a block are small; and how many steps of the last make a block.
bool RowLoop::choose() {
  auto deepest =
      llvm::max_element(ops, [](linalg::GenericOp a, linalg::GenericOp b) {
        return a.getNumLoops() < b.getNumLoops();
      });
  if (deepest == ops.end())
    return false;
  SmallVector<int64_t> ranges = deepest->getStaticLoopRanges();
  for (unsigned loop = 0; loop < deepest->getNumLoops(); ++loop) {
    rows.push_back(axes.classOf(*deepest, loop));
    if (!axes.isRow(rows.back()) || !arrange(rows.size()) || !isWorthwhile()) {
      rows.pop_back();
      // Heads may lie behind positions; in plain rows only outer axes count.
      if (llvm::any_of(ops, isContraction))
        continue;
      break;
    }
    sizes.push_back(ranges[loop]);
    if (isLoneTotal()) {
      // Nothing of it is read twice: a block is a part.
      block = sizes[0] / std::max<int64_t>(partsOfTotals(), 1);
      break;
    }
    int64_t each = bytesInside() / llvm::product_of(sizes);
    if (rows.size() == 1 && bytesInside() <= kBlockBytes)
      return false;
    int64_t most = std::clamp<int64_t>(kBlockBytes / std::max<int64_t>(each, 1),
                                       1, sizes.back());
    // Of about the same size, the last one, too.
    block =
        llvm::divideCeil(sizes.back(), llvm::divideCeil(sizes.back(), most));
    if (each <= kBlockBytes && !hasContraction())
      break;
  }
  return !rows.empty() && arrange(rows.size()) &&
         (!isLoneTotal() || partsOfTotals() > 1);
}

bool RowLoop::hasContraction() const {
  return llvm::any_of(inside, isContraction);
}

/// Whether one total is all that is computed inside.
bool RowLoop::isLoneTotal() const {
  return totals.size() == 1 && llvm::all_of(inside, [&](linalg::GenericOp op) {
           return op == totals[0] || isFill(op);
         });
}

/// Whether several ops share the loop, or a total of many bytes may fall into
/// parts; a contraction with fill and epilogue has a schedule of its own.
bool RowLoop::isWorthwhile() const {
  if (isLoneTotal())
    return bytesInside() >= kBytesOfTotal;
  auto computing =
      llvm::count_if(inside, [](linalg::GenericOp op) { return !isFill(op); });
  auto reducing = llvm::count_if(inside, [](linalg::GenericOp op) {
    return op.getNumReductionLoops() > 0;
  });
  return computing > 1 && (!hasContraction() || reducing > 1);
}

int64_t RowLoop::bytesInside() const {
  llvm::SetVector<Value> buffers;
  for (linalg::GenericOp op : inside)
    for (Value operand : op->getOperands())
      if (isBuffer(operand) && axes.hasAll(operand, rows))
        buffers.insert(operand);
  int64_t bytes = 0;
  for (Value buffer : buffers)
    bytes += bytesOf(buffer);
  return bytes;
}

/// Into how many equal parts up to `most` so many steps fall, and few are left:
/// 61 into 30 of two, and one.
static int64_t partsOf(int64_t steps, int64_t most) {
  int64_t parts = std::min(steps, most);
  for (int64_t fewer = parts; 2 * fewer > most; --fewer)
    if (steps % fewer < steps % parts)
      parts = fewer;
  return parts;
}

/// Into how many parts the rows fall, of which each adds up its totals by
/// itself. It depends on the shape only, so results are the same for any number
/// of threads; and what rounding loses grows with the rows of a part only.
int64_t RowLoop::partsOfTotals() const {
  if (totals.empty() || !llvm::all_of(totals, [](linalg::GenericOp op) {
        return combinationOf(op).has_value();
      }))
    return 1;
  int64_t steps = rows.size() == 1 ? sizes[0] / block : sizes[0];
  int64_t most = llvm::product_of(sizes) / kRowsOfPart;
  if (isLoneTotal()) {
    // The totals of the parts are written and read, too.
    linalg::GenericOp sum = totals[0];
    int64_t bytes = 8 * bytesOf(sum.getDpsInits()[0]);
    most = bytesInside() / std::max(kBlockBytes, bytes);
  }
  return partsOf(steps, std::min(kMostParts, most));
}

void RowLoop::emit() {
  Operation *end = body.getTerminator();
  for (linalg::GenericOp op : before)
    op->moveBefore(end);
  OpBuilder builder(end);
  shrinkBuffers(builder);
  int64_t step = rows.size() == 1 ? block : 1, rest = sizes[0] % step;
  int64_t parts = partsOfTotals(), first = 0;
  if (parts > 1) {
    first = sizes[0] / (parts * step) * (parts * step);
    openParts(builder, parts, first);
  }
  if (int64_t left = sizes[0] - rest - first) {
    Value start;
    if (first > 0)
      start = arith::ConstantIndexOp::create(
          builder, body.getParentOp()->getLoc(), first);
    openLoops(builder, {}, start, left);
  }
  if (rest > 0)
    cloneOps(builder, {builder.getIndexAttr(sizes[0] - rest)}, rest);
  for (linalg::GenericOp op : behind)
    op->moveBefore(end);
  for (linalg::GenericOp op : inside)
    op->erase();
  for (auto [old, shrunk] : shrunken)
    old.getDefiningOp()->erase();
}

/// The shape of a block of `buffer`, `steps` steps of the last loop.
SmallVector<int64_t> RowLoop::blockShape(Value buffer, int64_t steps) const {
  SmallVector<int64_t> shape(cast<MemRefType>(buffer.getType()).getShape());
  for (auto [level, row] : llvm::enumerate(rows))
    for (int64_t axis : axes.axesIn(buffer, row))
      shape[axis] = level + 1 == rows.size() ? steps : 1;
  return shape;
}

void RowLoop::shrinkBuffers(OpBuilder &builder) {
  for (auto alloc : body.getOps<memref::AllocOp>()) {
    Value buffer = alloc.getResult();
    bool isLocal = llvm::all_of(alloc->getUsers(), [&](Operation *user) {
      auto op = dyn_cast<linalg::GenericOp>(user);
      return isa<memref::DeallocOp>(user) ||
             (op && llvm::is_contained(inside, op));
    });
    if (!isLocal || !axes.hasAll(buffer, rows))
      continue;
    auto type = MemRefType::get(blockShape(buffer, block),
                                alloc.getType().getElementType());
    shrunken[buffer] = memref::AllocOp::create(builder, alloc.getLoc(), type,
                                               builder.getI64IntegerAttr(64));
    shrunken[buffer].getDefiningOp()->setAttr(kPrivate, builder.getUnitAttr());
  }
}

/// A loop over `parts` parts of the first `size` steps of the outermost loop,
/// each with totals of its own, which are added up behind it.
void RowLoop::openParts(OpBuilder &builder, int64_t parts, int64_t size) {
  Location loc = body.getParentOp()->getLoc();
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, number);
  };
  for (linalg::GenericOp op : totals) {
    Value total = op.getDpsInits()[0];
    auto type = cast<MemRefType>(total.getType());
    SmallVector<int64_t> shape{parts};
    llvm::append_range(shape, type.getShape());
    partial[total] = memref::AllocOp::create(
        builder, op.getLoc(), MemRefType::get(shape, type.getElementType()),
        builder.getI64IntegerAttr(64));
  }
  auto loop = scf::ForOp::create(builder, loc, constant(0), constant(parts),
                                 constant(1));
  loop->setAttr(kParallel, builder.getUnitAttr());
  OpBuilder inner(loop.getBody()->getTerminator());
  Value part = loop.getInductionVar();
  for (linalg::GenericOp op : totals)
    startPart(inner, op, part);
  Value steps = arith::ConstantIndexOp::create(inner, loc, size / parts);
  Value first = arith::MulIOp::create(inner, loc, part, steps);
  openLoops(inner, {}, first, size / parts);
  ofPart.clear();
  for (linalg::GenericOp op : totals)
    addParts(builder, op);
}

/// Fills the total of `op` in part `part` with what adds nothing.
void RowLoop::startPart(OpBuilder &builder, linalg::GenericOp op, Value part) {
  Value total = op.getDpsInits()[0], all = partial[total];
  auto type = cast<MemRefType>(total.getType());
  SmallVector<OpFoldResult> starts{part}, sizes{builder.getIndexAttr(1)};
  for (int64_t size : type.getShape()) {
    starts.push_back(builder.getIndexAttr(0));
    sizes.push_back(builder.getIndexAttr(size));
  }
  SmallVector<OpFoldResult> strides(starts.size(), builder.getIndexAttr(1));
  auto view = memref::SubViewOp::inferRankReducedResultType(
      type.getShape(), cast<MemRefType>(all.getType()), starts, sizes, strides);
  ofPart[total] = memref::SubViewOp::create(builder, op.getLoc(), view, all,
                                            starts, sizes, strides);
  Value neutral = arith::ConstantOp::create(builder, op.getLoc(),
                                            combinationOf(op)->neutral);
  linalg::FillOp::create(builder, op.getLoc(), neutral, ofPart[total]);
}

/// Adds the totals of all parts to that of `op`.
void RowLoop::addParts(OpBuilder &builder, linalg::GenericOp op) {
  Value total = op.getDpsInits()[0];
  linalg::ReduceOp::create(
      builder, op.getLoc(), partial[total], total, /*dimensions=*/0,
      [&](OpBuilder &inner, Location loc, ValueRange arguments) {
        Value sum =
            combine(inner, *combinationOf(op), arguments[0], arguments[1]);
        linalg::YieldOp::create(inner, loc, sum);
      });
}

/// Opens the loops over `rows` further in than `place`, the outermost of them
/// over `size` steps from `first` on, and fills the last.
void RowLoop::openLoops(OpBuilder &builder, SmallVector<OpFoldResult> place,
                        Value first, int64_t size) {
  Location loc = body.getParentOp()->getLoc();
  bool isLast = place.size() + 1 == rows.size();
  int64_t step = isLast ? block : 1, whole = size / step * step;
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, number);
  };
  auto loop = scf::ForOp::create(builder, loc, constant(0), constant(whole),
                                 constant(step));
  // A total over all rows is added to in every step.
  if (totals.empty())
    loop->setAttr(kParallel, builder.getUnitAttr());
  OpBuilder inner(loop.getBody()->getTerminator());
  Value index = loop.getInductionVar();
  if (first)
    index = arith::AddIOp::create(inner, loc, first, index);
  place.push_back(index);
  if (!isLast)
    return openLoops(inner, place, Value(), sizes[place.size()]);
  cloneOps(inner, place, block);
  if (whole == size)
    return;
  place.back() = builder.getIndexAttr(whole);
  cloneOps(builder, place, size - whole);
}

/// The ops for the `steps` rows at `place`.
void RowLoop::cloneOps(OpBuilder &builder, ArrayRef<OpFoldResult> place,
                       int64_t steps) {
  IRMapping views;
  for (linalg::GenericOp op : inside) {
    for (Value operand : op->getOperands())
      if (isBuffer(operand) && !views.contains(operand))
        views.map(operand, viewOf(builder, operand, place, steps));
    auto copy = cast<linalg::GenericOp>(builder.clone(*op, views));
    for (auto [row, start] : llvm::zip(rows, place))
      for (int64_t loop : axes.loopsIn(op, row))
        shiftIndex(copy, loop, start);
  }
}

/// Lets the body of `op` count `loop` from `start`.
void RowLoop::shiftIndex(linalg::GenericOp op, int64_t loop,
                         OpFoldResult start) {
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

Value RowLoop::viewOf(OpBuilder &builder, Value buffer,
                      ArrayRef<OpFoldResult> place, int64_t steps) {
  if (Value total = ofPart.lookup(buffer))
    return total;
  auto isRowOf = [&](Axis row) { return !axes.axesIn(buffer, row).empty(); };
  if (llvm::none_of(rows, isRowOf))
    return buffer;
  Value local = shrunken.lookup(buffer);
  if (local && steps == block)
    return local;
  SmallVector<int64_t> shape = blockShape(buffer, steps);
  SmallVector<OpFoldResult> starts(shape.size(), builder.getIndexAttr(0));
  if (!local)
    for (auto [row, start] : llvm::zip(rows, place))
      for (int64_t axis : axes.axesIn(buffer, row))
        starts[axis] = start;
  SmallVector<OpFoldResult> sizes,
      strides(shape.size(), builder.getIndexAttr(1));
  for (int64_t size : shape)
    sizes.push_back(builder.getIndexAttr(size));
  return memref::SubViewOp::create(
      builder, buffer.getLoc(), local ? local : buffer, starts, sizes, strides);
}

} // namespace gradus::lower
