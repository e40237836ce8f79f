#include "runtime/run/Metrics.h"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace gradus {

std::string Metrics::json() const {
  nlohmann::ordered_json line;
  if (!part.empty())
    line["train"] = part;
  line["epoch"] = epoch;
  line["step"] = step;
  line["split"] = split;
  // Times are no results: three digits more than a clock can tell are enough.
  line["time_s"] = std::round(seconds * 1e6) / 1e6;
  line["samples_s"] = std::round(samplesPerSecond * 10) / 10;
  if (loss)
    line["loss"] = *loss;
  for (const auto &[name, value] : reports)
    line[name] = value;
  return line.dump();
}

std::string shortNumber(double value) { return fmt::format("{:.4g}", value); }

} // namespace gradus
