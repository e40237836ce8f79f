// See Against.h.
#include "tools/gradus/Against.h"
#include "runtime/Error.h"
#include "tools/gradus/Table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

namespace gradus {

SavedBench readBench(const std::string &path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw Error(fault::DataMissing, path);
  SavedBench saved;
  saved.path = path;
  try {
    auto json = nlohmann::json::parse(std::ifstream(path));
    saved.model = json.at("model").get<std::string>();
    saved.precision = json.at("precision").get<std::string>();
    saved.threads = json.at("threads").get<unsigned>();
    saved.batch = json.at("batch").get<int64_t>();
    saved.flops = json.at("flops_per_step").get<int64_t>();
    saved.medianSeconds = json.at("median_step_s").get<double>();
    saved.peakFlops = json.at("fma_peak_flops_per_s").get<double>();
    saved.compileSeconds = json.at("compile_s").get<double>();
    saved.firstStepSeconds = json.at("first_step_s").get<double>();
    saved.peakMemory = json.at("peak_memory_bytes").get<int64_t>();
    for (const auto &block : json.at("blocks"))
      saved.blocks.push_back({block.at("median_s").get<double>(),
                              block.at("fma_peak_flops_per_s").get<double>()});
    if (json.contains("kernels"))
      for (const auto &kernel : json.at("kernels"))
        saved.kernels.emplace_back(kernel.at("name").get<std::string>(),
                                   kernel.at("median_s").get<double>());
  } catch (const nlohmann::json::exception &) {
    throw Error(fault::NotABench, path)
        .help("`gradus bench MODEL.nn --json > FILE` writes such a file");
  }
  auto isTime = [](double x) { return x > 0 && std::isfinite(x); };
  if (saved.blocks.empty() ||
      !std::ranges::all_of(saved.blocks, [&](const Block &block) {
        return isTime(block.medianSeconds) && isTime(block.peakFlops);
      }))
    throw Error(fault::NotABench, path)
        .help("`gradus bench MODEL.nn --json > FILE` writes such a file");
  return saved;
}

static std::string ratioText(double now, double before) {
  return now > 0 && before > 0 ? fmt::format("{:.3f}", now / before) : "";
}

/// Whether the interval says which of the two is faster.
static std::string verdictOf(const Ratio &ratio) {
  if (ratio.low > 1)
    return fmt::format("slower by {:.1f} %", 100 * (ratio.estimate - 1));
  if (ratio.high < 1)
    return fmt::format("faster by {:.1f} %", 100 * (1 - ratio.estimate));
  return "no difference can be told";
}

/// What makes the two no fair pair.
static std::string differencesText(const MeasuredModel &now,
                                   const SavedBench &before) {
  std::string text;
  auto differ = [&](const char *what, const auto &mine, const auto &other) {
    if (mine != other)
      text += fmt::format("note: {} is {} now, {} before\n", what, mine, other);
  };
  std::string precision = now.isDouble() ? "f64" : "f32";
  differ("the model", now.loaded->path, before.model);
  differ("the precision", precision, before.precision);
  differ("the batch", now.steps.batch, before.batch);
  differ("the number of threads", now.around.threads, before.threads);
  if (now.steps.batch == before.batch)
    differ("the arithmetic of a step in FLOP", now.steps.flops, before.flops);
  return text;
}

std::string comparisonText(const MeasuredModel &now, const SavedBench &before,
                           const Ratio &ratio) {
  Table table({"", ">before", ">now", ">ratio"});
  auto row = [&](const char *name, double mine, double other, auto text) {
    table.add({name, text(other), text(mine), ratioText(mine, other)});
  };
  auto peakText = [](double flops) {
    return fmt::format("{:.1f} GFLOP/s", flops * 1e-9);
  };
  const Measurement &steps = now.steps;
  row("step", steps.medianSeconds, before.medianSeconds, secondsText);
  row("peak of the core", steps.peakFlops, before.peakFlops, peakText);
  row("compile", now.around.compileSeconds, before.compileSeconds, secondsText);
  row("first step", now.around.firstStepSeconds, before.firstStepSeconds,
      secondsText);
  row("memory", double(now.around.peakMemory), double(before.peakMemory),
      bytesText);
  // Kernels of equal names, in their order.
  std::vector<bool> used(before.kernels.size());
  for (const KernelMeasurement &kernel : steps.kernels)
    for (size_t i = 0; i < used.size(); ++i)
      if (!used[i] && before.kernels[i].first == kernel.name) {
        used[i] = true;
        row(("  " + shortened(kernel.name, 40)).c_str(), kernel.medianSeconds,
            before.kernels[i].second, secondsText);
        break;
      }
  return fmt::format(
      "against {}\n{}{}a step takes {:.3f} times as long, in units of the "
      "peak; "
      "between {:.3f} and {:.3f} with\n95 % confidence ({} and {} blocks of "
      "steps): {}\n",
      before.path, table.text(), differencesText(now, before), ratio.estimate,
      ratio.low, ratio.high, steps.blocks.size(), before.blocks.size(),
      verdictOf(ratio));
}

nlohmann::ordered_json comparisonJson(const SavedBench &before,
                                      const Ratio &ratio) {
  return {{"file", before.path},
          {"median_step_s", before.medianSeconds},
          {"ratio", ratio.estimate},
          {"ratio_low", ratio.low},
          {"ratio_high", ratio.high}};
}

} // namespace gradus
