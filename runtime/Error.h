// What the runtime throws when data, files or the machine are at fault: a
// message in the format of the compiler's diagnostics and the exit code it asks
// for. The headlines stand in Errors.def.
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

/// The kinds of errors, one constant of a type of its own for each row of
/// Errors.def, so that the number of arguments is checked when we are compiled.
namespace fault {
#define DIAGNOSTIC(CODE, NAME, TEXT)                                           \
  inline constexpr struct NAME##Kind {                                         \
    static constexpr std::string_view code = #CODE;                            \
    static constexpr std::string_view text = TEXT;                             \
  } NAME;
#include "runtime/Errors.def"
#undef DIAGNOSTIC

/// How many arguments a headline takes: its highest `{n}` plus one.
consteval size_t arity(std::string_view text) {
  size_t count = 0;
  for (size_t i = 0; i + 2 < text.size(); ++i)
    if (text[i] == '{' && text[i + 2] == '}' &&
        size_t(text[i + 1] - '0') + 1 > count)
      count = text[i + 1] - '0' + 1;
  return count;
}
} // namespace fault

/// A place in a data file, with the line it quotes if it is a text.
struct DataPlace {
  std::string file;
  /// From 1; 0: the file as a whole.
  uint64_t line = 0;
  /// Follows the place, as in `wine.csv:152, column "quality"` or
  /// `labels.gz, byte 8`.
  std::string detail;
  /// The quoted line; [begin, end) are its bytes to underline.
  std::optional<std::string> text;
  size_t begin = 0, end = 0;
  /// Beside the underline.
  std::string label;
};

/// An error message under construction is thrown where it is complete:
///
///   throw Error(fault::DataMissing, path).help("`--data DIR` changes ...");
class Error : public std::exception {
public:
  template <typename Kind, typename... Args>
  explicit Error(Kind, const Args &...args)
      : Error(Kind::code, Kind::text, {toText(args)...}) {
    static_assert(fault::arity(Kind::text) == sizeof...(Args));
  }

  Error &at(DataPlace where);
  Error &note(const std::string &text);
  /// Only when it is likely right.
  Error &help(const std::string &text);

  struct Remark {
    std::string_view kind; // "note" or "help"
    std::string text;
  };

  /// `E0801`.
  std::string_view code() const { return errorCode; }
  /// The first line without its code.
  const std::string &headline() const { return errorHeadline; }
  const std::optional<DataPlace> &place() const { return dataPlace; }
  const std::vector<Remark> &remarks() const { return errorRemarks; }
  /// 1: the user's program, data or arguments; 3: the machine.
  int exitCode() const;
  /// The whole message, ending in a newline.
  std::string render(bool colour) const;
  /// `render(false)`.
  const char *what() const noexcept override { return rendered.c_str(); }

private:
  Error(std::string_view code, std::string_view text,
        const std::vector<std::string> &args);
  static std::string toText(std::string_view text) { return std::string(text); }
  static std::string toText(std::integral auto number) {
    return std::to_string(number);
  }

  std::string_view errorCode;
  std::string errorHeadline;
  std::optional<DataPlace> dataPlace;
  std::vector<Remark> errorRemarks;
  std::string rendered;
};

/// `1 row`, `2 rows`.
std::string counted(uint64_t number, std::string_view what);

} // namespace gradus
