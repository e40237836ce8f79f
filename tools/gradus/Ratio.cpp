// See Ratio.h.
#include "tools/gradus/Ratio.h"

#include <algorithm>
#include <cmath>

namespace gradus {

Ratio compareSamples(const std::vector<double> &now,
                     const std::vector<double> &before) {
  std::vector<double> ratios;
  for (double a : now)
    for (double b : before)
      ratios.push_back(a / b);
  std::ranges::sort(ratios);
  size_t count = ratios.size();
  double m = double(now.size()), n = double(before.size());
  // The rank of the lower end, counted from 1; 1.96: the normal quantile.
  double rank =
      std::floor(m * n / 2 - 1.96 * std::sqrt(m * n * (m + n + 1) / 12));
  auto below = size_t(std::max(rank, 1.0)) - 1;
  // The middle of the logarithms if their number is even.
  return {std::sqrt(ratios[(count - 1) / 2] * ratios[count / 2]), ratios[below],
          ratios[count - 1 - below]};
}

std::vector<double> atPeak(const std::vector<Block> &blocks) {
  std::vector<double> times;
  for (const Block &block : blocks)
    times.push_back(block.medianSeconds * block.peakFlops);
  return times;
}

} // namespace gradus
