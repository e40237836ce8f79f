#include "runtime/data/CsvFields.h"

#include "runtime/Text.h"
#include "runtime/data/FieldText.h"
#include "runtime/data/Rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

namespace gradus {

/// Edits that turn one word into the other (Levenshtein).
static size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t k = 0; k < b.size(); ++k)
      diagonal = std::exchange(
          row[k + 1],
          std::min({row[k] + 1, row[k + 1] + 1, diagonal + (a[i] != b[k])}));
  }
  return row.back();
}

static std::string listed(const std::vector<std::string> &names,
                          size_t most = 12) {
  std::string text;
  for (size_t i = 0; i < std::min(most, names.size()); ++i)
    text += (i ? ", " : "") + names[i];
  return names.size() > most
             ? text + ", ... (" + std::to_string(names.size()) + " in all)"
             : text;
}

static size_t columnNamed(const CsvTable &table, const Field &field,
                          const std::string &name) {
  const std::vector<std::string> &header = table.header();
  if (header.empty())
    throw Error(fault::NoHeader, name, table.path())
        .note(declared(field))
        .help("give its number from 0: `" + field.name + " = " +
              std::to_string(table.columns() - 1) + "` is the last column");
  auto found = std::find(header.begin(), header.end(), name);
  if (found != header.end()) {
    auto again = std::find(found + 1, header.end(), name);
    if (again == header.end())
      return size_t(found - header.begin());
    std::string first = std::to_string(found - header.begin());
    std::string second = std::to_string(again - header.begin());
    throw Error(fault::ColumnTwice, name, table.path())
        .at(table.headerPlace(size_t(again - header.begin()),
                              "column " + second + "; the first is column " +
                                  first))
        .note(declared(field))
        .help("say which one by its number: `" + field.name + " = " + first +
              "` or `" + field.name + " = " + second +
              "`, or rename one in the file");
  }
  Error error(fault::UnknownColumn, name, table.path());
  error.note("its columns are " + listed(header));
  auto nearest = std::min_element(
      header.begin(), header.end(), [&](const auto &a, const auto &b) {
        return editDistance(name, a) < editDistance(name, b);
      });
  if (editDistance(name, *nearest) <= std::max<size_t>(1, name.size() / 3))
    error.help("did you mean \"" + *nearest + "\"?");
  throw error;
}

std::vector<size_t> fieldColumns(const CsvTable &table, const CsvSource &source,
                                 const Field &field) {
  auto given =
      std::find_if(source.columns.begin(), source.columns.end(),
                   [&](const auto &pair) { return pair.first == field.name; });
  Columns wanted = given == source.columns.end() ? Columns::named(field.name)
                                                 : given->second;
  std::vector<size_t> columns;
  int64_t count = int64_t(table.columns());
  for (const Columns::Item &item : wanted.items) {
    if (!item.name.empty()) {
      columns.push_back(columnNamed(table, field, item.name));
      continue;
    }
    int64_t begin = fromStart(item.numbers.begin.value_or(0), count);
    int64_t end = fromStart(item.numbers.end.value_or(count), count);
    if (begin < 0 || end > count || (begin >= count && begin < end))
      throw Error(fault::ColumnPastEnd,
                  begin < 0 ? *item.numbers.begin
                            : std::max(begin, std::min(end - 1, count)),
                  table.path(), counted(size_t(count), "column"))
          .note("columns are counted from 0");
    for (int64_t i = begin; i < end; ++i)
      columns.push_back(size_t(i));
  }
  if (int64_t(columns.size()) != field.elements())
    throw Error(fault::FieldColumns, field.name, typeText(field),
                counted(size_t(field.elements()), "column"),
                std::to_string(columns.size()) +
                    (columns.size() == 1 ? " is" : " are"))
        .note(declared(field))
        .note("`" + table.path() + "` has " +
              counted(table.columns(), "column"));
  return columns;
}

/// Whether a cell holds no value: the words for it, besides NaN.
static bool isMissing(std::string_view text) {
  return text.empty() || text == "NA" || text == "N/A" || text == "?";
}

static Error missingCell(const CsvTable &table, const Field &field, size_t row,
                         size_t column) {
  return Error(fault::MissingCell, table.columnText(column))
      .at(table.place(row, column, "no value"))
      .note(declared(field))
      .help("`missing = 0` in `csv(...)` gives all such cells a value");
}

