// See ManualPage.h. The texts are those of the help.
#include "tools/gradus/ManualPage.h"
#include "tools/gradus/CommandLine.h"
#include "tools/gradus/VerbTable.h"

#include <fmt/format.h>

namespace gradus {

/// Text in which nothing is taken for a request of roff. A `-` is to be found
/// and copied as it is typed.
static std::string roff(std::string_view text) {
  std::string result;
  if (text.starts_with('.') || text.starts_with('\''))
    result = "\\&";
  for (char c : text)
    result += c == '\\'  ? "\\e"
              : c == '-' ? "\\-"
              : c == '`' ? "\\(ga"
              : c == '~' ? "\\(ti"
              : c == '^' ? "\\(ha"
                         : std::string(1, c);
  return result;
}

static std::string paragraph(std::string_view text) {
  return fmt::format(".PP\n{}\n", roff(text));
}

/// A term in bold and what it means.
static std::string entry(std::string_view term, std::string_view meaning) {
  return fmt::format(".TP\n.B {}\n{}\n", roff(term), roff(meaning));
}

static std::string listing(const std::vector<std::string> &lines) {
  std::string text = ".PP\n.nf\n.RS 4\n";
  for (const std::string &line : lines)
    text += roff(line) + '\n';
  return text + ".RE\n.fi\n";
}

static std::string usage(const VerbInfo &verb) {
  return fmt::format(".PP\n.B gradus {}\n{}{}\n", roff(verb.name),
                     roff(verb.takes.empty() ? "" : verb.takes + " "),
                     roff("[flags]"));
}

/// The codes that mean something else or nothing for other verbs.
static std::string ownExits(const VerbInfo &verb) {
  std::string text;
  for (const VerbInfo::Exit &exit : verb.exits)
    if (exit.code != 0 && exit.code != 1 && exit.code != 3 && exit.code != 125)
      text += entry(fmt::format("exit code {}", exit.code), exit.meaning);
  return text;
}

static std::string section(const VerbInfo &verb) {
  std::string text =
      fmt::format(".SS {}\n{}\n", roff(verb.name), roff(verb.does + "."));
  text += usage(verb) + paragraph(verb.about);
  for (const FlagInfo *flag : verb.flags)
    text += entry(flag->usage(), flag->what);
  return text + ownExits(verb) + paragraph("Examples:") +
         listing(verb.examples);
}

std::string manualPage() {
  std::string text = fmt::format(
      ".\\\" Written by `gradus help --man`.\n"
      ".TH GRADUS 1 \"\" \"gradus {}\" \"User Commands\"\n"
      ".SH NAME\ngradus \\- compile model files to training steps and train\n"
      ".SH SYNOPSIS\n.B gradus\n.I VERB MODEL.nn\n"
      "[key=value ...] [flags]\n"
      ".SH DESCRIPTION\n",
      roff(version));
  text += roff("Gradus trains what a model file describes: it compiles the "
               "file to native code and runs that on the file's data. Words "
               "`key=value` set a const, a dim or a setting of the file for "
               "this run. Results go to standard output, messages and progress "
               "to standard error.") +
          "\n.SH VERBS\n";
  for (VerbInfo::Rank rank : {VerbInfo::Rank::First, VerbInfo::Rank::Later})
    for (const VerbInfo &verb : verbTable())
      if (verb.rank == rank)
        text += section(verb);
  text += ".SH EXIT STATUS\n";
  text += entry("0", "fine") +
          entry("1", "an error in the model, the data or the arguments") +
          entry("2", "a check failed") +
          entry("3", "the machine is at fault: no space, no memory") +
          entry("125", "an error in gradus itself, which it asks you to "
                       "report") +
          entry("130", "interrupted by Ctrl-C; the run folder is complete");
  text += ".SH ENVIRONMENT\n" +
          entry("NO_COLOR", "if it is set and not empty, messages and progress "
                            "have no colour; without a terminal they never "
                            "have") +
          entry("TERM", "if it is dumb, progress is printed as lines");
  text += ".SH FILES\n" + entry("runs/NAME-N",
                                "run folder of the N-th training of NAME.nn: "
                                "the model, all settings, metrics.jsonl and "
                                "weights.safetensors. Nothing is written "
                                "anywhere else unless -o says so.");
  return text;
}

} // namespace gradus
