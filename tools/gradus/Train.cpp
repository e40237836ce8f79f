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
#include <map>
#include <set>

namespace gradus {

namespace fs = std::filesystem;

/// The files of the program but the prelude, and their paths within the run
/// folder: the model is `model.nn`, a file of its folder keeps its path,
/// another one is saved beside the model.
static std::map<const typed::Module *, fs::path>
savedFiles(const LoadedModel &loaded) {
  const typed::Program &program = *loaded.program;
  fs::path folder = fs::path(loaded.path).parent_path();
  std::map<const typed::Module *, fs::path> saved = {
      {program.main, "model.nn"}};
  std::set<fs::path> taken = {"model.nn"};
  for (const typed::Module *file : program.files) {
    // The prelude comes first.
    if (file == program.files.front() || file == program.main)
      continue;
    fs::path name = fs::path(file->source->name())
                        .lexically_relative(folder.empty() ? "." : folder);
    if (name.empty() || *name.begin() == "..")
      name = fs::path(file->source->name()).filename();
    fs::path stem = name.parent_path() / name.stem();
    for (int number = 2; !taken.insert(name).second; ++number)
      name = fmt::format("{}-{}{}", stem.string(), number,
                         name.extension().string());
    saved[file] = name;
  }
  return saved;
}

static std::vector<std::pair<std::string, std::string>>
sourcesOf(const std::map<const typed::Module *, fs::path> &saved) {
  std::vector<std::pair<std::string, std::string>> sources;
  for (const auto &[file, name] : saved)
    sources.emplace_back(name.string(), std::string(file->source->text()));
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
  auto saved = savedFiles(loaded);
  for (const auto &[file, name] : saved)
    for (const auto &[path, target] : file->imports)
      if (fs::path where = (name.parent_path() / path).lexically_normal();
          where != saved.at(target))
        config.imports[name.string()][path] = saved.at(target).string();
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
    folder.writeModel(sourcesOf(savedFiles(*loaded)));
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