std::vector<std::string> textLabels(const CsvTable &table, const Field &field,
                                    std::span<const size_t> columns,
                                    std::span<const size_t> rows) {
  std::set<std::string> names;
  CsvRow cells;
  for (size_t row : rows) {
    table.read(row, cells);
    for (size_t column : columns) {
      std::string_view text = cells[column].text;
      if (names.empty() && (parseNumber(text) || isMissing(text)))
        return {};
      if (isMissing(text))
        throw missingCell(table, field, row, column);
      if (!isText(text))
        throw Error(fault::TextInData, table.place(row, column).line,
                    table.path());
      names.emplace(text);
    }
  }
  std::vector<std::string> sorted(names.begin(), names.end());
  if (int64_t(sorted.size()) > field.classes)
    throw Error(fault::TooManyLabels, table.columnText(columns.front()),
                sorted.size(), field.name, field.classes)
        .note("its labels are " + listed(sorted))
        .note(declared(field));
  return sorted;
}

namespace {

/// What an element type holds.
struct Limits {
  double low, high;
  bool whole;
};

Limits limitsOf(Element element) {
  switch (element) {
  case Element::F32:
    return {-std::numeric_limits<float>::max(),
            std::numeric_limits<float>::max(), false};
  case Element::F64:
    return {-std::numeric_limits<double>::max(),
            std::numeric_limits<double>::max(), false};
  case Element::I32:
    return {-0x1p31, 0x1p31 - 1, true};
  case Element::I64:
    // Beyond 2^53 a double would not hold every number.
    return {-0x1p53, 0x1p53, true};
  case Element::U8:
    return {0, 255, true};
  case Element::Bool:
    return {0, 1, true};
  }
  return {0, 0, true};
}

/// Reads the cells of one field.
class CellReader {
public:
  CellReader(const CsvTable &table, const Field &field,
             const std::vector<std::string> &names,
             std::optional<double> missing)
      : table(table), field(field), names(names), missing(missing),
        limits(limitsOf(field.element)) {}

  double read(std::string_view text, size_t row, size_t column) {
    if (field.classes && !names.empty())
      return label(text, row, column);
    double value = number(text, row, column);
    if (field.classes)
      return checkLabel(value, text, row, column);
    checkRange(value, text, row, column);
    return value;
  }

  /// Whether a number may stand in any cell.
  bool takesNumbers() const { return names.empty(); }
  /// Whether the field holds this number as it is; `read` says why it does not.
  bool takes(double value) {
    if (!(value >= limits.low && value <= limits.high) ||
        (limits.whole && value != std::floor(value)))
      return false;
    if (!field.classes)
      return true;
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
    return !badLabel && value >= 0 && value < double(field.classes);
  }

  /// Throws for the first label out of range, once all are known.
  void finish(size_t rows) {
    if (!badLabel)
      return;
    auto [row, column, value] = *badLabel;
    throw Error(fault::LabelOutOfRange, int64_t(value), field.classes)
        .at(table.place(row, column,
                        "allowed: 0 to " + std::to_string(field.classes - 1)))
        .note(declared(field))
        .help(labelsRead(int64_t(rows), int64_t(lowest), int64_t(highest)));
  }

private:
  Error badCell(std::string_view text, size_t row, size_t column,
                const std::string &wanted) {
    return Error(fault::BadCell, text, wanted)
        .at(table.place(row, column))
        .note(declared(field));
  }

  double label(std::string_view text, size_t row, size_t column) {
    auto found = std::lower_bound(names.begin(), names.end(), text);
    if (found != names.end() && *found == text)
      return double(found - names.begin());
    if (isMissing(text))
      throw missingCell(table, field, row, column);
    throw Error(fault::UnknownLabel, text)
        .at(table.place(row, column))
        .note("its labels are " + listed(names));
  }

  double number(std::string_view text, size_t row, size_t column) {
    if (field.element == Element::Bool && (text == "true" || text == "false"))
      return text == "true";
    std::optional<double> value = parseNumber(text);
    if (!value && isMissing(text)) {
      if (missing)
        return *missing;
      throw missingCell(table, field, row, column);
    }
    if (!value) {
      // A place reads the file again: the text is gone then.
      bool isSeparated = text.find_first_of(";\t") != text.npos;
      Error error = badCell(text, row, column, wanted());
      if (isSeparated)
        error.help("cells are separated by commas");
      throw error;
    }
    if (std::isfinite(*value))
      return *value;
    if (missing)
      return *missing;
    throw Error(fault::NotFinite, text)
        .at(table.place(row, column))
        .note(declared(field))
        .help("`missing = 0` in `csv(...)` gives all such cells a value");
  }

  double checkLabel(double value, std::string_view text, size_t row,
                    size_t column) {
    if (value != std::floor(value) || std::abs(value) > 1e15)
      throw badCell(text, row, column, "a whole number");
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
    if ((value < 0 || value >= double(field.classes)) && !badLabel)
      badLabel = {row, column, value};
    return badLabel ? 0 : value;
  }

