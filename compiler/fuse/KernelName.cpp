// Names of kernels: see KernelName.h.
#include "compiler/fuse/KernelName.h"

#include "compiler/fuse/Legality.h"
#include "compiler/fuse/Plan.h"
#include "dialect/Origins.h"

using namespace mlir;

namespace gradus::fuse {

/// Words about what a kernel does before the name gets too long.
static constexpr size_t kMaxWords = 4;

/// The path of a parameter or slot, `fc1.W` of `param/fc1.W`, in which
/// `argument` is passed; empty for other arguments.
static StringRef pathOf(func::FuncOp step, unsigned argument) {
  auto name = step.getArgAttrOfType<StringAttr>(argument, kName);
  StringRef path = name ? name.getValue() : "";
  return path.consume_front("param/") ? path : "";
}

/// The path of the first parameter that `ops` compute anew.
static StringRef updatedPath(func::FuncOp step, ArrayRef<Operation *> ops) {
  StringRef first;
  Operation *end = step.front().getTerminator();
  unsigned number = step.getNumResults();
  auto visit = [&](OpOperand &use) {
    if (use.getOwner() != end || use.getOperandNumber() > number)
      return;
    auto updated = updatedArgument(step, use.getOperandNumber());
    StringRef path = updated ? pathOf(step, *updated) : "";
    if (path.empty())
      return;
    first = path;
    number = use.getOperandNumber();
  };
  for (Operation *op : ops)
    for (Value result : op->getResults())
      for (OpOperand *use : usesOfBytes(result))
        visit(*use);
  return first;
}

/// The module of the first parameter that `ops` read, `fc1` of `fc1.W`; the
/// parameter itself if it belongs to none.
static StringRef readModule(func::FuncOp step, ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      if (auto argument = dyn_cast<BlockArgument>(bytesBehind(operand)))
        if (StringRef path = pathOf(step, argument.getArgNumber());
            !path.empty())
          return path.contains('.') ? path.rsplit('.').first : path;
  return "";
}

/// What the source calls the last value it has a name for.
static StringRef sourceName(ArrayRef<Operation *> ops) {
  for (Operation *op : llvm::reverse(ops))
    if (auto named = op->getLoc()->findInstanceOf<NameLoc>())
      return named.getName().getValue();
  return "";
}

/// Whether `op` was written by a derivative.
static bool isDerivative(Operation *op) {
  return graph::isMarked(op->getLoc(), graph::derivativeMark);
}

/// Whether `ops` compute a derivative: their product if they have one, else
/// all.
static bool isBackward(ArrayRef<Operation *> ops) {
  auto root = llvm::find_if(ops, isContraction);
  if (root != ops.end())
    return isDerivative(*root);
  return llvm::all_of(
      ops, [](Operation *op) { return isLeaf(op) || isDerivative(op); });
}

/// What an op contributes to a name; empty for what is no work.
static StringRef wordOf(Operation *op) {
  if (isLeaf(op) ||
      isa<graph::BroadcastOp, graph::ReshapeOp, graph::StopOp>(op))
    return "";
  return isContraction(op) ? "matmul" : op->getName().stripDialect();
}

/// What the kernel does, its product first.
static SmallVector<StringRef> wordsOf(ArrayRef<Operation *> ops) {
  SmallVector<StringRef> words;
  auto root = llvm::find_if(ops, isContraction);
  if (root != ops.end())
    words.push_back(wordOf(*root));
  for (Operation *op : ops)
    if (StringRef word = wordOf(op);
        !word.empty() && !llvm::is_contained(words, word))
      words.push_back(word);
  if (words.empty())
    words.push_back(ops.back()->getName().stripDialect());
  return words;
}

static std::string sanitized(StringRef text) {
  std::string symbol;
  for (char c : text)
    symbol += llvm::isAlnum(c) ? c : '_';
  return symbol;
}

std::string kernelName(func::FuncOp step, ArrayRef<Operation *> ops) {
  SmallVector<StringRef> words = wordsOf(ops);
  StringRef subject = updatedPath(step, ops);
  if (!subject.empty()) {
    words.resize(std::min<size_t>(words.size(), 1));
    words.push_back("update");
  } else {
    if (words.size() > kMaxWords) {
      words.resize(kMaxWords - 1);
      words.push_back("etc");
    }
    subject = readModule(step, ops);
    if (isBackward(ops))
      words.insert(words.begin(), "backward");
    if (subject.empty())
      subject = sourceName(ops);
  }
  // A word alone may be the name of a function of the C library.
  if (words.size() + !subject.empty() < 2)
    words.insert(words.begin(), "kernel");
  std::string name = sanitized(subject);
  for (StringRef word : words)
    name += (name.empty() ? "" : "_") + word.str();
  return name;
}

} // namespace gradus::fuse
