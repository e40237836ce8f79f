// NumPy's npz format: a zip archive of npy files, stored or deflated.
#pragma once

#include "runtime/data/Npy.h"

namespace gradus {

/// The entries of an archive, unpacked and checked one by one when asked for.
class NpzFile {
public:
  /// Throws E0802 to E0804, E1010.
  explicit NpzFile(const std::string &path);
  /// `path` is for messages. Throws E1010.
  NpzFile(std::string path, std::vector<uint8_t> contents);

  /// Names without `.npy`, in the order of the archive.
  const std::vector<std::string> &names() const { return order; }
  /// Throws E1006, E1010, E1011.
  NpyArray read(const std::string &name) const;

private:
  struct Entry {
    std::string name;
    /// 0 stored, 8 deflated.
    uint16_t method;
    uint32_t checksum;
    uint64_t packed, size, header;
  };
  [[noreturn]] void refuse(uint64_t byte, const std::string &why) const;
  void readDirectory();
  std::vector<uint8_t> unpack(const Entry &entry) const;

  std::string file;
  std::vector<uint8_t> bytes;
  std::vector<Entry> entries;
  std::vector<std::string> order;
};

} // namespace gradus