  std::string wanted() const {
    if (field.element == Element::Bool)
      return "`true`, `false`, 0 or 1";
    if (!limits.whole || field.classes)
      return limits.whole ? "a whole number" : "a number";
    return "a whole number from " + std::to_string(int64_t(limits.low)) +
           " to " + std::to_string(int64_t(limits.high));
  }
  void checkRange(double value, std::string_view text, size_t row,
                  size_t column) {
    if (value >= limits.low && value <= limits.high &&
        (!limits.whole || value == std::floor(value)))
      return;
    throw badCell(text, row, column,
                  limits.whole ? wanted()
                               : "a number that " +
                                     std::string(elementText(field.element)) +
                                     " can hold");
  }

  const CsvTable &table;
  const Field &field;
  const std::vector<std::string> &names;
  std::optional<double> missing;
  Limits limits;
  struct BadLabel {
    size_t row, column;
    double value;
  };
  std::optional<BadLabel> badLabel;
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -std::numeric_limits<double>::infinity();
};

/// Reads rows that are nothing but numbers, which need not be cut into cells.
class NumberRows {
public:
  NumberRows(size_t columns, std::span<const CsvField> fields,
             std::span<Tensor> values, std::span<CellReader> readers)
      : targets(columns) {
    for (size_t k = 0; k < fields.size(); ++k) {
      auto width = int64_t(fields[k].columns.size());
      for (int64_t at = 0; at < width; ++at) {
        Target &target = targets[fields[k].columns[size_t(at)]];
        fits &= !target.values && readers[k].takesNumbers();
        target = {&values[k], &readers[k], width, at};
      }
    }
  }

  /// Reads row `number` of all from its text; false if it is another kind of
  /// row. Then all of it is to be read once more.
  bool read(std::string_view row, int64_t number) {
    if (!fits)
      return false;
    const char *at = row.data(), *end = at + row.size();
    for (size_t column = 0; column < targets.size(); ++column) {
      if (column > 0) {
        if (at == end || *at != ',')
          return false;
        ++at;
      }
      at = targets[column].values ? readNumber(targets[column], at, end, number)
                                  : std::find_if(at, end, isCellEnd);
      if (!at)
        return false;
    }
    return at == end || *at == '\n' || std::string_view(at, end) == "\r" ||
           std::string_view(at, end).starts_with("\r\n");
  }

private:
  /// Where a cell goes: its place in a row of the field.
  struct Target {
    Tensor *values = nullptr;
    CellReader *reader = nullptr;
    int64_t width = 0, place = 0;
  };

  /// A quote, too: a row with quotes has to be cut.
  static bool isCellEnd(char c) {
    return c == ',' || c == '\n' || c == '\r' || c == '"';
  }

  /// The end of the number at `at`; null if it is none that the field holds.
  static const char *readNumber(const Target &target, const char *at,
                                const char *end, int64_t number) {
    while (at != end && isBlank(*at))
      ++at;
    double value = 0;
    auto [behind, code] = std::from_chars(at, end, value);
    if (code != std::errc() || !target.reader->takes(value))
      return nullptr;
    target.values->set(number * target.width + target.place, value);
    while (behind != end && isBlank(*behind))
      ++behind;
    return behind;
  }

  std::vector<Target> targets;
  bool fits = true;
};

} // namespace

std::vector<Tensor> csvValues(const CsvTable &table,
                              std::span<const CsvField> fields,
                              std::span<const size_t> rows,
                              std::optional<double> missing) {
  std::vector<Tensor> values;
  std::vector<CellReader> readers;
  for (const CsvField &from : fields) {
    std::vector<int64_t> shape{int64_t(rows.size())};
    shape.insert(shape.end(), from.field.shape.begin(), from.field.shape.end());
    values.emplace_back(from.field.element, std::move(shape));
    readers.emplace_back(table, from.field, from.names, missing);
  }
  // All fields at once: a row is cut once.
  NumberRows numbers(table.columns(), fields, values, readers);
  CsvRow cells;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (numbers.read(table.rowText(rows[i]), int64_t(i)))
      continue;
    table.read(rows[i], cells);
    for (size_t k = 0; k < fields.size(); ++k) {
      const std::vector<size_t> &columns = fields[k].columns;
      auto at = int64_t(i * columns.size());
      for (size_t column : columns)
        values[k].set(at++,
                      readers[k].read(cells[column].text, rows[i], column));
    }
  }
  for (CellReader &reader : readers)
    reader.finish(rows.size());
  return values;
}

} // namespace gradus
