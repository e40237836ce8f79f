// See CommandLine.h. CLI11 cuts the words; what it refuses is said in our
// words.
#include "tools/gradus/CommandLine.h"
#include "compiler/check/Scope.h"
#include "runtime/Error.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <fmt/format.h>

namespace gradus {

namespace {

struct VerbInfo {
  const char *name, *does, *takes, *example;
};

const VerbInfo verbs[] = {
#define VERB(FUNCTION, NAME, DOES, TAKES, EXAMPLE) {NAME, DOES, TAKES, EXAMPLE},
#include "tools/gradus/Verbs.def"
};

/// Flags before they are checked.
struct Raw {
  CommandLine line;
  std::string seed, threads;
};

/// The help of a verb: its usage as Verbs.def has it.
class Help : public CLI::Formatter {
public:
  Help() { column_width(34); }
  std::string make_usage(const CLI::App *app, std::string) const override {
    for (const VerbInfo &verb : verbs)
      if (app->get_name() == verb.name)
        return fmt::format("Usage: gradus {} {} [flags]\n", verb.name,
                           verb.takes);
    return "Usage: gradus VERB MODEL.nn [key=value ...] [flags]\n";
  }
};

/// Adds flags to a verb, each defined once.
class Flags {
public:
  Flags(CLI::App &app, Raw &raw) : app(app), raw(raw) {}

  /// Words without a dash; the usage line shows them.
  void words() {
    app.add_option("model", raw.line.model)->group("");
    app.add_option("words", raw.line.words)->group("");
  }
  void settings() {
    app.add_option("--set", raw.line.set,
                   "KEY=VALUE, the long form of key=value: a const, a dim, a "
                   "setting of `train`, an argument of its optimizer")
        ->option_text("KEY=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    value("--precision", raw.line.precision, "f32|f64",
          "what `real` is; default f32");
  }
  void seed() {
    value("--seed", raw.seed, "N", "the seed, instead of the one in the file");
  }
  void computing() {
    value("--threads", raw.threads, "N",
          "compute on at most N threads; steps run on one so far");
    app.add_flag("--reference", raw.line.reference,
                 "plain loops, nothing fused: slow, to compare with");
  }
  void data() {
    value("--data", raw.line.data, "DIR",
          "where the data files are, instead of beside the model");
  }
  void weights() {
    value("--weights", raw.line.weights, "FILE",
          "trained weights: a safetensors file or a run folder");
  }
  void split(const char *what) {
    value("--split", raw.line.split, "NAME", what);
  }
  void output(const char *name, const char *what) {
    value("-o,--output", raw.line.output, name, what);
  }
  void quiet() {
    app.add_flag("-q,--quiet", raw.line.quiet, "no progress on stderr");
  }
  void json() {
    app.add_flag("--json", raw.line.json, "print results as JSON");
  }
  void value(const char *flag, std::string &into, const char *name,
             const char *what) {
    app.add_option(flag, into, what)
        ->option_text(name)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }

  CLI::App &app;
  Raw &raw;
};

void addFlags(const std::string &verb, Flags flags) {
  Raw &raw = flags.raw;
  if (verb == "explain") {
    flags.words();
    flags.app.add_flag("--list", raw.line.list, "all codes");
    return;
  }
  flags.words();
  flags.settings();
  flags.data();
  flags.app.add_flag("--json", raw.line.json, "print results as JSON");
  if (verb == "check") {
    flags.app.add_flag("--info", raw.line.info,
                       "print parameters, exported functions and data");
    return;
  }
  if (verb == "compile") {
    flags.value("--emit", raw.line.emit, "STAGE",
                "ast, typed, graph, pullbacks, gradient, step, linalg, "
                "vector, llvm or asm");
    flags.value("--dump-stages", raw.line.dumpStages, "DIR",
                "write every stage to a file in DIR");
    flags.output("FILE", "write the stage to FILE");
    flags.app.add_flag("--reference", raw.line.reference,
                       "plain loops, nothing fused");
    return;
  }
  flags.seed();
  flags.computing();
  flags.quiet();
  if (verb == "train") {
    flags.output("DIR", "the run folder; default runs/NAME-N");
    flags.app.add_flag("--overwrite", raw.line.overwrite,
                       "replace the run in the folder of -o");
    return;
  }
  flags.weights();
  if (verb == "test") {
    flags.split("evaluate this split; default: all but `train`");
    flags.app
        .add_option("--bound", raw.line.bounds,
                    "exit with 2 unless the report holds, as in "
                    "--bound 'accuracy>=0.95'")
        ->option_text("REPORT>=N|REPORT<=N")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    return;
  }
  flags.split("take the arguments from the rows of this split");
  flags.output("FILE", "write the result to a .npy, .npz or .csv file");
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

Error unknownVerb(const std::string &word) {
  Error error(fault::UnknownVerb, word);
  std::vector<std::string> names;
  for (const VerbInfo &verb : verbs)
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

/// A whole number of a flag.
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

void finish(Raw &raw, const CLI::App &verb) {
  CommandLine &line = raw.line;
  if (line.model.empty() && !line.list)
    throw Error(fault::MissingWord, line.verb,
                line.verb == "explain" ? "an error code" : "a model file")
        .help(fmt::format("as in `{}`", [&] {
          for (const VerbInfo &info : verbs)
            if (line.verb == info.name)
              return info.example;
          return "";
        }()));
  if (!raw.seed.empty())
    line.seed = wholeNumber("--seed", raw.seed, 0);
  if (!raw.threads.empty())
    wholeNumber("--threads", raw.threads, 1);
  if (!line.precision.empty() && line.precision != "f32" &&
      line.precision != "f64")
    throw Error(fault::BadFlag, "--precision", "f32 or f64", line.precision);
  // An empty value is most often a variable of the shell that was not set.
  for (const CLI::Option *option : verb.get_options())
    if (option->count() && option->get_type_size() > 0 &&
        !option->get_lnames().empty())
      for (const std::string &value : option->results())
        if (value.empty())
          throw Error(fault::NeedsValue, "--" + option->get_lnames()[0]);
}

} // namespace

std::variant<CommandLine, ExitCode> parseCommandLine(int argc, char **argv) {
  CLI::App app("Gradus trains what a model file describes: it compiles the "
               "file to native code\nand runs that on the file's data.",
               "gradus");
  app.set_version_flag("--version", fmt::format("gradus {}", version));
  app.allow_extras();
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<Help>());
  app.footer("`gradus VERB --help` tells more about a verb.\n"
             "Exit codes: 0 fine, 1 an error in the model, data or arguments, "
             "2 a check failed,\n3 the machine (no space, no memory), 125 an "
             "error in gradus itself.");

  Raw raw;
  for (int i = 0; i < argc; ++i) {
    raw.line.text += i ? " " : "";
    raw.line.text += i ? argv[i] : "gradus";
  }
  for (const VerbInfo &verb : verbs) {
    CLI::App *sub = app.add_subcommand(verb.name, verb.does);
    sub->allow_extras();
    sub->footer(fmt::format("Example: {}", verb.example));
    addFlags(verb.name, Flags(*sub, raw));
  }

  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
    return UserError;
  }
  try {
    app.parse(argc, argv);
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
  finish(raw, verb);
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
