#include "runtime/data/Idx.h"

#include "runtime/Error.h"
#include "runtime/data/DataFile.h"
#include "runtime/data/FieldText.h"

#include <algorithm>
#include <cstring>

namespace gradus {

static DataPlace atByte(const std::string &path, uint64_t byte) {
  return {path, 0, "byte " + std::to_string(byte), {}, 0, 0, {}};
}

/// What an element type of the format is called; null if it has none.
static const char *idxElement(uint8_t code) {
  switch (code) {
  case 0x08:
    return "bytes";
  case 0x09:
    return "signed bytes";
  case 0x0B:
    return "16-bit whole numbers";
  case 0x0C:
    return "32-bit whole numbers";
  case 0x0D:
    return "32-bit real numbers";
  case 0x0E:
    return "64-bit real numbers";
  default:
    return nullptr;
  }
}

/// Complains about the first label that does not fit.
static void checkLabels(const std::string &path, const Field &field,
                        const uint8_t *labels, int64_t rows, uint64_t header) {
  int64_t count = rows * field.elements();
  if (count == 0)
    return;
  auto [low, high] = std::minmax_element(labels, labels + count);
  if (*high < field.classes)
    return;
  int64_t bad = 0;
  while (labels[bad] < field.classes)
    ++bad;
  throw Error(fault::LabelOutOfRange, labels[bad], field.classes)
      .at(atByte(path, header + uint64_t(bad)))
      .note(declared(field))
      .help(labelsRead(rows, *low, *high));
}

/// The dims in the header; `bytes` holds all of them.
static std::vector<int64_t> idxDims(const std::vector<uint8_t> &bytes) {
  std::vector<int64_t> dims;
  for (size_t at = 4; at < 4 + size_t(4) * bytes[3]; at += 4)
    dims.push_back(int64_t(bytes[at]) << 24 | bytes[at + 1] << 16 |
                   bytes[at + 2] << 8 | bytes[at + 3]);
  return dims;
}

Tensor readIdx(const std::string &path, const Field &field) {
  std::vector<uint8_t> bytes = readDataFile(path);
  if (bytes.size() < 4 || bytes[0] || bytes[1] || !idxElement(bytes[2]) ||
      !bytes[3])
    throw Error(fault::NotIdx, path)
        .at(atByte(path, 0))
        .note("an idx file starts with two zero bytes, the code of its element "
              "type and the number of its dims");
  if (bytes[2] != 0x08)
    throw Error(fault::IdxElement, path, idxElement(bytes[2]))
        .at(atByte(path, 2));
  size_t header = 4 + size_t(4) * bytes[3];
  if (bytes.size() < header)
    throw Error(fault::IdxSize, path, counted(bytes.size(), "byte"), header)
        .at(atByte(path, bytes.size()))
        .note("these are the " + std::to_string(bytes[3]) + " dims alone");
  std::vector<int64_t> dims = idxDims(bytes);
  std::vector<int64_t> item(dims.begin() + 1, dims.end());
  if (item != field.shape)
    throw Error(fault::ItemShape, field.name, typeText(field), path,
                item.empty() ? "one byte" : typeText(Element::U8, item))
        .at(atByte(path, 4))
        .note(declared(field));
  // The dims of the field are a program's, so only rows can be absurd.
  int64_t total = dims.front() * field.elements();
  if (int64_t(bytes.size() - header) != total)
    throw Error(fault::IdxSize, path, counted(bytes.size(), "byte"),
                uint64_t(total) + header)
        .at(atByte(path,
                   std::min<uint64_t>(bytes.size(), uint64_t(total) + header)))
        .note("the header says " + typeText(Element::U8, dims));

  const uint8_t *values = bytes.data() + header;
  if (field.classes)
    checkLabels(path, field, values, dims.front(), header);
  Tensor result(field.element, dims);
  if (field.element == Element::U8)
    std::memcpy(result.data(), values, size_t(total));
  else
    for (int64_t i = 0; i < total; ++i)
      result.set(i, values[i]);
  return result;
}

} // namespace gradus
