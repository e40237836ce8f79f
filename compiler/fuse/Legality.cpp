// The rules behind Legality.h.
#include "compiler/fuse/Legality.h"

#include "dialect/Einsum.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace gradus::fuse {

/// More ops than this in one kernel buy nothing and cost time to compile.
static constexpr size_t kMaxOps = 256;

StringRef nameOf(Kind kind) {
  switch (kind) {
  case Kind::Contraction:
    return "contraction";
  case Kind::Rows:
    return "rows";
  case Kind::Blocks:
    return "blocks";
  case Kind::Columns:
    return "columns";
  case Kind::Scalars:
    return "scalars";
  case Kind::Loop:
    return "loop";
  case Kind::Call:
    return "call";
  }
  llvm_unreachable("a kind beyond the enumeration");
}

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

bool isElementwise(Operation *op) {
  return op->hasTrait<OpTrait::Elementwise>();
}

bool isZero(Value value) { return matchPattern(value, m_AnyZeroFloat()); }

/// Bounded: leaves are repeated for each user, and so are their operands.
static bool isLeaf(Operation *op, int depth) {
  if (op->getNumOperands() == 0)
    return !isa<graph::RoundsOp>(op);
  return depth > 0 && (isElementwise(op) || isa<graph::BroadcastOp>(op)) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return operand.getDefiningOp() &&
                  isLeaf(operand.getDefiningOp(), depth - 1);
         });
}

bool isLeaf(Operation *op) { return isLeaf(op, 3); }

bool isContraction(Operation *op) {
  auto einsum = dyn_cast<graph::EinsumOp>(op);
  return einsum && !graph::parseEinsum(einsum.getSpec())->contracted().empty();
}

bool isCall(Operation *op) {
  return isa<graph::SolveOp, graph::CholeskyOp, graph::ExternOp>(op);
}

bool isCheap(Operation *op) {
  using namespace graph;
  if (auto whole = dyn_cast<WholeOp>(op))
    return whole.getFormula() != Arithmetic::floor_div &&
           whole.getFormula() != Arithmetic::remainder;
  return isElementwise(op) &&
         !isa<ExpOp, Expm1Op, LogOp, Log1pOp, TanhOp, ErfOp, SqrtOp, SinOp,
              CosOp, AtanOp, DivOp, PowOp>(op);
}

/// A reduction of some axes.
static bool isReduction(Operation *op) {
  return isa<graph::SumOp, graph::ReduceMaxOp, graph::WholeReduceOp,
             graph::ArgmaxOp>(op);
}

bool isCarried(Operation *op) {
  if (!op->hasOneUse() && !llvm::all_equal(op->getUsers()))
    return false;
  Operation *user = op->use_empty() ? nullptr : *op->user_begin();
  if (!user || isa<graph::ReshapeOp, graph::RoundsOp, func::ReturnOp>(user))
    return false;
  if (isa<graph::UnfoldOp>(op))
    return isElementwise(user) || isContraction(user) || isReduction(user);
  return isLeaf(op) || (isa<graph::BroadcastOp>(op) &&
                        (isElementwise(user) || isCarried(user)));
}

namespace {

/// The members of a kernel to be, without its leaves: a leaf can be computed
/// anywhere and binds no loop.
class Members {
public:
  explicit Members(ArrayRef<Operation *> ops) {
    for (Operation *op : ops)
      if (!isLeaf(op))
        members.insert(op);
  }

  bool contains(Value value) const {
    return value.getDefiningOp() && members.contains(value.getDefiningOp());
  }

