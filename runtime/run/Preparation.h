// What must be there before the first step: the rows to train on and the
// compiled step, each made on a thread of its own.
#pragma once

#include "runtime/data/DataReader.h"
#include "runtime/run/Model.h"

namespace gradus {

struct Preparation {
  Dataset train;
  /// The other splits, in the order of their declaration.
  std::vector<Dataset> others;
  /// For batches of `batchRows` rows.
  CompiledFunction step;
  int64_t batchRows = 0;
  /// From the call of `Model::step` to its end.
  double compileSeconds = 0;
};

/// Reads the training split, and with `readOthers` the other splits, while the
/// step for a full batch is compiled. A batch larger than the split is the
/// split. Throws errors of data first, then those of compiling.
Preparation prepare(const Model &model, DataReader &data, bool readOthers);

/// `FILE:LINE keeps ...`: what a loop keeps, and what that spares or costs.
std::string describe(const KeptRounds &kept);

} // namespace gradus
