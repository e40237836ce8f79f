// A folder in which compiled code waits for the next process: a file an entry,
// found by a key that says everything the code depends on. Nothing in it is
// needed: what is missing, damaged or of another build is compiled again, and a
// folder that cannot be written to stays as it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

/// What an entry depends on, each a line of text. Where all are the same, the
/// same is compiled.
struct CacheKey {
  /// The compiler: programs and libraries of other builds may compile other
  /// code.
  std::string build;
  /// All that this processor can do.
  std::string processor;
  /// Options of the compiler.
  std::string settings;
  /// The graph, or rather its hash.
  std::string graph;

  bool operator==(const CacheKey &) const = default;
};

/// A hash of `text` as a word of 40 characters.
std::string hashOf(std::string_view text);

/// Build ids of this program and of the libraries it runs with, hashed; empty
/// if the program has none. Then nothing can be known to be of the same build.
const std::string &buildIdentity();

class CacheFolder {
public:
  /// 1 GiB.
  static constexpr int64_t usualLimit = int64_t(1) << 30;

  /// At most `limit` bytes are kept. The folder is made when it is needed.
  explicit CacheFolder(std::filesystem::path path, int64_t limit = usualLimit);

  /// `$GRADUS_CACHE`, `$XDG_CACHE_HOME/gradus` or `$HOME/.cache/gradus`, the
  /// first one that is set. None if that is empty.
  static std::optional<std::filesystem::path> usualPath();

  const std::filesystem::path &path() const { return folder; }

  /// What was written under this key; from then on it is in use, as of now.
  std::optional<std::string> read(const CacheKey &key) const;

  /// Writes an entry; `title` says to people what it is, in a line. If that
  /// makes the folder larger than its limit, what has not been used for longest
  /// is deleted. May be called by any number of processes.
  void write(const CacheKey &key, std::string_view title,
             std::string_view bytes) const;

  struct Entry {
    CacheKey key;
    std::string title;
    int64_t bytes = 0;
    std::filesystem::file_time_type used;
  };
  /// All that can be read, those used last first.
  std::vector<Entry> entries() const;

  /// Why there is no such entry, in words that follow `not found: `.
  std::string whyMissing(const CacheKey &key, std::string_view title) const;

  /// Deletes all entries; gives their number.
  int64_t clear() const;

private:
  std::filesystem::path fileOf(const CacheKey &key) const;

  std::filesystem::path folder;
  int64_t limit;
};

} // namespace gradus
