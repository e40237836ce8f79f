// `gradus explain`: the page of an error code, and the table of all.
#include "compiler/Diagnostics.h"
#include "runtime/Error.h"
#include "tools/gradus/Pages.h"
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

ExitCode verbs::explain(const CommandLine &line) {
  auto kinds = diagnosticKinds();
  std::sort(kinds.begin(), kinds.end(),
            [](const auto &a, const auto &b) { return a.code < b.code; });
  std::string wanted = line.model;
  std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                 [](unsigned char c) { return char(std::toupper(c)); });
  if (line.list) {
    for (const DiagnosticKind &kind : kinds)
      fmt::print("{}  {}\n", kind.code, headline(kind.text));
    return Fine;
  }
  std::string_view page = pageOf(wanted);
  if (page.empty())
    throw Error(fault::UnknownCode, line.model)
        .help("`gradus explain --list` shows all");
  // The title is one in Markdown.
  page.remove_prefix(page.starts_with("# ") ? 2 : 0);
  fmt::print("{}", page);
  return Fine;
}

} // namespace gradus
