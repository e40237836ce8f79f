// The training loop: epochs of compiled steps, reports over whole splits,
// checkpoints. The functions for the last, smaller batch and for reports are
// compiled by another thread while the first epoch runs.
#pragma once

#include "runtime/data/Batches.h"
#include "runtime/run/Evaluation.h"
#include "runtime/run/Preparation.h"
#include "runtime/run/Progress.h"
#include "runtime/run/RunFolder.h"
#include "runtime/run/Weights.h"

#include <chrono>
#include <future>

namespace gradus {

struct TrainResult {
  /// Steps done and the epoch of the last one.
  int64_t steps = 0, epochs = 0;
  /// Steps that had been done when a run was resumed.
  int64_t stepsBefore = 0;
  /// Stopped by a signal: the exit code is Interrupt::exitCode.
  bool interrupted = false;
  /// The records of the last report, `train` first.
  std::vector<Metrics> last;
  /// From the start of `run`; until the first step was done.
  double seconds = 0, firstStepSeconds = 0;
  /// Of the latest 4096 steps on full batches.
  double medianStepSeconds = 0;
};

class Trainer {
public:
  /// Everything given outlives this. `folder` may be null: nothing is written.
  Trainer(const Model &model, DataReader &data, RunFolder *folder,
          Progress &progress);

  /// To be called before `run`, which then goes on where this checkpoint was
  /// saved, after so many seconds. Throws E1004, E1005.
  void resume(const Safetensors &checkpoint, double seconds);

  /// Reads the data, then trains to the end, or until a signal comes while an
  /// Interrupt lives. Throws errors of data, E1003, E1013, E1020, and those of
  /// writing.
  TrainResult run();

  Variables &variables() { return values; }
  /// Steps done so far.
  int64_t steps() const { return position.step; }

private:
  using Clock = std::chrono::steady_clock;
  /// What the other thread compiles.
  struct LateCode {
    std::optional<CompiledFunction> tail;
    std::optional<EvaluationCode> evaluation;
  };

  double elapsed() const;
  void prepare();
  std::unique_ptr<BoundFunction> bind(CompiledFunction function);
  void compileLater();
  void waitForLateCode();
  /// One step; gives the loss.
  double step(int64_t index);
  void runEpoch();
  bool due(int64_t every, int64_t otherwise) const;
  void report();
  void save();
  [[noreturn]] void diverged(Error error) const;

  const Model &model;
  DataReader &data;
  RunFolder *folder;
  Progress &progress;
  Variables values;

  Dataset train;
  std::vector<Dataset> others;
  std::optional<Batches> batches;
  int64_t totalSteps = 0, totalEpochs = 0;
  std::unique_ptr<BoundFunction> full, tail;
  std::unique_ptr<Evaluation> evaluation;
  std::future<LateCode> late;

  Clock::time_point start;
  /// What the run had taken when it stopped.
  double secondsBefore = 0;
  RunPosition position;
  /// Time in steps of this epoch, and the rows they took.
  double epochSeconds = 0;
  int64_t epochRows = 0;
  double savedAt = 0;
  int64_t savedStep = -1;
  std::vector<float> stepSeconds;
  TrainResult result;
};

} // namespace gradus
