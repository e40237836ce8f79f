// Errors and warnings in the user's own words: a code, a headline, spans with
// labels, notes and help. Stages report into a Diagnostics; the driver renders
// it. Every code and headline stands in Diagnostics.def.
#pragma once

#include "compiler/Source.h"

#include <fmt/format.h>

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

/// The kinds of diagnostics: `diag::Unclosed` and so on, one constant for each
/// row of Diagnostics.def, of a type of its own so that the arguments of the
/// headline are checked when we are compiled.
namespace diag {
#define DIAGNOSTIC(CODE, NAME, TEXT)                                           \
  inline constexpr struct NAME##Kind {                                         \
    static constexpr std::string_view code = #CODE;                            \
    static constexpr std::string_view name = #NAME;                            \
    static constexpr const char text[] = TEXT;                                 \
  } NAME;
#include "compiler/Diagnostics.def"
} // namespace diag

/// One row of the table, as `gradus explain --list` prints it.
struct DiagnosticKind {
  std::string_view code;
  std::string_view name;
  std::string_view text;
};
const std::vector<DiagnosticKind> &diagnosticKinds();

enum class Severity : uint8_t { Error, Warning };

/// Text under a range: `^` if primary, else `-`. The label may be empty.
struct Span {
  Range range;
  bool primary;
  std::string label;
};

/// A line of a file that is data and not a Source, quoted in a message.
struct Excerpt {
  std::string file;
  uint64_t line;
  /// Follows the place, as in `wine.csv:152, column "quality"`; may be empty.
  std::string detail;
  std::string text;
  /// Characters [begin, end) of `text` to underline, from 0.
  uint32_t begin, end;
  std::string label;
};

/// One message. The functions return the message itself, to be chained.
struct Diagnostic {
  Severity severity = Severity::Error;
  std::string_view code;
  std::string headline;
  /// The first one is the primary range, unless there is no place.
  std::vector<Span> spans;
  std::optional<Excerpt> quoted;
  /// Printed in the order in which they were added.
  struct Remark {
    std::string_view kind; // "note" or "help"
    std::string text;
  };
  std::vector<Remark> remarks;

  /// The label of the primary range.
  Diagnostic &here(std::string text);
  /// Another range that matters, underlined with `-`.
  Diagnostic &label(Range range, std::string text = "");
  Diagnostic &note(std::string text);
  /// Only when it is likely right.
  Diagnostic &help(std::string text);
  Diagnostic &excerpt(Excerpt lines);
};

/// Collects the diagnostics of one run.
class Diagnostics {
public:
  /// Reports an error at `range`; `Range()` if it has no place in a source. The
  /// other arguments fill the headline. Chain labels and help to the result:
  ///
  ///   diagnostics.report(diag::Unclosed, open, "(")
  ///       .here("opened here").label(next, "`let` starts a new statement");
  template <typename Kind, typename... Args>
  Diagnostic &report(Kind, Range range, const Args &...args) {
    return add(
        Severity::Error, Kind::code,
        fmt::format(fmt::format_string<const Args &...>(Kind::text), args...),
        range);
  }
  template <typename Kind, typename... Args>
  Diagnostic &warn(Kind, Range range, const Args &...args) {
    return add(
        Severity::Warning, Kind::code,
        fmt::format(fmt::format_string<const Args &...>(Kind::text), args...),
        range);
  }

  bool hasErrors() const { return errors != 0; }
  size_t errorCount() const { return errors; }
  bool empty() const { return messages.empty(); }

  struct RenderOptions {
    bool colour = false;
    /// After so many messages only the number of the others is printed.
    size_t limit = 20;
  };
  /// All messages in the order of the sources, doubles removed.
  std::string render(RenderOptions options) const;
  std::string render() const { return render(RenderOptions()); }

  /// The messages in the order in which they were reported.
  const std::deque<Diagnostic> &all() const { return messages; }

private:
  Diagnostic &add(Severity severity, std::string_view code,
                  std::string headline, Range range);

  std::deque<Diagnostic> messages;
  /// Takes what is reported once there are far more messages than one prints.
  Diagnostic overflow;
  size_t errors = 0;
};

/// One message as text, ending in a newline.
std::string render(const Diagnostic &message, bool colour = false);

} // namespace gradus
