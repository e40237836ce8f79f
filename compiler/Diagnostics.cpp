// Collecting diagnostics, and drawing them: source lines with their marks, the
// rightmost label beside its mark, the others below on lines of their own.
#include "compiler/Diagnostics.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace gradus {

/// Far more than are printed; a file of garbage must not fill the memory.
static constexpr size_t maxKept = 1000;

const std::vector<DiagnosticKind> &diagnosticKinds() {
  static const std::vector<DiagnosticKind> kinds = {
#define DIAGNOSTIC(CODE, NAME, TEXT) {#CODE, #NAME, TEXT},
#include "compiler/Diagnostics.def"
#define DIAGNOSTIC(CODE, NAME, TEXT) {#CODE, #NAME, TEXT},
#include "runtime/Errors.def"
#undef DIAGNOSTIC
  };
  return kinds;
}

Diagnostic &Diagnostic::here(std::string text) {
  if (!spans.empty())
    spans.front().label = std::move(text);
  return *this;
}

Diagnostic &Diagnostic::label(Range range, std::string text) {
  if (range)
    spans.push_back({range, false, std::move(text)});
  return *this;
}

Diagnostic &Diagnostic::note(std::string text) {
  remarks.push_back({"note", std::move(text), {}});
  return *this;
}

Diagnostic &Diagnostic::help(std::string text, std::vector<Edit> edits) {
  remarks.push_back({"help", std::move(text), std::move(edits)});
  return *this;
}

Diagnostic &Diagnostic::meant(std::string_view word) {
  std::vector<Edit> edits;
  if (!spans.empty())
    edits.push_back({spans.front().range, std::string(word)});
  return help(fmt::format("did you mean `{}`?", word), std::move(edits));
}

Diagnostic &Diagnostics::add(Severity severity, std::string_view code,
                             std::string headline, Range range) {
  errors += severity == Severity::Error;
  Diagnostic &message =
      messages.size() < maxKept ? messages.emplace_back() : overflow;
  message = Diagnostic();
  message.severity = severity;
  message.code = code;
  message.headline = std::move(headline);
  if (range)
    message.spans.push_back({range, true, ""});
  return message;
}

bool Diagnostics::isFull() const { return messages.size() == maxKept; }

void Diagnostics::noteAll(const std::string &text) {
  for (Diagnostic &message : messages)
    message.note(text);
}

namespace {

enum class Style : uint8_t { Plain, Bold, Error, Warning, Gutter, Help };

/// Text with colours, if they are wanted.
class Painter {
public:
  explicit Painter(bool colour) : colour(colour) {}

  Painter &write(std::string_view text, Style style = Style::Plain) {
    if (!colour || style == Style::Plain || text.empty()) {
      out += text;
      return *this;
    }
    constexpr std::string_view codes[] = {
        "", "\033[1m", "\033[1;31m", "\033[1;33m", "\033[1;34m", "\033[1;36m"};
    out += codes[static_cast<unsigned>(style)];
    out += text;
    out += "\033[0m";
    return *this;
  }

