#include "runtime/Timing.h"

#include <algorithm>
#include <cstdio>

namespace gradus {

Timing::Timing(double before) : before(before) {
  rows.push_back({"start", "the process", "", 0, before});
}

double Timing::now() const {
  return before + std::chrono::duration<double>(Clock::now() - made).count();
}

Timing::Measured Timing::measure(const std::shared_ptr<Timing> &timing,
                                 std::string_view stage, std::string_view of) {
  Measured measured;
  if (!timing)
    return measured;
  std::lock_guard lock(timing->mutex);
  measured.timing = timing;
  measured.row = timing->rows.size();
  timing->rows.push_back(
      {std::string(stage), std::string(of), "", timing->now(), 0});
  return measured;
}

Timing::Measured &Timing::Measured::operator=(Measured &&other) noexcept {
  end();
  timing = std::move(other.timing);
  row = other.row;
  return *this;
}

void Timing::Measured::end() {
  if (!timing)
    return;
  std::shared_ptr<Timing> into = std::move(timing);
  std::lock_guard lock(into->mutex);
  Row &measured = into->rows[row];
  measured.seconds = into->now() - measured.begin;
}

void Timing::Measured::note(std::string text) {
  if (!timing)
    return;
  std::lock_guard lock(timing->mutex);
  timing->rows[row].note = std::move(text);
}

/// Milliseconds in a column.
static std::string column(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%9.1f ", seconds * 1e3);
  return text;
}

std::string Timing::table() const {
  std::lock_guard lock(mutex);
  std::string text = "    at ms   took ms  stage         of\n";
  for (const Row &row : rows) {
    std::string stage = row.stage;
    if (!row.of.empty())
      stage.resize(std::max<size_t>(stage.size(), 13), ' ');
    text += column(row.begin) + column(row.seconds) + " " + stage;
    text += row.of.empty() ? "" : " " + row.of;
    text += row.note.empty() ? "\n" : ": " + row.note + "\n";
  }
  // In the order of their first rows.
  std::vector<Row> sums;
  for (const Row &row : rows) {
    auto same = std::find_if(sums.begin(), sums.end(), [&](const Row &sum) {
      return sum.stage == row.stage;
    });
    if (same == sums.end())
      sums.push_back(row);
    else
      same->seconds += row.seconds;
  }
  text += std::string(21, ' ') + "in all\n";
  for (const Row &sum : sums)
    text += std::string(10, ' ') + column(sum.seconds) + " " + sum.stage + "\n";
  return text;
}

} // namespace gradus
