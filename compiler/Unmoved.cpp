// See Unmoved.h.
#include "compiler/Unmoved.h"

#include "compiler/DiagnosticKinds.h"
#include "compiler/construct/GraphFunction.h"
#include "dialect/Loops.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

#include <set>

using namespace mlir;

namespace gradus {

namespace {

/// Which values are zero, in a graph where 0 x is 0 for every x.
class Zeros {
public:
  bool isZero(Value value) {
    if (auto known = zeros.find(value); known != zeros.end())
      return known->second;
    bool zero = compute(value);
    return zeros[value] = zero;
  }

private:
  bool compute(Value value) {
    if (!graph::isReal(value))
      return false;
    Operation *op = value.getDefiningOp();
    if (!op)
      return isZeroInLoop(cast<BlockArgument>(value));
    if (auto loop = dyn_cast<graph::LoopOp>(op))
      return isZeroOfLoop(loop, cast<OpResult>(value).getResultNumber());
    SplatElementsAttr splat;
    if (matchPattern(value, m_Constant(&splat)))
      return splat.getSplatValue<APFloat>().isZero();
    auto isZeroHere = [&](Value x) { return isZero(x); };
    if (isa<graph::MulOp, graph::StrongMulOp, graph::EinsumOp>(op))
      return llvm::any_of(op->getOperands(), isZeroHere);
    if (isa<graph::DivOp>(op))
      return isZero(op->getOperand(0));
    if (isa<graph::SubOp>(op) && op->getOperand(0) == op->getOperand(1))
      return true;
    if (auto select = dyn_cast<graph::SelectOp>(op))
      return isZero(select.getA()) && isZero(select.getB());
    if (isa<graph::NegOp, graph::AddOp, graph::SubOp, graph::BroadcastOp,
            graph::SumOp, graph::ReshapeOp, graph::TransposeOp, graph::SliceOp,
            graph::PadOp, graph::ConcatOp, graph::ConvertOp, graph::UnfoldOp,
            graph::FoldOp>(op))
      return llvm::all_of(op->getOperands(), isZeroHere);
    if (isa<graph::GatherOp, graph::ScatterAddOp>(op))
      return isZero(op->getOperand(0));
    return false;
  }

  /// Of an argument of a body: what all rounds read is what is outside.
  bool isZeroInLoop(BlockArgument argument) {
    auto loop = dyn_cast<graph::LoopOp>(argument.getOwner()->getParentOp());
    return loop && argument.getArgNumber() > loop.getCarried().size() &&
           isZero(loop->getOperand(argument.getArgNumber() - 1));
  }
  /// What is carried is zero if it starts as zero and a round leaves it so.
  bool isZeroOfLoop(graph::LoopOp loop, unsigned number) {
    if (number >= loop.getCarried().size())
      return isZero(loop.stacked()[number - loop.getCarried().size()]);
    if (!isZero(loop.getCarried()[number]))
      return false;
    Zeros round;
    round.zeros[loop.carriedArguments()[number]] = true;
    return round.isZero(loop.carriedOn()[number]);
  }

  DenseMap<Value, bool> zeros;
};

} // namespace

/// The parameter that `value` updates to itself.
static bool isUnchanged(Value value, Value parameter, Zeros &zeros) {
  if (value == parameter)
    return true;
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (auto select = dyn_cast<graph::SelectOp>(op))
    return isUnchanged(select.getA(), parameter, zeros) &&
           isUnchanged(select.getB(), parameter, zeros);
  if (!isa<graph::AddOp, graph::SubOp>(op))
    return false;
  Value a = op->getOperand(0), b = op->getOperand(1);
  return (zeros.isZero(b) && isUnchanged(a, parameter, zeros)) ||
         (isa<graph::AddOp>(op) && zeros.isZero(a) &&
          isUnchanged(b, parameter, zeros));
}

/// Calls `visit` with the results of a function and what they are of the space
/// `space`, as in `param/w`.
static void
forEachIn(func::FuncOp function, StringRef space,
          llvm::function_ref<void(StringRef name, Value value)> visit) {
  Operation *end = function.front().getTerminator();
  for (auto [i, value] : llvm::enumerate(end->getOperands())) {
    auto name =
        function.getResultAttrOfType<StringAttr>(i, construct::nameAttr);
    StringRef text = name ? name.getValue() : "";
    if (text.consume_front(space))
      visit(text, value);
  }
}

/// The `backward` of a call, where it gives zero for the operand of this number
/// among the real ones.
static bool hasZeroBackward(graph::CustomOp call, unsigned operand) {
  auto backward = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      call, call.getBackwardAttr());
  Operation *end = backward.front().getTerminator();
  Zeros zeros;
  return operand < end->getNumOperands() &&
         zeros.isZero(end->getOperand(operand));
}

