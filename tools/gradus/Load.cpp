// See Load.h.
#include "tools/gradus/Load.h"
#include "compiler/CacheFolder.h"
#include "compiler/ast/Parser.h"
#include "runtime/Team.h"
#include "runtime/Timing.h"
#include "runtime/run/Machine.h"
#include "tools/gradus/Messages.h"
#include "tools/gradus/ProcessFacts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace gradus {

namespace fs = std::filesystem;

void settle(const Diagnostics &diagnostics) {
  std::string text = messageText(diagnostics);
  if (diagnostics.hasErrors())
    throw Rejected(text);
  std::fputs(text.c_str(), stderr);
}

DataFolder LoadedModel::dataFolder(const CommandLine &line,
                                   const typed::Data &data) const {
  std::string beside = runData.empty()
                           ? fs::path(data.file->name()).parent_path().string()
                           : runData;
  return {line.data, beside};
}

const typed::Train &LoadedModel::train() const {
  if (!program->train)
    throw Error(fault::NoTrain, path)
        .help("`train on DATA(...), batch B = 32 { ... }` says how to train");
  if (program->trains.size() > 1 && trainName.empty()) {
    std::vector<std::string> names;
    for (const typed::Train *train : program->trains)
      names.push_back("`" + train->name + "`");
    throw Error(fault::WhichTrain, path,
                fmt::format("{}", fmt::join(names, ", ")))
        .help(fmt::format("choose one, as in `--train {}`",
                          program->trains.front()->name));
  }
  return *program->train;
}

std::shared_ptr<Team> team(const CommandLine &line) {
  static const std::shared_ptr<Team> shared = [&] {
    unsigned threads = line.threads ? *line.threads : readMachine().threads();
    return threads > 1 ? std::make_shared<Team>(threads) : nullptr;
  }();
  return shared;
}

std::shared_ptr<const CacheFolder> cache(const CommandLine &line) {
  std::optional<fs::path> path = CacheFolder::usualPath();
  return path && !line.noCache ? std::make_shared<CacheFolder>(*path) : nullptr;
}

std::shared_ptr<Timing> timing(const CommandLine &line) {
  static const std::shared_ptr<Timing> shared =
      line.timing ? std::make_shared<Timing>(secondsSinceProcessStart())
                  : nullptr;
  return shared;
}

/// What config.json of a run folder says about the model in it.
static void readConfig(LoadedModel &model) {
  std::string path = model.run + "/config.json";
  std::ifstream file(path);
  if (!file)
    throw Error(fault::NotARun, model.run, "it has no `config.json`");
  std::stringstream text;
  text << file.rdbuf();
  try {
    auto config = nlohmann::json::parse(text.str());
    for (const auto &[key, value] :
         config.at("overrides").get<std::map<std::string, std::string>>())
      model.overrides.push_back({key, value});
    if (config.contains("imports"))
      for (const auto &[file, paths] :
           config.at("imports")
               .get<
                   std::map<std::string, std::map<std::string, std::string>>>())
        for (const auto &[path, target] : paths)
          model.moved[{
              fs::path(model.run + "/" + file).lexically_normal().string(),
              path}] = model.run + "/" + target;
    model.runData = config.at("data").get<std::string>();
    model.runOrigin = config.value("model_folder", model.runData);
    model.precision = config.at("precision").get<std::string>() == "f64"
                          ? Precision::F64
                          : Precision::F32;
    model.seed = config.at("seed").get<uint64_t>();
    model.trainName = config.value("train", "");
    if (config.contains("trains"))
      for (const auto &part : config.at("trains"))
        model.runTrains.push_back(part.at("train").get<std::string>());
  } catch (const nlohmann::json::exception &) {
    throw Error(fault::NotARun, model.run, "its `config.json` is damaged");
  }
}

std::unique_ptr<LoadedModel> parseModel(const CommandLine &line,
                                        Diagnostics &diagnostics) {
  auto model = std::make_unique<LoadedModel>();
  model->path = line.model;
  std::error_code ignored;
  bool isRun = fs::is_directory(line.model, ignored) &&
               fs::exists(fs::path(line.model) / "model.nn", ignored);
  if (isRun) {
    model->run = line.model;
    while (model->run.size() > 1 && model->run.ends_with('/'))
      model->run.pop_back();
    model->path = model->run + "/model.nn";
    readConfig(*model);
  }
  model->name = fs::path(isRun ? model->run : model->path).stem().string();
  auto measured = Timing::measure(timing(line), "ast", model->path);
  if (const Source *source = model->sources.load(model->path, diagnostics))
    model->file = parse(*source, diagnostics);
  return model;
}

/// The last value given for each key, in the order of the keys' first use.
static std::vector<Override> merged(const std::vector<Override> &first,
                                    const std::vector<Override> &second) {
  std::vector<Override> result;
  for (const auto *list : {&first, &second})
    for (const Override &override : *list) {
      auto same = std::find_if(
          result.begin(), result.end(),
          [&](const Override &other) { return other.key == override.key; });
      if (same == result.end())
        result.push_back(override);
      else
        same->value = override.value;
    }
  return result;
}

void checkModel(LoadedModel &model, const CommandLine &line,
                const std::vector<Override> &overrides,
                Diagnostics &diagnostics) {
  if (!model.file)
    return;
  std::vector<Override> given = overrides;
  bool hasTrain = std::any_of(
      model.file->declarations.begin(), model.file->declarations.end(),
      [](const auto &decl) { return decl->template as<ast::Train>(); });
  if (line.seed && hasTrain)
    given.push_back({"seed", std::to_string(*line.seed)});
  model.overrides = merged(model.overrides, given);
  if (!line.precision.empty())
    model.precision = line.precision == "f64" ? Precision::F64 : Precision::F32;
  if (!line.train.empty())
    model.trainName = line.train;
  auto measured = Timing::measure(timing(line), "check", model.path);
  model.program =
      check(*model.file, {model.overrides, model.moved, model.trainName},
            model.sources, diagnostics);
  if (!model.program)
    return;
  if (model.program->train)
    model.seed = model.program->train->settings.seed;
  else if (line.seed)
    model.seed = *line.seed;
}

std::unique_ptr<LoadedModel> loadModel(const CommandLine &line) {
  std::vector<Override> overrides = overridesOf(line.words, line);
  Diagnostics diagnostics;
  auto model = parseModel(line, diagnostics);
  checkModel(*model, line, overrides, diagnostics);
  settle(diagnostics);
  return model;
}

} // namespace gradus
