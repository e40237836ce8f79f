// See Slope.h.
#include "runtime/run/Slope.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace gradus {

std::string_view str(SlopeVerdict verdict) {
  switch (verdict) {
  case SlopeVerdict::Ok:
    return "OK";
  case SlopeVerdict::Noise:
    return "NOISE";
  case SlopeVerdict::Kink:
    return "KINK";
  case SlopeVerdict::Wrong:
    return "WRONG";
  }
  return "";
}

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
/// The level that is tried first: 2^-17, near the best step for f64.
constexpr int firstLevel = 5;

/// A derivative with a bound on its error.
struct Estimate {
  double value = 0, error = infinity;

  void improve(double otherValue, double otherError) {
    if (std::isfinite(otherValue) && otherError < error)
      *this = {otherValue, otherError};
  }
  /// Whether `x` is this derivative, as far as one can tell.
  bool agrees(double x) const {
    return std::isfinite(x) &&
           std::abs(x - value) <=
               3 * error +
                   slope::tolerance * std::max(std::abs(x), std::abs(value));
  }
};

class Differences {
public:
  explicit Differences(const SlopeProblem &problem) : problem(problem) {}

  /// Evaluates both sides of one level.
  void take(int level) {
    for (int side : {0, 1}) {
      double step = std::ldexp(problem.scale, -7 - 2 * level) * (side ? 1 : -1);
      values[side][level] = problem.f(step);
      steps[side][level] = std::abs(step);
    }
  }
  void takeAll() {
    for (int level = 0; level < slope::levels; ++level)
      if (level != firstLevel)
        take(level);
  }

  double central(int level) const {
    return (values[1][level] - values[0][level]) /
           (steps[1][level] + steps[0][level]);
  }
  /// From below (0) or above (1).
  double oneSided(int side, int level) const {
    double rise = values[side][level] - problem.atZero;
    return (side ? rise : -rise) / steps[side][level];
  }
  /// What noise does to a central difference: the error of two values over
  /// twice the step, times six for the tail.
  double rounding(int level) const {
    return 4 * problem.noise / std::ldexp(problem.scale, -7 - 2 * level);
  }

  /// The best of all levels: three successive ones have to tell the same.
  Estimate refined() const;
  Estimate refined(int side) const;

private:
  const SlopeProblem &problem;
  std::array<std::array<double, slope::levels>, 2> values = {}, steps = {};
};

Estimate Differences::refined() const {
  Estimate best;
  for (int k = 0; k + 2 < slope::levels; ++k) {
    double a = central(k), b = central(k + 1), c = central(k + 2);
    double error =
        std::max(std::abs(b - a), std::abs(c - b)) + 1.5 * rounding(k + 2);
    // The error of a central difference falls with the square of the step.
    best.improve(c + (c - b) / 15, error);
  }
  return best;
}

Estimate Differences::refined(int side) const {
  Estimate best;
  auto extrapolated = [&](int k) {
    double b = oneSided(side, k + 1);
    return b + (b - oneSided(side, k)) / 3;
  };
  for (int k = 0; k + 2 < slope::levels; ++k) {
    double c = extrapolated(k + 1);
    best.improve(c, std::abs(c - extrapolated(k)) + 4 * rounding(k + 2));
  }
  return best;
}

} // namespace

/// The side that the analytic value is closer to.
static Estimate closer(const Estimate &a, const Estimate &b, double x) {
  return std::abs(a.value - x) <= std::abs(b.value - x) ? a : b;
}

