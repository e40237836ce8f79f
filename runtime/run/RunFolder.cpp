#include "runtime/run/RunFolder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

namespace gradus {

namespace fs = std::filesystem;

static bool isCheckpoint(const std::string &name) {
  return name.starts_with("checkpoint-") && name.ends_with(".safetensors");
}

/// Makes the folder and those above it. False if it exists already.
static bool makeFolder(const std::string &path) {
  std::error_code code;
  fs::path above = fs::path(path).parent_path();
  if (!above.empty()) {
    fs::create_directories(above, code);
    if (code)
      throw writeError(path, code.value());
  }
  if (mkdir(path.c_str(), 0777) == 0)
    return true;
  if (errno != EEXIST)
    throw writeError(path, errno);
  return false;
}

/// Whether this is a folder of nothing but model files, as imports leave it.
static bool holdsModelsOnly(const fs::directory_entry &entry) {
  std::error_code code;
  if (!entry.is_directory(code))
    return false;
  for (fs::recursive_directory_iterator at(entry.path(), code), end;
       !code && at != end; at.increment(code))
    if (!at->is_directory(code) && at->path().extension() != ".nn")
      return false;
  return !code;
}

/// A folder that was there: takes it if it is empty, or if an earlier run is to
/// be replaced. Only files of a run are ever deleted.
static void takeFolder(const std::string &path, bool overwrite) {
  std::error_code code;
  if (!fs::is_directory(path, code))
    throw Error(fault::RunFolderExists, path).note("it is not a folder");
  std::vector<fs::path> ours;
  std::string stranger;
  for (const fs::directory_entry &entry : fs::directory_iterator(path, code)) {
    std::string name = entry.path().filename().string();
    constexpr const char *names[] = {"model.nn", "config.json", "metrics.jsonl",
                                     "weights.safetensors", "report.html"};
    if (isCheckpoint(name) || name.find(".part-") != std::string::npos ||
        std::find(std::begin(names), std::end(names), name) != std::end(names))
      ours.push_back(entry.path());
    else if (!name.ends_with(".nn") && !holdsModelsOnly(entry) &&
             stranger.empty())
      stranger = name;
  }
  if (code)
    throw writeError(path, code.value());
  if (ours.empty() && stranger.empty())
    return;
  if (!overwrite)
    throw Error(fault::RunFolderExists, path)
        .help("`--overwrite` replaces the run in it; another folder is given "
              "with `-o`");
  if (!stranger.empty())
    throw Error(fault::RunFolderExists, path)
        .note("it holds `" + stranger + "`, which no run has made")
        .help("`--overwrite` replaces run folders only");
  for (const fs::path &file : ours)
    if (!fs::remove(file, code) && code)
      throw writeError(file.string(), code.value());
}

RunFolder::RunFolder(const Place &place) {
  if (!place.given.empty()) {
    folder = place.given;
    while (folder.size() > 1 && folder.ends_with('/'))
      folder.pop_back();
    isNew = makeFolder(folder);
    if (!isNew)
      takeFolder(folder, place.overwrite);
  } else {
    std::string base =
        (place.current == "." ? "" : place.current + "/") + "runs/";
    int64_t number = 1;
    do
      folder = base + place.name + "-" + std::to_string(number++);
    while (!makeFolder(folder));
  }
  metricsLog = std::make_unique<LogFile>(folder + "/metrics.jsonl");
}

RunFolder::RunFolder(
    std::string path,
    const std::function<bool(const std::string &part, int64_t step)> &isKept)
    : folder(std::move(path)), isNew(false) {
  while (folder.size() > 1 && folder.ends_with('/'))
    folder.pop_back();
  std::string log = folder + "/metrics.jsonl", kept;
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    // The last line may have been cut.
    auto record = nlohmann::json::parse(line, nullptr, false);
    if (!record.is_object() || !record.contains("step") ||
        !isKept(record.value("train", ""), record["step"].get<int64_t>()))
      continue;
    seconds = record.value("time_s", seconds);
    kept += line + "\n";
  }
  file.close();
  writeFile(log, kept);
  metricsLog = std::make_unique<LogFile>(log);
}

