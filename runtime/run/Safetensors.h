// The safetensors format: the length of a JSON header (8 bytes, little-endian),
// the header, then the bytes of all tensors without holes.
#pragma once

#include "runtime/Tensor.h"

#include <map>

namespace gradus {

using Metadata = std::map<std::string, std::string>;

/// A file read and checked as a whole. Throws E0802 to E0804 if it cannot be
/// read and E1004 if anything in it is not as the format demands.
class Safetensors {
public:
  explicit Safetensors(std::string path);

  struct Entry {
    /// `F32`, `BF16`: any type of the format.
    std::string type;
    std::vector<int64_t> shape;
    /// Bytes [begin, end) behind the header.
    uint64_t begin, end;
    /// `F32[2, 3]`.
    std::string text() const;
  };

  const std::string &path() const { return file; }
  const Metadata &metadata() const { return meta; }
  const std::map<std::string, Entry> &entries() const { return tensors; }
  /// Null if there is none.
  const Entry *find(const std::string &name) const;
  /// An entry of a type that Element has.
  Tensor read(const std::string &name) const;

private:
  [[noreturn]] void refuse(const std::string &why, uint64_t byte) const;
  void parseHeader(std::string_view header, uint64_t dataBytes);
  void checkLayout(uint64_t dataBytes) const;

  std::string file;
  std::vector<uint8_t> bytes;
  size_t dataStart = 0;
  Metadata meta;
  std::map<std::string, Entry> tensors;
};

/// `F32`, `BOOL`.
std::string safetensorsType(Element element);

/// Writes a file in the order given. The data start at a multiple of 64 bytes.
/// Throws E1002 and E1051.
void writeSafetensors(
    const std::string &path, const Metadata &metadata,
    const std::vector<std::pair<std::string, const Tensor *>> &tensors);

} // namespace gradus