  std::string out;

private:
  bool colour;
};

/// What is underlined in one line, in characters from 0.
struct Mark {
  uint32_t begin, end;
  bool primary;
  std::string label;
};

struct MarkedLine {
  /// One string for each character, so that columns are indices.
  std::vector<std::string> characters;
  std::vector<Mark> marks;
};

/// True for the controls beyond ASCII: U+0080 to U+009F, and the marks that
/// change the direction of text, which can make a line read as what it is not.
bool isControl(std::string_view character) {
  return (character >= "\u0080" && character <= "\u009F") ||
         (character >= "\u202A" && character <= "\u202E") ||
         (character >= "\u2066" && character <= "\u2069");
}

/// The number of characters of a line, without the blanks at its end.
uint32_t lengthOf(std::string_view line) {
  line = line.substr(0, line.find_last_not_of(" \t") + 1);
  uint32_t length = 0;
  for (size_t at = 0; at < line.size(); ++length)
    at += std::max(1u, utf8Length(line.substr(at)));
  return length;
}

/// Some characters of a line as a terminal may print them: a tab becomes one
/// space; control characters and bytes that are no UTF-8 become U+FFFD.
std::vector<std::string> printable(std::string_view line, uint32_t first,
                                   uint32_t last) {
  std::vector<std::string> characters;
  size_t at = 0;
  for (uint32_t i = 0; i < last; ++i) {
    unsigned length = utf8Length(line.substr(at));
    std::string_view character = line.substr(at, length);
    unsigned char byte = line[at];
    at += std::max(1u, length);
    if (i < first)
      continue;
    if (byte == '\t')
      characters.emplace_back(" ");
    else if (length == 0 || byte < 0x20 || byte == 0x7F || isControl(character))
      characters.emplace_back("\xEF\xBF\xBD");
    else
      characters.emplace_back(character);
  }
  return characters;
}

/// Reads the text of a line; one that is too long for a screen is cut down to
/// what surrounds its marks.
void read(std::string_view text, MarkedLine &line) {
  constexpr uint32_t widest = 240, shown = 160, before = 40;
  uint32_t size = lengthOf(text);
  if (size <= widest) {
    line.characters = printable(text, 0, size);
    return;
  }
  uint32_t first = size;
  for (const Mark &mark : line.marks)
    first = std::min(first, mark.begin);
  uint32_t start = first > before ? first - before : 0;
  uint32_t stop = std::min<uint32_t>(start + shown, size);
  auto &characters = line.characters = printable(text, start, stop);
  auto put = [&](size_t at) {
    for (size_t i = 0; i < 3 && at + i < characters.size(); ++i)
      characters[at + i] = ".";
  };
  if (start > 0)
    put(0);
  if (stop == start + shown)
    put(characters.size() - 3);
  for (Mark &mark : line.marks) {
    mark.begin = std::clamp(mark.begin, start, stop) - start;
    mark.end = std::clamp(mark.end, start, stop) - start;
  }
}

class Renderer {
public:
  Renderer(const Diagnostic &message, bool colour)
      : message(message), paint(colour),
        severityStyle(message.severity == Severity::Error ? Style::Error
                                                          : Style::Warning) {}

  std::string run() {
    headline();
    width = 1;
    collect();
    for (auto &[source, lines] : files)
      width = std::max(width, std::to_string(lines.rbegin()->first).size());

    bool firstFile = true;
    for (auto &[source, lines] : files) {
      drawFile(*source, lines, firstFile);
      firstFile = false;
    }
    for (const Diagnostic::Remark &remark : message.remarks) {
      paint.write(std::string(files.empty() ? 2 : width + 1, ' '))
          .write("= ", Style::Gutter)
          .write(remark.kind, Style::Help)
          .write(": ")
          .write(remark.text)
          .write("\n");
    }
    return std::move(paint.out);
  }

private:
  using Lines = std::map<uint32_t, MarkedLine>;

  void headline() {
    std::string tag = message.severity == Severity::Error ? "error" : "warning";
    if (!message.code.empty())
      tag += fmt::format("[{}]", message.code);
    paint.write(tag, severityStyle)
        .write(": " + message.headline, Style::Bold)
        .write("\n");
  }

  /// Sorts the spans by file and line. The file of the primary span is first.
  void collect() {
    for (const Span &span : message.spans) {
      auto found = std::find_if(files.begin(), files.end(), [&](auto &file) {
        return file.first == span.range.source;
      });
      if (found == files.end()) {
        files.push_back({span.range.source, {}});
        found = std::prev(files.end());
      }
      addSpan(found->second, span);
    }
    for (auto &[source, lines] : files)
      for (auto &[number, line] : lines)
        read(source->line(number), line);
  }

  /// A range of several lines is marked in its first and its last line; the
  /// label stands at the last.
  static void addSpan(Lines &lines, const Span &span) {
    const Source &source = *span.range.source;
    uint32_t begin = span.range.begin, end = span.range.end;
    while (end > begin && std::string_view(" \t\r\n").find(
                              source.text()[end - 1]) != std::string_view::npos)
      --end;
    Source::Position from = source.position(begin), to = source.position(end);
    if (from.line == to.line) {
      lines[from.line].marks.push_back({from.column - 1,
                                        std::max(to.column - 1, from.column),
                                        span.primary, span.label});
      return;
    }
    uint32_t firstLength = lengthOf(source.line(from.line));
    lines[from.line].marks.push_back({from.column - 1,
                                      std::max(firstLength, from.column),
                                      span.primary, ""});
    uint32_t indent = source.line(to.line).find_first_not_of(" \t");
    lines[to.line].marks.push_back(
        {indent, to.column - 1, span.primary, span.label});
  }

  void drawFile(const Source &source, Lines &lines, bool first) {
    const Span *span = nullptr;
    for (const Span &candidate : message.spans)
      if (!span && candidate.range.source == &source)
        span = &candidate;
    Source::Position place = span->range.position();
    paint.write(first ? " --> " : " ::: ", Style::Gutter)
        .write(
            fmt::format("{}:{}:{}\n", source.name(), place.line, place.column));
    uint32_t previous = 0;
    for (auto &[number, line] : lines) {
      if (previous != 0 && number != previous + 1)
        paint.write(" ...\n", Style::Gutter);
      previous = number;
      drawLine(std::to_string(number), line);
    }
  }

