// See ResultFiles.h. The zip format as in data/Npz.cpp.
#include "runtime/run/ResultFiles.h"

#include "runtime/Error.h"
#include "runtime/data/Zip.h"
#include "runtime/run/OutputFile.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

namespace gradus {

using namespace zip;

static_assert(std::endian::native == std::endian::little);

std::string npyBytes(const Tensor &tensor, bool asInt64) {
  if (asInt64 && tensor.element() != Element::I64)
    return npyBytes(tensor.converted(Element::I64));
  std::string_view descr;
  switch (tensor.element()) {
  case Element::F32:
    descr = "<f4";
    break;
  case Element::F64:
    descr = "<f8";
    break;
  case Element::I32:
    descr = "<i4";
    break;
  case Element::I64:
    descr = "<i8";
    break;
  case Element::U8:
    descr = "|u1";
    break;
  case Element::Bool:
    descr = "|b1";
    break;
  }
  std::string header = fmt::format(
      "{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
      fmt::join(tensor.shape(), ", "), tensor.shape().size() == 1 ? "," : "");
  // The data start at a multiple of 64 bytes.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  uint16_t length = uint16_t(header.size());
  std::string out("\x93NUMPY\x01\x00", 8);
  out.append(reinterpret_cast<const char *>(&length), 2);
  out += header;
  out.append(static_cast<const char *>(tensor.data()), size_t(tensor.bytes()));
  return out;
}

void writeNpy(const std::string &path, const Tensor &tensor, bool asInt64) {
  writeFile(path, npyBytes(tensor, asInt64));
}

/// The shortest text that reads back as the same number.
static std::string numberText(const Tensor &tensor, int64_t i) {
  switch (tensor.element()) {
  case Element::F32:
    return fmt::format("{}", tensor.as<float>()[size_t(i)]);
  case Element::F64:
    return fmt::format("{}", tensor.as<double>()[size_t(i)]);
  case Element::I64:
    return fmt::format("{}", tensor.as<int64_t>()[size_t(i)]);
  default:
    return fmt::format("{}", int64_t(tensor.at(i)));
  }
}

void writeCsv(const std::string &path, const std::string &name,
              const Tensor &tensor) {
  if (tensor.shape().size() > 2)
    throw Error(fault::NotCsvShape, name,
                typeText(tensor.element(), tensor.shape()))
        .help("write it to an `.npy` file");
  bool matrix = tensor.shape().size() == 2;
  int64_t width = matrix ? tensor.shape()[1] : 1;
  std::string text;
  for (int64_t k = 0; k < width; ++k)
    text += (k ? "," : "") + name + (matrix ? "." + std::to_string(k) : "");
  text += "\n";
  for (int64_t i = 0; i < tensor.elements(); ++i)
    text += numberText(tensor, i) + ((i + 1) % width ? "," : "\n");
  writeFile(path, text);
}

static void put(std::string &out, uint64_t value, int count) {
  for (int i = 0; i < count; ++i)
    out += char(value >> 8 * i);
}

void writeNpz(const std::string &path, const std::vector<NamedBytes> &arrays) {
  OutputFile out(path);
  std::string directory;
  uint64_t at = 0;
  for (const auto &[name, data] : arrays) {
    std::string fileName = name + ".npy";
    // Sizes in the extra field of zip64 only where they need it.
    bool wide = data.size() >= 0xFFFFFFFF || at >= 0xFFFFFFFF;
    uint32_t checksum = uint32_t(
        crc32_z(0, reinterpret_cast<const Bytef *>(data.data()), data.size()));
    std::string common;
    put(common, wide ? 45 : 20, 2); // version needed
    put(common, 0x0800, 2);         // names are UTF-8
    put(common, 0, 2);              // stored
    put(common, 0, 2);              // 00:00
    put(common, 0x21, 2); // 1980-01-01, so that equal arrays give equal files
    put(common, checksum, 4);
    put(common, wide ? 0xFFFFFFFF : data.size(), 4);
    put(common, wide ? 0xFFFFFFFF : data.size(), 4);
    put(common, fileName.size(), 2);
    std::string sizes;
    if (wide) {
      put(sizes, 1, 2);
      put(sizes, 16, 2);
      put(sizes, data.size(), 8);
      put(sizes, data.size(), 8);
    }
    std::string header;
    put(header, localHeader, 4);
    header += common;
    put(header, sizes.size(), 2);
    header += fileName + sizes;
    out.write(header);
    out.write(data);

    if (wide) {
      sizes.replace(2, 2, std::string("\x18\x00", 2));
      put(sizes, at, 8);
    }
    put(directory, directoryHeader, 4);
    put(directory, wide ? 45 : 20, 2); // made by
    directory += common;
    put(directory, sizes.size(), 2);
    put(directory, 0, 2); // comment
    put(directory, 0, 2); // disk
    put(directory, 0, 2); // internal attributes
    put(directory, 0, 4); // external attributes
    put(directory, wide ? 0xFFFFFFFF : at, 4);
    directory += fileName + sizes;
    at += header.size() + data.size();
  }
  uint64_t directorySize = directory.size();
  bool wide = at >= 0xFFFFFFFF || arrays.size() >= 0xFFFF;
  if (wide) {
    uint64_t record = at + directorySize;
    put(directory, endRecord64, 4);
    put(directory, 44, 8);
    put(directory, 45, 2);
    put(directory, 45, 2);
    put(directory, 0, 8); // disks
    put(directory, arrays.size(), 8);
    put(directory, arrays.size(), 8);
    put(directory, directorySize, 8);
    put(directory, at, 8);
    put(directory, endLocator64, 4);
    put(directory, 0, 4);
    put(directory, record, 8);
    put(directory, 1, 4);
  }
  put(directory, endRecord, 4);
  put(directory, 0, 4); // disks
  put(directory, wide ? 0xFFFF : arrays.size(), 2);
  put(directory, wide ? 0xFFFF : arrays.size(), 2);
  put(directory, std::min<uint64_t>(directorySize, 0xFFFFFFFF), 4);
  put(directory, wide ? 0xFFFFFFFF : at, 4);
  put(directory, 0, 2); // comment
  out.write(directory);
  out.commit();
}

} // namespace gradus
