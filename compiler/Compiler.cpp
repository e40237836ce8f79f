// See Compiler.h. Passes report through MLIR; what concerns the user's source
// is put into the user's words here, the rest is an internal error.
#include "compiler/Compiler.h"
#include "compiler/DiagnosticKinds.h"

#include "compiler/AccountOf.h"
#include "compiler/Externs.h"
#include "compiler/GraphKey.h"
#include "compiler/OpChecks.h"
#include "compiler/Pipelines.h"
#include "compiler/Unmoved.h"
#include "compiler/construct/GraphFunction.h"
#include "compiler/differentiate/Differentiate.h"
#include "compiler/native/Jit.h"
#include "runtime/Text.h"
#include "runtime/Timing.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"

#include <filesystem>
#include <set>
#include <stdexcept>

using namespace mlir;

namespace gradus {

//===-- Reports of passes in the user's words -----------------------------===//

namespace {

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
                  bytesText(std::stod(argument(report, 4))),
                  bytesText(std::stod(argument(report, 5))))
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

std::string Compiler::titleOf(const std::string &what) const {
  return std::filesystem::path(program.main->source->name())
             .filename()
             .string() +
         ", " + what;
}

/// The function `name` of a module under construction.
static func::FuncOp lookup(ModuleOp module, StringRef name) {
  return module.lookupSymbol<func::FuncOp>(name);
}

static std::string rowsText(int64_t rows) {
  return std::to_string(rows) + (rows == 1 ? " row" : " rows");
}

Functions Compiler::compile(OwningOpRef<ModuleOp> module,
                            const std::string &title,
                            gradus::Diagnostics &diagnostics,
                            llvm::function_ref<void(ModuleOp)> planned) {
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
      compileGraph(std::move(module), withExterns, title, planned);
  reports.check(functions.has_value());
  return functions ? std::move(*functions) : Functions();
}

Functions Compiler::step(int64_t batch, gradus::Diagnostics &diagnostics) {
  std::string title = titleOf("step of " + rowsText(batch));
  auto measured = Timing::measure(options.timing, "construct", title);
  OwningOpRef<ModuleOp> module = construct::constructStep(
      program, context, options.precision, batch, diagnostics);
  measured.end();
  return compile(std::move(module), title, diagnostics);
}

Functions Compiler::step(int64_t batch, gradus::Diagnostics &diagnostics,
                         StepAccount &account) {
  std::string title = titleOf("step of " + rowsText(batch));
  auto measured = Timing::measure(options.timing, "construct", title);
  OwningOpRef<ModuleOp> module = construct::constructStep(
      program, context, options.precision, batch, diagnostics);
  measured.end();
  Places places(program);
  return compile(std::move(module), title, diagnostics, [&](ModuleOp planned) {
    account = accountOf(lookup(planned, "step"), places);
  });
}

Compiler::Unbounded Compiler::unbounded(int64_t batch,
                                        gradus::Diagnostics &diagnostics) {
  Unbounded result;
  OwningOpRef<ModuleOp> module = construct::constructStep(
      program, context, options.precision, batch, diagnostics);
  if (!module)
    return result;
  CompileOptions generous = options;
  generous.memoryBudget = int64_t(1) << 60;
  PassReports reports(&context, program, diagnostics);
  bool isTaken = succeeded(takeDerivatives(*module, generous)) &&
                 succeeded(storeResiduals(*module, generous));
  if (isTaken)
    result.kept = keptRounds(lookup(*module, "step"));
  isTaken = isTaken && succeeded(formKernels(*module, generous));
  reports.check(isTaken);
  if (isTaken)
    result.work = accountOf(lookup(*module, "step"), Places(program)).total();
  return result;
}

int64_t Compiler::memoryBudget() const { return budgetOf(options); }

Functions Compiler::reports(int64_t batch, gradus::Diagnostics &diagnostics) {
  std::string title = titleOf("reports on " + rowsText(batch));
  auto measured = Timing::measure(options.timing, "construct", title);
  OwningOpRef<ModuleOp> module = construct::constructReports(
      program, context, options.precision, batch, diagnostics);
  measured.end();
  return compile(std::move(module), title, diagnostics);
}

Functions Compiler::exported(const typed::Function &function,
                             const typed::DimEnvironment &dims,
                             gradus::Diagnostics &diagnostics) {
  std::string title = titleOf(function.name);
  auto measured = Timing::measure(options.timing, "construct", title);
  OwningOpRef<ModuleOp> module = construct::constructExport(
      program, context, options.precision, function, dims, diagnostics);
  measured.end();
  return compile(std::move(module), title, diagnostics);
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
  return hasFunctions ? compile(std::move(module),
                                titleOf("derivatives to check"), diagnostics)
                      : Functions();
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
                 titleOf("operations to check"), diagnostics);
}