/// What ends the derivative of `parameter` on its ways through `body`.
static std::vector<std::pair<Range, std::string>>
blocksOf(Value parameter, const Places &places) {
  std::vector<std::pair<Range, std::string>> found;
  Zeros zeros;
  SmallVector<Value> open{parameter};
  DenseSet<Value> seen{parameter};
  auto push = [&](Value value) {
    if (graph::isReal(value) && seen.insert(value).second)
      open.push_back(value);
  };
  auto follow = [&](Operation *op, unsigned operand) {
    if (auto loop = dyn_cast<graph::LoopOp>(op);
        loop && !(loop.getWhen() && operand + 1 == op->getNumOperands()))
      push(loop.getBody().front().getArgument(operand + 1));
    llvm::for_each(op->getResults(), push);
  };
  while (!open.empty()) {
    Value value = open.pop_back_val();
    for (OpOperand &use : value.getUses()) {
      Operation *op = use.getOwner();
      unsigned number = 0;
      for (Value operand : op->getOperands().take_front(use.getOperandNumber()))
        number += graph::isReal(operand);
      auto call = dyn_cast<graph::CustomOp>(op);
      if (isa<graph::MulOp, graph::EinsumOp>(op) &&
          zeros.isZero(op->getOperand(1 - use.getOperandNumber())))
        found.emplace_back(places.range(op->getLoc()), "times zero");
      else if (call && hasZeroBackward(call, number))
        found.emplace_back(places.range(op->getLoc()),
                           "its `backward` is zero");
      else
        follow(op, use.getOperandNumber());
    }
  }
  return found;
}

Blocks findBlocks(ModuleOp checks, const Places &places) {
  Blocks blocks;
  for (auto function : checks.getOps<func::FuncOp>())
    if (function.isPublic())
      for (BlockArgument argument : function.getArguments()) {
        StringRef name = function
                             .getArgAttrOfType<StringAttr>(
                                 argument.getArgNumber(), construct::nameAttr)
                             .getValue();
        if (name.consume_front("param/"))
          blocks[{function.getName().str(), name.str()}] =
              blocksOf(argument, places);
      }
  return blocks;
}

void warnOfUnmoved(ModuleOp gradients, ModuleOp step,
                   const std::vector<construct::CheckedDerivative> &checks,
                   const Blocks &blocks, const typed::Train &train,
                   Diagnostics &diagnostics) {
  std::set<std::string> idle;
  if (auto function = step.lookupSymbol<func::FuncOp>("step")) {
    Zeros zeros;
    forEachIn(function, "param/", [&](StringRef name, Value value) {
      for (BlockArgument argument : function.getArguments())
        if (function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                  construct::nameAttr)
                    .getValue() == ("param/" + name).str() &&
            isUnchanged(value, argument, zeros))
          idle.insert(name.str());
    });
  }
  for (const construct::CheckedDerivative &check : checks) {
    auto function = check.minimize
                        ? gradients.lookupSymbol<func::FuncOp>(check.gradient)
                        : func::FuncOp();
    if (!function)
      continue;
    const typed::Minimize &minimize = *check.minimize;
    if (train.settings.steps && minimize.every > *train.settings.steps) {
      diagnostics.warn(diag::NeverUpdates, minimize.optimizerRange,
                       minimize.every, *train.settings.steps);
      continue;
    }
    Zeros zeros;
    forEachIn(function, "gradient/", [&](StringRef name, Value value) {
      if (zeros.isZero(value)) {
        auto &warning = diagnostics.warn(diag::ZeroGradient,
                                         minimize.loss->range, name.str());
        auto known = blocks.find({check.gradient, name.str()});
        if (known == blocks.end() || known->second.empty())
          warning.note("what it contributes cancels out");
        else
          for (const auto &[range, what] : known->second)
            if (range)
              warning.label(range, what);
        warning.help(
            "if it is to stay as it is, say what is trained: `over ...`");
      } else if (idle.contains(name.str())) {
        diagnostics.warn(diag::IdleUpdate, minimize.optimizerRange, name.str());
      }
    });
  }
}

} // namespace gradus
