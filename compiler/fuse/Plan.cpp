// Reading a planned function: attributes -> Plan.
#include "compiler/fuse/Plan.h"

#include "dialect/Costs.h"

using namespace mlir;

namespace gradus::fuse {

std::vector<func::FuncOp> steps(ModuleOp module) {
  std::vector<func::FuncOp> found;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic() && !function.isExternal() &&
        !function->hasAttr(kKernel))
      found.push_back(function);
  return found;
}

static Element elementOf(Type type) {
  if (type.isF32())
    return Element::F32;
  if (type.isF64())
    return Element::F64;
  if (type.isInteger(64))
    return Element::I64;
  if (type.isInteger(32))
    return Element::I32;
  if (type.isInteger(1))
    return Element::Bool;
  return Element::U8;
}

std::vector<func::FuncOp> stepsAndBodies(ModuleOp module) {
  std::vector<func::FuncOp> found = steps(module);
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(kBody))
      found.push_back(function);
  return found;
}

graph::RoundsOp roundsOf(func::FuncOp kernel) {
  if (kernel.isExternal())
    return nullptr;
  auto rounds = kernel.getOps<graph::RoundsOp>();
  return rounds.empty() ? graph::RoundsOp() : *rounds.begin();
}

func::FuncOp bodyOf(graph::RoundsOp rounds) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      rounds, rounds.getBodyAttr());
}

func::FuncOp kernelOf(func::CallOp call) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      call, call.getCalleeAttr());
}

std::optional<int64_t> updatedArgument(func::FuncOp function, unsigned index) {
  if (auto updates = function.getResultAttrOfType<IntegerAttr>(index, kUpdates))
    return updates.getInt();
  return std::nullopt;
}

Value bytesBehind(Value value) {
  while (auto reshape = value.getDefiningOp<graph::ReshapeOp>())
    value = reshape.getX();
  return value;
}

SmallVector<OpOperand *> usesOfBytes(Value value) {
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : value.getUses())
    if (auto reshape = dyn_cast<graph::ReshapeOp>(use.getOwner()))
      llvm::append_range(uses, usesOfBytes(reshape));
    else
      uses.push_back(&use);
  return uses;
}

static BufferInfo bufferOf(Type type, StringAttr name, std::string otherwise,
                           Access access) {
  auto tensor = cast<RankedTensorType>(type);
  return {name ? name.str() : std::move(otherwise),
          elementOf(tensor.getElementType()),
          {tensor.getShape().begin(), tensor.getShape().end()},
          access};
}

/// `"buffer 3"` or `"arena 640"`.
static std::optional<gradus::Location> parseLocation(Attribute attribute) {
  auto text = dyn_cast<StringAttr>(attribute);
  if (!text)
    return std::nullopt;
  StringRef rest = text.getValue();
  gradus::Location location;
  if (rest.consume_front("buffer ")) {
    location.space = gradus::Location::External;
    if (rest.getAsInteger(10, location.buffer))
      return std::nullopt;
    return location;
  }
  if (!rest.consume_front("arena ") || rest.getAsInteger(10, location.offset))
    return std::nullopt;
  return location;
}

/// In all rounds; of what may not run, none.
static int64_t flopsOf(func::FuncOp kernel) {
  int64_t flops = 0;
  if (graph::RoundsOp rounds = roundsOf(kernel)) {
    if (rounds.getWhen())
      return 0;
    for (auto call : bodyOf(rounds).getOps<func::CallOp>())
      flops += flopsOf(kernelOf(call));
    return flops * static_cast<int64_t>(rounds.getRounds());
  }
  kernel.walk([&](Operation *op) { flops += graph::flopsOf(op); });
  return flops;
}

static FailureOr<PlannedCall> readCall(func::CallOp call) {
  auto operands = call->getAttrOfType<ArrayAttr>(kOperands);
  if (!operands)
    return call.emitError("the call has no ") << kOperands;
  func::FuncOp kernel = kernelOf(call);
  PlannedCall planned{call.getCallee().str(), {}, flopsOf(kernel)};
  if (graph::RoundsOp rounds = roundsOf(kernel)) {
    FailureOr<Plan> body = readPlan(bodyOf(rounds));
    if (failed(body))
      return failure();
    planned.loop = std::make_shared<PlannedLoop>(
        PlannedLoop{std::move(*body), static_cast<int64_t>(rounds.getRounds()),
                    rounds.getReverse(), rounds.getCarried().size(),
                    rounds.getOver().size(), rounds.getWith().size(),
                    rounds.getWhen() != nullptr});
  }
  for (Attribute operand : operands) {
    auto location = parseLocation(operand);
    if (!location)
      return call.emitError("expected \"buffer <number>\" or \"arena <bytes>\""
                            " in ")
             << kOperands << ", found " << operand;
    planned.operands.push_back(*location);
  }
  return planned;
}

FailureOr<std::vector<BufferInfo>> buffersOf(func::FuncOp function) {
  std::vector<BufferInfo> buffers;
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    buffers.push_back(bufferOf(function.getArgumentTypes()[i],
                               function.getArgAttrOfType<StringAttr>(i, kName),
                               "argument/" + std::to_string(i), Access::Read));
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    if (auto updated = updatedArgument(function, i)) {
      if (*updated < 0 || *updated >= function.getNumArguments())
        return function.emitError("result ")
               << i << " updates argument " << *updated
               << ", which does not exist";
      buffers[*updated].access = Access::Update;
      continue;
    }
    buffers.push_back(
        bufferOf(function.getResultTypes()[i],
                 function.getResultAttrOfType<StringAttr>(i, kName),
                 "result/" + std::to_string(i), Access::Write));
  }
  return buffers;
}

FailureOr<Plan> readPlan(func::FuncOp function) {
  Plan plan;
  plan.name = function.getName().str();
  FailureOr<std::vector<BufferInfo>> buffers = buffersOf(function);
  if (failed(buffers))
    return failure();
  plan.buffers = std::move(*buffers);
  auto arena = function->getAttrOfType<IntegerAttr>(kArenaBytes);
  if (!arena)
    return function.emitError("the function has no ") << kArenaBytes;
  plan.arenaBytes = arena.getInt();
  for (Operation &op : function.front().without_terminator()) {
    if (isa<graph::ReshapeOp>(op))
      continue;
    auto call = dyn_cast<func::CallOp>(op);
    if (!call)
      return op.emitError("a planned function consists of calls of kernels, "
                          "found '")
             << op.getName() << "'";
    auto planned = readCall(call);
    if (failed(planned))
      return failure();
    plan.calls.push_back(*planned);
  }
  return plan;
}

CompiledFunction compiledFunction(const Plan &plan,
                                  llvm::function_ref<void(KernelCall &)> link,
                                  const std::shared_ptr<Team> &team) {
  CompiledFunction function;
  function.name = plan.name;
  function.buffers = plan.buffers;
  function.arenaBytes = plan.arenaBytes;
  function.team = team;
  for (const PlannedCall &call : plan.calls) {
    KernelCall &linked = function.calls.emplace_back();
    linked.name = call.kernel;
    linked.operands = call.operands;
    linked.flops = call.flops;
    if (call.loop)
      linked.loop = std::make_shared<const LoopCall>(
          LoopCall{compiledFunction(call.loop->body, link, team),
                   call.loop->rounds, call.loop->reverse, call.loop->carried,
                   call.loop->over, call.loop->with, call.loop->isConditional});
    else
      link(linked);
  }
  return function;
}

} // namespace gradus::fuse
