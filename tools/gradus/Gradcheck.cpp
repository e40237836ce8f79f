// `gradus gradcheck`: every derivative of a model against differences, in f64.
#include "compiler/DiagnosticKinds.h"
#include "runtime/Random.h"
#include "runtime/run/RandomRows.h"
#include "tools/gradus/DerivativeTable.h"
#include "tools/gradus/DescribeModel.h"
#include "tools/gradus/Messages.h"
#include "tools/gradus/Trained.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>

#include <algorithm>

namespace gradus {

namespace {

/// Rows of a batch: enough for a mean, few enough for thousands of steps.
constexpr int64_t fewRows = 8;
/// Rows that are drawn where there are no data.
constexpr int64_t drawnRows = 64;

/// The functions to check, for batches of `batch` rows.
struct Checks {
  Functions functions;
  std::vector<construct::CheckedDerivative> list;
  int64_t batch = 0;
};

} // namespace

/// The training split; random rows if its files are not there. `what` says
/// which.
static Dataset rowsOf(const Model &model, const LoadedModel &loaded,
                      const CommandLine &line, std::optional<ClassNames> labels,
                      std::string &what) {
  DataReader reader = dataReader(model, loaded, line, std::move(labels));
  const std::string &split = reader.trainingSplit().name;
  try {
    what = fmt::format("{} of {}", split, model.data.name);
    return reader.read(split);
  } catch (const Error &error) {
    if (error.code() != fault::DataMissing.code || !line.data.empty())
      throw;
    if (!line.quiet || messagesAreJson())
      showNote(error.headline() + ", so random rows stand for the data");
    what = "random";
    return randomRows(model.data, drawnRows, loaded.seed);
  }
}

/// A loss of all ones and zeros has kinks and ties that training soon leaves:
/// what starts constant is moved a little. State stays: it has no derivatives,
/// and what it may be only the model knows.
static void moveConstants(const Model &model, Variables &variables,
                          uint64_t seed) {
  for (const Variable &variable : model.variables) {
    Tensor *tensor = variables.find(variable.buffer.name);
    if (variable.initial.kind != Initial::Constant || !tensor ||
        variable.buffer.name.starts_with("state/"))
      continue;
    Stream stream(seed, siteOf("moved/" + variable.buffer.name));
    for (int64_t i = 0; i < tensor->elements(); ++i) {
      double at = tensor->at(i), size = at == 0 ? 1 : std::abs(at);
      tensor->set(i, at + 0.1 * size * stream.normal(uint64_t(i)));
    }
  }
}

/// For a batch of a few rows, or for the declared one where a smaller one is
/// not allowed. Throws Rejected.
static Checks compileChecks(Compiler &compiler, const typed::Train *train,
                            int64_t rows) {
  Checks checks;
  int64_t most = train ? std::min(train->batchSize.value_or(rows), rows) : 1;
  checks.batch = std::min(fewRows, most);
  Diagnostics diagnostics;
  checks.functions =
      compiler.checks(checks.batch, /*order=*/1, checks.list, diagnostics);
  if (diagnostics.hasErrors() && checks.batch < most) {
    diagnostics = Diagnostics();
    checks.batch = most;
    checks.functions =
        compiler.checks(checks.batch, /*order=*/1, checks.list, diagnostics);
  }
  settle(diagnostics);
  return checks;
}

namespace {

/// A second derivative, or why there is none.
struct SecondOrder {
  Functions functions;
  construct::CheckedDerivative derivative;
  std::string refused;
};

} // namespace

/// Of the i-th of the derivatives to check, each by itself: a `backward` that
/// is not linear keeps only those from being checked that run through it.
static SecondOrder compileSecond(Compiler &compiler, int64_t batch, size_t i) {
  SecondOrder second;
  Diagnostics diagnostics;
  std::vector<construct::CheckedDerivative> list;
  second.functions = compiler.checks(batch, /*order=*/2, list, diagnostics, i);
  second.derivative = list.at(i);
  for (const Diagnostic *one : diagnostics.sorted())
    if (one->code == diag::NonlinearBackward.code)
      second.refused = one->headline;
  if (second.refused.empty())
    settle(diagnostics);
  return second;
}

/// Adds a call of a function with a `backward`; not of one that is meant to be
/// wrong.
static void addCall(OpResult &call,
                    const std::vector<construct::CheckedDerivative> &list,
                    std::vector<OpResult> &ops) {
  for (const construct::CheckedDerivative &derivative : list)
    if (derivative.function && derivative.operands == call.op.name)
      call.function = derivative.function;
  if (call.function && !call.function->backward->surrogate)
    ops.push_back(std::move(call));
}

ExitCode verbs::gradcheck(const CommandLine &given) {
  CommandLine line = given;
  line.precision = "f64";
  auto loaded = loadModel(line);
  const typed::Train *train =
      loaded->program->train ? &loaded->train() : nullptr;
  Compiler compiler(*loaded->program, loaded->options(line));
  Model model = describeParameters(*loaded);
  Variables variables(model, loaded->seed);
  CheckedPoint point;
  point.model = loaded->path;
  point.seed = loaded->seed;

  std::optional<ClassNames> labels;
  Provenance known = loadWeights(variables, *loaded, line);
  point.weights = known.weights;
  labels = known.labels;
  if (known.weights.empty())
    moveConstants(model, variables, loaded->seed);
  Dataset rows;
  if (train) {
    rows = rowsOf(model, *loaded, line, labels, point.data);
    variables.setStatistics(model, rows);
  }

  Checks checks = compileChecks(compiler, train, rows.rows);
  if (checks.list.empty())
    throw Error(fault::NothingToCheck, loaded->path)
        .help("`train` says what the loss is");
  std::optional<Batches> batches;
  if (train) {
    batches.emplace(rows, checks.batch, /*shuffle=*/true, loaded->seed);
    batches->startEpoch(1);
    point.rows = checks.batch;
  }

  GradientCheckOptions options{line.samples.value_or(100), loaded->seed};
  DerivativeChecker checker(variables, options);
  Diagnostics diagnostics;
  Findings findings;
  auto check = [&](const construct::CheckedDerivative &derivative,
                   const Functions &functions) {
    findings.derivatives.push_back(
        derivative.function ? checker.checkBackward(derivative, functions)
                            : checker.checkLoss(derivative, functions, rows,
                                                *batches, diagnostics));
  };
  for (const construct::CheckedDerivative &derivative : checks.list)
    check(derivative, checks.functions);
  settle(diagnostics);
  for (size_t i = 0; line.order == 2 && i < checks.list.size(); ++i) {
    SecondOrder second = compileSecond(compiler, checks.batch, i);
    if (second.refused.empty())
      check(second.derivative, second.functions);
    else
      findings.derivatives.push_back({second.derivative, {}, second.refused});
  }
  for (const CheckedResult &result : findings.derivatives) {
    bool isWanted = line.ops || (result.isWrong() &&
                                 isUnexplained(findings.derivatives,
                                               result.derivative.order));
    if (result.isBackward() || !result.unchecked.empty() || !isWanted)
      continue;
    std::vector<CheckedOp> ops;
    Functions functions =
        compiler.ops(result.derivative, checks.batch, ops, diagnostics);
    settle(diagnostics);
    for (OpResult &op :
         checker.checkOps(result.derivative, ops, functions, rows, *batches))
      if (op.op.isCall)
        addCall(op, checks.list, findings.ops);
      else
        findings.ops.push_back(std::move(op));
  }
  fmt::print("{}", line.json ? derivativeJson(findings, point)
                             : derivativeTable(findings, point, line.ops));
  reportWrong(findings, diagnostics);
  if (!diagnostics.hasErrors())
    return Fine;
  std::fputs(messageText(diagnostics).c_str(), stderr);
  return CheckFailed;
}

} // namespace gradus
