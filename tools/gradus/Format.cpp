// `gradus fmt`: rewrites model files in the one layout. A file with errors is
// left alone, and the others are still formatted.
#include "compiler/ast/Format.h"
#include "compiler/ast/SourceManager.h"
#include "runtime/run/OutputFile.h"
#include "tools/gradus/Messages.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <unistd.h>

namespace gradus {

namespace fs = std::filesystem;

static const Source *open(const std::string &path, SourceManager &sources,
                          Diagnostics &diagnostics) {
  if (path != "-")
    return sources.load(path, diagnostics);
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  return &sources.add("standard input", std::move(text));
}

/// The file keeps its mode, and a link to it stays a link.
static void replace(const std::string &path, const std::string &text) {
  fs::path target = fs::canonical(path);
  if (access(target.c_str(), W_OK) != 0)
    throw Error(fault::CannotWrite, path, std::strerror(errno));
  fs::perms mode = fs::status(target).permissions();
  writeFile(target.string(), text);
  fs::permissions(target, mode);
}

/// False after an error, or if `--check` finds something to do.
static bool formatFile(const std::string &path, const CommandLine &line) {
  SourceManager sources;
  Diagnostics diagnostics;
  const Source *source = open(path, sources, diagnostics);
  std::optional<std::string> text;
  if (source)
    text = format(*source, diagnostics);
  std::fputs(messageText(diagnostics).c_str(), stderr);
  if (!text)
    return false;
  bool formatted = *text == source->text();
  if (line.check) {
    if (!formatted)
      fmt::print("{}\n", path);
    return formatted;
  }
  if (path == "-")
    std::fwrite(text->data(), 1, text->size(), stdout);
  else if (!formatted)
    replace(path, *text);
  return true;
}

ExitCode verbs::format(const CommandLine &line) {
  bool fine = formatFile(line.model, line);
  for (const std::string &path : line.words)
    fine &= formatFile(path, line);
  return fine ? Fine : UserError;
}

} // namespace gradus
