// The text of a csv file (RFC 4180) cut into rows; cells are cut on demand, so
// that a message can point at them. Next: CsvFields.h makes fields of them.
#pragma once

#include "runtime/Error.h"

#include <optional>
#include <string_view>

namespace gradus {

/// One cell of a row.
struct CsvCell {
  /// The text without surrounding blanks and quotes.
  std::string text;
  /// Its bytes from the start of the row, quotes included.
  size_t begin, end;
};

class CsvTable {
public:
  /// `header`: whether the first row is one; by default it is one if any of its
  /// cells is neither empty nor a number. Blank lines are no rows. Throws E0816
  /// if a row has another length than the first one, E0823, E0827.
  CsvTable(std::string path, std::vector<uint8_t> content,
           std::optional<bool> header);
  CsvTable(const CsvTable &) = delete;

  const std::string &path() const { return file; }
  /// Names of the columns; empty without a header.
  const std::vector<std::string> &header() const { return names; }
  /// The place of the name of a column.
  DataPlace headerPlace(size_t column, std::string label = "") const;
  /// Number of rows below the header.
  size_t rows() const { return starts.size(); }
  size_t columns() const { return width; }

  std::vector<CsvCell> row(size_t index) const;
  /// The same into `cells`, whose memory is used again.
  void readRow(size_t index, std::vector<CsvCell> &cells) const;

  /// The place of a cell, for a message.
  DataPlace place(size_t row, size_t column, std::string label = "") const;
  /// `"quality"`, or its number if there is no header.
  std::string columnText(size_t column) const;

private:
  struct Start {
    size_t offset;
    uint64_t line;
  };
  /// Cuts the row that starts here, gives the offset behind its line end.
  size_t cut(const Start &start, std::vector<CsvCell> &cells) const;
  /// The offset behind the row that starts here if it has no quotes and as many
  /// cells as the first row: then it need not be cut to know so. Else 0.
  size_t endOfPlain(size_t offset) const;
  /// Cuts a quoted cell from its opening quote, gives the offset behind it.
  size_t cutQuoted(const Start &start, size_t open, std::string &out) const;
  DataPlace cellPlace(const Start &start, size_t column, std::string detail,
                      std::string label) const;
  /// Where the line of `offset` ends: before its line feed.
  size_t lineEnd(size_t offset) const;
  std::string_view lineAt(size_t offset) const;
  uint64_t lineFeeds(size_t begin, size_t end) const;

  std::string file;
  std::vector<uint8_t> bytes;
  /// All of `bytes`.
  std::string_view text;
  std::vector<Start> starts;
  Start headerStart = {0, 1};
  std::vector<std::string> names;
  size_t width = 0;
};

/// The number a cell holds, NaN and infinities included; nothing if it is no
/// number.
std::optional<double> parseNumber(std::string_view text);

} // namespace gradus
