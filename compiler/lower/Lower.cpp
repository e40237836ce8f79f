// Puts each kernel into a module of its own and runs the pipeline on them all:
// MLIR then lowers kernels on as many threads as the context has.
#include "compiler/lower/Lower.h"

#include "compiler/lower/Passes.h"
#include "compiler/lower/Pipelines.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/AllInterfaces.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Pass/PassManager.h"

namespace gradus::lower {
using namespace mlir;

void registerLowerDialects(DialectRegistry &registry) {
  registry.insert<affine::AffineDialect, arith::ArithDialect,
                  bufferization::BufferizationDialect, func::FuncDialect,
                  linalg::LinalgDialect, LLVM::LLVMDialect, math::MathDialect,
                  memref::MemRefDialect, scf::SCFDialect, tensor::TensorDialect,
                  ub::UBDialect, vector::VectorDialect>();
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(
      registry);
  linalg::registerAllDialectInterfaceImplementations(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerSubsetOpInterfaceExternalModels(registry);
}

OwningOpRef<ModuleOp> lowerKernels(ModuleOp kernels,
                                   const LowerOptions &options) {
  MLIRContext *context = kernels.getContext();
  OwningOpRef<ModuleOp> lowered = ModuleOp::create(kernels.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(lowered->getBody());
  for (auto kernel : kernels.getOps<func::FuncOp>()) {
    if (kernel.isExternal())
      continue;
    auto alone = ModuleOp::create(builder, kernel.getLoc());
    Operation *copy = kernel->clone();
    alone.getBody()->push_back(copy);
    SymbolTable::setSymbolVisibility(copy, SymbolTable::Visibility::Public);
  }
  PassManager passes(context);
  // A fifth of the time; gradus-opt verifies after every pass in the tests.
  passes.enableVerifier(false);
  OpPassManager &each = passes.nest<ModuleOp>();
  if (options.schedule)
    addScheduledLoops(each, options.vectors);
  else
    addReferenceLoops(each);
  if (options.toLLVM)
    addLoopsToLLVM(each, options.workers);
  if (failed(passes.run(*lowered)))
    return nullptr;
  return lowered;
}

} // namespace gradus::lower