  ArrayRef<Operation *> ops() const { return members.getArrayRef(); }

private:
  llvm::SmallSetVector<Operation *, 16> members;
};

bool isScalar(Operation *op) { return shapeOf(op->getResult(0)).empty(); }

/// The axes that a reduction drops.
SmallVector<int64_t> reducedAxes(Operation *op) {
  return llvm::TypeSwitch<Operation *, SmallVector<int64_t>>(op)
      .Case<graph::SumOp, graph::ReduceMaxOp, graph::WholeReduceOp>(
          [](auto reduction) { return llvm::to_vector(reduction.getDims()); })
      .Case([](graph::ArgmaxOp argmax) {
        return SmallVector<int64_t>{static_cast<int64_t>(argmax.getDim())};
      })
      .Default(SmallVector<int64_t>{});
}

/// Element-wise work on the result of the one contraction `root`.
bool isEpilogue(const Members &members, Operation *root) {
  ArrayRef<int64_t> shape = shapeOf(root->getResult(0));
  for (Operation *op : members.ops()) {
    if (op == root) {
      if (llvm::any_of(op->getOperands(), [&](Value x) {
            return members.contains(x) && !x.getDefiningOp<graph::UnfoldOp>();
          }))
        return false;
      continue;
    }
    // Windows over what is stored are index maps of the root.
    if (isa<graph::UnfoldOp>(op) && !members.contains(op->getOperand(0)) &&
        llvm::all_of(op->getUsers(),
                     [&](Operation *user) { return user == root; }))
      continue;
    bool fits =
        isElementwise(op) || isa<graph::RandomOp>(op) ||
        (isa<graph::BroadcastOp>(op) && !members.contains(op->getOperand(0)));
    if (!fits || shapeOf(op->getResult(0)) != shape)
      return false;
  }
  return true;
}

/// How many leading axes both operands and the result of an einsum share.
int64_t batchAxes(graph::EinsumOp einsum) {
  graph::EinsumSpec spec = *graph::parseEinsum(einsum.getSpec());
  size_t count = 0;
  while (count < std::min({spec.a.size(), spec.b.size(), spec.y.size()}) &&
         spec.a[count] == spec.y[count] && spec.b[count] == spec.y[count])
    ++count;
  return static_cast<int64_t>(count);
}

/// How many leading (`fromFront`) or trailing axes of the result of `op` are
/// those of its operand `x`, untouched; `x` is computed in the same kernel.
int64_t untouchedAxes(Operation *op, Value x, bool fromFront) {
  int64_t rank = shapeOf(op->getResult(0)).size();
  int64_t xRank = shapeOf(x).size();
  auto beside = [&](ArrayRef<int64_t> axes, int64_t rank) {
    if (axes.empty())
      return rank;
    return fromFront ? axes.front() : rank - 1 - axes.back();
  };
  /// The run of axes for which `same` holds, from the chosen end.
  auto run = [&](llvm::function_ref<bool(int64_t)> same) {
    int64_t count = 0;
    while (count < rank && same(fromFront ? count : rank - 1 - count))
      ++count;
    return count;
  };
  if (isElementwise(op))
    return rank;
  if (isReduction(op))
    return beside(reducedAxes(op), xRank);
  return llvm::TypeSwitch<Operation *, int64_t>(op)
      .Case([&](graph::EinsumOp einsum) {
        return fromFront ? batchAxes(einsum) : 0;
      })
      .Case([&](graph::BroadcastOp broadcast) {
        return beside(broadcast.getDims(), rank);
      })
      .Case([&](graph::TransposeOp transpose) {
        return run([&](int64_t axis) {
          return transpose.getPermutation()[axis] == axis;
        });
      })
      .Case([&](graph::SliceOp slice) {
        return run([&](int64_t axis) {
          return slice.getSizes()[axis] == shapeOf(x)[axis];
        });
      })
      .Case([&](graph::PadOp pad) {
        return run([&](int64_t axis) {
          return pad.getLow()[axis] == 0 && pad.getHigh()[axis] == 0;
        });
      })
      .Case([&](graph::UnfoldOp unfold) {
        return fromFront ? unfold.getDims().front() : 0;
      })
      .Case([&](graph::FoldOp fold) {
        return fromFront ? fold.getDims().front() : 0;
      })
      .Case([&](graph::ConcatOp concat) {
        return beside({static_cast<int64_t>(concat.getDim())}, rank);
      })
      .Default([](Operation *) { return 0; });
}

/// The axes that two shapes have in common at the chosen end, at most `limit`.
int64_t commonAxes(ArrayRef<int64_t> a, ArrayRef<int64_t> b, int64_t limit,
                   bool fromFront) {
  int64_t count = 0;
  while (count < limit && count < static_cast<int64_t>(a.size()) &&
         count < static_cast<int64_t>(b.size()) &&
         (fromFront ? a[count] == b[count]
                    : a[a.size() - 1 - count] == b[b.size() - 1 - count]))
    ++count;
  return count;
}

/// Whether all members share a loop over axes at the chosen end. A number made
/// from whole rows comes behind the loop, so no row may need it. A contraction
/// is repeated in the loop, so what it reads must be of one step.
bool shareLoop(const Members &members, bool fromFront) {
  int64_t axes = std::numeric_limits<int64_t>::max();
  std::optional<ArrayRef<int64_t>> domain;
  for (Operation *op : members.ops()) {
    if (isContraction(op))
      axes =
          std::min(axes, fromFront ? batchAxes(cast<graph::EinsumOp>(op)) : 0);
    bool behind = isScalar(op);
    if (behind && !isElementwise(op) && !isReduction(op))
      return false;
    if (behind && !isReduction(op))
      continue;
    ArrayRef<int64_t> shape = shapeOf(op->getOperand(0));
    if (!behind) {
      shape = shapeOf(op->getResult(0));
      for (Value x : op->getOperands()) {
        if (!members.contains(x))
          continue;
        if (isScalar(x.getDefiningOp()))
          return false;
        axes = std::min(axes, untouchedAxes(op, x, fromFront));
      }
    }
    if (!domain)
      domain = shape;
    axes = commonAxes(*domain, shape, axes, fromFront);
    if (axes == 0)
      return false;
  }
  return true;
}

/// Whether a member reads windows, which are index maps of single
/// contractions.
bool hasWindows(const Members &members) {
  return llvm::any_of(members.ops(), [](Operation *op) {
    return isa<graph::UnfoldOp, graph::FoldOp>(op);
  });
}

} // namespace