  void drawLine(const std::string &number, MarkedLine &line) {
    std::string text;
    for (const std::string &character : line.characters)
      text += character;
    paint.write(fmt::format("{:>{}} |", number, width), Style::Gutter)
        .write(text.empty() ? "" : " " + text)
        .write("\n");

    // The label beside the marks is that of the mark which ends last.
    auto beside = std::max_element(
        line.marks.begin(), line.marks.end(), [](const Mark &a, const Mark &b) {
          return std::tie(a.end, a.begin) < std::tie(b.end, b.begin);
        });
    std::vector<const Mark *> below;
    for (const Mark &mark : line.marks)
      if (&mark != &*beside && !mark.label.empty())
        below.push_back(&mark);
    // Of two that start together the outer one comes last.
    std::sort(below.begin(), below.end(), [](const Mark *a, const Mark *b) {
      return a->begin != b->begin ? a->begin > b->begin : a->end < b->end;
    });

    std::vector<std::pair<char, Style>> row(beside->end, {' ', Style::Plain});
    for (bool primary : {false, true})
      for (const Mark &mark : line.marks)
        if (mark.primary == primary)
          std::fill(row.begin() + mark.begin, row.begin() + mark.end,
                    std::pair(primary ? '^' : '-', style(mark)));
    drawRow(row, *beside);
    for (size_t i = 0; i < below.size(); ++i) {
      row.assign(below[i]->begin, {' ', Style::Plain});
      for (size_t j = i + 1; j < below.size(); ++j)
        if (below[j]->begin < row.size())
          row[below[j]->begin] = {'|', style(*below[j])};
      drawRow(row, *below[i], /*gap=*/"");
    }
  }

  void drawRow(const std::vector<std::pair<char, Style>> &row,
               const Mark &labelled, std::string_view gap = " ") {
    paint.write(std::string(width + 1, ' ') + "|", Style::Gutter).write(" ");
    for (size_t i = 0; i < row.size();) {
      size_t j = i;
      std::string run;
      while (j < row.size() && row[j].second == row[i].second)
        run += row[j++].first;
      paint.write(run, row[i].second);
      i = j;
    }
    if (!labelled.label.empty())
      paint.write(gap).write(labelled.label, style(labelled));
    paint.write("\n");
  }

  Style style(const Mark &mark) const {
    return mark.primary ? severityStyle : Style::Gutter;
  }

  const Diagnostic &message;
  Painter paint;
  Style severityStyle;
  std::vector<std::pair<const Source *, Lines>> files;
  /// Digits of the largest line number shown.
  size_t width = 1;
};

} // namespace

std::string render(const Diagnostic &message, bool colour) {
  return Renderer(message, colour).run();
}

std::vector<const Diagnostic *> Diagnostics::sorted() const {
  struct Entry {
    const Diagnostic *message;
    // Sources come in the order in which they first have a message.
    size_t source;
    uint32_t begin;
    size_t reported;
    auto key() const { return std::tie(source, begin, reported); }
  };
  std::vector<Entry> entries;
  std::map<const Source *, size_t> sourceOrder;
  std::set<std::tuple<std::string_view, std::string_view, const Source *,
                      uint32_t, uint32_t>>
      seen;
  for (const Diagnostic &message : messages) {
    Range range = message.spans.empty() ? Range() : message.spans[0].range;
    bool fresh = seen.emplace(message.code, message.headline, range.source,
                              range.begin, range.end)
                     .second;
    if (!fresh)
      continue;
    size_t source =
        sourceOrder.emplace(range.source, sourceOrder.size()).first->second;
    entries.push_back({&message, source, range.begin, entries.size()});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return a.key() < b.key(); });
  std::vector<const Diagnostic *> result;
  result.reserve(entries.size());
  for (const Entry &entry : entries)
    result.push_back(entry.message);
  return result;
}

std::string Diagnostics::render(RenderOptions options) const {
  std::vector<const Diagnostic *> entries = sorted();
  std::string text;
  size_t printed = std::min(entries.size(), options.limit);
  for (size_t i = 0; i < printed; ++i)
    text += gradus::render(*entries[i], options.colour);
  size_t more = entries.size() - printed;
  if (isFull())
    text += fmt::format("... and {} or more others\n", more);
  else if (more > 0)
    text += fmt::format("... and {} more\n", more);
  return text;
}

} // namespace gradus
