// See Compiler.h. Passes report through MLIR; what concerns the user's source
// is put into the user's words here, the rest is an internal error.
#include "compiler/Compiler.h"
#include "compiler/DiagnosticKinds.h"

#include "compiler/Externs.h"
#include "compiler/Interpreted.h"
#include "compiler/OpChecks.h"
#include "compiler/Unmoved.h"
#include "compiler/construct/GraphFunction.h"
#include "compiler/differentiate/Differentiate.h"
#include "compiler/fuse/Passes.h"
#include "compiler/fuse/Plan.h"
#include "compiler/lower/Lower.h"
#include "compiler/lower/Passes.h"
#include "compiler/lower/Pipelines.h"
#include "compiler/native/Jit.h"
#include "dialect/Costs.h"
#include "dialect/Loops.h"
#include "runtime/Team.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/Error.h"

#include <set>
#include <stdexcept>

using namespace mlir;

namespace gradus {

//===-- Reports of passes in the user's words -----------------------------===//

namespace {

/// A number of bytes as a person writes it.
static std::string sizeText(const std::string &bytes) {
  double size = std::stod(bytes);
  const char *unit = "bytes";
  for (const char *larger : {"KiB", "MiB", "GiB", "TiB"}) {
    if (size < 1024)
      break;
    size /= 1024;
    unit = larger;
  }
  return fmt::format("{:.4g} {}", size, unit);
}

/// Collects what passes report while it lives.
class PassReports {
public:
  PassReports(MLIRContext *context, const typed::Program &program,
              gradus::Diagnostics &diagnostics)
      : program(program), places(program), diagnostics(diagnostics),
        handler(context, [this](mlir::Diagnostic &report) {
          take(report);
          return success();
        }) {}

  /// Throws if something went wrong that is not the user's doing.
  void check(bool succeeded) const {
    if (!succeeded && !diagnostics.hasErrors())
      throw std::runtime_error(internal.empty() ? "compilation failed"
                                                : internal);
  }

private:
  static std::string argument(mlir::Diagnostic &report, size_t i) {
    return cast<StringAttr>(report.getMetadata()[i].getAsAttribute()).str();
  }

  void take(mlir::Diagnostic &report) {
    std::string code = report.getMetadata().empty() ? "" : argument(report, 0);
    Range range = places.range(report.getLocation());
    if (code == diag::ZeroDerivative.code) {
      std::string x = argument(report, 2);
      auto &error = diagnostics.report(diag::ZeroDerivative, range,
                                       argument(report, 1), x);
      // A loop that is written out has many ops at one place.
      std::set<uint32_t> labelled;
      for (mlir::Diagnostic &note : report.getNotes())
        if (Range place = places.range(note.getLocation());
            place && labelled.insert(place.begin).second)
          error.label(place, note.str());
      // A loss has to depend on what it trains; any other derivative may be 0.
      if (isLoss(range) && labelled.empty())
        error.note("it does not depend on `" + x + "`");
      else if (!isLoss(range))
        error.help("if zero is what you want, write `0 * " + x + "`");
    } else if (code == diag::TooManyDerivatives.code) {
      diagnostics
          .report(diag::TooManyDerivatives, range, argument(report, 1),
                  argument(report, 2), argument(report, 3),
                  sizeText(argument(report, 4)), sizeText(argument(report, 5)))
          .help("take products with them instead, `hvp` or `jvp`, or allow "
                "more by `--memory-budget`");
    } else if (code == diag::NonlinearBackward.code) {
      auto &error = diagnostics.report(diag::NonlinearBackward, range,
                                       argument(report, 1));
      for (mlir::Diagnostic &note : report.getNotes())
        if (Range place = places.range(note.getLocation()))
          error.label(place, note.str());
    } else if (code == diag::NoBackward.code) {
      Range place = places.range(report.getNotes().begin()->getLocation());
      diagnostics.report(diag::NoBackward, range, std::string(place.text()))
          .label(place, "a C function, whose derivative nobody knows")
          .help("write it behind the declaration, as in `backward (y, dy) { "
                "grad x = dy * cos(x) }`");
    } else if (report.getSeverity() == DiagnosticSeverity::Error) {
      if (!internal.empty())
        internal += "\n";
      internal += report.str();
    }
  }

  bool isLoss(Range range) const {
    return program.train &&
           llvm::any_of(program.train->minimize, [&](const auto &one) {
             return one.loss->range == range;
           });
  }

