// The command line as one value: a verb, a model, what is set about it, and the
// flags of all verbs. Verbs.def says which verb takes which; others are
// refused.
#pragma once

#include "compiler/check/Checker.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace gradus {

enum ExitCode : int {
  Fine = 0,
  UserError = 1,
  CheckFailed = 2,
  MachineError = 3,
  InternalError = 125
};

struct CommandLine {
  std::string verb;
  /// A model file or a run folder.
  std::string model;
  /// What stands behind it, in order: `key=value`, the name of a function.
  std::vector<std::string> words;
  /// `--set`, each `key=value`.
  std::vector<std::string> set;

  std::optional<uint64_t> seed;
  /// How long `bench` measures.
  std::optional<double> seconds;
  /// What `bench` compares with, and how many times as long a step may take.
  std::string against;
  std::optional<double> maxRatio;
  /// How many elements of a tensor `gradcheck` checks; 0: all.
  std::optional<int64_t> samples;
  /// The highest derivatives that `gradcheck` checks, 1 or 2.
  int order = 1;
  /// What `sample` begins with, how many characters it draws, and how.
  std::string prompt;
  int64_t length = 500;
  double temperature = 1;
  /// 0: among all.
  int64_t topK = 0;
  std::optional<int64_t> memoryBudget;
  std::optional<unsigned> threads;
  /// `f32` or `f64`; empty if not given.
  std::string precision;
  std::string data, output, split, emit, dumpStages, cpu, svg;
  /// The name of the `train` that is meant.
  std::string train;
  /// Files of weights, as given: `FILE` or `NAME=FILE`.
  std::vector<std::string> weights;
  /// `accuracy>=0.95`: reports that `test` holds to a bound.
  std::vector<std::string> bounds;
  bool quiet = false, json = false, reference = false, overwrite = false,
       info = false, list = false, all = false, kernels = false,
       interpret = false, man = false, check = false, ops = false,
       allowExtern = false, noCache = false, timing = false;

  /// As it was typed, for the run folder.
  std::string text;
};

/// What to do, or the exit code if nothing is left to do (`--help`). Throws
/// E1030 to E1034.
std::variant<CommandLine, ExitCode> parseCommandLine(int argc, char **argv);

/// `key=value` words as overrides; throws E0221 for any other word.
std::vector<Override> overridesOf(const std::vector<std::string> &words,
                                  const CommandLine &line);

/// The version of this program.
inline constexpr const char *version = GRADUS_VERSION;

} // namespace gradus
