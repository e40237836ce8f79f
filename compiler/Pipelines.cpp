// See Pipelines.h.
#include "compiler/Pipelines.h"

#include "compiler/differentiate/Differentiate.h"
#include "compiler/fuse/Passes.h"
#include "compiler/fuse/Plan.h"
#include "compiler/lower/Passes.h"
#include "dialect/Loops.h"
#include "runtime/Team.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace gradus {

static LogicalResult runPasses(ModuleOp module,
                               llvm::function_ref<void(PassManager &)> add) {
  PassManager passes(module.getContext());
  add(passes);
  return passes.run(module);
}

int64_t budgetOf(const CompileOptions &options) {
  return options.memoryBudget.value_or(graph::defaultBudget);
}

lower::Workers workersOf(const CompileOptions &options) {
  if (!options.team)
    return {};
  return {options.team->size(), options.team->worth()};
}

LogicalResult differentiateOnly(ModuleOp module) {
  return runPasses(module, [](PassManager &passes) {
    passes.addPass(differentiate::createDifferentiate());
  });
}

LogicalResult takeDerivatives(ModuleOp module, const CompileOptions &options) {
  return runPasses(module, [&](PassManager &passes) {
    passes.addPass(differentiate::createDifferentiate({budgetOf(options)}));
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
  });
}

LogicalResult storeResiduals(ModuleOp module, const CompileOptions &options) {
  return runPasses(module, [&](PassManager &passes) {
    if (!options.reference) {
      passes.addPass(fuse::createStoreResiduals({budgetOf(options)}));
      passes.addPass(createCanonicalizerPass());
      passes.addPass(fuse::createHoistFromLoops({budgetOf(options)}));
    }
    passes.addPass(createCanonicalizerPass());
  });
}

LogicalResult formKernels(ModuleOp module, const CompileOptions &options) {
  return runPasses(module, [&](PassManager &passes) {
    passes.addPass(fuse::createFormKernels({.fuse = !options.reference}));
    passes.addPass(fuse::createUpdateInPlace());
  });
}

LogicalResult planMemory(ModuleOp module) {
  return runPasses(module, [](PassManager &passes) {
    passes.addPass(fuse::createPlanMemory());
    passes.addPass(fuse::createVerifyPlan());
  });
}

OwningOpRef<ModuleOp> linalgKernels(ModuleOp module) {
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(module.getLoc());
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(fuse::kKernel) && !fuse::roundsOf(function))
      kernels->push_back(function->clone());
  if (failed(runPasses(*kernels, [](PassManager &passes) {
        passes.addNestedPass<func::FuncOp>(lower::createGraphToLinalg());
      })))
    return nullptr;
  return kernels;
}

OwningOpRef<ModuleOp> lowerKernels(ModuleOp kernels,
                                   const CompileOptions &options,
                                   lower::Vectors vectors, bool toLLVM) {
  return lower::lowerKernels(kernels, {.schedule = !options.reference,
                                       .workers = workersOf(options),
                                       .vectors = vectors,
                                       .toLLVM = toLLVM});
}

} // namespace gradus
