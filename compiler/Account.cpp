// See Account.h.
#include "compiler/Account.h"

#include <algorithm>

namespace gradus {

std::string_view SourceLine::text() const {
  if (!source)
    return {};
  std::string_view text = source->line(number);
  size_t first = text.find_first_not_of(" \t");
  size_t last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, last - first + 1);
}

bool SourceLine::operator<(const SourceLine &other) const {
  if (source == other.source)
    return number < other.number;
  if (!source || !other.source)
    return source != nullptr;
  return source->name() < other.source->name();
}

Work CallAccount::total() const {
  Work total;
  for (const auto &[key, work] : lines)
    total += work;
  return total;
}

std::vector<int64_t> StepAccount::aliveBytes() const {
  std::vector<int64_t> alive(calls.size());
  for (const PlannedValue &value : values)
    for (int64_t call = value.first; call <= value.last; ++call)
      alive[size_t(call)] += value.bytes;
  return alive;
}

LineWork StepAccount::lines() const {
  LineWork lines;
  for (const CallAccount &call : calls)
    for (const auto &[key, work] : call.lines)
      lines[key] += work;
  return lines;
}

Work StepAccount::total() const {
  Work total;
  for (const CallAccount &call : calls)
    total += call.total();
  return total;
}

static double computeSeconds(const Work &work, const Peaks &peaks) {
  return double(work.flops + work.elements) / peaks.flops;
}

static double memorySeconds(const Work &work, const Peaks &peaks) {
  return double(work.bytes) / peaks.bytes;
}

std::map<std::pair<SourceLine, Phase>, double>
timesOf(const CallAccount &call, double seconds, const Peaks &peaks) {
  std::map<std::pair<SourceLine, Phase>, double> times;
  double sum = 0;
  for (const auto &[key, work] : call.lines)
    sum += times[key] =
        computeSeconds(work, peaks) + memorySeconds(work, peaks);
  if (times.empty())
    times[{}] = 0;
  for (auto &[key, time] : times)
    time = sum > 0 ? seconds * (time / sum) : seconds / double(times.size());
  return times;
}

Bound boundOf(const Work &work, double seconds, const Peaks &peaks) {
  constexpr double kExplains = 0.25;
  double compute = computeSeconds(work, peaks);
  double memory = memorySeconds(work, peaks);
  if (std::max(compute, memory) < kExplains * seconds)
    return Bound::Overhead;
  return compute >= memory ? Bound::Compute : Bound::Memory;
}

} // namespace gradus
