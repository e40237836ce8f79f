// See Places.h.
#include "compiler/Places.h"

using namespace mlir;

namespace gradus {

Places::Places(const typed::Program &program) {
  for (const typed::Module *file : program.files)
    if (file->source)
      sources[file->source->name()] = file->source;
  if (!program.files.empty())
    prelude = program.files.front()->source;
}

static uint32_t offset(const Source &source, uint32_t line, uint32_t column) {
  uint32_t at = source.lineStart(line);
  std::string_view text = source.text();
  for (uint32_t i = 1; i < column && at < text.size(); ++i)
    at += std::max(1u, utf8Length(text.substr(at)));
  return at;
}

Range Places::range(mlir::Location location) const {
  Range found;
  location->walk([&](mlir::Location part) {
    auto place = dyn_cast<FileLineColRange>(part);
    if (!place)
      return WalkResult::advance();
    auto source = sources.find(place.getFilename().str());
    if (source == sources.end())
      return WalkResult::advance();
    found = {
        source->second,
        offset(*source->second, place.getStartLine(), place.getStartColumn()),
        offset(*source->second, place.getEndLine(), place.getEndColumn())};
    return WalkResult::interrupt();
  });
  return found;
}

SourceLine Places::line(mlir::Location location) const {
  SourceLine found;
  location->walk([&](mlir::Location part) {
    auto place = dyn_cast<FileLineColRange>(part);
    if (!place)
      return WalkResult::advance();
    auto source = sources.find(place.getFilename().str());
    if (source == sources.end() || source->second == prelude)
      return WalkResult::advance();
    found = {source->second, place.getStartLine()};
    return WalkResult::interrupt();
  });
  return found;
}

} // namespace gradus
