// Takes graph.gradient, graph.vjp and graph.jvp, gives the reverse walk over
// their active slice: pullbacks in reverse order of the forward ops, and an add
// for each further use of a value. It knows no op by name but loops, which it
// asks to keep what their pullback needs. A jvp is the transpose of a vjp.
#include "compiler/differentiate/Batch.h"
#include "compiler/differentiate/Checkpoint.h"
#include "compiler/differentiate/Differentiate.h"
#include "dialect/Duals.h"
#include "dialect/Loops.h"
#include "dialect/Origins.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace gradus::differentiate {

#define GEN_PASS_DEF_EXPANDGRADIENTS
#include "compiler/differentiate/Passes.h.inc"

/// On a vjp of values that are linear in what it is taken by: what loops carry
/// is not read on the way back.
static constexpr llvm::StringLiteral linearAttrName = "graph.linear";

namespace {

/// The cotangent gathered for a value so far.
struct Cotangent {
  Value value;
  /// Whether a part of it comes from a mask.
  bool masked = false;
};

/// The reverse walk for one gradient or vjp.
class ReverseWalk {
public:
  ReverseWalk(graph::Derivative derivative, int64_t budget)
      : derivative(derivative), builder(derivative), budget(budget) {}

  /// Writes the walk and replaces the derivative by its cotangents.
  LogicalResult run();

private:
  /// The ops on a path from a `wrt` value to y, last first.
  SmallVector<Operation *> activeOps();
  /// The active loops keep what their pullbacks need.
  void prepareLoops();
  void seed();
  LogicalResult pullBack(Operation *op, ArrayRef<Value> dy, bool masked);
  void accumulate(Value x, Value dx, bool masked);
  LogicalResult requireNonzero(ArrayRef<Value> gradients);
  LogicalResult refuseZero(StringRef y, StringRef x);
  LogicalResult refuseNonlinear(Operation *op, StringAttr function);
  LogicalResult refuseUnknown(graph::ExternOp call);

  ValueRange ys() { return derivative.getYs(); }
  ValueRange wrt() { return derivative.getWrt(); }

  graph::Derivative derivative;
  OpBuilder builder;
  int64_t budget;
  DenseMap<Value, Cotangent> cotangents;
};

} // namespace

SmallVector<Operation *> ReverseWalk::activeOps() {
  // Forward: what depends on a wrt value through real values.
  DenseSet<Value> depends;
  depends.insert_range(wrt());
  SmallVector<Operation *> forward;
  for (Operation &op : derivative->getBlock()->without_terminator()) {
    if (&op == derivative)
      break;
    if (llvm::none_of(op.getOperands(), [&](Value operand) {
          return graph::isReal(operand) && depends.contains(operand);
        }))
      continue;
    forward.push_back(&op);
    depends.insert_range(op.getResults());
  }

  // Backward: of these, what y depends on.
  SmallVector<Operation *> active;
  DenseSet<Value> needed;
  needed.insert_range(ys());
  for (Operation *op : llvm::reverse(forward)) {
    if (llvm::none_of(op->getResults(),
                      [&](Value result) { return needed.contains(result); }))
      continue;
    active.push_back(op);
    needed.insert_range(op->getOperands());
  }
  return active;
}

void ReverseWalk::accumulate(Value x, Value dx, bool masked) {
  Cotangent &sum = cotangents[x];
  sum.masked |= masked;
  if (sum.value)
    sum.value = graph::AddOp::create(builder, dx.getLoc(), sum.value, dx);
  else
    sum.value = dx;
}

LogicalResult ReverseWalk::pullBack(Operation *op, ArrayRef<Value> dy,
                                    bool isMasked) {
  bool masked = isMasked || op->hasTrait<graph::Masking>();

  if (auto rule = dyn_cast<graph::Differentiable>(op)) {
    masked |= rule.masksCotangents();
    SmallVector<Value> gradients = rule.pullback(builder, dy, masked);
    for (auto [x, dx] : llvm::zip_equal(op->getOperands(), gradients))
      if (dx)
        accumulate(x, dx, masked);
    return success();
  }

  SmallVector<Value> operands;
  llvm::copy_if(op->getOperands(), std::back_inserter(operands), graph::isReal);
  OperationState state(graph::marked(op->getLoc(), graph::derivativeMark),
                       "graph.pullback" + std::to_string(operands.size()));
  if (!state.name.isRegistered())
    return op->emitError("cannot differentiate an operation of ")
           << operands.size() << " operands";
  state.addOperands({dy[0], op->getResult(0)});
  state.addTypes(ValueRange(operands).getTypes());
  // A strong_mul that is still one has a masked operand: its own pullback keeps
  // the strength whatever its cotangent.
  if (isMasked || isa<graph::StrongMulOp>(op))
    state.addAttribute(graph::GraphDialect::maskedAttrName,
                       builder.getUnitAttr());
  Operation *pullback = builder.create(state);
  for (auto [x, dx] : llvm::zip_equal(operands, pullback->getResults()))
    accumulate(x, dx, masked);
  return success();
}