static std::string checkpointPrefix(const std::string &part) {
  return part.empty() ? "checkpoint-" : "checkpoint-" + part + "-";
}

std::string RunFolder::checkpointPath(const std::string &part,
                                      int64_t step) const {
  return fmt::format("{}/{}{:08}.safetensors", folder, checkpointPrefix(part),
                     step);
}

void RunFolder::writeModel(
    const std::vector<std::pair<std::string, std::string>> &sources) const {
  for (const auto &[name, text] : sources) {
    fs::path target = fs::path(folder) / name;
    std::error_code code;
    fs::create_directories(target.parent_path(), code);
    writeFile(target.string(), text);
  }
}

/// `model name` of the first processor.
static std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) {
      size_t colon = line.find(": ");
      return colon == std::string::npos ? "" : line.substr(colon + 2);
    }
  return "";
}

void RunFolder::writeConfig(const RunConfig &config) const {
  nlohmann::ordered_json json;
  json["command"] = config.command;
  json["version"] = config.version;
  json["model"] = config.model;
  json["model_folder"] = config.modelFolder;
  json["model_hash"] = config.modelHash;
  json["data"] = config.dataFolder;
  json["overrides"] = config.overrides;
  if (!config.imports.empty())
    json["imports"] = config.imports;
  json["precision"] = config.precision;
  auto addPart = [](nlohmann::ordered_json &to, const RunConfig::Part &part) {
    if (!part.name.empty())
      to["train"] = part.name;
    if (part.batch)
      to["batch"] = part.batch;
    else
      to["batch"] = "all";
    if (part.epochs)
      to["epochs"] = part.epochs;
    if (part.steps)
      to["steps"] = part.steps;
    to["seed"] = part.seed;
  };
  // The last one says what the weights have been trained for.
  addPart(json, config.parts.back());
  if (config.parts.size() > 1)
    for (const RunConfig::Part &part : config.parts)
      addPart(json["trains"].emplace_back(nlohmann::ordered_json::object()),
              part);
  utsname system = {};
  uname(&system);
  json["machine"] = {{"processor", processorName()},
                     {"cores", std::thread::hardware_concurrency()},
                     {"system", std::string(system.sysname) + " " +
                                    system.release + " " + system.machine}};
  writeFile(folder + "/config.json",
            json.dump(2, ' ', false,
                      nlohmann::ordered_json::error_handler_t::replace) +
                "\n");
}

void RunFolder::add(const Metrics &metrics) { metricsLog->add(metrics.json()); }

void RunFolder::discard() {
  metricsLog.reset();
  std::error_code ignored;
  if (isNew) {
    fs::remove_all(folder, ignored);
    // `runs/`, if this was to be the first one; not removed if it holds others.
    if (fs::path(folder).parent_path().filename() == "runs")
      fs::remove(fs::path(folder).parent_path(), ignored);
    return;
  }
  for (const char *name : {"/model.nn", "/config.json", "/metrics.jsonl"})
    fs::remove(folder + name, ignored);
}

/// The checkpoints of a part, by step.
static std::vector<std::string> checkpointsOf(const std::string &folder,
                                              const std::string &part) {
  std::vector<std::string> names;
  std::error_code code;
  std::string prefix = checkpointPrefix(part);
  for (const fs::directory_entry &entry :
       fs::directory_iterator(folder, code)) {
    std::string name = entry.path().filename().string();
    if (isCheckpoint(name) && name.starts_with(prefix) &&
        std::isdigit(static_cast<unsigned char>(name[prefix.size()])))
      names.push_back(entry.path().string());
  }
  // By number: a longer one is larger.
  std::sort(names.begin(), names.end(), [](const auto &a, const auto &b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return names;
}

std::optional<std::string>
RunFolder::latestCheckpoint(const std::string &folder,
                            const std::string &part) {
  std::vector<std::string> names = checkpointsOf(folder, part);
  return names.empty() ? std::nullopt : std::optional(names.back());
}

void RunFolder::keepCheckpoints(const std::string &part, size_t count) const {
  std::vector<std::string> names = checkpointsOf(folder, part);
  std::error_code ignored;
  for (size_t i = 0; i + count < names.size(); ++i)
    fs::remove(names[i], ignored);
}

} // namespace gradus
