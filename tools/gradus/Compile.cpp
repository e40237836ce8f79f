// `gradus compile`: prints one stage of the compiler, or writes all of them.
#include "compiler/ast/AstPrinter.h"
#include "compiler/native/Target.h"
#include "runtime/Error.h"
#include "runtime/run/OutputFile.h"
#include "tools/gradus/Load.h"
#include "tools/gradus/Trained.h"
#include "tools/gradus/Verbs.h"

#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

#include <filesystem>

namespace gradus {

namespace {

struct StageInfo {
  Stage stage;
  std::string flag;
};

} // namespace

static const std::vector<StageInfo> &stages() {
  static const std::vector<StageInfo> list = {
#define STAGE(NAME, FLAG, SHOWS) {Stage::NAME, FLAG},
#include "compiler/Stages.def"
  };
  return list;
}

/// The parser of the command line has refused all other words.
static Stage stageNamed(const std::string &flag) {
  return std::find_if(stages().begin(), stages().end(),
                      [&](const StageInfo &info) { return info.flag == flag; })
      ->stage;
}

static std::string stageText(Stage stage, const LoadedModel &loaded,
                             const CommandLine &line) {
  if (stage == Stage::Ast)
    return ast::print(*loaded.file);
  if (stage == Stage::Typed)
    return print(*loaded.program);
  int64_t batch = fullBatch(loaded, line);
  CompileOptions options = loaded.options(line);
  options.cpu = line.cpu;
  Compiler compiler(*loaded.program, options);
  Diagnostics diagnostics;
  std::string text;
  llvm::raw_string_ostream out(text);
  compiler.emit(stage, batch, out, diagnostics);
  settle(diagnostics);
  return text;
}

/// `3-pullbacks.mlir`
static std::string fileName(const StageInfo &info) {
  bool isIr = info.stage != Stage::Ast && info.stage != Stage::Typed &&
              info.stage != Stage::Asm;
  return fmt::format("{}-{}.{}", int(info.stage), info.flag,
                     info.stage == Stage::Asm ? "s"
                     : isIr                   ? "mlir"
                                              : "txt");
}

static void dumpStages(const LoadedModel &loaded, const CommandLine &line) {
  std::error_code code;
  std::filesystem::create_directories(line.dumpStages, code);
  if (code)
    throw writeError(line.dumpStages, code.value());
  for (const StageInfo &info : stages()) {
    bool isSource = info.stage == Stage::Ast || info.stage == Stage::Typed;
    if (!isSource && !loaded.program->train)
      break;
    writeFile(line.dumpStages + "/" + fileName(info),
              stageText(info.stage, loaded, line));
  }
}

ExitCode verbs::compile(const CommandLine &line) {
  if (line.emit.empty() && line.dumpStages.empty())
    throw Error(fault::MissingWord, "compile",
                "`--emit=STAGE` or `--dump-stages=DIR`");
  if (!line.cpu.empty())
    if (auto cpu = native::processorNamed(line.cpu); !cpu) {
      llvm::consumeError(cpu.takeError());
      throw Error(fault::BadFlag, "--cpu", "a processor that LLVM knows",
                  line.cpu)
          .help("`clang --print-supported-cpus` lists them");
    }
  std::optional<Stage> stage;
  if (!line.emit.empty())
    stage = stageNamed(line.emit);

  std::vector<Override> overrides = overridesOf(line.words, line);
  Diagnostics diagnostics;
  auto loaded = parseModel(line, diagnostics);
  // The syntax tree needs no more than the grammar.
  if (stage != Stage::Ast || !line.dumpStages.empty())
    checkModel(*loaded, line, overrides, diagnostics);
  settle(diagnostics);
  if (!line.dumpStages.empty())
    dumpStages(*loaded, line);
  if (!stage)
    return Fine;
  std::string text = stageText(*stage, *loaded, line);
  if (line.output.empty())
    fmt::print("{}", text);
  else
    writeFile(line.output, text);
  return Fine;
}

} // namespace gradus
