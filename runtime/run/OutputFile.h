// Writing files so that a killed or full machine leaves either the old file or
// the whole new one.
#pragma once

#include "runtime/Error.h"

#include <cstdio>
#include <string>
#include <string_view>

namespace gradus {

/// A file that appears under its name when it is complete: written beside it
/// under a temporary name, synced, renamed. Throws E1002 and E1051.
class OutputFile {
public:
  explicit OutputFile(std::string path);
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;
  /// Deletes what was written if there was no `commit`.
  ~OutputFile();

  void write(const void *bytes, size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

private:
  std::string path, temporary;
  FILE *file = nullptr;
};

/// The whole file at once.
void writeFile(const std::string &path, std::string_view text);

/// A log: lines are added at its end and reach the system one by one. Throws
/// E1002 and E1051.
class LogFile {
public:
  explicit LogFile(std::string path);
  LogFile(const LogFile &) = delete;
  LogFile &operator=(const LogFile &) = delete;
  ~LogFile();

  void add(std::string_view line);

private:
  std::string path;
  FILE *file = nullptr;
};

/// The error for a failed write with this `errno`: E1051 if no space is left,
/// else E1002.
Error writeError(const std::string &path, int number);

} // namespace gradus
