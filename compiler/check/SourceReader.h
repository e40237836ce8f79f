// Reads where a split comes from: the arguments of `csv(...)`, `linspace(...)`
// and the like, one `read` for each kind.
#pragma once

#include "compiler/check/Body.h"

#include <array>
#include <map>

namespace gradus::typed {

/// Options of sources that choose rows. No field may be named so.
inline const std::vector<std::string> rowOptions = {"rows", "split", "seed",
                                                    "missing"};

/// Reads the arguments of one source.
class SourceReader {
public:
  SourceReader(CheckerState &state, Body &body, const Data &data,
               const ast::Call &call, std::string_view name, Range range)
      : state(state), body(body), data(data), call(call), name(name),
        range(range) {}

  bool read(CsvSource &source);
  bool read(IdxSource &source);
  bool read(ArraySource &source);
  bool read(TextSource &source);
  bool read(LinspaceSource &source);

private:
  void wrong(Range range, std::string_view what, std::string_view wanted) {
    state.diagnostics.report(diag::SourceArgument, range, what, wanted);
    isGood = false;
  }
  /// The argument without a name: one file.
  template <typename Source>
  void readFile(const ast::Expr &value, Source &source) {
    auto *text = value.as<ast::String>();
    if (!text || source.fileRange)
      return wrong(value.range, name, "given one file, then fields by name");
    source.file = text->value;
    source.fileRange = value.range;
  }
  /// Goes through the arguments: `unnamed(value)` takes one without a name,
  /// `option(key, value)` one of `options`, `field(index, value)` that of a
  /// field. Where the fields are given.
  std::vector<Range> readArguments(const std::vector<std::string> &options,
                                   auto &&unnamed, auto &&option, auto &&field);
  void unknown(const ast::Name &name, std::vector<std::string> options);
  std::optional<double> number(const ast::Expr &expr, std::string_view what);
  std::optional<int64_t> whole(const ast::Expr &expr, std::string_view what);
  std::optional<std::array<double, 2>> percent(const ast::Expr &expr,
                                               const std::string &option);
  bool readColumns(const ast::Expr &expr, CsvColumns &columns,
                   std::string_view field);
  void readOption(RowChoice &choice, const std::string &option,
                  const ast::Expr &value);
  bool readEnds(const ast::Expr &expr, std::array<double, 2> &ends,
                const Data::Field &field);
  bool isNew(const ast::Name &argument);
  std::optional<size_t> fieldNamed(const ast::Name &argument,
                                   const std::vector<std::string> &options);
  void checkSeed(const RowChoice &choice);
  void checkWindow(const TextSource &source);
  void checkCount(const CsvColumns &columns, const Data::Field &field);
  bool hasEveryField(const std::vector<Range> &given);

  CheckerState &state;
  Body &body;
  const Data &data;
  const ast::Call &call;
  std::string_view name;
  Range range;
  /// The named arguments so far.
  std::map<std::string, Range> seen;
  bool isGood = true;
};

} // namespace gradus::typed
