// A model with the values a training has left: what test and predict share.
#pragma once

#include "runtime/data/DataReader.h"
#include "runtime/run/Variables.h"
#include "runtime/run/Weights.h"
#include "tools/gradus/CommandLine.h"
#include "tools/gradus/Load.h"

namespace gradus {

/// The names of text labels that belong to the weights.
struct TrainedValues {
  Variables variables;
  std::optional<ClassNames> labels;
  /// The file they come from; empty: the initial values.
  std::string weights;
  /// Steps they were trained for.
  int64_t step = 0;
};

/// What files of weights say besides the values.
struct Provenance {
  /// The files; empty if none are given.
  std::string weights;
  /// They give all values, not only those of imports.
  bool isWhole = false;
  std::optional<ClassNames> labels;
  int64_t step = 0;
};

/// Loads the weights that `--weights` or the run folder give into `variables`.
/// Statistics of data that are not those of `train` come from these data where
/// the weights do not have them. Throws E1004, E1005, E1022, errors of data.
Provenance loadWeights(Variables &variables, const LoadedModel &loaded,
                       const CommandLine &line);

/// Reads the weights that `--weights` or the run folder give; without them the
/// parameters have their initial values, statistics come from the training
/// split, and stderr says so. Throws E1004, E1005 and errors of data.
TrainedValues trainedValues(const Model &model, const LoadedModel &loaded,
                            const CommandLine &line);

/// The rows of a full batch of `train`. For `batch B = all` that takes the
/// data. Throws E1038 and errors of data.
int64_t fullBatch(const LoadedModel &loaded, const CommandLine &line);

/// A reader of the data of `model`, which trains on them or reads a statistic.
DataReader dataReader(const Model &model, const LoadedModel &loaded,
                      const CommandLine &line,
                      std::optional<ClassNames> labels);

} // namespace gradus
