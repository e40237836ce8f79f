// A checked program -> what the trainer takes: variables with their initial
// values, statistics, data, settings, reports, and callbacks that compile.
#pragma once

#include "compiler/construct/Instances.h"
#include "runtime/run/Model.h"
#include "tools/gradus/Load.h"

namespace gradus {

/// `parameters` are what a file of weights holds: enough for `predict`.
/// Throws Rejected.
Model describeParameters(const LoadedModel &loaded);

/// The data of the `train` that is meant; without one, those of the first
/// statistic; null if there is none.
const typed::Data *ownData(const typed::Program &program);

/// Statistics of other data, which weights or these data give.
std::vector<std::pair<const typed::Data *, DataStatistic>>
otherStatistics(const LoadedModel &loaded);

/// The same with slots, settings, reports and callbacks, which use `compiler`
/// and throw Rejected. `batch`: rows of a full batch. Throws Rejected and
/// E1038.
Model describeTraining(const LoadedModel &loaded, Compiler &compiler,
                       int64_t batch);

} // namespace gradus
