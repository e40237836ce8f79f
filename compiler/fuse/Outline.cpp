// Outlining and sharing of kernels: see Outline.h.
#include "compiler/fuse/Outline.h"

#include "compiler/fuse/Plan.h"

using namespace mlir;

namespace gradus::fuse {

/// The values that `ops` read and do not compute, by first use. A loop is run
/// by its call, operand by operand.
static SmallVector<Value> inputsOf(ArrayRef<Operation *> ops) {
  if (isa<graph::RoundsOp>(ops.front()))
    return SmallVector<Value>(ops.front()->getOperands());
  DenseSet<Operation *> inside(ops.begin(), ops.end());
  llvm::SetVector<Value> inputs;
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      if (!operand.getDefiningOp() || !inside.contains(operand.getDefiningOp()))
        inputs.insert(operand);
  return inputs.takeVector();
}

/// The values that `ops` compute and others read; of a loop all, since its
/// rounds work in them.
static SmallVector<Value> outputsOf(ArrayRef<Operation *> ops) {
  if (isa<graph::RoundsOp>(ops.front()))
    return SmallVector<Value>(ops.front()->getResults());
  DenseSet<Operation *> inside(ops.begin(), ops.end());
  SmallVector<Value> outputs;
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(),
                       [&](Operation *user) { return !inside.contains(user); }))
        outputs.push_back(result);
  return outputs;
}

/// The places of all ops in the source, last first: its name is that of the
/// result.
static mlir::Location fusedLocation(ArrayRef<Operation *> ops) {
  SmallVector<mlir::Location> locations;
  for (Operation *op : llvm::reverse(ops))
    locations.push_back(op->getLoc());
  return FusedLoc::get(ops.front()->getContext(), locations);
}

/// The same with the place of each op of the kernel (originsOf).
static mlir::Location fusedLocation(ArrayRef<Operation *> ops,
                                    ArrayRef<Attribute> origins) {
  SmallVector<mlir::Location> locations;
  for (Operation *op : llvm::reverse(ops))
    locations.push_back(op->getLoc());
  MLIRContext *context = ops.front()->getContext();
  return FusedLoc::get(locations, ArrayAttr::get(context, origins), context);
}

SmallVector<mlir::Location> originsOf(func::CallOp call, func::FuncOp kernel) {
  SmallVector<mlir::Location> origins;
  auto fused = dyn_cast<FusedLoc>(call.getLoc());
  auto own = fused ? dyn_cast_or_null<ArrayAttr>(fused.getMetadata()) : nullptr;
  auto ops = kernel.front().without_terminator();
  if (own && own.size() == llvm::range_size(ops))
    for (Attribute origin : own)
      origins.push_back(cast<LocationAttr>(origin));
  else
    for (Operation &op : ops)
      origins.push_back(op.getLoc());
  return origins;
}

/// Equal for kernels that are equal by `areEqual`.
static size_t hashOf(func::FuncOp kernel) {
  DenseMap<Operation *, llvm::hash_code> hashes;
  auto hashOfValue = [&](Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return llvm::hash_value(argument.getArgNumber());
    auto result = cast<OpResult>(value);
    return llvm::hash_combine(hashes.at(result.getOwner()),
                              result.getResultNumber());
  };
  for (Operation &op : kernel.front())
    hashes.try_emplace(&op, OperationEquivalence::computeHash(
                                &op, hashOfValue,
                                OperationEquivalence::ignoreHashValue,
                                OperationEquivalence::IgnoreLocations));
  return llvm::hash_combine(kernel.getFunctionType(),
                            hashes.at(kernel.front().getTerminator()));
}

