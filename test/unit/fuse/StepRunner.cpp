// Each stage as the compiler runs it, with the reference loops of `lower`, so
// that only `fuse` differs between two runs.
#include "test/unit/fuse/StepRunner.h"

#include "compiler/differentiate/Differentiate.h"
#include "compiler/fuse/Passes.h"
#include "compiler/fuse/Plan.h"
#include "compiler/lower/Lower.h"
#include "compiler/lower/Passes.h"
#include "compiler/native/Jit.h"
#include "dialect/Graph.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "gtest/gtest.h"

#include <bit>
#include <random>

namespace gradus {
namespace {

mlir::MLIRContext &context() {
  static mlir::MLIRContext &made = *[] {
    mlir::DialectRegistry registry;
    lower::registerLowerDialects(registry);
    registry.insert<graph::GraphDialect>();
    return new mlir::MLIRContext(registry);
  }();
  return made;
}

mlir::OwningOpRef<mlir::ModuleOp> formKernels(const std::string &text,
                                              bool fuse) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context());
  if (!module)
    return nullptr;
  mlir::PassManager passes(&context());
  passes.addPass(differentiate::createDifferentiate());
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  fuse::FormKernelsOptions options;
  options.fuse = fuse;
  passes.addPass(fuse::createFormKernels(options));
  passes.addPass(fuse::createUpdateInPlace());
  return succeeded(passes.run(*module)) ? std::move(module) : nullptr;
}

std::shared_ptr<native::Code> compileKernels(mlir::ModuleOp module,
                                             bool schedule, const Team *team) {
  mlir::OwningOpRef<mlir::ModuleOp> kernels =
      mlir::ModuleOp::create(module.getLoc());
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (function->hasAttr(fuse::kKernel) && !fuse::roundsOf(function))
      kernels->push_back(function.clone());
  mlir::PassManager passes(&context());
  passes.addNestedPass<mlir::func::FuncOp>(lower::createGraphToLinalg());
  if (failed(passes.run(*kernels)))
    return nullptr;
  lower::LowerOptions lowerOptions;
  lowerOptions.schedule = schedule;
  if (team)
    lowerOptions.workers = {int64_t(team->size()), team->worth()};
  auto lowered = lower::lowerKernels(*kernels, lowerOptions);
  if (!lowered)
    return nullptr;
  native::NativeOptions nativeOptions;
  nativeOptions.optimise = false;
  auto code = native::compile(*lowered, nativeOptions);
  if (!code) {
    ADD_FAILURE() << llvm::toString(code.takeError());
    return nullptr;
  }
  return *code;
}

/// The plan of the only step of `module`; scratch as `code` wants it.
std::optional<CompiledFunction> plan(mlir::ModuleOp module,
                                     std::shared_ptr<native::Code> code) {
  mlir::Builder builder(&context());
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (code && function->hasAttr(fuse::kKernel) && !fuse::roundsOf(function))
      if (int64_t bytes = code->scratchBytes(function.getName()))
        function->setAttr(fuse::kScratch, builder.getI64IntegerAttr(bytes));
  mlir::PassManager passes(&context());
  passes.addPass(fuse::createPlanMemory());
  passes.addPass(fuse::createVerifyPlan());
  if (failed(passes.run(module)))
    return std::nullopt;
  auto read = fuse::readPlan(fuse::steps(module).front());
  if (failed(read))
    return std::nullopt;
  CompiledFunction function =
      fuse::compiledFunction(*read, [&](KernelCall &call) {
        if (code)
          code->link(call);
      });
  function.code = code;
  return function;
}

} // namespace

std::optional<CompiledFunction> planStep(const std::string &text, bool fuse) {
  auto module = formKernels(text, fuse);
  auto planned = module ? plan(*module, nullptr) : std::nullopt;
  EXPECT_TRUE(planned) << text;
  return planned;
}

StepRunner::StepRunner(const std::string &text, bool fuse, unsigned seed,
                       bool schedule, std::shared_ptr<Team> team) {
  auto module = formKernels(text, fuse);
  auto code = module ? compileKernels(*module, schedule, team.get()) : nullptr;
  auto planned = code ? plan(*module, code) : std::nullopt;
  if (!planned) {
    ADD_FAILURE() << text;
    return;
  }
  std::mt19937 random(seed);
  for (const BufferInfo &buffer : planned->buffers) {
    tensors.emplace_back(buffer.element, buffer.shape);
    if (buffer.access == Access::Write)
      continue;
    // Real numbers around zero; squared sums must not be negative.
    bool whole = buffer.element != Element::F32;
    double low = buffer.name.starts_with("slot") ? 0 : -1;
    for (int64_t i = 0; i < tensors.back().elements(); ++i)
      tensors.back().set(
          i, whole ? double(random() % 10)
                   : std::uniform_real_distribution<double>(low, 1)(random));
  }
  planned->team = std::move(team);
  execution.emplace(std::move(*planned));
  for (size_t i = 0; i < tensors.size(); ++i)
    execution->bind(i, tensors[i]);
}

std::vector<std::vector<double>> StepRunner::run(int times) {
  if (!execution)
    return {};
  for (int i = 0; i < times; ++i)
    execution->run();
  std::vector<std::vector<double>> written;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (execution->function().buffers[i].access == Access::Read)
      continue;
    written.emplace_back();
    for (int64_t j = 0; j < tensors[i].elements(); ++j)
      written.back().push_back(tensors[i].at(j));
  }
  return written;
}

void expectSameBitsOnAnyWorkers(const std::string &text) {
  auto alone = StepRunner(text, true, 1, /*schedule=*/true).run(2);
  for (unsigned workers : {2, 3}) {
    auto team = std::make_shared<Team>(workers, /*worth=*/1);
    auto shared = StepRunner(text, true, 1, /*schedule=*/true, team).run(2);
    ASSERT_EQ(alone.size(), shared.size());
    for (size_t i = 0; i < alone.size(); ++i)
      for (size_t j = 0; j < alone[i].size(); ++j)
        ASSERT_EQ(std::bit_cast<uint64_t>(alone[i][j]),
                  std::bit_cast<uint64_t>(shared[i][j]))
            << alone[i][j] << " on one, " << shared[i][j] << " on " << workers
            << " workers: value " << j << " of written buffer " << i << " of\n"
            << text;
  }
}

} // namespace gradus
