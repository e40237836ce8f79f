// See Orders.h.
#include "compiler/Orders.h"
#include "dialect/Graph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <algorithm>
#include <map>
#include <set>

using namespace mlir;

namespace gradus {
namespace {

/// Far above what anyone takes.
constexpr int kAny = 1000;

struct Limit {
  int order = kAny;
  std::string why;
};

class Limits {
public:
  Limits(ModuleOp graph, const typed::Program &program) : graph(graph) {
    for (const typed::Module *file : program.files)
      for (const typed::Function *function : file->functions)
        if (function->library)
          externs[{function->libraryPath(), function->name}] = function;
  }

  /// Of a function with this `backward`.
  Limit of(StringRef backward);

private:
  Limit of(Operation &op);

  ModuleOp graph;
  std::map<std::pair<std::string, std::string>, const typed::Function *>
      externs;
  std::map<std::string, Limit> known;
};

Limit Limits::of(StringRef backward) {
  auto [entry, isNew] = known.try_emplace(backward.str());
  if (!isNew)
    return entry->second;
  auto body = graph.lookupSymbol<func::FuncOp>(backward);
  // What the gradients are computed from: of the forward pass that stands in
  // front of them not all is.
  SmallVector<Value> pending(body.front().getTerminator()->getOperands());
  std::set<Operation *> needed;
  while (!pending.empty())
    if (Operation *op = pending.pop_back_val().getDefiningOp();
        op && needed.insert(op).second)
      pending.append(op->operand_begin(), op->operand_end());
  Limit least;
  for (Operation *op : needed)
    if (Limit limit = of(*op); limit.order < least.order)
      least = limit;
  return known[backward.str()] = least;
}

Limit Limits::of(Operation &op) {
  if (op.hasAttr(graph::GraphDialect::nonlinearAttrName))
    return {1, "its `backward` is not linear in the cotangent"};
  if (auto call = dyn_cast<graph::ExternOp>(op)) {
    std::string name = call.getSymbol().str();
    std::string library = call.getLibrary().str();
    if (!externs.contains({library, name}))
      name.pop_back();
    return {1, "its `backward` calls `" + name + "`, which has none"};
  }
  if (auto call = dyn_cast<graph::CustomOp>(op)) {
    Limit limit = of(call.getBackward());
    if (limit.order < kAny)
      ++limit.order;
    return limit;
  }
  return {};
}

} // namespace

std::vector<DerivativeLimit>
derivativeLimits(ModuleOp graph, const typed::Program &program,
                 const std::vector<construct::CheckedDerivative> &checks) {
  Limits limits(graph, program);
  std::map<const typed::Function *, Limit> found;
  for (const construct::CheckedDerivative &check : checks) {
    auto value = graph.lookupSymbol<func::FuncOp>(check.value);
    if (!check.function || !value)
      continue;
    for (auto call : value.getOps<graph::CustomOp>())
      if (Limit limit = limits.of(call.getBackward());
          limit.order < found[check.function].order)
        found[check.function] = limit;
  }
  std::vector<DerivativeLimit> result;
  for (const typed::Module *file : llvm::drop_begin(program.files))
    for (const typed::Function *function : file->functions) {
      if (function->library && !function->backward)
        result.push_back(
            {function, 0, "it is written in C and has no `backward`"});
      else if (auto limit = found.find(function);
               limit != found.end() && limit->second.order < kAny)
        result.push_back({function, limit->second.order, limit->second.why});
    }
  return result;
}

} // namespace gradus
