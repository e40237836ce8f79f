// `gradus train`: compile, train, leave a run folder.
#include "runtime/Error.h"
#include "runtime/run/Interrupt.h"
#include "runtime/run/Trainer.h"
#include "tools/gradus/DescribeModel.h"
#include "tools/gradus/ProcessFacts.h"
#include "tools/gradus/Trained.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>

namespace gradus {

namespace fs = std::filesystem;

/// The files of the program but the prelude, by their paths from the model's
/// folder, the model first.
static std::vector<std::pair<std::string, std::string>>
sourcesOf(const LoadedModel &loaded) {
  fs::path folder = fs::path(loaded.path).parent_path();
  std::vector<std::pair<std::string, std::string>> sources;
  for (const typed::Module *file : loaded.program->files) {
    if (file == loaded.program->files.front())
      continue;
    const Source &source = *file->source;
    std::pair<std::string, std::string> entry{
        fs::path(source.name())
            .lexically_relative(folder.empty() ? "." : folder),
        std::string(source.text())};
    sources.insert(
        file == loaded.program->main ? sources.begin() : sources.end(), entry);
  }
  return sources;
}

static RunConfig configOf(const LoadedModel &loaded, const Model &model,
                          const CommandLine &line) {
  RunConfig config;
  config.command = line.text;
  config.version = version;
  config.model = loaded.path;
  DataFolder folder = loaded.dataFolder(line, *loaded.train().data);
  std::error_code ignored;
  config.dataFolder =
      fs::absolute(folder.resolve("."), ignored).lexically_normal().string();
  for (const Override &override : loaded.overrides)
    config.overrides[override.key] = override.value;
  config.precision = loaded.precision == Precision::F64 ? "f64" : "f32";
  config.modelHash = model.hash;
  config.batch = model.settings.batch;
  config.epochs = model.settings.epochs;
  config.steps = model.settings.steps;
  config.seed = model.settings.seed;
  return config;
}

static void printJson(const TrainResult &result, const std::string &folder,
                      double startSeconds) {
  nlohmann::ordered_json json;
  json["run"] = folder;
  json["steps"] = result.steps;
  json["epochs"] = result.epochs;
  json["interrupted"] = result.interrupted;
  json["seconds"] = result.seconds;
  json["first_step_s"] = startSeconds + result.firstStepSeconds;
  json["median_step_s"] = result.medianStepSeconds;
  json["peak_memory_bytes"] = peakMemory();
  json["last"] = nlohmann::ordered_json::array();
  for (const Metrics &metrics : result.last)
    json["last"].push_back(nlohmann::ordered_json::parse(metrics.json()));
  fmt::print("{}\n", json.dump());
}

static std::string durationText(double seconds) {
  return seconds < 1     ? fmt::format("{:.3g} ms", seconds * 1000)
         : seconds < 100 ? fmt::format("{:.3g} s", seconds)
                         : timeText(seconds);
}

static void printSummary(const TrainResult &result, const std::string &folder,
                         Progress &progress, double startSeconds) {
  progress.note(fmt::format(
      "{} in {}: first step after {}, then {} a step; {} MiB of memory",
      counted(uint64_t(result.steps), "step"), durationText(result.seconds),
      durationText(startSeconds + result.firstStepSeconds),
      durationText(result.medianStepSeconds), peakMemory() >> 20));
  fmt::print("{}\n", folder);
}

ExitCode verbs::train(const CommandLine &line) {
  auto begin = std::chrono::steady_clock::now();
  auto loaded = loadModel(line);
  Compiler compiler(*loaded->program,
                    {loaded->precision, /*reference=*/line.reference});
  Model model = describeTraining(*loaded, compiler, fullBatch(*loaded, line));
  DataReader data = dataReader(model, *loaded, line, std::nullopt);
  // Without another split the loss over it would only repeat that of training.
  if (data.info().splits.size() == 1)
    std::erase_if(model.reports, [&](const Report &report) {
      const auto &own = loaded->train().reports;
      return std::none_of(own.begin(), own.end(), [&](const auto &one) {
        return one.name == report.name;
      });
    });

  RunFolder folder({line.output, model.name, ".", line.overwrite});
  Progress progress = Progress::standard(stderr, line.quiet);
  Interrupt interrupt;
  std::optional<Trainer> trainer;
  TrainResult result;
  double startSeconds = 0;
  try {
    folder.writeModel(sourcesOf(*loaded));
    folder.writeConfig(configOf(*loaded, model, line));
    trainer.emplace(model, data, &folder, progress);
    startSeconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
            .count();
    result = trainer->run();
  } catch (...) {
    // A run that never began leaves nothing behind.
    if (!trainer || trainer->steps() == 0)
      folder.discard();
    throw;
  }
  if (line.json)
    printJson(result, folder.path(), startSeconds);
  else
    printSummary(result, folder.path(), progress, startSeconds);
  return result.interrupted ? ExitCode(Interrupt::exitCode) : Fine;
}

} // namespace gradus
