// MLIR text -> lower -> native, once per test.
#include "test/unit/lower/KernelRunner.h"

#include "compiler/lower/Passes.h"
#include "dialect/Graph.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

namespace gradus {

Kernel::Kernel(const std::string &text, bool schedule) {
  static mlir::MLIRContext &context = *[] {
    mlir::DialectRegistry registry;
    lower::registerLowerDialects(registry);
    registry.insert<graph::GraphDialect>();
    return new mlir::MLIRContext(registry);
  }();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module) {
    ADD_FAILURE() << "not MLIR: " << text;
    return;
  }
  mlir::PassManager passes(&context);
  passes.addNestedPass<mlir::func::FuncOp>(lower::createGraphToLinalg());
  if (failed(passes.run(*module))) {
    ADD_FAILURE() << "not linalg: " << text;
    return;
  }
  lower::LowerOptions options;
  options.schedule = schedule;
  auto lowered = lower::lowerKernels(*module, options);
  if (!lowered) {
    ADD_FAILURE() << "not lowered: " << text;
    return;
  }
  native::NativeOptions nativeOptions;
  nativeOptions.optimise = schedule;
  auto compiled = native::compile(*lowered, nativeOptions);
  if (!compiled) {
    ADD_FAILURE() << llvm::toString(compiled.takeError());
    return;
  }
  code = *compiled;
  std::string name =
      mlir::SymbolTable::getSymbolName(&*module->getBody()->begin()).str();
  entry = code->lookup(name);
  scratchBytes = code->scratchBytes(name);
  EXPECT_TRUE(entry);
}

void Kernel::run(std::vector<void *> operands) const {
  ASSERT_TRUE(entry);
  Buffer<char> scratch(scratchBytes);
  if (scratchBytes)
    operands.push_back(scratch.begin());
  entry(operands.data(), &alone);
  check(scratch.isIntact());
}

void Kernel::check(bool intact) {
  EXPECT_TRUE(intact) << "a kernel wrote behind the end of a buffer";
}

} // namespace gradus
