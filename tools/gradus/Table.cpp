// See Table.h.
#include "tools/gradus/Table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace gradus {

static constexpr size_t maxWidth = 100;

static size_t charactersOf(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count)
    at += std::max<size_t>(characterLength(text.substr(at)), 1);
  return count;
}

std::string shortened(std::string_view text, size_t characters) {
  if (charactersOf(text) <= characters)
    return std::string(text);
  size_t at = 0;
  for (size_t i = 1; i < characters; ++i)
    at += std::max<size_t>(characterLength(text.substr(at)), 1);
  return std::string(text.substr(0, at)) + (characters ? "…" : "");
}

Table::Table(std::vector<std::string> headings) {
  for (std::string &heading : headings) {
    isRight.push_back(heading.starts_with('>'));
    if (isRight.back())
      heading.erase(0, 1);
  }
  rows.push_back({std::move(headings), ""});
}

void Table::add(std::vector<std::string> cells) {
  rows.push_back({std::move(cells), ""});
}

void Table::addText(std::string text) { rows.push_back({{}, std::move(text)}); }

std::string Table::text() const {
  std::vector<size_t> widths(isRight.size());
  for (const Row &row : rows)
    for (size_t i = 0; i < row.cells.size(); ++i)
      widths[i] = std::max(widths[i], charactersOf(row.cells[i]));
  std::string text;
  for (const Row &row : rows) {
    std::string line;
    size_t used = 0;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      line += i ? "  " : "";
      used += i ? 2 : 0;
      bool isLast = i + 1 == row.cells.size();
      std::string cell =
          isLast ? shortened(row.cells[i], maxWidth - std::min(used, maxWidth))
                 : row.cells[i];
      std::string blanks(widths[i] - std::min(widths[i], charactersOf(cell)),
                         ' ');
      line += isRight[i] ? blanks + cell : cell + blanks;
      used += widths[i];
    }
    line += shortened(row.across, maxWidth);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

/// Three digits that matter, with as many units of `step` as leave them
/// readable.
static std::string scaled(double number, double step,
                          std::initializer_list<const char *> units) {
  auto unit = units.begin();
  while (number >= step && unit + 1 != units.end()) {
    number /= step;
    ++unit;
  }
  std::string digits = number >= 100  ? fmt::format("{:.0f}", number)
                       : number >= 10 ? fmt::format("{:.1f}", number)
                                      : fmt::format("{:.2f}", number);
  return fmt::format("{} {}", digits, *unit);
}

std::string countText(double count) {
  if (count < 1000)
    return count > 0 ? fmt::format("{:.0f}", count) : "";
  return scaled(count / 1e3, 1e3, {"k", "M", "G", "T"});
}

std::string secondsText(double seconds) {
  return seconds > 0 ? scaled(seconds * 1e6, 1e3, {"us", "ms", "s"}) : "";
}

std::string percentText(double part) {
  return part > 0 ? fmt::format("{:.1f}", 100 * part) : "";
}

} // namespace gradus
