// See GraphRunner.h.
#include "test/unit/differentiate/GraphRunner.h"

#include "compiler/differentiate/Differentiate.h"
#include "compiler/lower/Lower.h"
#include "compiler/lower/Passes.h"
#include "dialect/Duals.h"
#include "dialect/Graph.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "gtest/gtest.h"

#include <cstring>
#include <stdexcept>

using namespace mlir;

namespace gradus {

/// Makes the pullbacks of `name` take `factor` times their cotangents; says how
/// many.
static int spoilPullbacks(ModuleOp module, StringRef name, double factor) {
  int count = 0;
  module.walk([&](Operation *op) {
    if (!isa<graph::Pullback1Op, graph::Pullback2Op, graph::Pullback3Op>(op))
      return;
    Operation *forward = op->getOperand(1).getDefiningOp();
    if (forward->getName().stripDialect() != name)
      return;
    OpBuilder builder(op);
    Value dy = op->getOperand(0);
    op->setOperand(0, graph::MulOp::create(
                          builder, op->getLoc(), dy,
                          graph::fillLike(builder, op->getLoc(), dy, factor)));
    ++count;
  });
  return count;
}

GraphRunner::GraphRunner(const std::string &text, const std::string &op,
                         double factor) {
  static MLIRContext &context = *[] {
    DialectRegistry registry;
    lower::registerLowerDialects(registry);
    registry.insert<graph::GraphDialect>();
    return new MLIRContext(registry);
  }();
  auto module = parseSourceString<ModuleOp>(text, &context);
  if (!module) {
    ADD_FAILURE() << "not a graph:\n" << text;
    return;
  }
  if (!op.empty()) {
    if (failed(differentiate::expandGradients(*module)))
      ADD_FAILURE() << "not expanded:\n" << text;
    spoiledRules = spoilPullbacks(*module, op, factor);
  }
  PassManager passes(&context);
  passes.addPass(differentiate::createDifferentiate());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addNestedPass<func::FuncOp>(lower::createGraphToLinalg());
  if (failed(passes.run(*module))) {
    ADD_FAILURE() << "not differentiated:\n" << text;
    return;
  }
  auto lowered = lower::lowerKernels(*module, {.schedule = false});
  if (!lowered) {
    ADD_FAILURE() << "not lowered:\n" << text;
    return;
  }
  auto compiled = native::compile(*lowered, {.optimise = false});
  if (!compiled)
    ADD_FAILURE() << llvm::toString(compiled.takeError());
  else
    code = *compiled;
}

std::vector<std::vector<double>>
GraphRunner::run(const std::string &function,
                 std::vector<std::vector<double>> inputs,
                 const std::vector<size_t> &sizes) const {
  // One aligned block an operand, as kernels want them.
  struct Free {
    void operator()(void *memory) const { std::free(memory); }
  };
  std::vector<std::unique_ptr<void, Free>> blocks;
  std::vector<void *> operands;
  auto add = [&](size_t bytes) {
    blocks.emplace_back(std::aligned_alloc(64, (bytes + 127) / 64 * 64));
    return operands.emplace_back(blocks.back().get());
  };
  for (const std::vector<double> &input : inputs)
    std::memcpy(add(input.size() * 8), input.data(), input.size() * 8);
  for (size_t size : sizes)
    add(size * 8);
  if (int64_t scratch = code ? code->scratchBytes(function) : 0)
    add(scratch);

  KernelEntry entry = code ? code->lookup(function) : nullptr;
  if (!entry)
    throw std::runtime_error("no function " + function);
  entry(operands.data(), &alone);
  std::vector<std::vector<double>> results;
  for (size_t i = 0; i < sizes.size(); ++i) {
    auto *first = static_cast<double *>(operands[inputs.size() + i]);
    results.emplace_back(first, first + sizes[i]);
  }
  return results;
}

} // namespace gradus
