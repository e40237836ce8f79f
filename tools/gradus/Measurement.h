// What `gradus bench` finds out about the steps of a model, as plain numbers.
#pragma once

#include "runtime/run/Model.h"
#include "runtime/run/Variables.h"

#include <functional>
#include <string>
#include <vector>

namespace gradus {

struct KernelMeasurement {
  std::string name;
  double medianSeconds = 0;
  int64_t flops = 0;
  /// Whether all threads run it.
  bool isSplit = false;
};

/// Some of the steps that were measured, one after the other.
struct Block {
  double medianSeconds = 0;
  /// The peak of multiply-adds meanwhile, flops a second of one core.
  double peakFlops = 0;
};

struct Measurement {
  /// Steps measured, and the rows of each.
  int64_t steps = 0, batch = 0;
  /// Of one step: feeding the batch, running, reading the loss.
  double medianSeconds = 0, lowSeconds = 0, highSeconds = 0;
  /// At most 20, of equally many steps: how far medians scatter.
  std::vector<Block> blocks;
  /// Flops of the contractions of one step.
  int64_t flops = 0;
  /// 90th percentile of the probes taken between steps, flops a second of one
  /// core.
  double peakFlops = 0;
  /// With kernels: the same of copies of as many bytes as the step works on,
  /// bytes a second, of one core and of all threads.
  double copyPeak = 0, teamCopyPeak = 0;
  /// What these copies move.
  int64_t copiedBytes = 0;
  /// The loss of step 1 and, if there were so many, of step 20.
  double firstLoss = 0, twentiethLoss = 0;
  /// Kernels in the order in which they run; only if asked for.
  std::vector<KernelMeasurement> kernels;

  /// The part of the processor's multiply-add peak that a step reaches.
  double fractionOfPeak() const {
    return double(flops) / medianSeconds / peakFlops;
  }
};

/// Runs full batches of `train`, epoch after epoch, for about `seconds` after a
/// warm-up of a fifth of that, and kernels one by one for about half of it;
/// `low` and `high` are the 10th and 90th percentiles. The peak is that of f64
/// if the steps are. Calls `afterFirst` when the first step is done.
Measurement measureSteps(const Model &model, BoundFunction &step,
                         const Dataset &train, int64_t batchRows,
                         double seconds, bool isDouble, bool withKernels,
                         const std::function<void()> &afterFirst);

} // namespace gradus