/// Whether two kernels return the same ops of the same arguments. Neither names
/// and locations matter nor the order of the ops: it is that of the program,
/// which differs between equal layers where they meet what is around them.
/// Then `partners` holds for each op of `a` the one of `b`.
static bool areEqual(func::FuncOp a, func::FuncOp b,
                     DenseMap<Operation *, Operation *> &partners) {
  if (a.getFunctionType() != b.getFunctionType())
    return false;
  partners.clear();
  SmallVector<std::pair<Operation *, Operation *>> open{
      {a.front().getTerminator(), b.front().getTerminator()}};
  auto arePartners = [&](Value x, Value y) -> LogicalResult {
    auto xArgument = dyn_cast<BlockArgument>(x);
    auto yArgument = dyn_cast<BlockArgument>(y);
    if (xArgument || yArgument)
      return success(xArgument && yArgument &&
                     xArgument.getArgNumber() == yArgument.getArgNumber());
    auto xResult = cast<OpResult>(x), yResult = cast<OpResult>(y);
    auto [partner, isNew] =
        partners.try_emplace(xResult.getOwner(), yResult.getOwner());
    if (isNew)
      open.emplace_back(*partner);
    return success(partner->second == yResult.getOwner() &&
                   xResult.getResultNumber() == yResult.getResultNumber());
  };
  while (!open.empty()) {
    auto [x, y] = open.pop_back_val();
    if (!OperationEquivalence::isEquivalentTo(
            x, y, arePartners, /*markEquivalent=*/nullptr,
            OperationEquivalence::IgnoreLocations))
      return false;
  }
  return true;
}

func::FuncOp KernelTable::share(func::FuncOp kernel, const std::string &name,
                                SmallVectorImpl<Attribute> *origins) {
  auto &candidates = byHash[hashOf(kernel)];
  DenseMap<Operation *, Operation *> partners;
  for (func::FuncOp candidate : candidates)
    if (areEqual(candidate, kernel, partners)) {
      if (origins)
        for (Operation &op : candidate.front().without_terminator()) {
          Operation *partner = partners.lookup(&op);
          origins->push_back((partner ? partner : &op)->getLoc());
        }
      kernel.erase();
      return candidate;
    }
  if (origins)
    for (Operation &op : kernel.front().without_terminator())
      origins->push_back(op.getLoc());
  candidates.push_back(kernel);
  std::string free = name;
  for (int next = 2; SymbolTable::lookupSymbolIn(module, free); ++next)
    free = name + "_" + std::to_string(next);
  kernel.setName(free);
  module.push_back(kernel);
  return kernel;
}

void KernelTable::outline(OpBuilder &builder, ArrayRef<Operation *> ops,
                          StringRef kind, const std::string &name,
                          IRMapping &values) {
  SmallVector<Value> inputs = inputsOf(ops), outputs = outputsOf(ops);
  mlir::Location loc = fusedLocation(ops);
  auto kernel = func::FuncOp::create(
      loc, name,
      builder.getFunctionType(ValueRange(inputs).getTypes(),
                              ValueRange(outputs).getTypes()));
  kernel.setPrivate();
  kernel->setAttr(kKernel, builder.getStringAttr(kind));
  Block *body = kernel.addEntryBlock();
  IRMapping inside;
  inside.map(inputs, body->getArguments());
  OpBuilder bodyBuilder = OpBuilder::atBlockEnd(body);
  for (Operation *op : ops) {
    Operation *copy = bodyBuilder.clone(*op, inside);
    if (isa<graph::RoundsOp>(op))
      copy->setOperands(body->getArguments());
  }
  SmallVector<Value> returned;
  for (Value output : outputs)
    returned.push_back(inside.lookup(output));
  func::ReturnOp::create(bodyBuilder, loc, returned);

  SmallVector<Value> arguments;
  for (Value input : inputs)
    arguments.push_back(values.lookup(input));
  SmallVector<Attribute> origins;
  kernel = share(kernel, name, &origins);
  auto call = func::CallOp::create(builder, fusedLocation(ops, origins), kernel,
                                   arguments);
  values.map(outputs, call.getResults());
}

} // namespace gradus::fuse
