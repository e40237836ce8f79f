// See GraphKey.h.
#include "compiler/GraphKey.h"

#include "compiler/Pipelines.h"
#include "compiler/native/Target.h"
#include "dialect/Graph.h"

#include <fmt/format.h>

using namespace mlir;

namespace gradus {

std::string placeOf(mlir::Location location) {
  std::string found;
  location->walk([&](mlir::Location part) {
    auto place = dyn_cast<FileLineColRange>(part);
    if (!place)
      return WalkResult::advance();
    found =
        fmt::format("{}:{}", place.getFilename().str(), place.getStartLine());
    return WalkResult::interrupt();
  });
  return found;
}

CacheKey graphKey(ArrayRef<ModuleOp> graphs, const CompileOptions &options,
                  StringRef more) {
  std::string text = more.str();
  llvm::raw_string_ostream out(text);
  for (ModuleOp graph : graphs) {
    graph.print(out, OpPrintingFlags().printNameLocAsPrefix().assumeVerified());
    graph.walk([&](graph::LoopOp loop) { out << placeOf(loop.getLoc()); });
  }
  lower::Workers workers = workersOf(options);
  CacheKey key;
  key.build = buildIdentity();
  key.processor = native::identifyHost();
  key.settings = fmt::format(
      "{} of {} operations, {} bytes for loops{}",
      workers.count == 1 ? "1 worker"
                         : fmt::format("{} workers", workers.count),
      workers.worth, budgetOf(options), options.reference ? ", reference" : "");
  key.graph = hashOf(text);
  return key;
}

} // namespace gradus
