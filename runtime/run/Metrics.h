// What a run reports: one record for each split, and its line of metrics.jsonl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gradus {

/// Name and value of each report, in the order of the program.
using ReportValues = std::vector<std::pair<std::string, double>>;

struct Metrics {
  int64_t epoch = 0, step = 0;
  std::string split;
  /// Since the run began.
  double seconds = 0;
  /// Rows per second: of training steps, or of this evaluation.
  double samplesPerSecond = 0;
  /// Mean over the rows of the epoch; only of the split `train`.
  std::optional<double> loss;
  ReportValues reports;
  /// Model::part.
  std::string part = {};

  /// `{"epoch":1,"step":469,"split":"train","time_s":...,"samples_s":...,
  /// "loss":...}` and each report by its name. NaN and Inf become null.
  std::string json() const;
};

/// A number for people, four significant digits: `0.8431`, `1.25e-05`.
std::string shortNumber(double value);

} // namespace gradus