std::optional<Kind> kindOf(ArrayRef<Operation *> ops) {
  if (llvm::any_of(ops, [](Operation *op) { return isa<graph::RoundsOp>(op); }))
    return ops.size() == 1 ? std::optional(Kind::Loop) : std::nullopt;
  Members members(ops);
  if (ops.size() > kMaxOps)
    return std::nullopt;
  if (llvm::any_of(members.ops(), isCall))
    return members.ops().size() == 1 ? std::optional(Kind::Call) : std::nullopt;
  auto root = llvm::find_if(members.ops(), isContraction);
  if (root != members.ops().end()) {
    if (isEpilogue(members, *root))
      return Kind::Contraction;
    if (hasWindows(members) || !shareLoop(members, true))
      return std::nullopt;
    return Kind::Blocks;
  }
  if (llvm::all_of(members.ops(), [](Operation *op) {
        return isScalar(op) && isElementwise(op);
      }))
    return members.ops().empty() ? Kind::Rows : Kind::Scalars;
  bool sumsColumns = llvm::any_of(members.ops(), [](Operation *op) {
    return isReduction(op) && !isScalar(op) &&
           llvm::is_contained(reducedAxes(op), 0);
  });
  bool alone = members.ops().size() == 1;
  if (sumsColumns && (alone || shareLoop(members, false)))
    return Kind::Columns;
  if (alone || shareLoop(members, true))
    return Kind::Rows;
  if (shareLoop(members, false))
    return Kind::Columns;
  return std::nullopt;
}

} // namespace gradus::fuse
