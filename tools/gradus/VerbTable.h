// Verbs.def and Flags.def as data: what parsing, help, the man page and shell
// completion are made of.
#pragma once

#include "runtime/Error.h"

#include <string>
#include <string_view>
#include <vector>

namespace gradus {

struct FlagInfo {
  /// What Verbs.def calls it.
  std::string id;
  /// `-o`, `--output`: the long one is last.
  std::vector<std::string> names;
  /// What help calls its value; empty if it takes none.
  std::string value;
  std::string group, what;
  /// All values it takes; empty if they cannot be listed.
  std::vector<std::string> choices;

  const std::string &longName() const { return names.back(); }
  /// `-o, --output FILE`
  std::string usage() const;
};

struct VerbInfo {
  /// Whether a newcomer needs it.
  enum class Rank : uint8_t { First, Later };

  std::string name;
  Rank rank;
  std::string does, takes, needs, about;
  /// The words its first one is chosen from; empty if they cannot be listed.
  std::vector<std::string> choices;
  std::vector<const FlagInfo *> flags;
  std::vector<std::string> examples;

  struct Exit {
    int code;
    std::string meaning;
  };
  /// All codes, in order.
  std::vector<Exit> exits;

  const FlagInfo *find(std::string_view flag) const;
};

/// In the order of Verbs.def.
const std::vector<VerbInfo> &verbTable();

/// Null if there is none.
const VerbInfo *findVerb(std::string_view name);

/// E1030, with the nearest verb.
Error unknownVerb(const std::string &word);

} // namespace gradus
