// A graph -> functions: the stages from differentiate to native, or what they
// have given before, from the cache.
#include "compiler/Compilation.h"
#include "compiler/Compiler.h"
#include "compiler/GraphKey.h"
#include "compiler/Interpreted.h"
#include "compiler/Pipelines.h"
#include "compiler/native/CodePages.h"
#include "dialect/Costs.h"
#include "dialect/Loops.h"
#include "runtime/Timing.h"

#include <stdexcept>

using namespace mlir;

namespace gradus {

std::vector<KeptRounds> keptRounds(func::FuncOp function) {
  std::vector<KeptRounds> found;
  for (auto loop : function.getOps<graph::LoopOp>()) {
    KeptRounds kept;
    for (Value stack : loop.stacks())
      if (llvm::any_of(stack.getUsers(), llvm::IsaPred<graph::LoopOp>))
        kept.bytes += graph::bytesOf(stack.getType());
    if (kept.bytes == 0 || loop.getWhen())
      continue;
    kept.rounds = static_cast<int64_t>(loop.getRounds());
    if (auto every = loop->getAttrOfType<IntegerAttr>(graph::everyAttr)) {
      kept.every = every.getInt();
      kept.rounds *= kept.every;
    }
    kept.place = placeOf(loop.getLoc());
    found.push_back(std::move(kept));
  }
  return found;
}

/// Only the finished kernels know how much scratch they need.
static void tellScratch(ModuleOp module,
                        const std::vector<native::KernelObject> &kernels) {
  OpBuilder builder(module.getContext());
  for (const native::KernelObject &kernel : kernels)
    if (kernel.scratchBytes)
      module.lookupSymbol<func::FuncOp>(kernel.name)
          ->setAttr(fuse::kScratch,
                    builder.getI64IntegerAttr(kernel.scratchBytes));
}

/// A graph, which is used up -> plans and kernels.
static std::optional<Compilation>
compileKernels(ModuleOp module, const CompileOptions &options,
               const std::string &title,
               llvm::function_ref<void(ModuleOp)> planned) {
  auto measure = [&](std::string_view stage) {
    return Timing::measure(options.timing, stage, title);
  };
  Timing::Measured measured = measure("differentiate");
  if (failed(takeDerivatives(module, options)))
    return std::nullopt;
  measured = measure("fuse");
  if (failed(storeResiduals(module, options)))
    return std::nullopt;
  Compilation result;
  for (auto function : module.getOps<func::FuncOp>())
    if (auto kept = keptRounds(function); !kept.empty())
      result.kept[function.getName().str()] = std::move(kept);
  if (failed(formKernels(module, options)))
    return std::nullopt;

  measured = measure("lower");
  native::Processor processor = native::thisProcessor();
  OwningOpRef<ModuleOp> kernels = linalgKernels(module);
  OwningOpRef<ModuleOp> lowered =
      kernels ? lowerKernels(*kernels, options, processor.vectors)
              : OwningOpRef<ModuleOp>();
  if (!lowered)
    return std::nullopt;
  measured = measure("native");
  auto emitted = native::emitKernels(
      *lowered, {.processor = processor, .optimise = !options.reference});
  if (!emitted)
    throw std::runtime_error(llvm::toString(emitted.takeError()));
  result.kernels = std::move(*emitted);

  measured = measure("plan");
  tellScratch(module, result.kernels);
  if (failed(planMemory(module)))
    return std::nullopt;
  if (planned)
    planned(module);
  for (func::FuncOp function : fuse::steps(module)) {
    FailureOr<fuse::Plan> plan = fuse::readPlan(function);
    if (failed(plan))
      return std::nullopt;
    result.plans.push_back(std::move(*plan));
  }
  return result;
}

/// The functions that an entry of the cache holds. One that does not link is as
/// if it were not there.
static std::optional<Functions> cached(const CacheKey &key,
                                       const CompileOptions &options,
                                       const std::string &title) {
  Timing::Measured measured = Timing::measure(options.timing, "cache", title);
  std::optional<std::string> bytes = options.cache->read(key);
  std::optional<Compilation> compilation =
      bytes ? readCompilation(*bytes) : std::nullopt;
  if (compilation) {
    if (auto functions = link(*compilation, options.team, options.externs)) {
      measured.note("found");
      return std::move(*functions);
    } else {
      llvm::consumeError(functions.takeError());
    }
  }
  if (options.timing)
    measured.note("not found: " + options.cache->whyMissing(key, title));
  return std::nullopt;
}

std::optional<Functions>
compileGraph(OwningOpRef<ModuleOp> module, const CompileOptions &options,
             const std::string &title,
             llvm::function_ref<void(ModuleOp)> planned) {
  if (options.interpret) {
    if (failed(differentiateOnly(*module)))
      return std::nullopt;
    return interpretedFunctions(std::move(module));
  }
  std::optional<CacheKey> key;
  if (options.cache && !planned) {
    key = graphKey(*module, options);
    if (auto functions = cached(*key, options, title))
      return functions;
  }
  std::optional<Compilation> compilation =
      compileKernels(*module, options, title, planned);
  if (!compilation)
    return std::nullopt;
  Timing::Measured measured = Timing::measure(options.timing, "link", title);
  auto functions = link(*compilation, options.team, options.externs);
  if (!functions)
    throw std::runtime_error(llvm::toString(functions.takeError()));
  if (key) {
    measured = Timing::measure(options.timing, "cache", title);
    measured.note("written");
    options.cache->write(*key, title, bytesOf(*compilation));
  }
  // The functions run without these.
  compilation.reset();
  module = {};
  native::giveBackPages();
  return std::move(*functions);
}

} // namespace gradus
