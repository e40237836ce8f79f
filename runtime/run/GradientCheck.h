// A gradient held against differences: tensors, their gradients and a number
// that depends on them -> a row of a table for each tensor. Of a large tensor a
// random sample of elements is checked, and all of them together along a random
// direction.
#pragma once

#include "runtime/Tensor.h"
#include "runtime/run/Slope.h"

#include <array>
#include <limits>

namespace gradus {

/// A tensor that the number depends on.
struct GradientInput {
  std::string name;
  /// Changed while it is checked, and restored.
  Tensor *value = nullptr;
  /// The derivative of the number by each element.
  Tensor gradient;
};

struct GradientProblem {
  std::vector<GradientInput> inputs;
  /// The number at the present values of all inputs.
  std::function<double()> value;
};

struct GradientCheckOptions {
  /// Elements of a tensor to check at most; 0: all.
  int64_t samples = 100;
  uint64_t seed = 0;
};

struct GradientRow {
  std::string name;
  std::vector<int64_t> shape;
  /// Elements checked.
  int64_t checked = 0;
  /// How many of them came to each verdict.
  std::array<int64_t, 4> counts = {};
  /// Wrong if any is; OK if any is; else KINK, else NOISE.
  SlopeVerdict verdict = SlopeVerdict::Ok;
  /// Of the elements with this verdict: the largest difference, and the
  /// largest one relative to the derivative (at least to a thousandth of the
  /// largest derivative in the tensor).
  double absolute = 0, relative = 0;
  /// Where the relative one is; -1: along the random direction.
  int64_t worst = 0;
  double analytic = 0, numeric = 0;
  /// By which power of the step the remainder of the first-order expansion
  /// there falls: 2 is right, 1 is wrong (see remainderSlope).
  double slope = std::numeric_limits<double>::quiet_NaN();
  /// All derivatives checked are exactly 0.
  bool isZero = true;
};

std::vector<GradientRow> checkGradient(const GradientProblem &problem,
                                       const GradientCheckOptions &options);

/// `[3, 17]`; empty for a scalar.
std::string indexText(int64_t element, const std::vector<int64_t> &shape);

} // namespace gradus
