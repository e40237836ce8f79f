// A model file or run folder -> the measurement of its training steps: what
// `bench` and `profile` share.
#pragma once

#include "tools/gradus/CommandLine.h"
#include "tools/gradus/Load.h"
#include "tools/gradus/Measurement.h"

namespace gradus {

/// What is measured about the process, beside its steps.
struct Around {
  double compileSeconds = 0, firstStepSeconds = 0;
  std::vector<KeptRounds> kept;
  unsigned threads = 1;
  int64_t peakMemory = 0, anonymousMemory = 0, dataBytes = 0;
};

struct MeasuredModel {
  std::unique_ptr<LoadedModel> loaded;
  /// Of the step that was measured.
  StepAccount account;
  Measurement steps;
  Around around;

  bool isDouble() const { return loaded->precision == Precision::F64; }
};

/// Compiles the step of a full batch and runs it on the training split, for
/// `--seconds` or 3. Throws Rejected and what reading data throws.
MeasuredModel measureModel(const CommandLine &line, bool withKernels);

} // namespace gradus
