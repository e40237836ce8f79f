// `gradus train`: compile, train, leave a run folder.
#include "runtime/Error.h"
#include "runtime/run/Interrupt.h"
#include "runtime/run/Trainer.h"
#include "tools/gradus/DescribeModel.h"
#include "tools/gradus/Messages.h"
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

namespace {

/// One `train` of the file, ready to run.
struct Part {
  std::unique_ptr<LoadedModel> loaded;
  std::unique_ptr<Compiler> compiler;
  Model model;
  std::unique_ptr<DataReader> data;

  Part(std::unique_ptr<LoadedModel> model, const CommandLine &line);
};

} // namespace

Part::Part(std::unique_ptr<LoadedModel> given, const CommandLine &line)
    : loaded(std::move(given)) {
  compiler =
      std::make_unique<Compiler>(*loaded->program, loaded->options(line));
  model = describeTraining(*loaded, *compiler, fullBatch(*loaded, line));
  model.timing = timing(line);
  if (!line.quiet || messagesAreJson()) {
    Diagnostics warnings;
    compiler->warnOfUnmoved(fullBatch(*loaded, line), warnings);
    settle(warnings);
  }
  data = std::make_unique<DataReader>(
      dataReader(model, *loaded, line, std::nullopt));
  // Without another split the loss over it would only repeat that of training.
  if (data->info().splits.size() == 1)
    std::erase_if(model.reports, [&](const Report &report) {
      const auto &own = loaded->train().reports;
      return std::none_of(own.begin(), own.end(), [&](const auto &one) {
        return one.name == report.name;
      });
    });
}

/// The `train` that is asked for, or all of the file or the run in their order.
/// What is wrong with one of them is said before the first one runs.
static std::vector<Part> partsOf(const CommandLine &line) {
  std::vector<Part> parts;
  auto loaded = loadModel(line);
  std::vector<std::string> names;
  if (line.train.empty() && !loaded->runTrains.empty())
    names = loaded->runTrains;
  else if (loaded->trainName.empty() && loaded->program->trains.size() > 1)
    for (const typed::Train *train : loaded->program->trains)
      names.push_back(train->name);
  if (names.empty())
    parts.emplace_back(std::move(loaded), line);
  for (const std::string &name : names) {
    CommandLine one = line;
    one.train = name;
    parts.emplace_back(loadModel(one), one);
  }
  return parts;
}

static RunConfig configOf(const std::vector<Part> &parts,
                          const CommandLine &line) {
  const LoadedModel &loaded = *parts.back().loaded;
  RunConfig config;
  config.command = line.text;
  config.version = version;
  config.model = loaded.path;
  config.modelFolder =
      loaded.run.empty()
          ? fs::absolute(loaded.path).lexically_normal().parent_path().string()
          : loaded.runOrigin;
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
  config.modelHash = parts.back().model.hash;
  for (const Part &part : parts) {
    const TrainSettings &settings = part.model.settings;
    config.parts.push_back({part.loaded->train().name, settings.batch,
                            settings.epochs, settings.steps, settings.seed});
  }
  return config;
}

static nlohmann::ordered_json jsonOf(const TrainResult &result,
                                     double startSeconds) {
  nlohmann::ordered_json json;
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
  return json;
}

static std::string durationText(double seconds) {
  return seconds < 1     ? fmt::format("{:.3g} ms", seconds * 1000)
         : seconds < 100 ? fmt::format("{:.3g} s", seconds)
                         : timeText(seconds);
}

static void noteSummary(const TrainResult &result, Progress &progress,
                        double startSeconds) {
  progress.note(fmt::format(
      "{} in {}: first step after {}, then {} a step; {} MiB of memory",
      counted(uint64_t(result.steps), "step"), durationText(result.seconds),
      durationText(startSeconds + result.firstStepSeconds),
      durationText(result.medianStepSeconds), peakMemory() >> 20));
}

