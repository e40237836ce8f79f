// Outlining, sharing and naming of kernels: see Outline.h.
#include "compiler/fuse/Outline.h"

#include "compiler/fuse/Legality.h"
#include "compiler/fuse/Plan.h"

using namespace mlir;

namespace gradus::fuse {

/// The values that `ops` read and do not compute, by first use.
static SmallVector<Value> inputsOf(ArrayRef<Operation *> ops) {
  DenseSet<Operation *> inside(ops.begin(), ops.end());
  llvm::SetVector<Value> inputs;
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      if (!operand.getDefiningOp() || !inside.contains(operand.getDefiningOp()))
        inputs.insert(operand);
  return inputs.takeVector();
}

/// The values that `ops` compute and others read.
static SmallVector<Value> outputsOf(ArrayRef<Operation *> ops) {
  DenseSet<Operation *> inside(ops.begin(), ops.end());
  SmallVector<Value> outputs;
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(),
                       [&](Operation *user) { return !inside.contains(user); }))
        outputs.push_back(result);
  return outputs;
}

static mlir::Location fusedLocation(ArrayRef<Operation *> ops) {
  SmallVector<mlir::Location> locations;
  for (Operation *op : ops)
    locations.push_back(op->getLoc());
  return FusedLoc::get(ops.front()->getContext(), locations);
}

/// Equal for kernels that are equal but for names and locations.
static size_t hashOf(func::FuncOp kernel) {
  llvm::hash_code hash = hash_value(kernel.getFunctionType());
  for (Operation &op : kernel.front())
    hash =
        llvm::hash_combine(hash, OperationEquivalence::computeHash(
                                     &op, OperationEquivalence::ignoreHashValue,
                                     OperationEquivalence::ignoreHashValue,
                                     OperationEquivalence::IgnoreLocations));
  return hash;
}

static bool areEqual(func::FuncOp a, func::FuncOp b) {
  return a.getFunctionType() == b.getFunctionType() &&
         OperationEquivalence::isRegionEquivalentTo(
             &a.getBody(), &b.getBody(), OperationEquivalence::IgnoreLocations);
}

func::FuncOp KernelTable::share(func::FuncOp kernel, const std::string &name) {
  auto &candidates = byHash[hashOf(kernel)];
  for (func::FuncOp candidate : candidates)
    if (areEqual(candidate, kernel)) {
      kernel.erase();
      return candidate;
    }
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
  for (Operation *op : ops)
    bodyBuilder.clone(*op, inside);
  SmallVector<Value> returned;
  for (Value output : outputs)
    returned.push_back(inside.lookup(output));
  func::ReturnOp::create(bodyBuilder, loc, returned);

  SmallVector<Value> arguments;
  for (Value input : inputs)
    arguments.push_back(values.lookup(input));
  auto call =
      func::CallOp::create(builder, loc, share(kernel, name), arguments);
  values.map(outputs, call.getResults());
}

//===-- Names -------------------------------------------------------------===//

/// The name of a value in the source, if its location carries one.
static StringRef sourceName(mlir::Location loc) {
  StringRef name;
  loc->walk([&](mlir::Location part) {
    if (auto named = dyn_cast<NameLoc>(part)) {
      name = named.getName().getValue();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return name;
}

/// What an op contributes to a name; empty for what is no work.
static StringRef wordOf(Operation *op) {
  if (isLeaf(op) || isa<graph::BroadcastOp, graph::ReshapeOp>(op))
    return "";
  if (isContraction(op))
    return "matmul";
  return op->getName().stripDialect();
}

static std::string sanitized(StringRef text) {
  std::string symbol;
  for (char c : text)
    symbol += llvm::isAlnum(c) ? c : '_';
  return symbol;
}

std::string kernelName(ArrayRef<Operation *> ops, StringRef updates) {
  constexpr size_t maxWords = 4;
  SmallVector<StringRef> words;
  for (Operation *op : ops)
    if (StringRef word = wordOf(op);
        !word.empty() && !llvm::is_contained(words, word))
      words.push_back(word);

  auto root = llvm::find_if(ops, isContraction);
  StringRef source =
      sourceName(root != ops.end() ? (*root)->getLoc() : ops.back()->getLoc());
  if (!updates.empty()) {
    source = updates.substr(updates.find('/') + 1);
    words.resize(std::min<size_t>(words.size(), 1));
    words.push_back("update");
  } else if (words.size() > maxWords) {
    words.resize(maxWords - 1);
    words.push_back("etc");
  }
  // A word alone may be the name of a function of the C library.
  std::string name = sanitized(source);
  if (words.size() + !name.empty() < 2)
    words.insert(words.begin(), "kernel");
  for (StringRef word : words)
    name += (name.empty() ? "" : "_") + word.str();
  return name;
}

} // namespace gradus::fuse
