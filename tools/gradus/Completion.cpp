// `gradus completion`: the table of verbs as scripts that shells complete words
// by.
#include "runtime/Error.h"
#include "tools/gradus/VerbTable.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradus {

namespace {

/// What a word can be.
enum class Kind : uint8_t { Anything, Words, Model, File, Folder };

Kind kindOf(const FlagInfo &flag) {
  return !flag.choices.empty()  ? Kind::Words
         : flag.value == "FILE" ? Kind::File
         : flag.value == "DIR"  ? Kind::Folder
                                : Kind::Anything;
}

/// Of the words behind the verb.
Kind kindOf(const VerbInfo &verb) {
  return !verb.choices.empty() ? Kind::Words
         : verb.takes.empty()  ? Kind::Anything
                               : Kind::Model;
}

std::string joined(const std::vector<std::string> &words) {
  return fmt::format("{}", fmt::join(words, " "));
}

/// All names of the flags of a verb.
std::vector<std::string> flagNames(const VerbInfo &verb) {
  std::vector<std::string> names;
  for (const FlagInfo *flag : verb.flags)
    names.insert(names.end(), flag->names.begin(), flag->names.end());
  names.insert(names.end(), {"-h", "--help"});
  return names;
}

/// In single quotes, for all three shells.
std::string inQuotes(std::string_view text) {
  std::string result = "'";
  for (char c : text)
    result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

// bash.

/// Two assignments: how the word is completed.
std::string bashWord(Kind kind, const std::vector<std::string> &choices) {
  constexpr std::string_view names[] = {"none", "words", "model", "file",
                                        "folder"};
  std::string text = fmt::format("kind={}", names[size_t(kind)]);
  if (!choices.empty())
    text += " words=" + inQuotes(joined(choices));
  return text;
}

std::string bashVerb(const VerbInfo &verb) {
  std::string text = fmt::format("  {})\n    flags={}\n    case $flag in\n",
                                 verb.name, inQuotes(joined(flagNames(verb))));
  for (const FlagInfo *flag : verb.flags)
    if (!flag->value.empty())
      text += fmt::format("    {}) {} ;;\n", fmt::join(flag->names, " | "),
                          bashWord(kindOf(*flag), flag->choices));
  return text + fmt::format("    *) {} ;;\n    esac\n    ;;\n",
                            bashWord(kindOf(verb), verb.choices));
}

std::string bashScript() {
  std::vector<std::string> verbs;
  std::string cases;
  for (const VerbInfo &verb : verbTable()) {
    verbs.push_back(verb.name);
    cases += bashVerb(verb);
  }
  return fmt::format(
      R"(# Completion of gradus for bash, by `gradus completion bash`.
_gradus() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} at=$((COMP_CWORD - 1))
  local kind=words words={} flags='--help --version'
  # bash cuts `--flag=value` into three words.
  if [[ $word == = ]]; then
    word=
  elif [[ ${{COMP_WORDS[at]}} == = ]]; then
    at=$((at - 1))
  fi
  local flag=${{COMP_WORDS[at]}}
  ((COMP_CWORD > 1)) && case ${{COMP_WORDS[1]}} in
{}  *) words= flags= ;;
  esac
  if [[ $word == -* ]]; then
    kind=words words=$flags
  fi
  case $kind in
  words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word") ;;
  model)
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(
      compgen -f -X '!*.nn' -- "$word"
      compgen -d -- "$word"
    )
    ;;
  file)
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    ;;
  folder)
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -d -- "$word")
    ;;
  *) COMPREPLY=() ;;
  esac
}}
complete -F _gradus gradus
)",
      inQuotes(joined(verbs)), cases);
}

// zsh.

/// Text of which _arguments and _describe take no character for their own.
std::string zshText(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\')
      result += '\\';
    result += c;
  }
  return result;
}

std::string zshAction(Kind kind, const std::vector<std::string> &choices) {
  switch (kind) {
  case Kind::Words:
    return fmt::format("({})", joined(choices));
  case Kind::Model:
    return "_files -g \"*.nn(-.)\" -g \"*(-/)\"";
  case Kind::File:
    return "_files";
  case Kind::Folder:
    return "_files -/";
  case Kind::Anything:
    return " ";
  }
  return "";
}

