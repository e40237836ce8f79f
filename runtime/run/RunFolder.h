// The folder a run leaves behind: model.nn and its imports, config.json,
// metrics.jsonl, weights.safetensors, checkpoint-*.safetensors. Each file is
// complete or absent, whenever the run is killed.
#pragma once

#include "runtime/run/Metrics.h"
#include "runtime/run/OutputFile.h"
#include "runtime/run/Safetensors.h"

#include <functional>
#include <memory>
#include <optional>

namespace gradus {

/// What config.json records, besides the machine.
struct RunConfig {
  /// The command line, for people.
  std::string command;
  std::string version;
  /// The model file as given, the folder it was in, and where its data came
  /// from.
  std::string model, modelFolder, dataFolder;
  /// Overrides by name, as given.
  std::map<std::string, std::string> overrides;
  /// Imports that are not saved where their paths lead: by importing file and
  /// path as written, the file in the run folder.
  std::map<std::string, std::map<std::string, std::string>> imports;
  std::string precision = "f32";
  std::string modelHash;
  /// What `train` says of the run.
  struct Part {
    std::string name;
    int64_t batch = 0, epochs = 0, steps = 0;
    uint64_t seed = 0;
  };
  /// In the order they run; mostly one.
  std::vector<Part> parts;
};

class RunFolder {
public:
  /// Where a run goes.
  struct Place {
    /// `-o`; empty: `runs/NAME-N` below `current`, N the first free number.
    std::string given;
    std::string name;
    std::string current = ".";
    /// Replace the files of an earlier run in `given`.
    bool overwrite = false;
  };
  /// Makes the folder. An existing empty folder is taken. Throws E1001 if it
  /// holds anything else, E1002, E1051.
  explicit RunFolder(const Place &place);
  /// Takes a run that stopped; of its records stay those that `isKept`, by part
  /// and step. Throws E1002, E1051.
  RunFolder(
      std::string path,
      const std::function<bool(const std::string &part, int64_t step)> &isKept);

  const std::string &path() const { return folder; }
  std::string weightsPath() const { return folder + "/weights.safetensors"; }
  /// `checkpoint-00000120.safetensors`, of a part
  /// `checkpoint-NAME-00000120.safetensors`.
  std::string checkpointPath(const std::string &part, int64_t step) const;

  /// `sources`: file within this folder and text; `model.nn` is among them.
  void writeModel(
      const std::vector<std::pair<std::string, std::string>> &sources) const;
  void writeConfig(const RunConfig &config) const;
  void add(const Metrics &metrics);
  /// The latest checkpoint of a part in such a folder; nothing if it has none.
  static std::optional<std::string> latestCheckpoint(const std::string &folder,
                                                     const std::string &part);
  /// `time_s` of the last record, 0 without one.
  double secondsSoFar() const { return seconds; }
  /// Deletes what this run has written, and the folder if it made it: for a run
  /// that never began.
  void discard();
  /// Deletes all checkpoints of a part but the `count` latest.
  void keepCheckpoints(const std::string &part, size_t count) const;

private:
  std::string folder;
  bool isNew = true;
  double seconds = 0;
  std::unique_ptr<LogFile> metricsLog;
};

} // namespace gradus
