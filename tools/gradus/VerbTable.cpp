// See VerbTable.h.
#include "tools/gradus/VerbTable.h"
#include "compiler/Diagnostics.h"
#include "compiler/check/Scope.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace gradus {

static std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

static std::vector<FlagInfo> makeFlags() {
  std::vector<FlagInfo> flags = {
#define FLAG(ID, INTO, NAMES, VALUE, GROUP, WHAT)                              \
  {#ID, split(NAMES, ','), VALUE, GROUP, WHAT, {}},
#include "tools/gradus/Flags.def"
  };
  std::vector<std::string> stages = {
#define STAGE(NAME, FLAG, SHOWS) FLAG,
#include "compiler/Stages.def"
  };
  for (FlagInfo &flag : flags) {
    if (flag.value == "STAGE") {
      flag.choices = stages;
      flag.what += fmt::format(" {}", fmt::join(stages, ", "));
    } else if (flag.value.find('|') != std::string::npos) {
      flag.choices = split(flag.value, '|');
    }
  }
  return flags;
}

static std::vector<VerbInfo::Exit> makeExits(std::string_view own) {
  std::vector<VerbInfo::Exit> exits = {
      {0, "fine"},
      {1, "an error in the model, the data or the arguments"},
      {3, "the machine is at fault: no space, no memory"},
      {125, "an error in gradus itself, which it asks you to report"}};
  for (const std::string &line : split(own, '\n')) {
    int code = std::stoi(line);
    std::erase_if(exits, [&](const auto &exit) { return exit.code == code; });
    exits.push_back({code, line.substr(line.find(' ') + 1)});
  }
  std::sort(exits.begin(), exits.end(),
            [](const auto &a, const auto &b) { return a.code < b.code; });
  return exits;
}

static std::vector<const FlagInfo *> flagsNamed(std::string_view ids) {
  static const std::vector<FlagInfo> all = makeFlags();
  std::vector<const FlagInfo *> flags;
  for (const std::string &id : split(ids, ' '))
    flags.push_back(
        &*std::find_if(all.begin(), all.end(),
                       [&](const FlagInfo &flag) { return flag.id == id; }));
  return flags;
}

/// What TAKES stands for, if that can be listed.
static std::vector<std::string> choicesOf(std::string_view takes) {
  std::vector<std::string> choices;
  if (takes == "SHELL")
    choices = {"bash", "zsh", "fish"};
  else if (takes == "[list|clear]")
    choices = {"list", "clear"};
  else if (takes == "[VERB]")
    choices = {
#define VERB(FUNCTION, NAME, ...) NAME,
#include "tools/gradus/Verbs.def"
    };
  else if (takes == "CODE")
    for (const DiagnosticKind &kind : diagnosticKinds())
      choices.emplace_back(kind.code);
  return choices;
}

std::string FlagInfo::usage() const {
  return fmt::format("{}{}{}", fmt::join(names, ", "), value.empty() ? "" : " ",
                     value);
}

const FlagInfo *VerbInfo::find(std::string_view flag) const {
  for (const FlagInfo *info : flags)
    if (std::find(info->names.begin(), info->names.end(), flag) !=
        info->names.end())
      return info;
  return nullptr;
}

const std::vector<VerbInfo> &verbTable() {
  static const std::vector<VerbInfo> table = {
#define VERB(FUNCTION, NAME, RANK, DOES, TAKES, NEEDS, FLAGS, ABOUT, EXAMPLES, \
             EXITS)                                                            \
  {NAME,                                                                       \
   VerbInfo::Rank::RANK,                                                       \
   DOES,                                                                       \
   TAKES,                                                                      \
   NEEDS,                                                                      \
   ABOUT,                                                                      \
   choicesOf(TAKES),                                                           \
   flagsNamed(FLAGS),                                                          \
   split(EXAMPLES, '\n'),                                                      \
   makeExits(EXITS)},
#include "tools/gradus/Verbs.def"
  };
  return table;
}

const VerbInfo *findVerb(std::string_view name) {
  for (const VerbInfo &verb : verbTable())
    if (verb.name == name)
      return &verb;
  return nullptr;
}

Error unknownVerb(const std::string &word) {
  Error error(fault::UnknownVerb, word);
  std::vector<std::string> names;
  for (const VerbInfo &verb : verbTable())
    names.push_back(verb.name);
  std::string near = typed::nearest(word, names);
  if (!near.empty())
    error.help(fmt::format("did you mean `{}`?", near));
  else if (word.ends_with(".nn"))
    error.help(fmt::format("to train it, write `gradus train {}`", word));
  else
    error.help(fmt::format("the verbs are {}", fmt::join(names, ", ")));
  return error;
}

} // namespace gradus
