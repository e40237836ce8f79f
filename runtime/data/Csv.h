// The text of a csv file (RFC 4180) cut into rows; cells are cut on demand, so
// that a message can point at them. Next: CsvFields.h makes fields of them.
#pragma once

#include "runtime/Error.h"
#include "runtime/data/DataText.h"

#include <deque>
#include <optional>

namespace gradus {

/// One cell of a row.
struct CsvCell {
  /// The text without surrounding blanks and quotes.
  std::string_view text;
  /// Its bytes from the start of the row, quotes included.
  size_t begin, end;
};

/// The cells of a row. Their texts stay until the table reads another one or
/// gives a place.
class CsvRow {
public:
  size_t size() const { return cells.size(); }
  const CsvCell &operator[](size_t column) const { return cells[column]; }
  auto begin() const { return cells.begin(); }
  auto end() const { return cells.end(); }

private:
  friend class CsvTable;
  std::vector<CsvCell> cells;
  /// What quoted cells hold.
  std::deque<std::string> unquoted;
};

class CsvTable {
public:
  /// `header`: whether the first row is one; by default it is one if any of its
  /// cells is neither empty nor a number. Blank lines are no rows. Throws E0816
  /// if a row has another length than the first one, E0823, E0827.
  CsvTable(DataText content, std::optional<bool> header);
  CsvTable(const CsvTable &) = delete;

  const std::string &path() const { return text.path(); }
  /// Names of the columns; empty without a header.
  const std::vector<std::string> &header() const { return names; }
  /// The place of the name of a column.
  DataPlace headerPlace(size_t column, std::string label = "") const;
  /// Number of rows below the header.
  size_t rows() const { return starts.size(); }
  size_t columns() const { return width; }

  /// The bytes of a row, with its line end and the blank lines behind it. They
  /// stay until the next call. Throws E0803 if the file has changed.
  std::string_view rowText(size_t index) const;
  /// Cuts a row into `row`, whose memory is used again. Throws E0803 if the
  /// file has changed.
  void read(size_t index, CsvRow &row) const;
  /// Throws E0803 if the file has changed since it was opened.
  void checkUnchanged() const { text.checkUnchanged(); }

  /// The place of a cell, for a message.
  DataPlace place(size_t row, size_t column, std::string label = "") const;
  /// `"quality"`, or its number if there is no header.
  std::string columnText(size_t column) const;

private:
  struct Start {
    size_t offset;
    uint64_t line;
  };
  /// What was found of a row.
  struct Cut {
    /// Behind its line end, from its start.
    size_t end;
    /// The quote of its last cell if that is not closed.
    std::optional<size_t> open;
  };
  /// Cuts the row that `from` starts with.
  static Cut cut(std::string_view from, CsvRow &row);
  /// Cuts the row that starts here, all of which is then in memory.
  Cut cutAll(const Start &start, std::string_view &from, CsvRow &row) const;
  /// The offset behind the row that `from` starts with if it has no quotes and
  /// as many cells as the first row: then it need not be cut to know so. Else
  /// 0.
  size_t endOfPlain(std::string_view from) const;
  DataPlace cellPlace(const Start &start, size_t column, std::string detail,
                      std::string label) const;

  DataText text;
  std::vector<Start> starts;
  Start headerStart = {0, 1};
  std::vector<std::string> names;
  size_t width = 0;
};

/// What may surround the text of a cell and is no part of it.
inline bool isBlank(char c) { return c == ' ' || c == '\t'; }

/// The number a cell holds, NaN and infinities included; nothing if it is no
/// number.
std::optional<double> parseNumber(std::string_view text);

} // namespace gradus
