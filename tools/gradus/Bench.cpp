// `gradus bench`: how fast a model trains, how long its compilation takes, and
// how near that is to what the processor can do.
#include "runtime/run/Preparation.h"
#include "tools/gradus/Against.h"
#include "tools/gradus/Messages.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace gradus {

namespace {

nlohmann::ordered_json document(const Measurement &measured,
                                const Around &around,
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
  for (const Block &block : measured.blocks)
    json["blocks"].push_back({{"median_s", block.medianSeconds},
                              {"fma_peak_flops_per_s", block.peakFlops}});
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
  return json;
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
  std::optional<SavedBench> before;
  // Before anything takes time.
  if (!line.against.empty())
    before = readBench(line.against);
  MeasuredModel measured = measureModel(line, line.kernels);
  std::optional<Ratio> ratio;
  if (before)
    ratio =
        compareSamples(atPeak(measured.steps.blocks), atPeak(before->blocks));
  if (line.json) {
    nlohmann::ordered_json json =
        document(measured.steps, measured.around, *measured.loaded);
    if (before)
      json["against"] = comparisonJson(*before, *ratio);
    fmt::print("{}\n", json.dump());
  } else {
    printTable(measured.steps, measured.around, measured.isDouble());
    if (before)
      fmt::print("\n{}", comparisonText(measured, *before, *ratio));
  }
  if (!line.maxRatio || ratio->low <= *line.maxRatio)
    return Fine;
  showError(Error(fault::Slower, fmt::format("{:.3f}", ratio->estimate),
                  before->path, fmt::format("{:.4g}", *line.maxRatio)));
  return CheckFailed;
}

} // namespace gradus
