// See Measurement.h. The peak is probed between steps of the same run, because
// clocks drift and other programs disturb: ratios last, times do not.
#include "tools/gradus/Measurement.h"

#include "runtime/data/Batches.h"
#include "tools/gradus/FmaPeak.h"

#include <algorithm>
#include <chrono>

namespace gradus {

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The value below which the given part of `samples` lies.
double quantile(std::vector<double> &samples, double part) {
  if (samples.empty())
    return 0;
  size_t index = std::min(samples.size() - 1, size_t(part * samples.size()));
  std::nth_element(samples.begin(), samples.begin() + index, samples.end());
  return samples[index];
}

/// Steps on full batches, epoch after epoch.
class Stepper {
public:
  Stepper(const Model &model, BoundFunction &function, const Dataset &train,
          int64_t batchRows)
      : settings(model.settings), function(function),
        batches(train, batchRows, settings.shuffle, settings.seed),
        perEpoch(train.rows / batchRows) {
    // A schedule sees a run of the length that the file declares.
    totalSteps =
        settings.steps > 0 ? settings.steps : settings.epochs * batches.count();
  }

  /// Begins the epoch of the next step, if it begins one.
  void turn() {
    if (done % perEpoch == 0)
      batches.startEpoch(done / perEpoch + 1);
  }
  void feed() {
    function.feed(batches, done % perEpoch);
    function.setStep(done + 1);
    int64_t epoch = done / perEpoch + 1;
    function.set("epoch", double(epoch));
    function.set("steps", double(totalSteps));
    ++done;
    function.setDraws(settings.seed, done, DrawFor::Training);
  }
  double step() {
    feed();
    function.run();
    return function.find("loss")->at(0);
  }
  int64_t steps() const { return done; }

private:
  const TrainSettings &settings;
  BoundFunction &function;
  Batches batches;
  int64_t perEpoch, totalSteps, done = 0;
};

/// The median time of each kernel, called one by one.
std::vector<KernelMeasurement> measureKernels(Stepper &stepper,
                                              BoundFunction &function) {
  constexpr int kRounds = 60;
  const std::vector<KernelCall> &calls = function.function().calls;
  std::vector<std::vector<double>> times(calls.size());
  for (int round = 0; round < kRounds; ++round) {
    stepper.turn();
    stepper.feed();
    for (size_t i = 0; i < calls.size(); ++i) {
      Clock::time_point before = Clock::now();
      function.runCall(i);
      times[i].push_back(secondsSince(before));
    }
  }
  std::vector<KernelMeasurement> kernels;
  for (size_t i = 0; i < calls.size(); ++i)
    kernels.push_back({calls[i].name, quantile(times[i], 0.5), calls[i].flops});
  return kernels;
}

} // namespace

Measurement measureSteps(const Model &model, BoundFunction &step,
                         const Dataset &train, int64_t batchRows,
                         double seconds, bool isDouble, bool withKernels,
                         const std::function<void()> &afterFirst) {
  Stepper stepper(model, step, train, batchRows);
  Measurement result;
  result.batch = batchRows;
  for (const KernelCall &call : step.function().calls)
    result.flops += call.flops;

  Clock::time_point start = Clock::now();
  while (stepper.steps() < 20 || secondsSince(start) < seconds / 5) {
    stepper.turn();
    Timing::Measured measured;
    if (stepper.steps() == 0)
      measured = Timing::measure(model.timing, "first step");
    double loss = stepper.step();
    measured.end();
    if (stepper.steps() == 1) {
      result.firstLoss = loss;
      afterFirst();
    }
    if (stepper.steps() == 20)
      result.twentiethLoss = loss;
  }
  constexpr double kProbeEvery = 0.01;
  std::vector<double> times, peaks;
  double lastProbe = -1;
  start = Clock::now();
  double now = 0;
  while (now < seconds || times.size() < 5) {
    if (now - lastProbe > kProbeEvery) {
      peaks.push_back(measureFmaPeak(isDouble));
      lastProbe = now;
    }
    stepper.turn();
    Clock::time_point before = Clock::now();
    stepper.step();
    times.push_back(secondsSince(before));
    now = secondsSince(start);
  }
  result.steps = int64_t(times.size());
  result.medianSeconds = quantile(times, 0.5);
  result.lowSeconds = quantile(times, 0.1);
  result.highSeconds = quantile(times, 0.9);
  // What disturbs a probe makes it slower, never faster.
  result.peakFlops = quantile(peaks, 0.9);
  if (withKernels)
    result.kernels = measureKernels(stepper, step);
  return result;
}

} // namespace gradus
