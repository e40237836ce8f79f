// See Trained.h.
#include "tools/gradus/Trained.h"
#include "tools/gradus/DescribeData.h"
#include "tools/gradus/Messages.h"
#include "tools/gradus/StatisticsUsed.h"

namespace gradus {

DataReader dataReader(const Model &model, const LoadedModel &loaded,
                      const CommandLine &line,
                      std::optional<ClassNames> labels) {
  const typed::Program &program = *loaded.program;
  // Without a `train` only a statistic names data.
  const typed::Data &data = program.train
                                ? *program.train->data
                                : *statisticsUsed(program).front().data;
  return DataReader(model.data, loaded.dataFolder(line, data),
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

TrainedValues trainedValues(const Model &model, const LoadedModel &loaded,
                            const CommandLine &line) {
  TrainedValues result{Variables(model, loaded.seed), std::nullopt, "", 0};
  std::string weights = line.weights.empty() ? loaded.run : line.weights;
  if (!weights.empty()) {
    result.weights = weightsFile(weights);
    Safetensors file(result.weights);
    result.variables.load(file, /*withSlots=*/false);
    result.labels = labelsOf(file);
    if (file.metadata().contains("step"))
      result.step = positionOf(file).step;
    return result;
  }
  if (!model.variables.empty() && (!line.quiet || messagesAreJson()))
    showNote("no weights are given, so parameters have their initial values");
  if (!model.statistics.empty()) {
    DataReader reader = dataReader(model, loaded, line, std::nullopt);
    result.variables.setStatistics(model,
                                   reader.read(reader.trainingSplit().name));
  }
  return result;
}

} // namespace gradus
