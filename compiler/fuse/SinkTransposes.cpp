// Transpositions move down, behind what reads them, until two of them cancel or
// an einsum takes them into its index lists: a value stays in the layout in
// which it was computed (channels last behind a convolution), through
// activations, pooling and their derivatives. One pass in program order.
#include "compiler/fuse/CheaperForms.h"

#include "dialect/Duals.h"
#include "dialect/Graph.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace gradus::fuse {
namespace {

using Axes = SmallVector<int64_t>;

/// The transposition that gives `x`; none if it is in no other layout.
graph::TransposeOp transposed(Value x) {
  return x.getDefiningOp<graph::TransposeOp>();
}

int64_t rankOf(Value x) {
  return cast<RankedTensorType>(x.getType()).getRank();
}

Axes inverse(ArrayRef<int64_t> permutation) {
  Axes result(permutation.size());
  for (auto [axis, from] : llvm::enumerate(permutation))
    result[from] = axis;
  return result;
}

/// Where each of `axes` stands in ascending order.
Axes ranks(ArrayRef<int64_t> axes) {
  return llvm::map_to_vector(axes, [&](int64_t axis) -> int64_t {
    return llvm::count_if(axes, [&](int64_t other) { return other < axis; });
  });
}

/// Values that are stored in the layout of the language, as parameters and data
/// are, and only changed element by element: they stay as they are.
using Fixed = DenseSet<Value>;

class Sinking {
public:
  Sinking(Operation *op, Fixed &fixed) : op(op), fixed(fixed), builder(op) {}

  /// Replaces `op` by the same op on what its transposed operands transpose,
  /// and a transposition behind it; does nothing where none is at hand.
  void run() {
    if (op->getNumResults() != 1)
      return;
    if (op->hasTrait<OpTrait::Elementwise>())
      return elementwise();
    if (op->getNumOperands() == 0 || !transposed(op->getOperand(0)))
      return;
    x = transposed(op->getOperand(0)).getX();
    from = Axes(transposed(op->getOperand(0)).getPermutation());
    llvm::TypeSwitch<Operation *>(op)
        .Case([&](graph::TransposeOp op) { compose(op); })
        .Case([&](graph::SumOp op) {
          reduction(op.getDims(), [&](ArrayRef<int64_t> dims) -> Value {
            return graph::SumOp::create(builder, op.getLoc(), x, dims);
          });
        })
        .Case([&](graph::ReduceMaxOp op) {
          reduction(op.getDims(), [&](ArrayRef<int64_t> dims) -> Value {
            return graph::ReduceMaxOp::create(builder, op.getLoc(), x, dims);
          });
        })
        .Case([&](graph::BroadcastOp op) { broadcast(op); })
        .Case([&](graph::PadOp op) {
          replace(graph::PadOp::create(builder, op.getLoc(), x,
                                       before(op.getLow()),
                                       before(op.getHigh())),
                  from);
        })
        .Case([&](graph::SliceOp op) {
          replace(graph::SliceOp::create(builder, op.getLoc(), x,
                                         before(op.getOffsets()),
                                         before(op.getSizes())),
                  from);
        })
        .Case([&](graph::UnfoldOp op) { unfold(op); })
        .Case([&](graph::FoldOp op) { fold(op); });
  }

private:
  void replace(Value y, ArrayRef<int64_t> permutation) {
    if (!llvm::is_sorted(permutation))
      y = graph::TransposeOp::create(builder, op->getLoc(), y, permutation);
    op->replaceAllUsesWith(ValueRange(y));
    op->erase();
  }

  /// What belongs to each axis of the operand, in the order of the axes of `x`.
  Axes before(ArrayRef<int64_t> ofAxes) const {
    Axes result(ofAxes.size());
    for (auto [axis, value] : llvm::enumerate(ofAxes))
      result[from[axis]] = value;
    return result;
  }

  void compose(graph::TransposeOp op) {
    replace(x, llvm::map_to_vector(op.getPermutation(),
                                   [&](int64_t axis) { return from[axis]; }));
  }

  //===--- element by element ---------------------------------------------===//

  void elementwise() {
    graph::TransposeOp layout;
    for (Value operand : op->getOperands()) {
      if (fixed.contains(operand)) {
        fixed.insert(op->getResult(0));
        return;
      }
      if (auto candidate = transposed(operand); candidate && !layout)
        layout = candidate;
    }
    if (!layout)
      return;
    from = Axes(layout.getPermutation());
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(moved(operand));
    Operation *copy = builder.clone(*op);
    copy->setOperands(operands);
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    copy->getResult(0).setType(type.clone(before(type.getShape())));
    replace(copy->getResult(0), from);
  }

