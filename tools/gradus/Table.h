// Results of several columns on stdout, at most 100 characters wide.
#pragma once

#include "runtime/Text.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

/// Columns as wide as they need; the last one is cut where a line would get
/// longer than 100 characters.
class Table {
public:
  /// Their headings; `>` before one puts the column to the right, as numbers
  /// are.
  explicit Table(std::vector<std::string> headings);

  /// As many cells as there are columns.
  void add(std::vector<std::string> cells);
  /// A line across all columns.
  void addText(std::string text);
  std::string text() const;

private:
  struct Row {
    std::vector<std::string> cells;
    std::string across;
  };
  std::vector<bool> isRight;
  std::vector<Row> rows;
};

/// `text` cut to that many characters, the last of them `…` then.
std::string shortened(std::string_view text, size_t characters);

/// `3.2 M`; empty for 0, as in a cell with nothing to say.
std::string countText(double count);
/// `12.3 us`; empty for 0.
std::string secondsText(double seconds);
/// `12.3` per cent; empty for 0.
std::string percentText(double part);

} // namespace gradus
