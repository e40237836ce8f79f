// gradus-opt: mlir-opt with the dialect and the passes of Gradus.
#include "compiler/differentiate/Differentiate.h"
#include "compiler/fuse/Passes.h"
#include "compiler/lower/Passes.h"
#include "compiler/lower/Pipelines.h"
#include "dialect/Graph.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<gradus::graph::GraphDialect>();
  mlir::registerAllPasses();
  gradus::differentiate::registerDifferentiatePasses();
  gradus::fuse::registerFusePasses();
  gradus::lower::registerLowerPasses();
  gradus::lower::registerLowerPipelines();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Gradus optimizer driver\n", registry));
}
