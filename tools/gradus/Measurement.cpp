// See Measurement.h. The peak is probed between steps of the same run, because
// clocks drift and other programs disturb: ratios last, times do not.
#include "tools/gradus/Measurement.h"

#include "runtime/data/Batches.h"
#include "tools/gradus/CopyPeak.h"
#include "tools/gradus/FmaPeak.h"

#include <algorithm>
#include <chrono>

namespace gradus {

namespace {

using Clock = std::chrono::steady_clock;

/// Seconds between two probes of the peak.
constexpr double kProbeEvery = 0.01;

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

/// `times` cut into blocks, each with the peak that was probed last before one
/// of its steps: `probes` says how many had been taken before each step.
std::vector<Block> blocksOf(const std::vector<double> &times,
                            const std::vector<double> &peaks,
                            const std::vector<size_t> &probes) {
  constexpr size_t kMost = 20, kFewestSteps = 3;
  size_t count = std::clamp<size_t>(times.size() / kFewestSteps, 1, kMost);
  std::vector<Block> blocks;
  for (size_t i = 0; i < count; ++i) {
    size_t first = times.size() * i / count;
    size_t last = times.size() * (i + 1) / count;
    std::vector<double> steps(times.begin() + ptrdiff_t(first),
                              times.begin() + ptrdiff_t(last));
    std::vector<double> meanwhile(peaks.begin() + ptrdiff_t(probes[first]) - 1,
                                  peaks.begin() + ptrdiff_t(probes[last - 1]));
    blocks.push_back({quantile(steps, 0.5), quantile(meanwhile, 0.9)});
  }
  return blocks;
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

/// What a step reads and writes: its arena and the caller's buffers.
int64_t workingBytes(const CompiledFunction &function) {
  int64_t bytes = function.arenaBytes;
  for (const BufferInfo &buffer : function.buffers)
    bytes += buffer.bytes();
  return bytes;
}

/// The median time of each kernel, called one by one.
void measureKernels(Stepper &stepper, BoundFunction &function, double seconds,
                    Measurement &result) {
  constexpr size_t kFewest = 7;
  const CompiledFunction &step = function.function();
  const std::vector<KernelCall> &calls = step.calls;
  std::vector<std::vector<double>> times(calls.size());
  CopyPeak copies(workingBytes(step));
  std::vector<double> peaks, teamPeaks;
  Clock::time_point start = Clock::now();
  double lastProbe = -1;
  for (size_t round = 0;; ++round) {
    double now = secondsSince(start);
    if (round >= kFewest && now >= seconds)
      break;
    if (now - lastProbe > kProbeEvery || peaks.size() < kFewest) {
      peaks.push_back(copies.measure());
      if (step.team)
        teamPeaks.push_back(copies.measure(step.team.get()));
      lastProbe = now;
    }
    stepper.turn();
    stepper.feed();
    for (size_t i = 0; i < calls.size(); ++i) {
      Clock::time_point before = Clock::now();
      function.runCall(i);
      times[i].push_back(secondsSince(before));
    }
  }
  for (size_t i = 0; i < calls.size(); ++i)
    result.kernels.push_back({calls[i].name, quantile(times[i], 0.5),
                              calls[i].flops,
                              calls[i].isSplit && step.team != nullptr});
  result.copiedBytes = copies.bytes();
  // As for the peak of multiply-adds.
  result.copyPeak = quantile(peaks, 0.9);
  result.teamCopyPeak = std::max(result.copyPeak, quantile(teamPeaks, 0.9));
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
  std::vector<double> times, peaks;
  std::vector<size_t> probes;
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
    probes.push_back(peaks.size());
    now = secondsSince(start);
  }
  result.steps = int64_t(times.size());
  result.blocks = blocksOf(times, peaks, probes);
  result.medianSeconds = quantile(times, 0.5);
  result.lowSeconds = quantile(times, 0.1);
  result.highSeconds = quantile(times, 0.9);
  // What disturbs a probe makes it slower, never faster.
  result.peakFlops = quantile(peaks, 0.9);
  if (withKernels)
    measureKernels(stepper, step, seconds / 2, result);
  return result;
}

} // namespace gradus
