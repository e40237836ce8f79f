// See OpChecks.h.
#include "compiler/OpChecks.h"

#include "compiler/construct/GraphFunction.h"
#include "compiler/differentiate/Differentiate.h"
#include "dialect/Loops.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <fmt/format.h>

using namespace mlir;

namespace gradus {

namespace {

class OpSeparator {
public:
  OpSeparator(ModuleOp module, func::FuncOp whole, const Places &places,
              std::vector<CheckedOp> &ops)
      : module(module), whole(whole), places(places), ops(ops) {}

  OwningOpRef<ModuleOp> separate();

private:
  /// An op, and the round of the loop around it or -1.
  struct Instance {
    Operation *op;
    int64_t round;
  };

  void keepLoss();
  void findActive();
  void findActive(graph::LoopOp loop);
  bool isChecked(Operation *op) const;
  void findInstances();
  void addFunctions(Operation *op, const std::string &name, bool isGradient);
  const CheckedOp &functionsOf(Operation *op);
  OpValue placeOf(Value value, int64_t round);
  void stackBodies();

  ModuleOp module;
  func::FuncOp whole;
  const Places &places;
  std::vector<CheckedOp> &ops;

  OwningOpRef<ModuleOp> result;
  /// What depends on a parameter through real numbers.
  DenseSet<Value> active;
  std::vector<Instance> instances;
  /// The functions that have been made, by their ops; loops in there may have
  /// been replaced once bodies are stacked.
  std::vector<std::pair<Operation *, CheckedOp>> made;
  /// What `values` gives, in this order.
  llvm::SetVector<Value> shown;
};

} // namespace

/// Makes `loss` the only result, and drops what it does not need.
void OpSeparator::keepLoss() {
  Operation *end = whole.front().getTerminator();
  for (unsigned i = whole.getNumResults(); i-- > 0;)
    if (whole.getResultAttrOfType<StringAttr>(i, construct::nameAttr) != "loss")
      end->eraseOperand(i);
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(whole.front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  whole->removeAttr(whole.getResAttrsAttrName());
  whole.setFunctionType(FunctionType::get(
      whole.getContext(), whole.getArgumentTypes(), end->getOperandTypes()));
}

void OpSeparator::findActive(graph::LoopOp loop) {
  Block &body = loop.getBody().front();
  for (auto [argument, operand] :
       llvm::zip(llvm::drop_begin(body.getArguments()), loop->getOperands()))
    if (active.contains(operand))
      active.insert(argument);
  // What is carried may become active in the first round.
  for (int pass = 0; pass < 2; ++pass) {
    for (Operation &op : body.without_terminator())
      if (!op.hasTrait<graph::ZeroDerivative>() &&
          llvm::any_of(op.getOperands(),
                       [&](Value x) { return active.contains(x); }))
        for (Value y : llvm::make_filter_range(op.getResults(), graph::isReal))
          active.insert(y);
    for (auto [argument, on] :
         llvm::zip_equal(loop.carriedArguments(), loop.carriedOn()))
      if (active.contains(on))
        active.insert(argument);
  }
}

void OpSeparator::findActive() {
  for (BlockArgument argument : whole.getArguments()) {
    auto name = whole.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                   construct::nameAttr);
    if (graph::isReal(argument) && name.getValue().starts_with("param/"))
      active.insert(argument);
  }
  for (Operation &op : whole.front().without_terminator()) {
    if (op.hasTrait<graph::ZeroDerivative>() ||
        llvm::none_of(op.getOperands(),
                      [&](Value x) { return active.contains(x); }))
      continue;
    for (Value y : llvm::make_filter_range(op.getResults(), graph::isReal))
      active.insert(y);
    if (auto loop = dyn_cast<graph::LoopOp>(op))
      findActive(loop);
  }
}

bool OpSeparator::isChecked(Operation *op) const {
  auto isActive = [&](Value x) { return active.contains(x); };
  return !op->hasTrait<graph::ZeroDerivative>() &&
         !op->hasTrait<OpTrait::IsTerminator>() &&
         llvm::any_of(op->getOperands(), isActive) &&
         llvm::any_of(op->getResults(), isActive);
}

void OpSeparator::findInstances() {
  for (Operation &op : whole.front()) {
    if (!isChecked(&op))
      continue;
    instances.push_back({&op, -1});
    auto loop = dyn_cast<graph::LoopOp>(op);
    // What does not run has no values.
    if (!loop || loop.getWhen())
      continue;
    auto last = static_cast<int64_t>(loop.getRounds()) - 1;
    for (Operation &inner : loop.getBody().front())
      if (isChecked(&inner))
        for (int64_t round : {int64_t(0), last})
          if (round == 0 || last > 0)
            instances.push_back({&inner, round});
  }
}

void OpSeparator::addFunctions(Operation *op, const std::string &name,
                               bool isGradient) {
  construct::GraphFunction function(*result, name);
  OpBuilder &builder = function.builder();
  Location loc = op->getLoc();
  // One value may be several operands, but moves by itself in each.
  SmallVector<Value> arguments, wrt;
  std::vector<std::string> names;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    Value argument =
        function.argument(fmt::format("argument/{}", i),
                          cast<RankedTensorType>(operand.getType()));
    if (active.contains(operand)) {
      wrt.push_back(argument);
      names.push_back(fmt::format("gradient/{}", i));
    }
    arguments.push_back(argument);
  }
  Operation *copy = builder.clone(*op);
  copy->setOperands(arguments);

