// Takes graph.gradient, gives the reverse walk over its active slice: pullbacks
// in reverse order of the forward ops, and an add for each further use of a
// value. It knows no op by name.
#include "compiler/differentiate/Differentiate.h"
#include "dialect/Duals.h"
#include "dialect/Graph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace gradus::differentiate {

#define GEN_PASS_DEF_EXPANDGRADIENTS
#include "compiler/differentiate/Passes.h.inc"

namespace {

/// The cotangent gathered for a value so far.
struct Cotangent {
  Value value;
  /// Whether a part of it comes from a mask.
  bool masked = false;
};

/// The reverse walk for one gradient.
class ReverseWalk {
public:
  explicit ReverseWalk(graph::GradientOp gradient)
      : gradient(gradient), builder(gradient) {}

  /// Writes the walk and replaces the gradient by its cotangents.
  LogicalResult run();

private:
  /// The ops on a path from a `wrt` value to y, last first.
  SmallVector<Operation *> activeOps();
  LogicalResult pullBack(Operation *op, Cotangent dy);
  void accumulate(Value x, Value dx, bool masked);
  LogicalResult refuseZero(Value x);
  LogicalResult refuseNonlinear(Operation *op, StringAttr function);

  graph::GradientOp gradient;
  OpBuilder builder;
  DenseMap<Value, Cotangent> cotangents;
};

} // namespace

