// The text of a data file, of which only a window is in memory. A map of the
// file (mmap) would end the process with SIGBUS where somebody shortens the
// file meanwhile. Next: Csv.h.
#pragma once

#include "runtime/data/DataFile.h"

#include <string_view>

namespace gradus {

class DataText {
public:
  /// Opens a file that a `data` declaration names. What gzip has compressed is
  /// decompressed into memory, a file without a size is read whole, all else
  /// stays on disk. Throws as readDataFile.
  explicit DataText(std::string path);
  /// A text that is in memory already.
  DataText(std::string path, std::vector<uint8_t> content);

  const std::string &path() const { return file; }
  size_t size() const { return length; }
  /// The bytes from `at` on that are in memory: at least `least` of them unless
  /// the text ends before. They stay until the next call. Throws E0803,
  /// E1052.
  std::string_view from(size_t at, size_t least = 1) const;
  /// Throws E0803: the file is not what it was when it was opened.
  [[noreturn]] void failChanged() const;
  /// Fails so if its size or its time tells.
  void checkUnchanged() const;

private:
  void load(size_t at, size_t least) const;

  std::string file;
  /// Closed if the text is in memory.
  OpenFile input{nullptr};
  FileVersion opened;
  size_t length = 0;
  /// The bytes [windowBegin, windowEnd) of the text.
  mutable std::vector<uint8_t> window;
  mutable size_t windowBegin = 0, windowEnd = 0;
};

} // namespace gradus
