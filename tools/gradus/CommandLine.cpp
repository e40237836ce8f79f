// See CommandLine.h. CLI11 cuts the words; what it refuses is said in our
// words.
#include "tools/gradus/CommandLine.h"
#include "compiler/check/Scope.h"
#include "runtime/Error.h"
#include "runtime/data/Csv.h"
#include "tools/gradus/HelpText.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradus {

namespace {

/// Flags before they are checked.
struct Raw {
  CommandLine line;
  std::string seed, threads, seconds, samples, order, length, temperature, topK,
      memoryBudget, maxRatio, diagnostics;
};

/// Adds flags to a verb, by where their values go.
class FlagBinder {
public:
  explicit FlagBinder(CLI::App &app) : app(app) {}

  void bind(std::string &into, const char *names) {
    app.add_option(names, into)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  void bind(std::vector<std::string> &into, const char *names) {
    app.add_option(names, into)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  void bind(bool &into, const char *names) { app.add_flag(names, into); }

private:
  CLI::App &app;
};

void addFlags(const VerbInfo &verb, CLI::App &app, Raw &raw) {
  CommandLine &line = raw.line;
  if (!verb.takes.empty())
    app.add_option("model", line.model);
  if (verb.takes.find("...") != std::string::npos)
    app.add_option("words", line.words);
  FlagBinder binder(app);
  for (const FlagInfo *flag : verb.flags) {
#define FLAG(ID, INTO, NAMES, VALUE, GROUP, WHAT)                              \
  if (flag->id == #ID)                                                         \
    binder.bind(INTO, NAMES);
#include "tools/gradus/Flags.def"
  }
}

Error unknownFlag(const std::string &verb, std::string flag,
                  const CLI::App &app) {
  flag = flag.substr(0, flag.find('='));
  Error error(fault::UnknownFlag, verb, flag);
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options())
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
  std::string near = typed::nearest(flag, names);
  if (!near.empty())
    error.help(fmt::format("did you mean `{}`?", near));
  else
    error.help(fmt::format("`{} --help` lists the flags",
                           verb == "gradus" ? verb : "gradus " + verb));
  return error;
}

/// A whole number of a flag.
/// More threads than any machine has processors for.
constexpr uint64_t maxThreads = 256;

uint64_t wholeNumber(const char *flag, const std::string &text,
                     uint64_t least) {
  uint64_t number = 0;
  const char *end = text.data() + text.size();
  auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end || number < least ||
      number > (uint64_t(1) << 53))
    throw Error(fault::BadFlag, flag,
                fmt::format("a whole number, at least {}", least), text);
  return number;
}

/// Bytes, as in `64MB`; units are powers of 1,024.
int64_t sizeInBytes(const char *flag, const std::string &text) {
  size_t digits = text.find_first_not_of("0123456789");
  std::string unit =
      CLI::detail::to_lower(digits == text.npos ? "b" : text.substr(digits));
  static const std::map<std::string, int> shifts{
      {"b", 0},   {"k", 10},   {"kb", 10}, {"kib", 10}, {"m", 20},
      {"mb", 20}, {"mib", 20}, {"g", 30},  {"gb", 30},  {"gib", 30}};
  auto shift = shifts.find(unit);
  int64_t number = 0;
  auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (shift == shifts.end() || result.ec != std::errc() ||
      number > (int64_t(1) << 50 >> shift->second))
    throw Error(fault::BadFlag, flag, "a size as `64MB` or `1GB`", text);
  return number << shift->second;
}

void finish(Raw &raw, const VerbInfo &info, const CLI::App &verb) {
  CommandLine &line = raw.line;
  if (line.model.empty() && !info.needs.empty() && !line.list)
    throw Error(fault::MissingWord, line.verb, info.needs)
        .help(fmt::format("as in `{}`", info.examples.front()));
  if (!raw.seed.empty())
    line.seed = wholeNumber("--seed", raw.seed, 0);
  if (line.interpret && line.reference)
    throw Error(fault::BadCommandLine, "--interpret excludes --reference");
  if (!raw.seconds.empty()) {
    line.seconds = parseNumber(raw.seconds);
    if (!line.seconds || !(*line.seconds > 0) || *line.seconds > 3600)
      throw Error(fault::BadFlag, "--seconds", "a number above 0, at most 3600",
                  raw.seconds);
  }
  if (!raw.maxRatio.empty()) {
    line.maxRatio = parseNumber(raw.maxRatio);
    if (!line.maxRatio || !(*line.maxRatio > 0) || std::isinf(*line.maxRatio))
      throw Error(fault::BadFlag, "--max-ratio", "a number above 0",
                  raw.maxRatio);
    if (line.against.empty())
      throw Error(fault::BadCommandLine, "--max-ratio goes with --against");
  }
  if (!raw.memoryBudget.empty())
    line.memoryBudget = sizeInBytes("--memory-budget", raw.memoryBudget);
  if (!raw.samples.empty())
    line.samples = int64_t(wholeNumber("--samples", raw.samples, 0));
  if (raw.order == "2")
    line.order = 2;
  if (!raw.length.empty())
    line.length = int64_t(wholeNumber("--length", raw.length, 1));
  if (!raw.topK.empty())
    line.topK = int64_t(wholeNumber("--top-k", raw.topK, 1));
  if (!raw.temperature.empty()) {
    std::optional<double> number = parseNumber(raw.temperature);
    if (!number || !(*number >= 0) || std::isinf(*number))
      throw Error(fault::BadFlag, "--temperature", "a number, at least 0",
                  raw.temperature);
    line.temperature = *number;
  }
  if (!raw.threads.empty())
    line.threads = unsigned(std::min<uint64_t>(
        wholeNumber("--threads", raw.threads, 1), maxThreads));
  // Then stderr holds nothing but objects.
  line.quiet |= raw.diagnostics == "json";
  for (const FlagInfo *flag : info.flags) {
    const CLI::Option *option = verb.get_option(flag->longName());
    if (!option->count() || flag->value.empty())
      continue;
    for (const std::string &value : option->results()) {
      // Most often a variable of the shell that was not set.
      if (value.empty())
        throw Error(fault::NeedsValue, flag->longName());
      const std::vector<std::string> &known = flag->choices;
      if (!known.empty() &&
          std::find(known.begin(), known.end(), value) == known.end())
        throw Error(fault::BadFlag, flag->longName(),
                    known.size() == 2
                        ? fmt::format("{}", fmt::join(known, " or "))
                        : fmt::format("one of {}", fmt::join(known, ", ")),
                    value);
    }
  }
}

} // namespace

std::variant<CommandLine, ExitCode> parseCommandLine(int argc, char **argv) {
  CLI::App app("", "gradus");
  app.set_version_flag("--version", fmt::format("gradus {}", version));
  app.allow_extras();
  app.require_subcommand(0, 1);

  Raw raw;
  for (int i = 0; i < argc; ++i) {
    raw.line.text += i ? " " : "";
    raw.line.text += i ? argv[i] : "gradus";
  }
  for (const VerbInfo &verb : verbTable()) {
    CLI::App *sub = app.add_subcommand(verb.name);
    sub->allow_extras();
    addFlags(verb, *sub, raw);
  }

  if (argc < 2) {
    std::fputs(helpText(/*all=*/false).c_str(), stderr);
    return UserError;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &) {
    auto verbs = app.get_subcommands();
    const VerbInfo *verb =
        verbs.empty() ? nullptr : findVerb(verbs.front()->get_name());
    fmt::print("{}", verb ? helpText(*verb) : helpText(/*all=*/false));
    return Fine;
  } catch (const CLI::Success &success) {
    app.exit(success);
    return Fine;
  } catch (const CLI::ArgumentMismatch &error) {
    std::string text = error.what();
    throw Error(fault::NeedsValue, text.substr(0, text.find(':')));
  } catch (const CLI::ParseError &error) {
    throw Error(fault::BadCommandLine, error.what());
  }

  for (const std::string &word : app.remaining(false))
    throw word.starts_with('-') ? unknownFlag("gradus", word, app)
                                : unknownVerb(word);
  if (app.get_subcommands().empty())
    throw unknownVerb("");
  CLI::App &verb = *app.get_subcommands().front();
  raw.line.verb = verb.get_name();
  for (const std::string &word : verb.remaining())
    throw word.starts_with('-')
        ? unknownFlag(raw.line.verb, word, verb)
        : Error(fault::SurplusWord, raw.line.verb, word);
  finish(raw, *findVerb(raw.line.verb), verb);
  return raw.line;
}

std::vector<Override> overridesOf(const std::vector<std::string> &words,
                                  const CommandLine &line) {
  std::vector<Override> overrides;
  auto add = [&](const std::string &word) {
    size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error(fault::SurplusWord, line.verb, word)
          .help("what is set about a model is written `name=value`");
    overrides.push_back({word.substr(0, equals), word.substr(equals + 1)});
  };
  for (const std::string &word : words)
    add(word);
  for (const std::string &word : line.set)
    add(word);
  return overrides;
}

} // namespace gradus