SlopeComparison compareSlope(const SlopeProblem &problem) {
  double analytic = problem.analytic;
  if (!std::isfinite(analytic) || !std::isfinite(problem.atZero)) {
    Differences differences(problem);
    differences.take(firstLevel);
    return {SlopeVerdict::Wrong, differences.central(firstLevel), infinity};
  }
  Differences differences(problem);
  differences.take(firstLevel);
  double numeric = differences.central(firstLevel);
  double rounding = differences.rounding(firstLevel);
  auto sizeWith = [&](double x) {
    return std::max({std::abs(analytic), std::abs(x), problem.size});
  };

  // What is left where everything cancels, as behind a softmax.
  bool isZero =
      std::abs(analytic) <= 1e-14 * std::abs(problem.atZero) / problem.scale;

  // Most derivatives need no more than this.
  double bend = std::abs(differences.oneSided(1, firstLevel) -
                         differences.oneSided(0, firstLevel));
  double size = sizeWith(numeric);
  if (rounding <= 0.1 * slope::trust * size &&
      bend <= slope::trust * size + 4 * rounding &&
      Estimate{numeric, rounding / 3}.agrees(analytic))
    return {SlopeVerdict::Ok, numeric, rounding};

  differences.takeAll();
  Estimate both = differences.refined();
  Estimate below = differences.refined(0), above = differences.refined(1);
  auto trusted = [&](const Estimate &estimate) {
    return isZero || estimate.error <= slope::trust * sizeWith(estimate.value);
  };
  Estimate side = closer(below, above, analytic);
  double apart = std::abs(above.value - below.value);
  bool isKink =
      apart > 3 * (above.error + below.error) +
                  10 * slope::tolerance *
                      std::max(std::abs(above.value), std::abs(below.value));
  if (isKink) {
    bool isBetween = analytic >= std::min(above.value, below.value) &&
                     analytic <= std::max(above.value, below.value);
    return {isBetween || side.agrees(analytic) ? SlopeVerdict::Kink
                                               : SlopeVerdict::Wrong,
            side.value, side.error};
  }
  if (both.agrees(analytic) && trusted(both))
    return {SlopeVerdict::Ok, both.value, both.error};
  // A jump on one side only: no slope there.
  for (const Estimate *one : {&below, &above})
    if (one->agrees(analytic) && trusted(*one))
      return {SlopeVerdict::Kink, one->value, one->error};
  if (both.agrees(analytic) || !std::isfinite(both.error))
    return {SlopeVerdict::Noise, both.value, both.error};
  return {SlopeVerdict::Wrong, both.value, both.error};
}

double remainderSlope(const SlopeProblem &problem) {
  // The last remainders that stand out of rounding tell the most: before them
  // higher powers are not small yet.
  std::vector<double> logs;
  for (int level = 0; level < slope::levels; ++level) {
    double remainder = 0, rounding = 0;
    for (int side : {-1, 1}) {
      double step = side * std::ldexp(problem.scale, -7 - 2 * level);
      double value = problem.f(step), linear = problem.analytic * step;
      remainder =
          std::max(remainder, std::abs(value - problem.atZero - linear));
      rounding =
          std::max(rounding, 20 * problem.noise +
                                 4 * std::numeric_limits<double>::epsilon() *
                                     (std::abs(value) + std::abs(linear)));
    }
    if (std::isfinite(remainder) && remainder > rounding)
      logs.push_back(std::log2(remainder));
    else if (!logs.empty())
      break;
  }
  if (logs.size() < 2)
    return std::numeric_limits<double>::quiet_NaN();
  size_t first = logs.size() - std::min<size_t>(logs.size(), 3);
  return (logs[first] - logs.back()) / (2. * double(logs.size() - 1 - first));
}

double noiseOf(std::span<const double> values) {
  std::vector<double> row(values.begin(), values.end());
  double largest = 0;
  for (double value : values)
    largest = std::max(largest, std::abs(value));
  double lastBit = largest * std::numeric_limits<double>::epsilon() / 2;
  // sigma_k^2 = (k!)^2 / (2k)! times the mean square of the k-th differences:
  // where three in a row agree and signs change, the differences are noise.
  std::vector<double> deviations;
  std::vector<bool> changesSign;
  double gamma = 1;
  while (row.size() > 1) {
    double order = double(deviations.size() + 1), squares = 0;
    bool positive = false, negative = false;
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      row[i] = row[i + 1] - row[i];
      squares += row[i] * row[i];
      positive |= row[i] > 0;
      negative |= row[i] < 0;
    }
    row.pop_back();
    gamma *= 0.5 * order / (2 * order - 1);
    deviations.push_back(std::sqrt(gamma * squares / double(row.size())));
    changesSign.push_back(positive && negative);
  }
  for (size_t k = 0; k + 2 < deviations.size(); ++k) {
    auto [low, high] =
        std::minmax({deviations[k], deviations[k + 1], deviations[k + 2]});
    if (changesSign[k] && high <= 4 * low)
      return std::max(deviations[k], lastBit);
  }
  // Nothing but a trend: the highest differences hold the least of it.
  double least = deviations.empty() ? 0 : deviations.back();
  return std::max(std::isfinite(least) ? least : 0, lastBit);
}

} // namespace gradus
