// See Trained.h.
#include "tools/gradus/Trained.h"
#include "tools/gradus/DescribeData.h"
#include "tools/gradus/DescribeModel.h"
#include "tools/gradus/Messages.h"
#include "tools/gradus/StatisticsUsed.h"

#include <algorithm>
#include <filesystem>
#include <map>

namespace gradus {

DataReader dataReader(const Model &model, const LoadedModel &loaded,
                      const CommandLine &line,
                      std::optional<ClassNames> labels) {
  return DataReader(model.data,
                    loaded.dataFolder(line, *ownData(*loaded.program)),
                    std::move(labels));
}

int64_t fullBatch(const LoadedModel &loaded, const CommandLine &line) {
  const typed::Train &train = loaded.train();
  if (train.batchSize)
    return *train.batchSize;
  DataReader reader(describeData(*train.data, loaded.precision),
                    loaded.dataFolder(line, *train.data));
  return reader.read(reader.trainingSplit().name).rows;
}

/// `NAME=FILE` as a pair; without NAME it is empty. A file may have `=` in its
/// name.
static std::pair<std::string, std::string>
splitWeights(const std::string &text) {
  size_t equals = text.find('=');
  std::error_code ignored;
  if (equals == std::string::npos || text.find('/') < equals ||
      std::filesystem::exists(text, ignored))
    return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

/// Statistics of data that are not those of `train`, where no weights of an
/// import have given them: from these data.
static void setOtherStatistics(Variables &variables, const LoadedModel &loaded,
                               const CommandLine &line,
                               const std::vector<std::string> &imports) {
  std::map<const typed::Data *, std::vector<DataStatistic>> wanted;
  for (auto &[data, statistic] : otherStatistics(loaded))
    if (std::ranges::none_of(imports, [&](const std::string &import) {
          return data->path.starts_with(import + ".");
        }))
      wanted[data].push_back(statistic);
  for (auto &[data, statistics] : wanted) {
    DataReader reader(describeData(*data, loaded.precision),
                      loaded.dataFolder(line, *data));
    Model other;
    other.statistics = std::move(statistics);
    variables.setStatistics(other, reader.read(reader.trainingSplit().name));
  }
}

Provenance loadWeights(Variables &variables, const LoadedModel &loaded,
                       const CommandLine &line) {
  std::vector<std::string> given = line.weights;
  // Those of a run come first, others replace parts of them.
  if (!loaded.run.empty() &&
      std::ranges::all_of(given, [](const std::string &text) {
        return !splitWeights(text).first.empty();
      }))
    given.insert(given.begin(), loaded.run);
  Provenance result;
  std::vector<std::string> imports;
  for (const std::string &text : given) {
    auto [below, path] = splitWeights(text);
    std::string name = weightsFile(path);
    Safetensors file(name);
    variables.load(file, /*withSlots=*/false, below);
    result.weights += (result.weights.empty() ? "" : ", ") + name;
    if (!below.empty()) {
      imports.push_back(below);
      continue;
    }
    result.isWhole = true;
    result.labels = labelsOf(file);
    if (file.metadata().contains("step"))
      result.step = positionOf(file).step;
  }
  if (!result.isWhole)
    setOtherStatistics(variables, loaded, line, imports);
  return result;
}

TrainedValues trainedValues(const Model &model, const LoadedModel &loaded,
                            const CommandLine &line) {
  TrainedValues result{Variables(model, loaded.seed), std::nullopt, "", 0};
  Provenance known = loadWeights(result.variables, loaded, line);
  result.weights = known.weights;
  result.labels = known.labels;
  result.step = known.step;
  if (known.isWhole)
    return result;
  if (known.weights.empty() && !model.variables.empty() &&
      (!line.quiet || messagesAreJson()))
    showNote("no weights are given, so parameters have their initial values");
  if (!model.statistics.empty()) {
    DataReader reader = dataReader(model, loaded, line, std::nullopt);
    result.variables.setStatistics(model,
                                   reader.read(reader.trainingSplit().name));
  }
  return result;
}

} // namespace gradus
