// See HelpText.h. Lines end before column 80.
#include "tools/gradus/HelpText.h"

#include <fmt/format.h>

namespace gradus {

/// Words in lines of at most 79 characters; all but the first line are
/// indented.
static std::string wrapped(std::string_view text, size_t indent) {
  std::string result;
  size_t column = indent;
  while (!text.empty()) {
    size_t end = std::min(text.find(' '), text.size());
    if (column > indent && column + 1 + end > 79) {
      result += '\n';
      result.append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result + '\n';
}

/// A term and, from a column on, what it means.
static std::string entry(std::string_view term, std::string_view meaning,
                         size_t column) {
  std::string text = fmt::format("  {}", term);
  if (text.size() + 2 > column)
    text += fmt::format("\n{:{}}", "", column);
  else
    text.resize(column, ' ');
  return text + wrapped(meaning, column);
}

static std::string exitCodes(const VerbInfo &verb) {
  std::string text = "\nExit codes:\n";
  for (const VerbInfo::Exit &exit : verb.exits)
    text += entry(std::to_string(exit.code), exit.meaning, 7);
  return text;
}

std::string helpText(bool all) {
  std::string text =
      "Gradus trains what a model file describes: it compiles the file to "
      "native code\nand runs that on the file's data.\n\n"
      "Usage: gradus VERB MODEL.nn [key=value ...] [flags]\n";
  for (VerbInfo::Rank rank : {VerbInfo::Rank::First, VerbInfo::Rank::Later}) {
    if (rank == VerbInfo::Rank::Later && !all)
      continue;
    text += rank == VerbInfo::Rank::First ? "\nVerbs:\n" : "\nMore verbs:\n";
    for (const VerbInfo &verb : verbTable())
      if (verb.rank == rank)
        text += entry(verb.name, verb.does, 14);
  }
  text += "\nFlags:\n" + entry("-h, --help", "this help", 14) +
          entry("--version", "the version", 14);
  text += "\nExamples:\n"
          "  gradus train digits.nn\n"
          "  gradus help train\n";
  text += '\n';
  text += wrapped(all ? "`gradus help VERB` tells more about a verb."
                      : "`gradus help VERB` tells more about a verb, `gradus "
                        "help --all` lists more verbs.",
                  0);
  return text + wrapped("Exit codes: 0 fine, 1 an error in the model, the data "
                        "or the arguments, 2 a check failed, 3 the machine is "
                        "at fault (no space, no memory), 125 an error in "
                        "gradus itself.",
                        0);
}

std::string helpText(const VerbInfo &verb) {
  std::string text =
      wrapped(fmt::format("Usage: gradus {}{}{} [flags]", verb.name,
                          verb.takes.empty() ? "" : " ", verb.takes),
              9);
  text += '\n' + wrapped(verb.about, 0);
  std::string group;
  for (const FlagInfo *flag : verb.flags) {
    if (flag->group != group)
      text += fmt::format("\n{}:\n", group = flag->group);
    text += entry(flag->usage(), flag->what, 27);
  }
  text += "\nHelp:\n" + entry("-h, --help", "this help", 27);
  text += "\nExamples:\n";
  for (const std::string &example : verb.examples)
    text += fmt::format("  {}\n", example);
  return text + exitCodes(verb);
}

} // namespace gradus
