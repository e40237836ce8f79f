// `gradus explain`: the table of error codes.
#include "compiler/Diagnostics.h"
#include "runtime/Error.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>

#include <algorithm>

namespace gradus {

/// A headline with dots for what a message fills in.
static std::string headline(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{') {
      result += text[i];
      continue;
    }
    result += "...";
    i = text.find('}', i);
  }
  return result;
}

/// What the codes have in common that begin with these digits.
static std::string_view chapter(std::string_view code) {
  static constexpr std::pair<std::string_view, std::string_view> chapters[] = {
      {"E00", "model files"},
      {"E01", "syntax"},
      {"E02", "names"},
      {"E03", "shapes"},
      {"E04", "element types"},
      {"E05", "derivatives"},
      {"E06", "effects"},
      {"E07", "training"},
      {"E08", "data"},
      {"E09", "what is not supported yet"},
      {"E10", "running, and the command line"}};
  for (const auto &[digits, text] : chapters)
    if (code.starts_with(digits))
      return text;
  return "";
}

ExitCode verbs::explain(const CommandLine &line) {
  auto kinds = diagnosticKinds();
  std::sort(kinds.begin(), kinds.end(),
            [](const auto &a, const auto &b) { return a.code < b.code; });
  std::string wanted = line.model;
  std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                 [](unsigned char c) { return char(std::toupper(c)); });
  bool found = false;
  for (const DiagnosticKind &kind : kinds)
    if (line.list || kind.code == wanted) {
      found = true;
      fmt::print("{}  {}{}\n", kind.code, headline(kind.text),
                 line.list ? ""
                           : fmt::format("\n       an error of {}",
                                         chapter(kind.code)));
    }
  if (!found)
    throw Error(fault::UnknownCode, line.model)
        .help("`gradus explain --list` shows all");
  return Fine;
}

} // namespace gradus
