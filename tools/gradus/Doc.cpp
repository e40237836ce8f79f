// `gradus doc`: what builtins, std.nn and model files say about themselves.
#include "compiler/ast/Parser.h"
#include "compiler/ast/SourceManager.h"
#include "compiler/check/Scope.h"
#include "runtime/Error.h"
#include "tools/gradus/Documentation.h"
#include "tools/gradus/Load.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>

#include <algorithm>

namespace gradus {

/// Lines, each behind two blanks.
static std::string indented(std::string_view text) {
  std::string result;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    result += fmt::format("  {}\n", text.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

/// One sentence of a text, in one line.
static std::string firstSentence(std::string_view text) {
  std::string line(text.substr(0, text.find(".\n")));
  std::replace(line.begin(), line.end(), '\n', ' ');
  line.resize(std::min({line.size(), line.find(". "), line.find("; ")}));
  while (line.ends_with('.'))
    line.pop_back();
  return line;
}

static void printOverview(const std::vector<Documented> &entries) {
  size_t width = 0;
  for (const Documented &entry : entries)
    width = std::max(width, entry.name.size());
  std::string section;
  for (const Documented &entry : entries) {
    if (entry.section != section)
      fmt::print("{}{}\n", section.empty() ? "" : "\n", entry.section);
    section = entry.section;
    std::string line = fmt::format("  {:{}}  {}", entry.name, width,
                                   firstSentence(entry.text));
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
}

static void printPage(const Documented &entry) {
  fmt::print("{}\n{}", entry.signature, indented(entry.text));
}

static void printFile(const std::string &path) {
  SourceManager sources;
  Diagnostics diagnostics;
  const Source *source = sources.load(path, diagnostics);
  settle(diagnostics);
  auto file = parse(*source, diagnostics);
  settle(diagnostics);
  bool isFirst = true;
  for (const Documented &entry : documentationOf(*file)) {
    fmt::print("{}", isFirst ? "" : "\n");
    printPage(entry);
    isFirst = false;
  }
}

ExitCode verbs::doc(const CommandLine &line) {
  if (line.model.empty()) {
    printOverview(library());
    return Fine;
  }
  if (line.model.ends_with(".nn")) {
    printFile(line.model);
    return Fine;
  }
  bool isFound = false;
  std::vector<std::string> names;
  for (const Documented &entry : library()) {
    names.push_back(entry.name);
    if (entry.name != line.model)
      continue;
    if (isFound)
      fmt::print("\n");
    printPage(entry);
    isFound = true;
  }
  if (isFound)
    return Fine;
  Error error(fault::NothingDocumented, line.model);
  std::string near = typed::nearest(line.model, names);
  if (!near.empty())
    error.help(fmt::format("did you mean `{}`?", near));
  else
    error.help("`gradus doc` lists all names");
  throw error;
}

} // namespace gradus