  /// `y` in the layout that `from` transposes.
  Value moved(Value y) {
    Axes back = inverse(from);
    if (auto other = transposed(y)) {
      Axes both = llvm::map_to_vector(
          back, [&](int64_t axis) { return other.getPermutation()[axis]; });
      if (llvm::is_sorted(both))
        return other.getX();
      return graph::TransposeOp::create(builder, y.getLoc(), other.getX(),
                                        both);
    }
    if (auto repeated = y.getDefiningOp<graph::BroadcastOp>()) {
      Axes dims, sizes, kept;
      for (auto [axis, old] : llvm::enumerate(back)) {
        if (!llvm::is_contained(repeated.getDims(), old)) {
          kept.push_back(old);
          continue;
        }
        dims.push_back(axis);
        sizes.push_back(cast<RankedTensorType>(y.getType()).getDimSize(old));
      }
      Value narrow = repeated.getX();
      if (!llvm::is_sorted(kept))
        narrow = graph::TransposeOp::create(builder, y.getLoc(), narrow,
                                            ranks(kept));
      return graph::BroadcastOp::create(builder, y.getLoc(), narrow, dims,
                                        sizes);
    }
    if (auto constant = y.getDefiningOp<graph::ConstantOp>())
      if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue()))
        return graph::ConstantOp::create(
            builder, y.getLoc(),
            splat.resizeSplat(
                splat.getType().clone(before(splat.getType().getShape()))));
    return graph::TransposeOp::create(builder, y.getLoc(), y, back);
  }

  //===--- axes dropped and added -----------------------------------------===//

  void reduction(ArrayRef<int64_t> dims,
                 llvm::function_ref<Value(ArrayRef<int64_t>)> create) {
    Axes reduced, kept;
    for (auto [axis, old] : llvm::enumerate(from))
      (llvm::is_contained(dims, static_cast<int64_t>(axis)) ? reduced : kept)
          .push_back(old);
    llvm::sort(reduced);
    replace(create(reduced), ranks(kept));
  }

  void broadcast(graph::BroadcastOp op) {
    int64_t rank = rankOf(op.getY());
    Axes kept, permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    for (int64_t axis = 0; axis < rank; ++axis)
      if (!llvm::is_contained(op.getDims(), axis))
        kept.push_back(axis);
    for (auto [axis, old] : llvm::enumerate(from))
      permutation[kept[axis]] = kept[old];
    replace(graph::BroadcastOp::create(builder, op.getLoc(), x, op.getDims(),
                                       op.getSizes()),
            permutation);
  }

  //===--- windows --------------------------------------------------------===//

  /// `list`, one entry for each window, in the order `order`.
  static Axes inOrder(ArrayRef<int64_t> list, ArrayRef<int64_t> order) {
    Axes result(list.size());
    for (auto [n, place] : llvm::enumerate(order))
      result[place] = list[n];
    return result;
  }

  void unfold(graph::UnfoldOp op) {
    Axes dims = llvm::map_to_vector(op.getDims(),
                                    [&](int64_t dim) { return from[dim]; });
    Axes order = ranks(dims), permutation(from);
    for (int64_t place : order)
      permutation.push_back(rankOf(x) + place);
    replace(graph::UnfoldOp::create(
                builder, op.getLoc(), x, inOrder(dims, order),
                inOrder(op.getSizes(), order), inOrder(op.getStrides(), order),
                inOrder(op.getDilations(), order)),
            permutation);
  }

  /// Only where the taps are the last axes of `x` in the order of the windows.
  void fold(graph::FoldOp op) {
    int64_t rank = rankOf(op.getY());
    Axes dims = llvm::map_to_vector(op.getDims(),
                                    [&](int64_t dim) { return from[dim]; });
    Axes order = ranks(dims);
    for (auto [n, place] : llvm::enumerate(order))
      if (from[rank + n] != rank + place)
        return;
    replace(graph::FoldOp::create(builder, op.getLoc(), x, inOrder(dims, order),
                                  inOrder(op.getExtents(), order),
                                  inOrder(op.getStrides(), order),
                                  inOrder(op.getDilations(), order)),
            ArrayRef(from).take_front(rank));
  }

  Operation *op;
  Fixed &fixed;
  OpBuilder builder;
  /// The operand is `x` transposed by `from`.
  Value x;
  Axes from;
};

} // namespace

void sinkTransposes(Block &body) {
  Fixed fixed;
  for (Value argument : body.getArguments())
    fixed.insert(argument);
  for (Operation &op : llvm::make_early_inc_range(body.without_terminator()))
    Sinking(&op, fixed).run();
}

} // namespace gradus::fuse
