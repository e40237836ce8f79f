// Finding a data file and reading all of its bytes, plain or compressed by gzip
// (RFC 1952). Next: Idx.h and Csv.h.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace gradus {

/// Where relative paths of data files start.
struct DataFolder {
  /// `--data DIR`; empty if not given.
  std::string given;
  /// The folder of the model file, used if `given` is empty.
  std::string beside;

  /// The path to open. Of a full path only the name counts if `given` is not
  /// empty.
  std::string resolve(const std::string &file) const;
};

struct CloseFile {
  void operator()(FILE *file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<FILE, CloseFile>;

/// What tells one state of a file from another.
struct FileVersion {
  /// Its size.
  size_t bytes = 0;
  /// When it was written last, in nanoseconds since the epoch.
  int64_t written = 0;
  bool operator==(const FileVersion &) const = default;
};
FileVersion versionOf(const OpenFile &file);

/// Opens a file that a `data` declaration names: if it is missing, the message
/// says how to find it. Throws E0802 to E0804.
OpenFile openDataFile(const std::string &path);

/// The bytes of a file; a file that starts with gzip's magic bytes is
/// decompressed, whatever its name. Throws E0802 to E0807, E1052.
std::vector<uint8_t> readBytes(const std::string &path);

/// The same for a file that a `data` declaration names.
std::vector<uint8_t> readDataFile(const std::string &path);

} // namespace gradus