std::string zshFlag(const FlagInfo &flag) {
  std::string rest = fmt::format("[{}]", zshText(flag.what));
  if (!flag.value.empty())
    rest += fmt::format(":{}:{}", zshText(flag.value),
                        zshAction(kindOf(flag), flag.choices));
  std::string spec;
  for (const std::string &name : flag.names) {
    bool isLong = name.starts_with("--");
    std::string_view behind = flag.value.empty() ? "" : isLong ? "=" : "+";
    spec += fmt::format(" \\\n      {}",
                        inQuotes(fmt::format("*{}{}{}", name, behind, rest)));
  }
  return spec;
}

std::string zshScript() {
  std::string verbs, cases;
  for (const VerbInfo &verb : verbTable()) {
    verbs += fmt::format("    {}\n", inQuotes(fmt::format("{}:{}", verb.name,
                                                          zshText(verb.does))));
    cases += fmt::format("  {})\n    _arguments", verb.name);
    for (const FlagInfo *flag : verb.flags)
      cases += zshFlag(*flag);
    cases += " \\\n      '(- *)'{-h,--help}'[this help]'";
    if (!verb.takes.empty())
      cases += fmt::format(
          " \\\n      {}",
          inQuotes(fmt::format("*:{}:{}", zshText(verb.takes),
                               zshAction(kindOf(verb), verb.choices))));
    cases += "\n    ;;\n";
  }
  return fmt::format(R"(#compdef gradus
# Completion of gradus for zsh, by `gradus completion zsh`.
_gradus() {{
  local -a verbs
  verbs=(
{}  )
  if ((CURRENT == 2)); then
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  ((CURRENT--))
  case $verb in
{}  esac
}}
if [[ $funcstack[1] == _gradus ]]; then
  _gradus "$@"
else
  compdef _gradus gradus
fi
)",
                     verbs, cases);
}

// fish.

std::string fishValue(Kind kind, const std::vector<std::string> &choices) {
  switch (kind) {
  case Kind::Words:
    return " -x -a " + inQuotes(joined(choices));
  case Kind::Model:
    return " -x -a '(__fish_complete_suffix .nn)'";
  case Kind::File:
    return " -r -F";
  case Kind::Folder:
    return " -x -a '(__fish_complete_directories)'";
  case Kind::Anything:
    return " -x";
  }
  return "";
}

std::string fishScript() {
  std::string text = "# Completion of gradus for fish, by `gradus completion "
                     "fish`.\ncomplete -c gradus -f\n"
                     "complete -c gradus -s h -l help -d 'this help'\n"
                     "complete -c gradus -n __fish_use_subcommand -l version "
                     "-d 'the version'\n";
  for (const VerbInfo &verb : verbTable())
    text +=
        fmt::format("complete -c gradus -n __fish_use_subcommand -a {} -d {}\n",
                    verb.name, inQuotes(verb.does));
  for (const VerbInfo &verb : verbTable()) {
    std::string start = fmt::format(
        "complete -c gradus -n '__fish_seen_subcommand_from {}'", verb.name);
    if (!verb.takes.empty())
      text += start + fishValue(kindOf(verb), verb.choices) + '\n';
    for (const FlagInfo *flag : verb.flags) {
      text += start;
      for (const std::string &name : flag->names)
        text += name.starts_with("--") ? " -l " + name.substr(2)
                                       : " -s " + name.substr(1);
      if (!flag->value.empty())
        text += fishValue(kindOf(*flag), flag->choices);
      text += fmt::format(" -d {}\n", inQuotes(flag->what));
    }
  }
  return text;
}

} // namespace

ExitCode verbs::completion(const CommandLine &line) {
  const std::string &shell = line.model;
  if (shell != "bash" && shell != "zsh" && shell != "fish")
    throw Error(fault::BadFlag, "SHELL", "bash, zsh or fish", shell);
  fmt::print("{}", shell == "bash"  ? bashScript()
                   : shell == "zsh" ? zshScript()
                                    : fishScript());
  return Fine;
}

} // namespace gradus
