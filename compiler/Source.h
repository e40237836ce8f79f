// A text the compiler reads, and ranges of bytes in it. Everything a stage can
// complain about carries a Range, from the tokens to the typed AST.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

/// One text. It is never moved or changed once ranges into it exist.
class Source {
public:
  /// `name` is what messages print, usually the path the user typed.
  Source(std::string name, std::string text);
  Source(const Source &) = delete;
  Source &operator=(const Source &) = delete;

  const std::string &name() const { return sourceName; }
  std::string_view text() const { return contents; }

  /// Line and column of a byte, both from 1. Columns count characters, a tab is
  /// one; a byte that is not valid UTF-8 is one.
  struct Position {
    uint32_t line;
    uint32_t column;
  };
  Position position(uint32_t offset) const;

  /// Text of a line (from 1) without its line end.
  std::string_view line(uint32_t number) const;
  /// Offset of the first byte of a line (from 1).
  uint32_t lineStart(uint32_t number) const { return starts[number - 1]; }
  uint32_t lineCount() const { return starts.size(); }

private:
  std::string sourceName;
  std::string contents;
  std::vector<uint32_t> starts;
};

/// The bytes [begin, end) of a source. Without a source: no place at all, as
/// for an error of the command line.
struct Range {
  const Source *source = nullptr;
  uint32_t begin = 0;
  uint32_t end = 0;

  explicit operator bool() const { return source != nullptr; }
  bool operator==(const Range &) const = default;

  /// The text it covers.
  std::string_view text() const {
    return source ? source->text().substr(begin, end - begin)
                  : std::string_view();
  }
  Source::Position position() const { return source->position(begin); }

  /// The smallest range that holds both; they are of one source.
  static Range cover(Range a, Range b) {
    if (!a || !b)
      return a ? a : b;
    return {a.source, a.begin < b.begin ? a.begin : b.begin,
            a.end > b.end ? a.end : b.end};
  }
};

/// Length in bytes of the UTF-8 character that starts `text`; 0 if these bytes
/// are not valid UTF-8 (overlong forms and surrogates are not). `text` is not
/// empty.
unsigned utf8Length(std::string_view text);

} // namespace gradus
