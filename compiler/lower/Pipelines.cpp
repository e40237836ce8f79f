// Each pipeline a plain list of passes, with the IR that comes in and goes out.
#include "compiler/lower/Pipelines.h"

#include "compiler/lower/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

namespace gradus::lower {
using namespace mlir;

namespace {

/// in: tensors at the boundary and inside. out: linalg on buffers.
void addBufferization(OpPassManager &passes) {
  passes.addNestedPass<func::FuncOp>(createKernelsToDestinations());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(bufferization::createEmptyTensorEliminationPass());
  passes.addPass(bufferization::createOneShotBufferizePass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addNestedPass<func::FuncOp>(createCopiesToLinalg());
}

struct ScheduledLoopsOptions : PassPipelineOptions<ScheduledLoopsOptions> {
  Option<Vectors> vectors{*this, "vectors", llvm::cl::desc("the vector unit"),
                          llvm::cl::init(Vectors::Avx512), vectorsValues()};
};

} // namespace

void addReferenceLoops(OpPassManager &passes) {
  // in: linalg on tensors
  passes.addNestedPass<func::FuncOp>(createLinalgGeneralizeNamedOpsPass());
  // generics on tensors
  addBufferization(passes);
  // linalg on buffers
  passes.addPass(createConvertLinalgToLoopsPass());
  // out: scalar loops on buffers
}

void addScheduledLoops(OpPassManager &passes, Vectors vectors) {
  // in: linalg on tensors
  passes.addNestedPass<func::FuncOp>(createLinalgGeneralizeNamedOpsPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addNestedPass<func::FuncOp>(createRepeatProducers());
  passes.addNestedPass<func::FuncOp>(createFuseElementwise());
  passes.addPass(createCanonicalizerPass());
  // few generics on tensors
  addBufferization(passes);
  // linalg on buffers
  passes.addNestedPass<func::FuncOp>(createTileRows());
  // the same in loops over rows, where there are rows
  passes.addNestedPass<func::FuncOp>(createScheduleKernels({vectors}));
  // loops of vectors on buffers
  passes.addNestedPass<func::FuncOp>(createVectorMath());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  // out: vectors without transcendental functions of f32
}

void addLoopsToLLVM(OpPassManager &passes, const Workers &workers) {
  // in: loops, vectors, buffers that are allocated
  if (workers.count > 1)
    passes.addPass(createSplitKernels({workers.worth, workers.count}));
  // each worker its part of the steps of parallel loops
  passes.addNestedPass<func::FuncOp>(createPlaceScratch({workers.count}));
  // no allocations
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createLoopsToLLVM());
  passes.addPass(createReconcileUnrealizedCastsPass());
  // LLVM dialect, a pointer per buffer
  passes.addPass(createEntryPoints());
  passes.addPass(createVerifyKernels());
  // out: LLVM dialect, an array of pointers
}

void registerLowerPipelines() {
  PassPipelineRegistration<>(
      "graph-reference-loops",
      "kernels: linalg on tensors -> scalar loops on buffers",
      addReferenceLoops);
  PassPipelineRegistration<ScheduledLoopsOptions>(
      "graph-scheduled-loops",
      "kernels: linalg on tensors -> loops of vectors on buffers",
      [](OpPassManager &passes, const ScheduledLoopsOptions &options) {
        addScheduledLoops(passes, options.vectors);
      });
  PassPipelineRegistration<>(
      "graph-loops-to-llvm", "kernels: loops and vectors on buffers -> LLVM",
      [](OpPassManager &passes) { addLoopsToLLVM(passes); });
}

} // namespace gradus::lower