/// Runs the parts from `first` on. With a `checkpoint` that one goes on where
/// it was saved.
static ExitCode run(const std::vector<Part> &parts, size_t first,
                    const Safetensors *checkpoint, RunFolder &folder,
                    const CommandLine &line) {
  auto begin = std::chrono::steady_clock::now();
  Progress progress = Progress::standard(stderr, line.quiet);
  Interrupt interrupt;
  // Each takes the parameters the one before it has left, and its characters.
  std::unique_ptr<Trainer> trainer;
  ClassNames characters;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  TrainResult result;
  bool hasBegun = checkpoint != nullptr;
  try {
    for (size_t i = first; i < parts.size(); ++i) {
      const Part &part = parts[i];
      const std::string &name = part.model.part;
      if (parts.size() > 1)
        progress.note(fmt::format("train {}", name));
      auto next =
          std::make_unique<Trainer>(part.model, *part.data, &folder, progress);
      if (trainer) {
        next->variables().adopt(trainer->variables());
      } else if (checkpoint) {
        next->resume(*checkpoint, folder.secondsSoFar());
        characters = labelsOf(*checkpoint);
        progress.note(fmt::format("goes on behind step {}, from {}",
                                  next->steps(), checkpoint->path()));
      } else {
        characters = loadWeights(next->variables(), *part.loaded, line)
                         .labels.value_or(ClassNames());
      }
      part.data->useCharacters(characters);
      trainer = std::move(next);
      double startSeconds = std::chrono::duration<double>(
                                std::chrono::steady_clock::now() - begin)
                                .count();
      result = trainer->run();
      hasBegun = true;
      if (i + 1 == parts.size() && i == first && checkpoint &&
          result.steps == result.stepsBefore && !result.interrupted)
        throw Error(fault::RunComplete, folder.path(),
                    counted(uint64_t(result.steps), "step"))
            .help("`epochs=20` or `steps=9000` on the command line lets it go "
                  "on");
      characters = part.data->classNames();
      if (line.json) {
        nlohmann::ordered_json &entry =
            json.emplace_back(nlohmann::ordered_json::object());
        if (!name.empty())
          entry["train"] = name;
        entry.update(jsonOf(result, startSeconds));
      } else {
        noteSummary(result, progress, startSeconds);
      }
      if (result.interrupted)
        break;
      begin = std::chrono::steady_clock::now();
    }
  } catch (...) {
    // A run that never began leaves nothing behind.
    if (!hasBegun && (!trainer || trainer->steps() == 0))
      folder.discard();
    throw;
  }
  if (line.json) {
    nlohmann::ordered_json all = {{"run", folder.path()}};
    if (parts.size() == 1)
      all.update(json.front());
    else
      all["trains"] = json;
    fmt::print("{}\n", all.dump());
  } else {
    fmt::print("{}\n", folder.path());
  }
  return result.interrupted ? ExitCode(Interrupt::exitCode) : Fine;
}

ExitCode verbs::train(const CommandLine &line) {
  std::vector<Part> parts = partsOf(line);
  const Part &last = parts.back();
  RunFolder folder({line.output, last.model.name, ".", line.overwrite});
  try {
    folder.writeModel(sourcesOf(savedFiles(*last.loaded)));
    folder.writeConfig(configOf(parts, line));
  } catch (...) {
    folder.discard();
    throw;
  }
  return run(parts, 0, nullptr, folder, line);
}

/// How long a run is may be changed when it goes on; anything else would make
/// another run of it.
static void checkResumed(const CommandLine &line) {
  for (const std::string &word : line.words) {
    std::string key = word.substr(0, word.find('='));
    if (key != "epochs" && key != "steps" && key != "eval_every" &&
        key != "checkpoint_every")
      throw Error(
          fault::BadCommandLine,
          fmt::format("`{}` cannot be changed in a run that goes on", key))
          .help("`epochs`, `steps`, `eval_every` and `checkpoint_every` can; "
                "`gradus train` begins another run, `--weights RUN` with the "
                "weights of this one");
  }
}

ExitCode verbs::resume(const CommandLine &line) {
  checkResumed(line);
  std::error_code ignored;
  if (fs::is_directory(line.model, ignored) &&
      !fs::exists(fs::path(line.model) / "model.nn", ignored))
    throw Error(fault::NotARun, line.model, "it has no `model.nn`");
  CommandLine saved = line;
  saved.words.clear();
  // All parts of the run, whatever its config says of the last one.
  std::vector<Part> before = partsOf(saved);
  const std::string path = before.back().loaded->run;
  if (path.empty())
    throw Error(fault::NotARun, line.model, "it is a file")
        .help("`gradus resume RUN` goes on with the run in a folder");
  // The last part that has begun.
  std::optional<std::string> latest;
  size_t at = 0;
  for (size_t i = 0; i < before.size(); ++i)
    if (auto found = RunFolder::latestCheckpoint(path, before[i].model.part)) {
      latest = found;
      at = i;
    }
  if (!latest)
    throw Error(fault::NothingToResume, path)
        .help("`gradus train` begins it again");
  Safetensors checkpoint(*latest);
  auto hash = checkpoint.metadata().find("model_hash");
  if (hash == checkpoint.metadata().end() ||
      hash->second != before[at].model.hash)
    throw Error(fault::ModelChanged, path)
        .help("`gradus train MODEL.nn --weights RUN` trains another model from "
              "these weights");
  std::vector<Part> parts =
      line.words.empty() ? std::move(before) : partsOf(line);
  // Files of weights keep the name of the model, not of the folder.
  if (auto name = checkpoint.metadata().find("model");
      name != checkpoint.metadata().end())
    for (Part &part : parts)
      part.model.name = name->second;
  // Of an epoch that was interrupted there may be a record; it is to come.
  RunPosition position = positionOf(checkpoint);
  std::set<std::string> done;
  for (size_t i = 0; i < at; ++i)
    done.insert(parts[i].model.part);
  RunFolder folder(path, [&](const std::string &part, int64_t step) {
    return done.contains(part) ||
           (part == parts[at].model.part &&
            (step < position.step ||
             (step == position.step && position.batch == 0)));
  });
  if (!line.words.empty())
    folder.writeConfig(configOf(parts, line));
  return run(parts, at, &checkpoint, folder, line);
}

} // namespace gradus
