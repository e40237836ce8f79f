// `gradus bench`: how fast a model trains, how long its compilation takes, and
// how near that is to what the processor can do.
#include "runtime/Team.h"
#include "runtime/run/Preparation.h"
#include "tools/gradus/DescribeModel.h"
#include "tools/gradus/Measurement.h"
#include "tools/gradus/ProcessFacts.h"
#include "tools/gradus/Trained.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace gradus {

namespace {

/// What is measured about the process, beside its steps.
struct Around {
  double compileSeconds = 0, firstStepSeconds = 0;
  std::vector<KeptRounds> kept;
  unsigned threads = 1;
  int64_t peakMemory = 0, anonymousMemory = 0, dataBytes = 0;
};

int64_t bytesOf(const Dataset &rows) {
  int64_t bytes = 0;
  for (const Tensor &values : rows.values)
    bytes += values.bytes();
  return bytes;
}

void printJson(const Measurement &measured, const Around &around,
               const LoadedModel &loaded) {
  nlohmann::ordered_json json;
  json["model"] = loaded.path;
  json["precision"] = loaded.precision == Precision::F64 ? "f64" : "f32";
  json["threads"] = around.threads;
  json["batch"] = measured.batch;
  json["steps"] = measured.steps;
  json["median_step_s"] = measured.medianSeconds;
  json["p10_step_s"] = measured.lowSeconds;
  json["p90_step_s"] = measured.highSeconds;
  json["samples_per_s"] = double(measured.batch) / measured.medianSeconds;
  json["flops_per_step"] = measured.flops;
  json["fma_peak_flops_per_s"] = measured.peakFlops;
  json["fraction_of_fma_peak"] = measured.fractionOfPeak() / around.threads;
  json["compile_s"] = around.compileSeconds;
  json["first_step_s"] = around.firstStepSeconds;
  json["peak_memory_bytes"] = around.peakMemory;
  json["anonymous_memory_bytes"] = around.anonymousMemory;
  json["data_bytes"] = around.dataBytes;
  for (const KeptRounds &kept : around.kept)
    json["loops"].push_back({{"place", kept.place},
                             {"rounds", kept.rounds},
                             {"every", kept.every},
                             {"bytes", kept.bytes}});
  json["loss_1"] = measured.firstLoss;
  json["loss_20"] = measured.twentiethLoss;
  for (const KernelMeasurement &kernel : measured.kernels)
    json["kernels"].push_back({{"name", kernel.name},
                               {"median_s", kernel.medianSeconds},
                               {"flops", kernel.flops}});
  fmt::print("{}\n", json.dump());
}

std::string milliseconds(double seconds) {
  return fmt::format("{:.4g} ms", seconds * 1e3);
}

void printTable(const Measurement &measured, const Around &around,
                bool isDouble) {
  auto row = [](const char *name, const std::string &text) {
    fmt::print("{:<14}{}\n", name, text);
  };
  row("step", fmt::format("{}  (10 % below {}, 10 % above {}; {} steps of {})",
                          milliseconds(measured.medianSeconds),
                          milliseconds(measured.lowSeconds),
                          milliseconds(measured.highSeconds), measured.steps,
                          measured.batch));
  row("samples/s",
      fmt::format("{:.4g}", double(measured.batch) / measured.medianSeconds));
  std::string cores = around.threads == 1
                          ? "this core's"
                          : fmt::format("{} cores'", around.threads);
  row("arithmetic",
      fmt::format("{:.1f} GFLOP/s, {:.1f} % of {} multiply-add peak in {} "
                  "({:.1f} GFLOP/s)",
                  double(measured.flops) / measured.medianSeconds * 1e-9,
                  100 * measured.fractionOfPeak() / around.threads, cores,
                  isDouble ? "f64" : "f32",
                  measured.peakFlops * around.threads * 1e-9));
  row("compile", milliseconds(around.compileSeconds));
  row("first step", fmt::format("{} after the process began",
                                milliseconds(around.firstStepSeconds)));
  row("memory",
      fmt::format("{} MiB at most, {} MiB of them anonymous, {} MiB "
                  "of these data",
                  around.peakMemory >> 20, around.anonymousMemory >> 20,
                  around.dataBytes >> 20));
  for (const KeptRounds &kept : around.kept)
    row("loop", describe(kept));
  row("loss", fmt::format("{:.6f} in step 1, {:.6f} in step 20",
                          measured.firstLoss, measured.twentiethLoss));
  if (measured.kernels.empty())
    return;
  fmt::print("\n{:<40} {:>10} {:>9} {:>9}\n", "kernel", "us", "% of step",
             "% of peak");
  for (const KernelMeasurement &kernel : measured.kernels)
    fmt::print("{:<40} {:>10.2f} {:>9.1f} {:>9}\n", kernel.name,
               kernel.medianSeconds * 1e6,
               100 * kernel.medianSeconds / measured.medianSeconds,
               kernel.flops ? fmt::format("{:.1f}", 100 * double(kernel.flops) /
                                                        kernel.medianSeconds /
                                                        measured.peakFlops)
                            : "");
}

} // namespace

ExitCode verbs::bench(const CommandLine &line) {
  auto loaded = loadModel(line);
  Compiler compiler(*loaded->program, loaded->options(line));
  Model model = describeTraining(*loaded, compiler, fullBatch(*loaded, line));
  model.timing = timing(line);
  DataReader data = dataReader(model, *loaded, line, std::nullopt);
  Variables variables(model, loaded->seed);
  loadWeights(variables, *loaded, line);

  bool isDouble = loaded->precision == Precision::F64;
  Around around;
  Preparation prepared = prepare(model, data, /*readOthers=*/false);
  around.compileSeconds = prepared.compileSeconds;
  around.kept = prepared.step.kept;
  if (prepared.step.team)
    around.threads = prepared.step.team->size();
  around.dataBytes = bytesOf(prepared.train);
  variables.setStatistics(model, prepared.train);
  BoundFunction step(std::move(prepared.step), variables);
  step.connect(prepared.train);
  Measurement measured =
      measureSteps(model, step, prepared.train, prepared.batchRows,
                   line.seconds.value_or(3), isDouble, line.kernels, [&] {
                     around.firstStepSeconds = secondsSinceProcessStart();
                   });
  around.peakMemory = peakMemory();
  around.anonymousMemory = anonymousMemory();
  if (line.json)
    printJson(measured, around, *loaded);
  else
    printTable(measured, around, isDouble);
  return Fine;
}

} // namespace gradus