  SmallVector<Value> ys, seeds;
  Value total;
  for (auto [j, y] : llvm::enumerate(copy->getResults())) {
    if (!graph::isReal(y))
      continue;
    auto type = cast<RankedTensorType>(y.getType());
    Value weight = function.argument(fmt::format("cotangent/{}", j), type);
    ys.push_back(y);
    seeds.push_back(weight);
    // An infinite element, which a mask may have made, weighs nothing.
    Value part = graph::StrongMulOp::create(builder, loc, weight, y);
    part = graph::SumOp::create(
        builder, loc, part,
        llvm::to_vector(llvm::seq<int64_t>(type.getRank())));
    if (!type.getElementType().isF64())
      part = graph::ConvertOp::create(builder, loc, part, builder.getF64Type());
    total = total ? graph::AddOp::create(builder, loc, total, part) : part;
  }
  if (isGradient) {
    auto vjp = graph::VjpOp::create(builder, loc, ys, seeds, wrt);
    vjp->setAttr(graph::GraphDialect::maskedAttrName, builder.getUnitAttr());
    for (auto [name, gradient] : llvm::zip_equal(names, vjp.getCotangents()))
      function.result(name, gradient);
  }
  function.result("loss", total);
  function.finish();
}

/// The functions of an op like this one.
const CheckedOp &OpSeparator::functionsOf(Operation *op) {
  auto isActive = [&](Value x) { return active.contains(x); };
  for (auto &[known, functions] : made)
    if (OperationEquivalence::isEquivalentTo(
            known, op, OperationEquivalence::ignoreValueEquivalence, nullptr,
            OperationEquivalence::IgnoreLocations) &&
        llvm::equal(llvm::map_range(known->getOperands(), isActive),
                    llvm::map_range(op->getOperands(), isActive)))
      return functions;
  CheckedOp functions;
  functions.name = op->getName().stripDialect().str();
  if (auto call = dyn_cast<graph::CustomOp>(op)) {
    functions.name = call.getForward().str();
    functions.isCall = true;
  }
  functions.operands.resize(op->getNumOperands());
  functions.results.resize(op->getNumResults());
  std::string name = fmt::format("op_{}", made.size());
  functions.value = name + "_value";
  functions.gradient = name + "_gradient";
  addFunctions(op, functions.value, /*isGradient=*/false);
  addFunctions(op, functions.gradient, /*isGradient=*/true);
  return made.emplace_back(op, std::move(functions)).second;
}

/// Where a value is found; in the body of a loop it has to be stacked by now.
OpValue OpSeparator::placeOf(Value value, int64_t round) {
  int64_t row = -1;
  if (round >= 0) {
    auto loop = cast<graph::LoopOp>(value.getParentBlock()->getParentOp());
    auto argument = dyn_cast<BlockArgument>(value);
    if (argument && llvm::is_contained(loop.withArguments(), argument)) {
      value = loop->getOperand(argument.getArgNumber() - 1);
    } else {
      value = argument && llvm::is_contained(loop.overArguments(), argument)
                  ? loop->getOperand(argument.getArgNumber() - 1)
                  : graph::stackOf(loop, value);
      row = round;
    }
  }
  shown.insert(value);
  auto number = llvm::find(shown, value) - shown.begin();
  return {fmt::format("value/{}", number), row};
}

/// Lets loops give what the ops of their bodies read and compute.
void OpSeparator::stackBodies() {
  llvm::MapVector<Block *, llvm::SetVector<Value>> wanted;
  for (const Instance &instance : instances)
    if (instance.round >= 0) {
      auto &values = wanted[instance.op->getBlock()];
      values.insert_range(instance.op->getOperands());
      values.insert_range(instance.op->getResults());
    }
  for (auto &[body, values] : wanted) {
    auto loop = cast<graph::LoopOp>(body->getParentOp());
    values.remove_if([&](Value value) {
      auto argument = dyn_cast<BlockArgument>(value);
      return argument && (llvm::is_contained(loop.withArguments(), argument) ||
                          llvm::is_contained(loop.overArguments(), argument));
    });
    graph::LoopOp fresh = graph::stackAlso(loop, values.getArrayRef());
    for (Instance &instance : instances)
      if (instance.op == loop)
        instance.op = fresh;
  }
}

OwningOpRef<ModuleOp> OpSeparator::separate() {
  keepLoss();
  if (failed(differentiate::takeDerivatives(module)))
    return nullptr;
  findActive();
  findInstances();
  result = ModuleOp::create(module.getLoc());
  OpBuilder builder(module.getContext());
  builder.setInsertionPointToEnd(result->getBody());
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPrivate())
      builder.clone(*function);
  for (const Instance &instance : instances) {
    ops.push_back(functionsOf(instance.op));
    ops.back().range = places.range(instance.op->getLoc());
  }

  stackBodies();
  for (auto [instance, op] : llvm::zip_equal(instances, ops)) {
    for (auto [place, x] :
         llvm::zip_equal(op.operands, instance.op->getOperands()))
      place = placeOf(x, instance.round);
    // A loop may have more results by now than the one that is checked.
    for (auto [place, y] :
         llvm::zip_first(op.results, instance.op->getResults()))
      place = placeOf(y, instance.round);
  }
  whole->remove();
  result->push_back(whole);
  whole.setName("values");
  Operation *end = whole.front().getTerminator();
  end->setOperands(shown.getArrayRef());
  whole.setFunctionType(builder.getFunctionType(whole.getArgumentTypes(),
                                                end->getOperandTypes()));
  for (unsigned i = 0; i < shown.size(); ++i)
    whole.setResultAttr(i, construct::nameAttr,
                        builder.getStringAttr(fmt::format("value/{}", i)));
  return std::move(result);
}

OwningOpRef<ModuleOp> separateOps(ModuleOp module, StringRef function,
                                  const Places &places,
                                  std::vector<CheckedOp> &ops) {
  ops.clear();
  return OpSeparator(module, module.lookupSymbol<func::FuncOp>(function),
                     places, ops)
      .separate();
}

} // namespace gradus
