// Reads model files from disk and owns their texts.
#pragma once

#include "compiler/Diagnostics.h"

#include <deque>
#include <map>
#include <string>

namespace gradus {

/// Owns every source of a compilation.
class SourceManager {
public:
  /// `readsFiles`: else no file exists but those that were added.
  explicit SourceManager(bool readsFiles = true) : readsFiles(readsFiles) {}

  /// Reads a file, once: a second call with the same path gives the same
  /// source. Null, with an error reported at `importedFrom` (the string of an
  /// `import`, or no place), if the path does not exist, is a folder, cannot be
  /// read, or is larger than 4 MiB.
  const Source *load(const std::string &path, Diagnostics &diagnostics,
                     Range importedFrom = Range());

  /// A text that is not a file, such as the prelude.
  const Source &add(std::string name, std::string text);
  /// A text in the place of a file.
  const Source &addFile(const std::string &path, std::string text);

private:
  bool readsFiles;
  std::deque<Source> sources;
  /// Files by the path that all ways of writing it have in common.
  std::map<std::string, const Source *> loaded;
};

} // namespace gradus
