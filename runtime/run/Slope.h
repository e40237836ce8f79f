// A derivative held against differences of the function itself: central
// differences at several steps, refined until rounding takes over, and
// one-sided ones where a kink may be the reason of a difference. Plain numbers
// in and out.
//
// Central differences and their best step: J. Nocedal, S. Wright, "Numerical
// Optimization", 2nd ed., ch. 8.1. Noise of a function from a table of its
// differences: J. More, S. Wild, "Estimating Computational Noise", SIAM J. Sci.
// Comput. 33 (2011). Generalised derivatives at kinks: A. Griewank, A. Walther,
// "Evaluating Derivatives", 2nd ed., ch. 14.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace gradus {

/// What a comparison comes to, the worst last.
enum class SlopeVerdict : uint8_t {
  /// They agree.
  Ok,
  /// Rounding hides whether they agree.
  Noise,
  /// The function has a kink here; the derivative is that of one side, or
  /// between both.
  Kink,
  Wrong
};
/// `OK`, `NOISE`, `KINK`, `WRONG`.
std::string_view str(SlopeVerdict verdict);

/// The bounds of a comparison.
namespace slope {
/// Agreement: the difference is at most this part of the derivative, or three
/// times the error that the numeric value is known to have.
inline constexpr double tolerance = 1e-5;
/// A numeric value is trusted if its error is at most this part of the
/// derivative: a rule that is wrong by more is found.
inline constexpr double trust = 1e-3;
/// Steps are 2^-7, 2^-9, ... 2^-23 of the scale of the argument.
inline constexpr int levels = 9;
} // namespace slope

/// A function of one number near 0. It may take a step a little different from
/// the wanted one (the next number in its precision) and says which.
using LineFunction = std::function<double(double &step)>;

struct SlopeProblem {
  LineFunction f;
  /// f(0).
  double atZero = 0;
  /// How far f has to go to change much: the size of the argument.
  double scale = 1;
  /// The noise of f: the standard deviation of its rounding errors.
  double noise = 0;
  /// The derivative to check.
  double analytic = 0;
  /// The size of derivatives like this one: an error far below it is no error.
  double size = 0;
};

struct SlopeComparison {
  SlopeVerdict verdict = SlopeVerdict::Ok;
  double numeric = 0;
  /// A bound on the error of `numeric`.
  double error = 0;
};

/// Compares f'(0) with the analytic derivative: two evaluations of f where they
/// plainly agree, twenty otherwise.
SlopeComparison compareSlope(const SlopeProblem &problem);

/// By which power of h the remainder f(h) - f(0) - f'(0) h falls, f'(0) being
/// the analytic derivative: 2 or more where that is right and f smooth, 1 where
/// it is wrong, or at a kink. NaN where rounding hides the remainder: f is a
/// line there, as far as one can tell, with this slope.
double remainderSlope(const SlopeProblem &problem);

/// The noise of a function from its values at at least 5 equidistant points so
/// close that it changes by little more than noise; at least its last bit.
double noiseOf(std::span<const double> values);

} // namespace gradus
