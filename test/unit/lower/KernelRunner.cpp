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
  if (!schedule)
    compile(*module, {.schedule = false}, native::thisProcessor());
  native::Processor host = native::thisProcessor();
  for (lower::Vectors vectors : {host.vectors, lower::Vectors::Avx512,
                                 lower::Vectors::Avx2, lower::Vectors::Neon})
    if (schedule)
      compile(*module, {.vectors = vectors}, host);
  // What has more is asked to do with less.
  if (schedule && host.vectors == lower::Vectors::Avx512)
    compile(*module, {.vectors = lower::Vectors::Avx2},
            llvm::cantFail(native::processorNamed("x86-64-v3")));
}

void Kernel::compile(mlir::ModuleOp module, const lower::LowerOptions &options,
                     const native::Processor &processor) {
  Variant &variant = variants.emplace_back();
  variant.unit = lower::unitOf(options.vectors).name.str();
  auto lowered = lower::lowerKernels(module, options);
  if (!lowered) {
    ADD_FAILURE() << "not lowered for " << variant.unit;
    return;
  }
  auto compiled = native::compile(
      *lowered, {.processor = processor, .optimise = options.schedule});
  if (!compiled) {
    ADD_FAILURE() << llvm::toString(compiled.takeError());
    return;
  }
  variant.code = *compiled;
  std::string name =
      mlir::SymbolTable::getSymbolName(&*module.getBody()->begin()).str();
  variant.entry = variant.code->lookup(name);
  variant.scratchBytes = variant.code->scratchBytes(name);
}

void Kernel::run(const Variant &variant, std::vector<void *> operands) {
  ASSERT_TRUE(variant.entry);
  Buffer<char> scratch(variant.scratchBytes);
  if (variant.scratchBytes)
    operands.push_back(scratch.begin());
  variant.entry(operands.data(), &alone);
  check(scratch.isIntact());
}

void Kernel::check(bool intact) {
  EXPECT_TRUE(intact) << "a kernel wrote behind the end of a buffer";
}

void Kernel::expectSame(const Variant &variant, std::string_view bytes,
                        std::string_view expected) {
  EXPECT_TRUE(bytes == expected)
      << "scheduled for " << variant.unit << ", it gives other bits";
}

} // namespace gradus
