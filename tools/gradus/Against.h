// Two measurements of steps, held against each other.
#pragma once

#include "tools/gradus/MeasureModel.h"
#include "tools/gradus/Ratio.h"

#include <nlohmann/json.hpp>

namespace gradus {

/// What `gradus bench --json` has written.
struct SavedBench {
  std::string path, model, precision;
  unsigned threads = 1;
  int64_t batch = 0, flops = 0;
  double medianSeconds = 0, peakFlops = 0, compileSeconds = 0,
         firstStepSeconds = 0;
  int64_t peakMemory = 0;
  std::vector<Block> blocks;
  /// Median seconds, in the order in which they run; those of equal names in a
  /// row of their own.
  std::vector<std::pair<std::string, double>> kernels;
};

/// Throws E0802 and E1068.
SavedBench readBench(const std::string &path);

/// What `now` comes to against `before`, pair by pair, and in words.
std::string comparisonText(const MeasuredModel &now, const SavedBench &before,
                           const Ratio &ratio);
/// The same for programs: of `against` in the document of `bench`.
nlohmann::ordered_json comparisonJson(const SavedBench &before,
                                      const Ratio &ratio);

} // namespace gradus