LogicalResult ReverseWalk::refuseNonlinear(Operation *op, StringAttr function) {
  InFlightDiagnostic error = derivative->emitError("the `backward` of `")
                             << function.getValue()
                             << "` cannot be differentiated again";
  error.attachNote(op->getLoc()) << "this is not linear in the cotangent";
  for (StringRef part : {StringRef("E0512"), function.getValue()})
    error.getUnderlyingDiagnostic()->getMetadata().emplace_back(
        StringAttr::get(derivative->getContext(), part));
  return error;
}

/// Metadata: the code.
LogicalResult ReverseWalk::refuseUnknown(graph::ExternOp call) {
  InFlightDiagnostic error = derivative->emitError("`")
                             << call.getSymbol() << "` has no `backward`";
  error.attachNote(call.getLoc());
  error.getUnderlyingDiagnostic()->getMetadata().emplace_back(
      StringAttr::get(derivative->getContext(), "E0520"));
  return error;
}

/// What the user would call the op that ends a derivative.
static std::string describe(Operation *op) {
  if (isa<graph::CompareOp>(op))
    return "a comparison";
  return ("`" + op->getName().stripDialect() + "`").str();
}

/// The derivative by everything that the user calls one value may not be zero.
/// A vjp without names is no expression of the user's.
LogicalResult ReverseWalk::requireNonzero(ArrayRef<Value> gradients) {
  auto names =
      derivative->getAttrOfType<ArrayAttr>(graph::GraphDialect::namesAttrName);
  if (!names) {
    bool mayBeZero = !isa<graph::GradientOp>(derivative.getOperation());
    return mayBeZero || llvm::all_of(gradients, [](Value dx) { return !!dx; })
               ? success()
               : refuseZero("y", "x");
  }
  for (Attribute name : names.getValue().drop_front())
    if (llvm::none_of(llvm::zip_equal(names.getValue().drop_front(), gradients),
                      [&](const auto &entry) {
                        return std::get<0>(entry) == name && std::get<1>(entry);
                      }))
      return refuseZero(cast<StringAttr>(names[0]), cast<StringAttr>(name));
  return success();
}

/// No path carries a derivative from x to y: an error that points at the ops,
/// the last of their paths, at which the derivative ends. Metadata: the code,
/// the names of y and x.
LogicalResult ReverseWalk::refuseZero(StringRef yName, StringRef xName) {
  InFlightDiagnostic error = derivative->emitError("the derivative of `")
                             << yName << "` with respect to `" << xName
                             << "` is always zero";
  for (StringRef part : {StringRef("E0504"), yName, xName})
    error.getUnderlyingDiagnostic()->getMetadata().emplace_back(
        StringAttr::get(derivative->getContext(), part));

  SmallVector<Value> pending(ys());
  DenseSet<Value> seen;
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val().getDefiningOp();
    if (!op)
      continue;
    // What only moves truth values is not to blame, but where they come from.
    bool ends = op->hasTrait<graph::ZeroDerivative>() ||
                isa<graph::CompareOp>(op) ||
                (!graph::isReal(op->getResult(0)) &&
                 llvm::any_of(op->getOperands(), graph::isReal));
    if (ends && !op->getOperands().empty())
      error.attachNote(op->getLoc()) << describe(op) << " has derivative zero";
    else
      for (Value operand : op->getOperands())
        if (seen.insert(operand).second)
          pending.push_back(operand);
  }
  return error;
}

void ReverseWalk::prepareLoops() {
  auto activeLoops = [&] {
    return llvm::to_vector(llvm::map_range(
        llvm::make_filter_range(activeOps(), llvm::IsaPred<graph::LoopOp>),
        [](Operation *op) { return cast<graph::LoopOp>(op); }));
  };
  SmallVector<graph::LoopOp> loops = activeLoops();
  int64_t bytes = 0;
  for (graph::LoopOp loop : loops)
    bytes += bytesForPullback(loop);
  if (bytes > budget && !derivative->hasAttr(linearAttrName)) {
    // A fair share for each.
    int64_t share = budget / static_cast<int64_t>(loops.size());
    for (graph::LoopOp loop : loops)
      if (bytesForPullback(loop) > share)
        checkpoint(loop, share);
    loops = activeLoops();
  }
  for (graph::LoopOp loop : loops)
    graph::stackAlso(loop, loop.carriedArguments());
}

