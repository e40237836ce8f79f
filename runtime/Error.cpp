// Drawing of runtime errors: headline, place, the quoted line with its mark,
// notes and help.
#include "runtime/Error.h"
#include "runtime/Text.h"

#include <algorithm>

namespace gradus {

/// Puts the arguments into `{0}`, `{1}`, ... They may hold anything: cells of
/// data, names of files.
static std::string fill(std::string_view text,
                        const std::vector<std::string> &args) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}') {
      out += printable(args[text[i + 1] - '0']);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Error::Error(std::string_view code, std::string_view text,
             const std::vector<std::string> &args)
    : errorCode(code), errorHeadline(fill(text, args)) {
  rendered = render(false);
}

Error &Error::at(DataPlace where) {
  dataPlace = std::move(where);
  for (std::string *text :
       {&dataPlace->file, &dataPlace->detail, &dataPlace->label})
    *text = printable(*text);
  rendered = render(false);
  return *this;
}

Error &Error::note(const std::string &text) {
  errorRemarks.push_back({"note", printable(text)});
  rendered = render(false);
  return *this;
}

Error &Error::help(const std::string &text) {
  errorRemarks.push_back({"help", printable(text)});
  rendered = render(false);
  return *this;
}

int Error::exitCode() const {
  return errorCode >= "E1050" && errorCode < "E1060" ? 3 : 1;
}

namespace {

struct QuotedLine {
  std::string text;
  /// Columns of the mark, from 0.
  size_t begin, end;
};

/// Makes a line of a data file fit for a terminal: one column for each
/// character, no control characters, and only what surrounds the mark of a line
/// that is too long.
QuotedLine quote(const DataPlace &place) {
  std::vector<std::string> columns;
  QuotedLine out{"", 0, 0};
  const std::string &line = *place.text;
  for (size_t i = 0;;) {
    if (i <= place.begin)
      out.begin = columns.size();
    if (i <= place.end)
      out.end = columns.size();
    if (i >= line.size())
      break;
    size_t length = characterLength(std::string_view(line).substr(i));
    length = std::max<size_t>(1, length);
    columns.push_back(printable(line.substr(i, length)));
    i += length;
  }
  out.end = std::max(out.end, out.begin + 1);
  constexpr size_t widest = 200, before = 60;
  size_t first = 0, last = columns.size();
  if (columns.size() > widest) {
    first = out.begin > before ? out.begin - before : 0;
    last = std::min(columns.size(), first + widest);
  }
  if (first > 0)
    out.text = "...";
  size_t shift = out.text.size();
  for (size_t i = first; i < last; ++i)
    out.text += columns[i];
  if (last < columns.size())
    out.text += "...";
  out.begin = std::min(out.begin, last) - first + shift;
  out.end = std::min(out.end, last + 1) - first + shift;
  return out;
}

} // namespace

std::string Error::render(bool colour) const {
  auto paint = [&](std::string_view text, std::string_view style) {
    return colour ? "\033[" + std::string(style) + "m" + std::string(text) +
                        "\033[0m"
                  : std::string(text);
  };
  std::string out = paint("error[" + std::string(errorCode) + "]", "1;31") +
                    ": " + paint(errorHeadline, "1") + "\n";
  std::string number = "0";
  if (dataPlace) {
    out += paint(" --> ", "1;34") + dataPlace->file;
    if (dataPlace->line) {
      number = std::to_string(dataPlace->line);
      out += ":" + number;
    }
    if (!dataPlace->detail.empty())
      out += ", " + dataPlace->detail;
    out += "\n";
  }
  std::string margin(number.size() + 1, ' ');
  if (dataPlace && dataPlace->text) {
    QuotedLine quoted = quote(*dataPlace);
    out += paint(number + " |", "1;34") + " " + quoted.text + "\n";
    std::string mark(quoted.end - quoted.begin, '^');
    if (!dataPlace->label.empty())
      mark += " " + dataPlace->label;
    out += margin + paint("|", "1;34") + " " + std::string(quoted.begin, ' ') +
           paint(mark, "1;31") + "\n";
  }
  for (const Remark &remark : errorRemarks)
    out += margin + paint("=", "1;34") + " " +
           paint(std::string(remark.kind) + ":", "1;36") + " " + remark.text +
           "\n";
  return out;
}

std::string counted(uint64_t number, std::string_view what) {
  return std::to_string(number) + " " + std::string(what) +
         (number == 1 ? "" : "s");
}

} // namespace gradus