SmallVector<Operation *> ReverseWalk::activeOps() {
  // Forward: what depends on a wrt value through real values.
  DenseSet<Value> depends;
  depends.insert_range(gradient.getWrt());
  SmallVector<Operation *> forward;
  for (Operation &op : gradient->getBlock()->without_terminator()) {
    if (&op == gradient)
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
  DenseSet<Value> needed{gradient.getY()};
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

LogicalResult ReverseWalk::pullBack(Operation *op, Cotangent dy) {
  if (auto function =
          op->getAttrOfType<StringAttr>(graph::GraphDialect::nonlinearAttrName))
    return refuseNonlinear(op, function);
  bool masked = dy.masked || op->hasTrait<graph::Masking>();

  if (auto rule = dyn_cast<graph::Differentiable>(op)) {
    masked |= rule.masksCotangents();
    SmallVector<Value> gradients = rule.pullback(builder, dy.value);
    for (auto [x, dx] : llvm::zip_equal(op->getOperands(), gradients))
      if (dx)
        accumulate(x, dx, masked);
    return success();
  }

  SmallVector<Value> operands;
  llvm::copy_if(op->getOperands(), std::back_inserter(operands), graph::isReal);
  auto derivative =
      FusedLoc::get({op->getLoc()}, builder.getStringAttr("derivative"),
                    builder.getContext());
  OperationState state(derivative,
                       "graph.pullback" + std::to_string(operands.size()));
  if (!state.name.isRegistered())
    return op->emitError("cannot differentiate an operation of ")
           << operands.size() << " operands";
  state.addOperands({dy.value, op->getResult(0)});
  state.addTypes(ValueRange(operands).getTypes());
  // A strong_mul that is still one has a masked operand: its own pullback keeps
  // the strength whatever its cotangent.
  if (dy.masked || isa<graph::StrongMulOp>(op))
    state.addAttribute(graph::GraphDialect::maskedAttrName,
                       builder.getUnitAttr());
  Operation *pullback = builder.create(state);
  for (auto [x, dx] : llvm::zip_equal(operands, pullback->getResults()))
    accumulate(x, dx, masked);
  return success();
}

LogicalResult ReverseWalk::refuseNonlinear(Operation *op, StringAttr function) {
  InFlightDiagnostic error = gradient.emitError("the `backward` of `")
                             << function.getValue()
                             << "` cannot be differentiated again";
  error.attachNote(op->getLoc()) << "this is not linear in the cotangent";
  for (StringRef part : {StringRef("E0512"), function.getValue()})
    error.getUnderlyingDiagnostic()->getMetadata().emplace_back(
        StringAttr::get(gradient.getContext(), part));
  return error;
}

/// What the user would call the op that ends a derivative.
static std::string describe(Operation *op) {
  if (isa<graph::CompareOp>(op))
    return "a comparison";
  return ("`" + op->getName().stripDialect() + "`").str();
}

/// No path carries a derivative from `x` to y: an error that points at the ops,
/// the last of their paths, at which the derivative ends. Metadata: the code,
/// the names of y and x.
LogicalResult ReverseWalk::refuseZero(Value x) {
  unsigned position =
      llvm::find(gradient.getWrt(), x) - gradient.getWrt().begin();
  std::string yName = "y", xName = "x";
  if (auto names = gradient->getAttrOfType<ArrayAttr>(
          graph::GraphDialect::namesAttrName)) {
    yName = cast<StringAttr>(names[0]).getValue();
    xName = cast<StringAttr>(names[1 + position]).getValue();
  }
  InFlightDiagnostic error = gradient.emitError("the derivative of `")
                             << yName << "` with respect to `" << xName
                             << "` is always zero";
  for (StringRef part :
       {StringRef("E0504"), StringRef(yName), StringRef(xName)})
    error.getUnderlyingDiagnostic()->getMetadata().emplace_back(
        StringAttr::get(gradient.getContext(), part));

  SmallVector<Value> pending{gradient.getY()};
  DenseSet<Value> seen;
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val().getDefiningOp();
    if (!op)
      continue;
    bool ends = op->hasTrait<graph::ZeroDerivative>() ||
                !graph::isReal(op->getResult(0));
    if (ends && !op->getOperands().empty())
      error.attachNote(op->getLoc()) << describe(op) << " has derivative zero";
    else
      for (Value operand : op->getOperands())
        if (seen.insert(operand).second)
          pending.push_back(operand);
  }
  return error;
}

LogicalResult ReverseWalk::run() {
  SmallVector<Operation *> active = activeOps();
  Value one = graph::fillLike(builder, gradient.getLoc(), gradient.getY(), 1);
  accumulate(gradient.getY(), one, /*masked=*/false);
  for (Operation *op : active) {
    auto dy = cotangents.find(op->getResult(0));
    if (dy == cotangents.end() || op->hasTrait<graph::ZeroDerivative>())
      continue;
    if (failed(pullBack(op, Cotangent(dy->second))))
      return failure();
  }

  SmallVector<Value> results;
  for (Value x : gradient.getWrt()) {
    auto dx = cotangents.find(x);
    if (dx == cotangents.end())
      return refuseZero(x);
    results.push_back(dx->second.value);
  }
  gradient->replaceAllUsesWith(results);
  gradient->erase();
  return success();
}

/// Whether `y` is computed through pullbacks that are not dissolved yet.
static bool dependsOnPullback(Value y) {
  SmallVector<Value> pending{y};
  DenseSet<Value> seen;
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val().getDefiningOp();
    if (!op)
      continue;
    if (isa<graph::Pullback1Op, graph::Pullback2Op, graph::Pullback3Op>(op))
      return true;
    for (Value operand : op->getOperands())
      if (seen.insert(operand).second)
        pending.push_back(operand);
  }
  return false;
}

FailureOr<int> expandGradients(ModuleOp module) {
  int expanded = 0;
  for (auto function : module.getOps<func::FuncOp>()) {
    SmallVector<graph::GradientOp> gradients(
        function.getOps<graph::GradientOp>());
    for (graph::GradientOp gradient : gradients) {
      if (dependsOnPullback(gradient.getY()))
        break;
      if (failed(ReverseWalk(gradient).run()))
        return failure();
      ++expanded;
    }
  }
  return expanded;
}

namespace {
struct ExpandGradients : impl::ExpandGradientsBase<ExpandGradients> {
  void runOnOperation() override {
    if (failed(expandGradients(getOperation())))
      signalPassFailure();
  }
};
} // namespace

} // namespace gradus::differentiate
