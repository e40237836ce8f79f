// The command line: one verb, one model file. Results go to stdout, messages to
// stderr; exit code 1 is an error of the user, 125 one of ours.
#include "compiler/ast/AstPrinter.h"
#include "compiler/ast/Parser.h"
#include "compiler/ast/SourceManager.h"
#include "compiler/check/Checker.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <unistd.h>

using namespace gradus;

namespace {

enum ExitCode : int { Fine = 0, UserError = 1, InternalError = 125 };

/// Prints what was reported to stderr. Colours only on a terminal, and not if
/// NO_COLOR is set.
ExitCode finish(const Diagnostics &diagnostics) {
  const char *noColour = std::getenv("NO_COLOR");
  bool colour = isatty(STDERR_FILENO) && (!noColour || !*noColour);
  std::string text = diagnostics.render({.colour = colour});
  std::fwrite(text.data(), 1, text.size(), stderr);
  return diagnostics.hasErrors() ? UserError : Fine;
}

struct CompileOptions {
  std::string model;
  std::string emit;
  std::vector<std::string> overrides;
};

/// `key=value` arguments. What has no `=` is kept as a key without a value, for
/// the checker to complain about.
CheckOptions checkOptions(const CompileOptions &options) {
  CheckOptions result;
  for (const std::string &text : options.overrides) {
    size_t equals = text.find('=');
    result.overrides.push_back(
        {text.substr(0, equals),
         equals == std::string::npos ? "" : text.substr(equals + 1)});
  }
  return result;
}

/// Prints one stage of a model to stdout; without a stage it only checks.
ExitCode compile(const CompileOptions &options) {
  SourceManager sources;
  Diagnostics diagnostics;
  std::string text;
  if (const Source *source = sources.load(options.model, diagnostics)) {
    auto file = parse(*source, diagnostics);
    if (options.emit == "ast") {
      text = ast::print(*file);
    } else if (auto program =
                   check(*file, checkOptions(options), sources, diagnostics)) {
      if (options.emit == "typed")
        text = print(*program);
    }
  }
  if (!diagnostics.hasErrors())
    std::fwrite(text.data(), 1, text.size(), stdout);
  return finish(diagnostics);
}

int run(int argc, char **argv) {
  CLI::App app("Gradus compiles model files to training steps.", "gradus");
  app.require_subcommand(1);

  CompileOptions compileOptions;
  CLI::App *compileVerb =
      app.add_subcommand("compile", "print one stage of the compiler");
  compileVerb->add_option("model", compileOptions.model, "the model file")
      ->required();
  compileVerb->add_option("--emit", compileOptions.emit, "the stage")
      ->required()
      ->check(CLI::IsMember({"ast", "typed"}));
  CLI::App *checkVerb =
      app.add_subcommand("check", "find the errors of a model file");
  checkVerb->add_option("model", compileOptions.model, "the model file")
      ->required();
  for (CLI::App *verb : {compileVerb, checkVerb})
    verb->add_option("overrides", compileOptions.overrides,
                     "key=value: a const, dim, setting or optimizer argument");

  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
    return UserError;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? Fine : UserError;
  }
  return compile(compileOptions);
}

} // namespace

int main(int argc, char **argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "gradus: internal error: %s\n", error.what());
    return InternalError;
  }
}