void ReverseWalk::seed() {
  if (auto vjp = dyn_cast<graph::VjpOp>(derivative.getOperation())) {
    bool masked = vjp->hasAttr(graph::GraphDialect::maskedAttrName);
    for (auto [y, dy] : llvm::zip_equal(vjp.getYs(), vjp.getSeeds()))
      accumulate(y, dy, masked);
    return;
  }
  Value y = ys().front();
  accumulate(y, graph::fillLike(builder, derivative->getLoc(), y, 1),
             /*masked=*/false);
}

LogicalResult ReverseWalk::run() {
  prepareLoops();
  seed();
  for (Operation *op : activeOps()) {
    bool masked = false;
    SmallVector<Value> dy;
    for (Value result : op->getResults()) {
      Cotangent cotangent = cotangents.lookup(result);
      dy.push_back(cotangent.value);
      masked |= cotangent.masked;
    }
    if (llvm::none_of(dy, [](Value value) { return !!value; }))
      continue;
    if (auto function = op->getAttrOfType<StringAttr>(
            graph::GraphDialect::nonlinearAttrName))
      return refuseNonlinear(op, function);
    if (op->hasTrait<graph::ZeroDerivative>())
      continue;
    if (auto call = dyn_cast<graph::ExternOp>(op))
      return refuseUnknown(call);
    if (failed(pullBack(op, dy, masked)))
      return failure();
  }

  SmallVector<Value> gradients = llvm::map_to_vector(
      wrt(), [&](Value x) { return cotangents.lookup(x).value; });
  if (failed(requireNonzero(gradients)))
    return failure();
  for (auto [x, dx] : llvm::zip_equal(wrt(), gradients))
    if (!dx)
      dx = graph::fillLike(builder, derivative->getLoc(), x, 0);
  derivative->replaceAllUsesWith(gradients);
  derivative->erase();
  return success();
}

bool isUnfinished(Operation *op) {
  return isa<graph::Derivative, graph::Pullback1Op, graph::Pullback2Op,
             graph::Pullback3Op, graph::RowsOp>(op);
}

/// Whether one of `ys` is computed through derivatives that are not dissolved
/// yet.
static bool dependsOnDerivative(ValueRange ys) {
  SmallVector<Value> pending(ys);
  DenseSet<Value> seen;
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val().getDefiningOp();
    if (!op)
      continue;
    WalkResult found = op->walk([](Operation *inner) {
      return isUnfinished(inner) ? WalkResult::interrupt()
                                 : WalkResult::advance();
    });
    if (found.wasInterrupted())
      return true;
    for (Value operand : op->getOperands())
      if (seen.insert(operand).second)
        pending.push_back(operand);
  }
  return false;
}

/// The vjp is a linear function of its seeds, so its transpose, taken by a vjp
/// once more, is the jvp, and what the seeds are does not matter.
static void transpose(graph::JvpOp jvp) {
  OpBuilder builder(jvp);
  SmallVector<Value> seeds;
  for (Value y : jvp.getYs())
    seeds.push_back(graph::fillLike(builder, jvp.getLoc(), y, 1));
  auto pulled = graph::VjpOp::create(builder, jvp.getLoc(), jvp.getYs(), seeds,
                                     jvp.getWrt());
  pulled->setDiscardableAttrs(jvp->getDiscardableAttrDictionary());
  auto pushed =
      graph::VjpOp::create(builder, jvp.getLoc(), pulled.getCotangents(),
                           jvp.getDirections(), seeds);
  pushed->setAttr(linearAttrName, builder.getUnitAttr());
  jvp.replaceAllUsesWith(pushed.getCotangents());
  jvp.erase();
}

FailureOr<int> expandGradients(ModuleOp module, int64_t budget) {
  int expanded = 0;
  for (auto function : module.getOps<func::FuncOp>()) {
    SmallVector<graph::Derivative> derivatives;
    function.walk<WalkOrder::PreOrder>(
        [&](graph::Derivative op) { derivatives.push_back(op); });
    for (graph::Derivative derivative : derivatives) {
      if (dependsOnDerivative(derivative.getYs()))
        break;
      Operation *op = derivative;
      if (auto jvp = dyn_cast<graph::JvpOp>(op)) {
        transpose(jvp);
      } else {
        auto jacobian = dyn_cast<graph::JacobianOp>(op);
        if (failed(jacobian ? expandJacobian(jacobian, budget)
                            : ReverseWalk(derivative, budget).run()))
          return failure();
      }
      ++expanded;
    }
  }
  return expanded;
}

namespace {
struct ExpandGradients : impl::ExpandGradientsBase<ExpandGradients> {
  using impl::ExpandGradientsBase<ExpandGradients>::ExpandGradientsBase;

  void runOnOperation() override {
    if (failed(expandGradients(getOperation(), budget)))
      signalPassFailure();
  }
};
} // namespace

} // namespace gradus::differentiate
