// A model file or run folder -> a checked program, with everything that was set
// about it: what every verb begins with.
#pragma once

#include "compiler/Compiler.h"
#include "compiler/ast/Ast.h"
#include "compiler/ast/SourceManager.h"
#include "compiler/check/Checker.h"
#include "runtime/data/DataFile.h"
#include "tools/gradus/CommandLine.h"

#include <map>
#include <memory>

namespace gradus {

/// Thrown when the compiler has refused a model: its messages, ready for
/// stderr.
class Rejected : public std::exception {
public:
  explicit Rejected(std::string text) : text(std::move(text)) {}
  const char *what() const noexcept override { return text.c_str(); }

private:
  std::string text;
};

/// Throws Rejected if there are errors; prints warnings to stderr.
void settle(const Diagnostics &diagnostics);

/// The threads of this process that run kernels, started by the first call:
/// `--threads`, or one for each processor that the process may use. Null if one
/// thread is enough.
std::shared_ptr<Team> team(const CommandLine &line);

/// Where compiled code is kept; null if it is not.
std::shared_ptr<const CacheFolder> cache(const CommandLine &line);

/// What measures this process; null without `--timing`.
std::shared_ptr<Timing> timing(const CommandLine &line);

struct LoadedModel {
  SourceManager sources;
  std::unique_ptr<ast::File> file;
  std::unique_ptr<const typed::Program> program;

  /// Stem of the model file.
  std::string name;
  /// The model file as given.
  std::string path;
  /// The run folder it stands in; empty if it was given as a file.
  std::string run;
  /// Where the model of that run was, with its libraries, and where relative
  /// paths of its data files started.
  std::string runOrigin, runData;
  /// Where imports of that run are that are not where their paths lead, as the
  /// checker wants them.
  std::map<std::pair<std::string, std::string>, std::string> moved;
  /// The `train` that is meant: what was asked for, or the last one of the run;
  /// empty if nothing says.
  std::string trainName;
  /// Those that the run in the folder was of, in their order, if several.
  std::vector<std::string> runTrains;
  /// By name, those of the run included.
  std::vector<Override> overrides;
  Precision precision = Precision::F32;
  /// What random initial values are drawn from.
  uint64_t seed = 0;

  /// Where the files of a data declaration are.
  DataFolder dataFolder(const CommandLine &line, const typed::Data &data) const;
  /// How its functions are to be compiled.
  CompileOptions options(const CommandLine &line) const {
    CompileOptions options{precision,         line.reference, line.interpret,
                           line.memoryBudget, team(line),     libraries(line)};
    options.cache = cache(line);
    options.timing = timing(line);
    return options;
  }
  /// Those of its `extern fn`, if they may be loaded.
  std::shared_ptr<Libraries> libraries(const CommandLine &line) const {
    return line.allowExtern ? std::make_shared<Libraries>(run, runOrigin)
                            : nullptr;
  }
  /// The `train` that is meant; throws E1038 if there is none, E1023 if there
  /// are several and nothing says which.
  const typed::Train &train() const;
};

/// Reads and parses; `program` is still to come. Throws Rejected, E1037.
std::unique_ptr<LoadedModel> parseModel(const CommandLine &line,
                                        Diagnostics &diagnostics);

/// Checks under these overrides, which those of the run folder precede. Throws
/// Rejected.
void checkModel(LoadedModel &model, const CommandLine &line,
                const std::vector<Override> &overrides,
                Diagnostics &diagnostics);

/// Both, with all words of the command line as overrides. Throws Rejected.
std::unique_ptr<LoadedModel> loadModel(const CommandLine &line);

} // namespace gradus
