#include "runtime/data/Csv.h"
#include "runtime/Text.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace gradus {

std::optional<double> parseNumber(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-"))
    text.remove_prefix(1);
  double value = 0;
  auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size())
    return std::nullopt;
  // Too large is infinite, too small is zero.
  if (code == std::errc::result_out_of_range)
    return std::strtod(std::string(text).c_str(), nullptr);
  return code == std::errc() ? std::optional(value) : std::nullopt;
}

static uint64_t lineFeeds(std::string_view text) {
  return uint64_t(std::count(text.begin(), text.end(), '\n'));
}

/// The first line, without its end.
static std::string_view firstLine(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r'))
    text.remove_suffix(1);
  return text;
}

CsvTable::CsvTable(DataText content, std::optional<bool> header)
    : text(std::move(content)) {
  std::string_view mark = text.from(0, 3);
  if (mark.starts_with("\xFF\xFE") || mark.starts_with("\xFE\xFF"))
    throw Error(fault::TextInData, 1, path())
        .help("it seems to be UTF-16; save it as UTF-8");
  size_t at = mark.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  CsvRow row;
  for (uint64_t line = 1; at < text.size();) {
    Start start{at, line};
    std::string_view rest = text.from(at);
    if (size_t end = endOfPlain(rest)) {
      starts.push_back(start);
      at += end;
      ++line;
      continue;
    }
    Cut found = cutAll(start, rest, row);
    at += found.end;
    line += lineFeeds(rest.substr(0, found.end));
    if (row.size() == 1 && row[0].begin == row[0].end)
      continue;
    if (width == 0) {
      width = row.size();
      auto isName = [](const CsvCell &cell) {
        return !cell.text.empty() && !parseNumber(cell.text);
      };
      if (header.value_or(std::any_of(row.begin(), row.end(), isName))) {
        headerStart = start;
        for (const CsvCell &cell : row) {
          if (!isText(cell.text))
            throw Error(fault::TextInData, start.line, path());
          names.emplace_back(cell.text);
        }
        continue;
      }
    }
    if (row.size() != width) {
      const CsvCell &last = row[row.size() - 1];
      throw Error(fault::RowLength, counted(row.size(), "cell"), width)
          .at({path(), start.line, "", std::string(firstLine(rest)), last.begin,
               last.end, "the last one"})
          .help(row.size() > width
                    ? "a cell that contains a comma is written in quotes"
                    : "an empty cell still needs its comma");
    }
    starts.push_back(start);
  }
}

size_t CsvTable::endOfPlain(std::string_view from) const {
  size_t newline = from.find('\n');
  if (newline == from.npos || width < 2)
    return 0;
  std::string_view line = from.substr(0, newline);
  bool isPlain = line.find('"') == line.npos &&
                 size_t(std::count(line.begin(), line.end(), ',')) == width - 1;
  return isPlain ? newline + 1 : 0;
}

/// Cuts a quoted cell from its opening quote, gives the offset behind it;
/// nothing if it is not closed.
static std::optional<size_t> cutQuoted(std::string_view text, size_t open,
                                       std::string &out) {
  for (size_t at = open + 1; at < text.size(); ++at) {
    if (text[at] == '"') {
      if (text.compare(at, 2, "\"\"") != 0)
        return at + 1;
      // Two quotes stand for one.
      ++at;
    }
    out += text[at];
  }
  return std::nullopt;
}

CsvTable::Cut CsvTable::cut(std::string_view from, CsvRow &row) {
  row.cells.clear();
  row.unquoted.clear();
  // Before the line feed.
  auto lineEnd = [&](size_t at) {
    size_t end = std::min(from.find('\n', at), from.size());
    return end > at && from[end - 1] == '\r' ? end - 1 : end;
  };
  size_t at = 0, end = lineEnd(0);
  while (true) {
    while (at < from.size() && isBlank(from[at]))
      ++at;
    size_t begin = at;
    std::string *unquoted = nullptr;
    if (at < from.size() && from[at] == '"') {
      unquoted = &row.unquoted.emplace_back();
      std::optional<size_t> behind = cutQuoted(from, begin, *unquoted);
      if (!behind)
        return {from.size(), begin};
      at = *behind;
      if (at > end)
        end = lineEnd(at);
    }
    size_t plain = at;
    at = std::min(from.substr(0, end).find(',', at), end);
    size_t stop = at;
    while (stop > plain && isBlank(from[stop - 1]))
      --stop;
    std::string_view text = from.substr(plain, stop - plain);
    // What follows a closing quote is kept, so that it is noticed.
    if (unquoted)
      text = unquoted->append(text);
    row.cells.push_back({text, begin, std::max(stop, begin)});
    if (at == end)
      break;
    ++at;
  }
  size_t newline = from.find('\n', end);
  return {newline == from.npos ? from.size() : newline + 1, std::nullopt};
}

CsvTable::Cut CsvTable::cutAll(const Start &start, std::string_view &from,
                               CsvRow &row) const {
  from = text.from(start.offset);
  Cut found = cut(from, row);
  // It may go on behind what is in memory.
  while (found.end == from.size() && start.offset + from.size() < text.size()) {
    from = text.from(start.offset, 2 * from.size());
    found = cut(from, row);
  }
  if (!found.open)
    return found;
  size_t line = from.rfind('\n', *found.open) + 1;
  size_t open = *found.open - line;
  throw Error(fault::UnclosedQuote)
      .at({path(), start.line + lineFeeds(from.substr(0, line)), "",
           std::string(firstLine(from.substr(line))), open, open + 1,
           "opened here"});
}

std::string_view CsvTable::rowText(size_t index) const {
  size_t begin = starts[index].offset;
  size_t end =
      index + 1 < starts.size() ? starts[index + 1].offset : text.size();
  return text.from(begin, end - begin).substr(0, end - begin);
}

void CsvTable::read(size_t index, CsvRow &row) const {
  Cut found = cut(rowText(index), row);
  // It had them when the file was opened.
  if (found.open || row.size() != width)
    text.failChanged();
}

std::string CsvTable::columnText(size_t column) const {
  return names.empty() ? std::to_string(column) : "\"" + names[column] + "\"";
}

DataPlace CsvTable::place(size_t row, size_t column, std::string label) const {
  return cellPlace(starts[row], column, "column " + columnText(column),
                   std::move(label));
}

DataPlace CsvTable::headerPlace(size_t column, std::string label) const {
  return cellPlace(headerStart, column, "", std::move(label));
}

DataPlace CsvTable::cellPlace(const Start &start, size_t column,
                              std::string detail, std::string label) const {
  CsvRow row;
  std::string_view from;
  cutAll(start, from, row);
  if (column >= row.size())
    text.failChanged();
  const CsvCell &cell = row[column];
  std::string line(firstLine(from));
  size_t length = line.size();
  return {path(),
          start.line,
          std::move(detail),
          std::move(line),
          std::min(cell.begin, length),
          std::min(cell.end, length),
          std::move(label)};
}

} // namespace gradus
