// Errors and warnings in the user's own words: a code, a headline, spans with
// labels, notes, help and edits. Stages report into a Diagnostics; the driver
// renders it. Codes and headlines stand in Diagnostics.def; who reports
// includes DiagnosticKinds.h, so that a new row does not rebuild the rest.
#pragma once

#include "compiler/Source.h"

#include <fmt/format.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

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

/// Text to put in the place of a range, to follow a help. An empty range: to
/// insert.
struct Edit {
  Range range;
  std::string text;

  static Edit before(Range range, std::string text) {
    return {{range.source, range.begin, range.begin}, std::move(text)};
  }
  static Edit after(Range range, std::string text) {
    return {{range.source, range.end, range.end}, std::move(text)};
  }
  static std::vector<Edit> around(Range range, std::string begin,
                                  std::string end) {
    return {before(range, std::move(begin)), after(range, std::move(end))};
  }
};

/// One message. The functions return the message itself, to be chained.
struct Diagnostic {
  Severity severity = Severity::Error;
  std::string_view code;
  std::string headline;
  /// The first one is the primary range, unless there is no place.
  std::vector<Span> spans;
  /// Printed in the order in which they were added.
  struct Remark {
    std::string_view kind; // "note" or "help"
    std::string text;
    /// What to do as edits, all of them together; often there are none.
    std::vector<Edit> edits;
  };
  std::vector<Remark> remarks;

  /// The label of the primary range.
  Diagnostic &here(std::string text);
  /// Another range that matters, underlined with `-`.
  Diagnostic &label(Range range, std::string text = "");
  Diagnostic &note(std::string text);
  /// Only when it is likely right.
  Diagnostic &help(std::string text, std::vector<Edit> edits = {});
  /// "did you mean `meant`?": a word for the primary range.
  Diagnostic &meant(std::string_view word);
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

  /// A note below every message so far.
  void noteAll(const std::string &text);

  bool hasErrors() const { return errors != 0; }
  size_t errorCount() const { return errors; }
  /// So many that it is of no use to look for more.
  bool isFull() const;
  bool empty() const { return messages.empty(); }

  struct RenderOptions {
    bool colour = false;
    /// After so many messages only the number of the others is printed.
    size_t limit = 20;
  };
  /// All messages in the order of the sources, doubles removed.
  std::vector<const Diagnostic *> sorted() const;
  /// The sorted messages as text.
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
