// `gradus profile`: the measured time of a training step by line of the source
// and by phase, held against what this machine can do. Kernels are timed one by
// one (Measurement.h); Account.h says how their time is divided.
#include "runtime/Error.h"
#include "tools/gradus/LineTable.h"
#include "tools/gradus/MeasureModel.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace gradus {

namespace {

struct Share {
  double seconds = 0;
  Work work;

  Share &operator+=(const Share &other) {
    seconds += other.seconds;
    work += other.work;
    return *this;
  }
};

struct KernelProfile {
  std::string name;
  Share share;
  Peaks peaks;
  std::map<std::pair<SourceLine, Phase>, double> times;
};

/// What the time of all kernels comes to.
struct StepProfile {
  std::vector<KernelProfile> kernels;
  std::map<SourceLine, std::array<Share, 3>> lines;
  std::array<Share, 3> phases;
  Share all;
  /// Of the whole step: what threads that share its kernels can do, for each
  /// second of the kernels.
  Peaks peaks;
  double stepSeconds = 0;
  /// Kernels that belong to several lines, and to several phases.
  size_t ofLines = 0, ofPhases = 0;

  /// Feeding the batch and calling kernels.
  double outside() const { return std::max(stepSeconds - all.seconds, 0.0); }
};

StepProfile profileOf(const MeasuredModel &measured) {
  StepProfile profile;
  const Measurement &steps = measured.steps;
  profile.stepSeconds = steps.medianSeconds;
  for (size_t i = 0; i < steps.kernels.size(); ++i) {
    const KernelMeasurement &kernel = steps.kernels[i];
    const CallAccount &call = measured.account.calls[i];
    KernelProfile one{
        call.kernel, {kernel.medianSeconds, call.total()}, {}, {}};
    // A loop holds kernels of both kinds.
    bool isSplit =
        kernel.isSplit || (call.isLoop && measured.around.threads > 1);
    one.peaks = {steps.peakFlops * (isSplit ? measured.around.threads : 1),
                 isSplit ? steps.teamCopyPeak : steps.copyPeak};
    one.times = timesOf(call, kernel.medianSeconds, one.peaks);
    std::set<SourceLine> lines;
    std::set<Phase> phases;
    for (const auto &[key, seconds] : one.times) {
      auto work = call.lines.find(key);
      Share share{seconds, work == call.lines.end() ? Work() : work->second};
      profile.lines[key.first][size_t(key.second)] += share;
      profile.phases[size_t(key.second)] += share;
      // What is but repeated or renamed is no work of a line.
      if (share.work == Work())
        continue;
      lines.insert(key.first);
      phases.insert(key.second);
    }
    profile.ofLines += lines.size() > 1;
    profile.ofPhases += phases.size() > 1;
    profile.all += one.share;
    profile.kernels.push_back(std::move(one));
  }
  profile.peaks = {steps.peakFlops * measured.around.threads,
                   steps.teamCopyPeak};
  return profile;
}

Share sum(const std::array<Share, 3> &phases) {
  Share all;
  for (const Share &share : phases)
    all += share;
  return all;
}

double rate(int64_t amount, double seconds) {
  return seconds > 0 ? double(amount) / seconds : 0;
}

//===-- For people --------------------------------------------------------===//

std::string giga(double perSecond) {
  return perSecond >= 1e7 ? fmt::format("{:.1f}", perSecond * 1e-9) : "";
}

const char *boundText(const Share &share, const Peaks &peaks) {
  return share.seconds > 0
             ? boundNames[size_t(boundOf(share.work, share.seconds, peaks))]
             : "";
}

std::string phaseText(const StepProfile &profile) {
  Table table({"", ">time", ">%", ">GFLOP/s", ">% of peak", ">GB/s",
               ">% of peak", "bound by"});
  auto row = [&](const char *name, const Share &share) {
    double flops = rate(share.work.flops, share.seconds);
    double bytes = rate(share.work.bytes, share.seconds);
    table.add({name, secondsText(share.seconds),
               percentText(share.seconds / profile.stepSeconds), giga(flops),
               percentText(flops / profile.peaks.flops), giga(bytes),
               percentText(bytes / profile.peaks.bytes),
               boundText(share, profile.peaks)});
  };
  for (size_t i = 0; i < phaseNames.size(); ++i)
    row(phaseNames[i], profile.phases[i]);
  if (profile.outside() > 0)
    table.add({"around", secondsText(profile.outside()),
               percentText(profile.outside() / profile.stepSeconds), "", "", "",
               "", "feeding the batch, calling kernels"});
  Share step = profile.all;
  step.seconds = profile.stepSeconds;
  row("step", step);
  return table.text();
}

std::string lineText(const StepProfile &profile) {
  LineTable table({">forward", ">backward", ">update", ">%", ">GFLOP/s",
                   ">GB/s", "bound by"});
  for (const auto &[line, phases] : profile.lines) {
    Share all = sum(phases);
    if (all.seconds == 0)
      continue;
    table.add(line,
              {secondsText(phases[0].seconds), secondsText(phases[1].seconds),
               secondsText(phases[2].seconds),
               percentText(all.seconds / profile.stepSeconds),
               giga(rate(all.work.flops, all.seconds)),
               giga(rate(all.work.bytes, all.seconds)),
               boundText(all, profile.peaks)});
  }
  return table.text();
}

std::string kernelText(const StepProfile &profile) {
  Table table({"kernel", ">time", ">%", ">GFLOP/s", ">% of peak", ">GB/s",
               ">% of peak", "bound by", "lines"});
  for (const KernelProfile &kernel : profile.kernels) {
    const Share &share = kernel.share;
    double flops = rate(share.work.flops, share.seconds);
    double bytes = rate(share.work.bytes, share.seconds);
    std::string lines;
    std::set<uint32_t> seen;
    for (const auto &[key, seconds] : kernel.times)
      if (key.first.source && seconds > 0 &&
          seen.insert(key.first.number).second)
        lines += (lines.empty() ? "" : " ") + std::to_string(key.first.number);
    table.add({shortened(kernel.name, 26), secondsText(share.seconds),
               percentText(share.seconds / profile.stepSeconds), giga(flops),
               percentText(flops / kernel.peaks.flops), giga(bytes),
               percentText(bytes / kernel.peaks.bytes),
               boundText(share, kernel.peaks), lines});
  }
  return table.text();
}

void printText(const StepProfile &profile, const MeasuredModel &measured,
               bool withKernels) {
  const Measurement &steps = measured.steps;
  fmt::print("one step of {} on {} in {} on {}: {}\n\n{}\n{}\n",
             measured.loaded->path, counted(uint64_t(steps.batch), "row"),
             measured.isDouble() ? "f64" : "f32",
             counted(measured.around.threads, "thread"),
             secondsText(steps.medianSeconds), phaseText(profile),
             lineText(profile));
  if (withKernels)
    fmt::print("{}\n", kernelText(profile));
  fmt::print("{} {} of several lines and {} of several phases: the time of "
             "these is divided by\nthe arithmetic and the bytes of each. "
             "Peaks, measured between: {:.1f} GFLOP/s of\nmultiply-adds, "
             "{:.1f} GB/s of copies of {}.\n",
             profile.ofLines,
             profile.ofLines == 1 ? "kernel is" : "kernels are",
             profile.ofPhases, profile.peaks.flops * 1e-9,
             profile.peaks.bytes * 1e-9, bytesText(double(steps.copiedBytes)));
}

//===-- For programs ------------------------------------------------------===//

nlohmann::ordered_json json(const Share &share, const Peaks &peaks) {
  nlohmann::ordered_json one;
  one["seconds"] = share.seconds;
  one["flops"] = share.work.flops;
  one["elements"] = share.work.elements;
  one["bytes"] = share.work.bytes;
  one["fraction_of_fma_peak"] =
      rate(share.work.flops, share.seconds) / peaks.flops;
  one["fraction_of_copy_peak"] =
      rate(share.work.bytes, share.seconds) / peaks.bytes;
  if (share.seconds > 0)
    one["bound"] = boundText(share, peaks);
  return one;
}

void printJson(const StepProfile &profile, const MeasuredModel &measured) {
  const Measurement &steps = measured.steps;
  nlohmann::ordered_json all;
  all["model"] = measured.loaded->path;
  all["precision"] = measured.isDouble() ? "f64" : "f32";
  all["threads"] = measured.around.threads;
  all["batch"] = steps.batch;
  all["median_step_s"] = steps.medianSeconds;
  all["kernels_s"] = profile.all.seconds;
  all["around_s"] = profile.outside();
  all["fma_peak_flops_per_s"] = profile.peaks.flops;
  all["copy_peak_bytes_per_s"] = profile.peaks.bytes;
  all["copied_bytes"] = steps.copiedBytes;
  all["kernels_of_several_lines"] = profile.ofLines;
  all["kernels_of_several_phases"] = profile.ofPhases;
  for (size_t i = 0; i < phaseNames.size(); ++i)
    all["phases"][phaseNames[i]] = json(profile.phases[i], profile.peaks);
  all["lines"] = nlohmann::ordered_json::array();
  for (const auto &[line, phases] : profile.lines) {
    nlohmann::ordered_json one = lineJson(line);
    one.update(json(sum(phases), profile.peaks));
    for (size_t i = 0; i < phaseNames.size(); ++i)
      one[phaseNames[i]] = json(phases[i], profile.peaks);
    all["lines"].push_back(one);
  }
  all["kernels"] = nlohmann::ordered_json::array();
  for (const KernelProfile &kernel : profile.kernels) {
    nlohmann::ordered_json one = {{"name", kernel.name}};
    one.update(json(kernel.share, kernel.peaks));
    one["parts"] = nlohmann::ordered_json::array();
    for (const auto &[key, seconds] : kernel.times) {
      nlohmann::ordered_json part = lineJson(key.first);
      part["phase"] = phaseNames[size_t(key.second)];
      part["seconds"] = seconds;
      one["parts"].push_back(part);
    }
    all["kernels"].push_back(one);
  }
  fmt::print("{}\n", all.dump());
}

} // namespace

ExitCode verbs::profile(const CommandLine &line) {
  MeasuredModel measured = measureModel(line, /*withKernels=*/true);
  StepProfile profile = profileOf(measured);
  if (line.json)
    printJson(profile, measured);
  else
    printText(profile, measured, line.kernels);
  return Fine;
}

} // namespace gradus
