// See MeasureModel.h.
#include "tools/gradus/MeasureModel.h"
#include "runtime/Team.h"
#include "runtime/run/Preparation.h"
#include "tools/gradus/DescribeModel.h"
#include "tools/gradus/ProcessFacts.h"
#include "tools/gradus/Trained.h"

namespace gradus {

static int64_t bytesOf(const Dataset &rows) {
  int64_t bytes = 0;
  for (const Tensor &values : rows.values)
    bytes += values.bytes();
  return bytes;
}

MeasuredModel measureModel(const CommandLine &line, bool withKernels) {
  MeasuredModel result;
  result.loaded = loadModel(line);
  const LoadedModel &loaded = *result.loaded;
  Compiler compiler(*loaded.program, loaded.options(line));
  Model model = describeTraining(loaded, compiler, fullBatch(loaded, line));
  model.timing = timing(line);
  if (withKernels)
    model.step = [&](int64_t rows) {
      Diagnostics diagnostics;
      auto functions = compiler.step(rows, diagnostics, result.account);
      settle(diagnostics);
      return std::move(functions.at("step"));
    };
  DataReader data = dataReader(model, loaded, line, std::nullopt);
  Variables variables(model, loaded.seed);
  loadWeights(variables, loaded, line);

  Around &around = result.around;
  Preparation prepared = prepare(model, data, /*readOthers=*/false);
  around.compileSeconds = prepared.compileSeconds;
  around.kept = prepared.step.kept;
  if (prepared.step.team)
    around.threads = prepared.step.team->size();
  around.dataBytes = bytesOf(prepared.train);
  variables.setStatistics(model, prepared.train);
  BoundFunction step(std::move(prepared.step), variables);
  step.connect(prepared.train);
  result.steps = measureSteps(
      model, step, prepared.train, prepared.batchRows, line.seconds.value_or(3),
      result.isDouble(), withKernels,
      [&] { around.firstStepSeconds = secondsSinceProcessStart(); });
  around.peakMemory = peakMemory();
  around.anonymousMemory = anonymousMemory();
  return result;
}

} // namespace gradus
