#include "runtime/data/Csv.h"
#include "runtime/Text.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

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

static bool isBlank(char c) { return c == ' ' || c == '\t'; }

CsvTable::CsvTable(std::string path, std::vector<uint8_t> content,
                   std::optional<bool> header)
    : file(std::move(path)), bytes(std::move(content)),
      text(reinterpret_cast<const char *>(bytes.data()), bytes.size()) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    throw Error(fault::TextInData, 1, file)
        .help("it seems to be UTF-16; save it as UTF-8");
  size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  std::vector<CsvCell> cells;
  for (uint64_t line = 1; at < text.size();) {
    Start start{at, line};
    if (size_t end = endOfPlain(at)) {
      starts.push_back(start);
      at = end;
      ++line;
      continue;
    }
    at = cut(start, cells);
    line += lineFeeds(start.offset, at);
    if (cells.size() == 1 && cells[0].begin == cells[0].end)
      continue;
    if (width == 0) {
      width = cells.size();
      auto isName = [](const CsvCell &cell) {
        return !cell.text.empty() && !parseNumber(cell.text);
      };
      if (header.value_or(std::any_of(cells.begin(), cells.end(), isName))) {
        headerStart = start;
        for (const CsvCell &cell : cells) {
          if (!isText(cell.text))
            throw Error(fault::TextInData, start.line, file);
          names.push_back(cell.text);
        }
        continue;
      }
    }
    if (cells.size() != width)
      throw Error(fault::RowLength, counted(cells.size(), "cell"), width)
          .at({file, start.line, "", std::string(lineAt(start.offset)),
               cells.back().begin, cells.back().end, "the last one"})
          .help(cells.size() > width
                    ? "a cell that contains a comma is written in quotes"
                    : "an empty cell still needs its comma");
    starts.push_back(start);
  }
}

size_t CsvTable::endOfPlain(size_t offset) const {
  size_t newline = text.find('\n', offset);
  size_t end = newline == std::string::npos ? text.size() : newline + 1;
  std::string_view line = text.substr(offset, end - offset);
  bool isPlain = width > 1 && line.find('"') == line.npos &&
                 size_t(std::count(line.begin(), line.end(), ',')) == width - 1;
  return isPlain ? end : 0;
}

uint64_t CsvTable::lineFeeds(size_t begin, size_t end) const {
  return uint64_t(std::count(text.begin() + int64_t(begin),
                             text.begin() + int64_t(end), '\n'));
}

std::string_view CsvTable::lineAt(size_t offset) const {
  std::string_view rest = text.substr(offset);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r'))
    rest.remove_suffix(1);
  return rest;
}

size_t CsvTable::lineEnd(size_t offset) const {
  size_t end = std::min(text.find('\n', offset), text.size());
  return end > offset && text[end - 1] == '\r' ? end - 1 : end;
}

size_t CsvTable::cutQuoted(const Start &start, size_t open,
                           std::string &out) const {
  size_t at = open + 1;
  while (at < text.size()) {
    if (text[at] == '"' && text.compare(at, 2, "\"\"") != 0)
      return at + 1;
    // Two quotes stand for one.
    at += text[at] == '"';
    out += text[at++];
  }
  size_t line = text.rfind('\n', open);
  line = line == std::string::npos ? start.offset
                                   : std::max(start.offset, line + 1);
  throw Error(fault::UnclosedQuote)
      .at({file, start.line + lineFeeds(start.offset, line), "",
           std::string(lineAt(line)), open - line, open - line + 1,
           "opened here"});
}

size_t CsvTable::cut(const Start &start, std::vector<CsvCell> &cells) const {
  size_t count = 0, at = start.offset, end = lineEnd(at);
  while (true) {
    while (at < text.size() && isBlank(text[at]))
      ++at;
    // Cells are cut anew for each row of a file: their memory is kept.
    CsvCell &cell = count < cells.size() ? cells[count] : cells.emplace_back();
    ++count;
    cell.text.clear();
    cell.begin = at - start.offset;
    if (at < text.size() && text[at] == '"') {
      at = cutQuoted(start, at, cell.text);
      if (at > end)
        end = lineEnd(at);
    }
    // What follows a closing quote is kept, so that it is noticed.
    size_t plain = at;
    const void *comma = std::memchr(text.data() + at, ',', end - at);
    at = comma ? static_cast<const char *>(comma) - text.data() : end;
    size_t stop = at;
    while (stop > plain && isBlank(text[stop - 1]))
      --stop;
    cell.text.append(text, plain, stop - plain);
    cell.end = std::max(stop - start.offset, cell.begin);
    if (at == end)
      break;
    ++at;
  }
  cells.resize(count);
  size_t newline = text.find('\n', end);
  return newline == std::string::npos ? text.size() : newline + 1;
}

std::vector<CsvCell> CsvTable::row(size_t index) const {
  std::vector<CsvCell> cells;
  readRow(index, cells);
  return cells;
}

void CsvTable::readRow(size_t index, std::vector<CsvCell> &cells) const {
  cut(starts[index], cells);
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
  std::vector<CsvCell> cells;
  cut(start, cells);
  const CsvCell &cell = cells[column];
  std::string line(lineAt(start.offset));
  size_t length = line.size();
  return {file,
          start.line,
          std::move(detail),
          std::move(line),
          std::min(cell.begin, length),
          std::min(cell.end, length),
          std::move(label)};
}

} // namespace gradus