/// What the warnings about checks depend on beside their graphs.
static std::string
settingsOf(const std::vector<construct::CheckedDerivative> &checks,
           const typed::Train &train) {
  std::string text =
      "warnings " + std::to_string(train.settings.steps.value_or(0));
  for (const construct::CheckedDerivative &check : checks)
    text += check.minimize ? " " + std::to_string(check.minimize->every) : "";
  return text;
}

std::vector<DerivativeLimit>
Compiler::derivativeLimits(int64_t batch, gradus::Diagnostics &diagnostics) {
  std::vector<construct::CheckedDerivative> checks;
  OwningOpRef<ModuleOp> module =
      construct::constructChecks(program, context, options.precision, batch,
                                 /*order=*/1, checks, diagnostics);
  if (!module)
    return {};
  return gradus::derivativeLimits(*module, program, checks);
}

void Compiler::warnOfUnmoved(int64_t batch, gradus::Diagnostics &diagnostics) {
  std::string title = titleOf("warnings");
  auto measured = Timing::measure(options.timing, "construct", title);
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
  // A model that there was nothing to warn of; the others are warned of again.
  std::optional<CacheKey> key;
  if (options.cache) {
    measured = Timing::measure(options.timing, "cache", title);
    key = graphKey({*gradients, *step}, options,
                   settingsOf(checks, *program.train));
    if (options.cache->read(*key)) {
      measured.note("found that there are none");
      return;
    }
    measured.note("not found");
  }
  measured = Timing::measure(options.timing, "differentiate", title);
  PassReports reports(&context, program, diagnostics);
  Blocks blocks = findBlocks(*gradients, Places(program));
  bool taken = succeeded(takeDerivatives(*gradients, options)) &&
               succeeded(takeDerivatives(*step, options));
  reports.check(taken);
  if (!taken)
    return;
  size_t before = diagnostics.all().size();
  gradus::warnOfUnmoved(*gradients, *step, checks, blocks, *program.train,
                        diagnostics);
  if (key && diagnostics.all().size() == before)
    options.cache->write(*key, title, "");
}

std::vector<Compiler::Slot> Compiler::slots(int64_t batch,
                                            gradus::Diagnostics &diagnostics) {
  std::vector<Slot> slots;
  auto measured =
      Timing::measure(options.timing, "construct", titleOf("what it updates"));
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
  auto measured =
      Timing::measure(options.timing, "construct", titleOf("what it reports"));
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
  std::string title = titleOf("step of " + rowsText(batch));
  auto measure = [&](std::string_view stage) {
    return Timing::measure(options.timing, stage, title);
  };
  auto measured = measure("construct");
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
  measured = measure("differentiate");
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
  measured = measure("fuse");
  reports.check(succeeded(storeResiduals(*module, options)) &&
                succeeded(formKernels(*module, options)));
  if (stage == Stage::Step)
    reports.check(succeeded(planMemory(*module)));
  if (reached(Stage::Step))
    return;

  measured = measure("lower");
  module = linalgKernels(*module);
  reports.check(static_cast<bool>(module));
  if (reached(Stage::Linalg))
    return;
  auto processor = options.cpu.empty() ? native::thisProcessor()
                                       : native::processorNamed(options.cpu);
  if (!processor)
    throw std::runtime_error(llvm::toString(processor.takeError()));
  module = lowerKernels(*module, options, processor->vectors,
                        /*toLLVM=*/stage != Stage::Vector);
  reports.check(static_cast<bool>(module));
  if (reached(Stage::Vector) || reached(Stage::Llvm))
    return;
  measured = measure("native");
  if (llvm::Error error = native::printAssembly(
          *module, {.processor = *processor, .optimise = !options.reference},
          out))
    throw std::runtime_error(llvm::toString(std::move(error)));
}

} // namespace gradus