  const typed::Program &program;
  Places places;
  gradus::Diagnostics &diagnostics;
  std::string internal;
  ScopedDiagnosticHandler handler;
};

} // namespace

//===-- Pipelines ---------------------------------------------------------===//

static LogicalResult runPasses(ModuleOp module,
                               llvm::function_ref<void(PassManager &)> add) {
  PassManager passes(module.getContext());
  add(passes);
  return passes.run(module);
}

static int64_t budgetOf(const CompileOptions &options) {
  return options.memoryBudget.value_or(graph::defaultBudget);
}

static lower::Workers workersOf(const CompileOptions &options) {
  if (!options.team)
    return {};
  return {options.team->size(), options.team->worth()};
}

/// graph with gradients -> plain graph, nothing simplified
static LogicalResult differentiateOnly(ModuleOp module) {
  return runPasses(module, [](PassManager &passes) {
    passes.addPass(differentiate::createDifferentiate());
  });
}

/// graph with gradients -> plain graph
static LogicalResult takeDerivatives(ModuleOp module,
                                     const CompileOptions &options) {
  return runPasses(module, [&](PassManager &passes) {
    passes.addPass(differentiate::createDifferentiate({budgetOf(options)}));
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
  });
}

/// plain graph -> plain graph in which loops read what others have computed
static LogicalResult storeResiduals(ModuleOp module,
                                    const CompileOptions &options) {
  return runPasses(module, [&](PassManager &passes) {
    if (!options.reference) {
      passes.addPass(fuse::createStoreResiduals({budgetOf(options)}));
      passes.addPass(createCanonicalizerPass());
      passes.addPass(fuse::createHoistFromLoops({budgetOf(options)}));
    }
    passes.addPass(createCanonicalizerPass());
  });
}

/// plain graph -> kernels and their calls
static LogicalResult formKernels(ModuleOp module, bool fuse) {
  return runPasses(module, [&](PassManager &passes) {
    passes.addPass(fuse::createFormKernels({.fuse = fuse}));
    passes.addPass(fuse::createUpdateInPlace());
  });
}

/// kernels and their calls -> a place for every value
static LogicalResult planMemory(ModuleOp module) {
  return runPasses(module, [](PassManager &passes) {
    passes.addPass(fuse::createPlanMemory());
    passes.addPass(fuse::createVerifyPlan());
  });
}

/// The kernels alone, as linalg on tensors.
static OwningOpRef<ModuleOp> linalgKernels(ModuleOp module) {
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

//===-- Compiling ---------------------------------------------------------===//

static const DialectRegistry &registry() {
  static const DialectRegistry dialects = [] {
    DialectRegistry dialects;
    lower::registerLowerDialects(dialects);
    dialects.insert<graph::GraphDialect>();
    return dialects;
  }();
  return dialects;
}

Compiler::~Compiler() = default;

Compiler::Compiler(const typed::Program &program, const CompileOptions &options)
    : program(program), options(options),
      owned(std::make_unique<MLIRContext>(registry())), context(*owned) {
  // Notes go to the user, who must not see operations.
  context.printOpOnDiagnostic(false);
}

/// What the loops of a function stack for later ones.
static std::vector<KeptRounds> keptRounds(func::FuncOp function) {
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
    loop.getLoc()->walk([&](mlir::Location part) {
      auto place = dyn_cast<FileLineColRange>(part);
      if (!place)
        return WalkResult::advance();
      kept.place = place.getFilename().str() + ":" +
                   std::to_string(place.getStartLine());
      return WalkResult::interrupt();
    });
    found.push_back(std::move(kept));
  }
  return found;
}

std::optional<Functions> compileGraph(OwningOpRef<ModuleOp> module,
                                      const CompileOptions &options) {
  if (options.interpret) {
    if (failed(differentiateOnly(*module)))
      return std::nullopt;
    return interpretedFunctions(std::move(module));
  }
  if (failed(takeDerivatives(*module, options)) ||
      failed(storeResiduals(*module, options)))
    return std::nullopt;
  std::map<std::string, std::vector<KeptRounds>> kept;
  for (auto function : module->getOps<func::FuncOp>())
    kept[function.getName().str()] = keptRounds(function);
  if (failed(formKernels(*module, !options.reference)))
    return std::nullopt;

  OwningOpRef<ModuleOp> kernels = linalgKernels(*module);
  if (!kernels)
    return std::nullopt;
  native::Processor thisProcessor = native::thisProcessor();
  OwningOpRef<ModuleOp> lowered =
      lower::lowerKernels(*kernels, {.schedule = !options.reference,
                                     .workers = workersOf(options),
                                     .vectors = thisProcessor.vectors});
  if (!lowered)
    return std::nullopt;
  auto compiled = native::compile(*lowered, {.processor = thisProcessor,
                                             .optimise = !options.reference,
                                             .externs = options.externs});
  if (!compiled)
    throw std::runtime_error(llvm::toString(compiled.takeError()));
  std::shared_ptr<native::Code> code = *compiled;

  // Only the finished kernels know how much scratch they need.
  for (auto function : module->getOps<func::FuncOp>())
    if (int64_t bytes =
            function->hasAttr(fuse::kKernel) && !fuse::roundsOf(function)
                ? code->scratchBytes(function.getName())
                : 0)
      function->setAttr(
          fuse::kScratch,
          OpBuilder(module->getContext()).getI64IntegerAttr(bytes));
  if (failed(planMemory(*module)))
    return std::nullopt;

  Functions functions;
  for (func::FuncOp function : fuse::steps(*module)) {
    FailureOr<fuse::Plan> plan = fuse::readPlan(function);
    if (failed(plan))
      return std::nullopt;
    CompiledFunction &result = functions[plan->name];
    result = fuse::compiledFunction(
        *plan, [&](KernelCall &call) { code->link(call); }, options.team);
    result.code = code;
    result.kept = std::move(kept[plan->name]);
  }
  return functions;
}

Functions Compiler::compile(OwningOpRef<ModuleOp> module,
                            gradus::Diagnostics &diagnostics) {
  if (!module)
    return {};
  CompileOptions withExterns = options;
  withExterns.externs =
      findExterns(*module, program, options.libraries.get(), diagnostics);
  if (options.interpret && !withExterns.externs.empty())
    diagnostics.report(diag::NotSupportedYet, Range(),
                       "calling a C function with `--interpret` is");
  if (diagnostics.hasErrors())
    return {};
  PassReports reports(&context, program, diagnostics);
  std::optional<Functions> functions =
      compileGraph(std::move(module), withExterns);
  reports.check(functions.has_value());
  return functions ? std::move(*functions) : Functions();
}

Functions Compiler::step(int64_t batch, gradus::Diagnostics &diagnostics) {
  return compile(construct::constructStep(program, context, options.precision,
                                          batch, diagnostics),
                 diagnostics);
}

Functions Compiler::reports(int64_t batch, gradus::Diagnostics &diagnostics) {
  return compile(construct::constructReports(
                     program, context, options.precision, batch, diagnostics),
                 diagnostics);
}

Functions Compiler::exported(const typed::Function &function,
                             const typed::DimEnvironment &dims,
                             gradus::Diagnostics &diagnostics) {
  return compile(construct::constructExport(program, context, options.precision,
                                            function, dims, diagnostics),
                 diagnostics);
}

Functions Compiler::checks(int64_t batch, int order,
                           std::vector<construct::CheckedDerivative> &checks,
                           gradus::Diagnostics &diagnostics,
                           std::optional<size_t> only) {
  OwningOpRef<ModuleOp> module = construct::constructChecks(
      program, context, options.precision, batch, order, checks, diagnostics);
  if (!module)
    return {};
  if (only)
    for (auto function :
         llvm::make_early_inc_range(module->getOps<func::FuncOp>()))
      if (function.isPublic() && function.getName() != checks[*only].value &&
          function.getName() != checks[*only].gradient)
        function.erase();
  bool hasFunctions = llvm::any_of(module->getOps<func::FuncOp>(),
                                   [](auto one) { return one.isPublic(); });
  return hasFunctions ? compile(std::move(module), diagnostics) : Functions();
}

Functions Compiler::ops(const construct::CheckedDerivative &of, int64_t batch,
                        std::vector<CheckedOp> &ops,
                        gradus::Diagnostics &diagnostics) {
  std::vector<construct::CheckedDerivative> checks;
  OwningOpRef<ModuleOp> module =
      construct::constructChecks(program, context, options.precision, batch,
                                 of.order, checks, diagnostics);
  if (!module)
    return {};
  for (auto function :
       llvm::make_early_inc_range(module->getOps<func::FuncOp>()))
    if (function.isPublic() && function.getName() != of.gradient)
      function.erase();
  return compile(separateOps(*module, of.gradient, Places(program), ops),
                 diagnostics);
}

void Compiler::warnOfUnmoved(int64_t batch, gradus::Diagnostics &diagnostics) {
  std::vector<construct::CheckedDerivative> checks;
  OwningOpRef<ModuleOp> gradients =
      construct::constructChecks(program, context, options.precision, batch,
                                 /*order=*/1, checks, diagnostics);
  OwningOpRef<ModuleOp> step = construct::constructStep(
      program, context, options.precision, batch, diagnostics);
  if (!gradients || !step)
    return;
  for (auto function :
       llvm::make_early_inc_range(gradients->getOps<func::FuncOp>()))
    if (function.isPublic() && llvm::none_of(checks, [&](const auto &check) {
          return check.minimize && check.gradient == function.getName();
        }))
      function.erase();
  PassReports reports(&context, program, diagnostics);
  Blocks blocks = findBlocks(*gradients, Places(program));
  bool taken = succeeded(takeDerivatives(*gradients, options)) &&
               succeeded(takeDerivatives(*step, options));
  reports.check(taken);
  if (taken)
    gradus::warnOfUnmoved(*gradients, *step, checks, blocks, *program.train,
                          diagnostics);
}

/// The function `name` of a module under construction.
static func::FuncOp lookup(ModuleOp module, StringRef name) {
  return module.lookupSymbol<func::FuncOp>(name);
}

std::vector<Compiler::Slot> Compiler::slots(int64_t batch,
                                            gradus::Diagnostics &diagnostics) {
  std::vector<Slot> slots;
  OwningOpRef<ModuleOp> module = construct::constructStep(
      program, context, options.precision, batch, diagnostics);
  if (!module)
    return slots;
  func::FuncOp step = lookup(*module, "step");
  for (unsigned i = 0; i < step.getNumArguments(); ++i)
    if (auto initial =
            step.getArgAttrOfType<FloatAttr>(i, construct::initialAttr)) {
      auto type = cast<RankedTensorType>(step.getArgumentTypes()[i]);
      auto name = step.getArgAttrOfType<StringAttr>(i, construct::nameAttr);
      slots.push_back(
          {{name.str(),
            type.getElementType().isF64() ? Element::F64 : Element::F32,
            type.getShape().vec(), Access::Update},
           initial.getValueAsDouble()});
    }
  return slots;
}

std::map<std::string, std::string>
Compiler::partials(int64_t batch, gradus::Diagnostics &diagnostics) {
  std::map<std::string, std::string> partials;
  OwningOpRef<ModuleOp> module = construct::constructReports(
      program, context, options.precision, batch, diagnostics);
  if (!module)
    return partials;
  func::FuncOp evaluate = lookup(*module, "evaluate");
  for (unsigned i = 0; i < evaluate.getNumResults(); ++i)
    if (auto combine =
            evaluate.getResultAttrOfType<StringAttr>(i, construct::combineAttr))
      partials[evaluate.getResultAttrOfType<StringAttr>(i, construct::nameAttr)
                   .str()] = combine.str();
  return partials;
}

//===-- Looking at stages -------------------------------------------------===//

/// Names of the source as prefixes of values, and constants cut short.
static void print(ModuleOp module, llvm::raw_ostream &out) {
  OpPrintingFlags flags;
  flags.printNameLocAsPrefix();
  flags.elideLargeElementsAttrs(16);
  module.print(out, flags);
}

void Compiler::emit(Stage stage, int64_t batch, llvm::raw_ostream &out,
                    gradus::Diagnostics &diagnostics) {
  OwningOpRef<ModuleOp> module = construct::constructStep(
      program, context, options.precision, batch, diagnostics);
  if (!module)
    return;
  PassReports reports(&context, program, diagnostics);
  auto reached = [&](Stage wanted) {
    if (stage == wanted)
      print(*module, out);
    return stage == wanted || diagnostics.hasErrors();
  };
  if (reached(Stage::Graph))
    return;
  if (stage == Stage::Pullbacks) {
    reports.check(
        succeeded(differentiate::expandGradients(*module, budgetOf(options))));
    if (!diagnostics.hasErrors())
      print(*module, out);
    return;
  }
  reports.check(succeeded(takeDerivatives(*module, options)));
  if (reached(Stage::Gradient))
    return;
  reports.check(succeeded(storeResiduals(*module, options)) &&
                succeeded(formKernels(*module, !options.reference)));
  if (stage == Stage::Step)
    reports.check(succeeded(planMemory(*module)));
  if (reached(Stage::Step))
    return;

  module = linalgKernels(*module);
  reports.check(static_cast<bool>(module));
  if (reached(Stage::Linalg))
    return;
  auto processor = options.cpu.empty() ? native::thisProcessor()
                                       : native::processorNamed(options.cpu);
  if (!processor)
    throw std::runtime_error(llvm::toString(processor.takeError()));
  module = lower::lowerKernels(*module, {.schedule = !options.reference,
                                         .workers = workersOf(options),
                                         .vectors = processor->vectors,
                                         .toLLVM = stage != Stage::Vector});
  reports.check(static_cast<bool>(module));
  if (reached(Stage::Vector) || reached(Stage::Llvm))
    return;
  if (llvm::Error error = native::printAssembly(
          *module, {.processor = *processor, .optimise = !options.reference},
          out))
    throw std::runtime_error(llvm::toString(std::move(error)));
}

} // namespace gradus
