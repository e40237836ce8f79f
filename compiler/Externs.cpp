// See Externs.h.
#include "compiler/Externs.h"
#include "compiler/DiagnosticKinds.h"
#include "dialect/Graph.h"

using namespace mlir;

namespace gradus {

std::map<std::string, void *> findExterns(ModuleOp graph,
                                          const typed::Program &program,
                                          Libraries *libraries,
                                          Diagnostics &diagnostics) {
  std::map<std::string, void *> found;
  std::map<std::string, graph::ExternOp> calls;
  graph.walk([&](graph::ExternOp call) { calls[call.getCallee()] = call; });
  for (const typed::Module *file : program.files)
    for (const typed::Function *function : file->functions) {
      if (!function->library)
        continue;
      const typed::Library &library = *function->library;
      std::string path = function->libraryPath();
      for (auto &[callee, call] : calls) {
        bool isOfIt = call.getLibrary() == path &&
                      (call.getSymbol() == function->name ||
                       call.getSymbol() == function->name + "f");
        if (!isOfIt || found.contains(callee))
          continue;
        std::string symbol = call.getSymbol().str(), reason;
        if (!libraries) {
          diagnostics
              .report(diag::ExternNotAllowed, library.range, function->name,
                      library.path)
              .help("if you trust it, add `--allow-extern`");
          return found;
        }
        void *opened = libraries->open(path, library.path, reason);
        if (!opened) {
          diagnostics.report(diag::LibraryNotLoaded, library.range,
                             library.path, reason);
          return found;
        }
        found[callee] = Libraries::find(opened, symbol);
        if (!found[callee]) {
          auto &error = diagnostics.report(diag::SymbolMissing, function->range,
                                           library.path, symbol);
          if (symbol != function->name)
            error.help(fmt::format("of `real` in f32 it has to take float and "
                                   "be called `{}`, of f64 double and `{}`",
                                   symbol, function->name));
          return found;
        }
      }
    }
  return found;
}

} // namespace gradus
