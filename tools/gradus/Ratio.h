// How many times as long one measurement takes as another, and how sure that
// is.
#pragma once

#include "tools/gradus/Measurement.h"

namespace gradus {

/// How many times as long one sample takes as the other.
struct Ratio {
  double estimate = 0;
  /// The interval that holds it with 95 % confidence.
  double low = 0, high = 0;
};

/// Hodges and Lehmann's estimate with the interval that belongs to the rank sum
/// test (Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, section
/// 4.2-4.3), on logarithms: the median of all ratios of an element of `now` to
/// one of `before`. Nothing is taken for granted about how times are
/// distributed. With few elements the interval is from the least ratio to the
/// largest.
Ratio compareSamples(const std::vector<double> &now,
                     const std::vector<double> &before);

/// The times of the blocks in units of what the peak does, because clocks
/// differ from one run to the next.
std::vector<double> atPeak(const std::vector<Block> &blocks);

} // namespace gradus
