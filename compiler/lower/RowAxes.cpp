#include "compiler/lower/RowAxes.h"

namespace gradus::lower {
using namespace mlir;

bool isBuffer(Value value) { return isa<MemRefType>(value.getType()); }

Value baseOf(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

bool reads(linalg::GenericOp op, Value buffer) {
  return llvm::any_of(op->getOpOperands(), [&](OpOperand &operand) {
    return isBuffer(operand.get()) && baseOf(operand.get()) == baseOf(buffer) &&
           op.payloadUsesValueFromOperand(&operand);
  });
}

bool writes(linalg::GenericOp op, Value buffer) {
  return llvm::any_of(op.getDpsInits(), [&](Value result) {
    return baseOf(result) == baseOf(buffer);
  });
}

bool conflict(linalg::GenericOp a, linalg::GenericOp b) {
  auto meets = [](linalg::GenericOp writer, linalg::GenericOp other) {
    return llvm::any_of(writer.getDpsInits(), [&](Value buffer) {
      return reads(other, buffer) || writes(other, buffer);
    });
  };
  return meets(a, b) || meets(b, a);
}

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

static Axis axisOf(Value buffer, int64_t number) {
  return {buffer.getAsOpaquePointer(), number};
}

static Axis axisOf(Operation *op, int64_t number) { return {op, number}; }

RowAxes::RowAxes(ArrayRef<linalg::GenericOp> ops) : ops(ops) {
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

Axis RowAxes::leaderOf(Axis axis) const {
  auto leader = classes.findLeader(axis);
  return leader == classes.member_end() ? axis : *leader;
}

Axis RowAxes::classOf(Operation *op, int64_t loop) const {
  return leaderOf(axisOf(op, loop));
}

SmallVector<int64_t> RowAxes::loopsIn(linalg::GenericOp op, Axis row) const {
  SmallVector<int64_t> loops;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    if (leaderOf(axisOf(op, loop)) == row)
      loops.push_back(loop);
  return loops;
}

SmallVector<int64_t> RowAxes::axesIn(Value buffer, Axis row) const {
  SmallVector<int64_t> axes;
  int64_t rank = cast<MemRefType>(buffer.getType()).getRank();
  for (int64_t axis = 0; axis < rank; ++axis)
    if (leaderOf(axisOf(buffer, axis)) == row)
      axes.push_back(axis);
  return axes;
}

bool RowAxes::hasAll(Value buffer, ArrayRef<Axis> rows) const {
  return llvm::all_of(rows,
                      [&](Axis row) { return !axesIn(buffer, row).empty(); });
}

bool RowAxes::isRow(Axis row) const {
  if (llvm::any_of(bound, [&](Axis axis) { return leaderOf(axis) == row; }))
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

} // namespace gradus::lower
