// The zip format as PKWARE's APPNOTE describes it: local headers with data,
// then a directory, then its end record. Archives of 4 GiB and more (zip64) are
// read.
#include "runtime/data/Npz.h"

#include "runtime/Error.h"
#include "runtime/data/DataFile.h"
#include "runtime/data/Zip.h"

#include <algorithm>
#include <cstring>
#include <zlib.h>

namespace gradus {

using namespace zip;

static uint64_t little(const uint8_t *from, int count) {
  uint64_t value = 0;
  for (int i = count; i-- > 0;)
    value = value << 8 | from[i];
  return value;
}

void NpzFile::refuse(uint64_t byte, const std::string &why) const {
  throw Error(fault::NotNpz, file, why)
      .at({file, 0, "byte " + std::to_string(byte), {}, 0, 0, {}});
}

NpzFile::NpzFile(const std::string &path) : NpzFile(path, readBytes(path)) {}

NpzFile::NpzFile(std::string path, std::vector<uint8_t> contents)
    : file(std::move(path)), bytes(std::move(contents)) {
  readDirectory();
}

void NpzFile::readDirectory() {
  // The end record has 22 bytes and a comment of at most 65535.
  size_t size = bytes.size();
  if (size < 22 || little(bytes.data(), 2) != 0x4B50)
    refuse(0, "it is not a zip archive");
  size_t end = size - 22;
  while (little(&bytes[end], 4) != endRecord) {
    if (end == 0 || size - end >= 22 + 65535)
      refuse(size, "its directory is missing; it may have been cut short");
    --end;
  }
  uint64_t count = little(&bytes[end + 10], 2);
  uint64_t at = little(&bytes[end + 16], 4);
  if (end >= 20 && little(&bytes[end - 20], 4) == endLocator64) {
    uint64_t record = little(&bytes[end - 12], 8);
    if (size < 56 || record > size - 56 ||
        little(&bytes[record], 4) != endRecord64)
      refuse(end - 20, "its directory is damaged");
    count = little(&bytes[record + 32], 8);
    at = little(&bytes[record + 48], 8);
  }
  for (uint64_t i = 0; i < count; ++i) {
    if (at > size || size - at < 46 || little(&bytes[at], 4) != directoryHeader)
      refuse(std::min<uint64_t>(at, size), "its directory is damaged");
    Entry entry{"",
                uint16_t(little(&bytes[at + 10], 2)),
                uint32_t(little(&bytes[at + 16], 4)),
                little(&bytes[at + 20], 4),
                little(&bytes[at + 24], 4),
                little(&bytes[at + 42], 4)};
    uint64_t name = little(&bytes[at + 28], 2),
             extra = little(&bytes[at + 30], 2),
             comment = little(&bytes[at + 32], 2);
    if (size - at - 46 < name + extra + comment)
      refuse(std::min<uint64_t>(at, size), "its directory is damaged");
    entry.name.assign(bytes.begin() + int64_t(at + 46),
                      bytes.begin() + int64_t(at + 46 + name));
    // Zip64: numbers that did not fit follow in this order.
    uint64_t field = at + 46 + name, last = field + extra;
    while (field + 4 <= last) {
      uint64_t id = little(&bytes[field], 2),
               length = little(&bytes[field + 2], 2);
      uint64_t value = field + 4;
      field = value + length;
      if (id != 1 || field > last)
        continue;
      for (uint64_t *number : {&entry.size, &entry.packed, &entry.header})
        if (*number == 0xFFFFFFFF && value + 8 <= field) {
          *number = little(&bytes[value], 8);
          value += 8;
        }
    }
    if (little(&bytes[at + 8], 2) & 1)
      refuse(at, "`" + entry.name + "` is encrypted");
    at += 46 + name + extra + comment;
    if (entry.name.ends_with(".npy"))
      order.push_back(entry.name.substr(0, entry.name.size() - 4));
    entries.push_back(std::move(entry));
  }
}

std::vector<uint8_t> NpzFile::unpack(const Entry &entry) const {
  uint64_t size = bytes.size();
  if (size < 30 || entry.header > size - 30 ||
      little(&bytes[entry.header], 4) != localHeader)
    refuse(std::min(entry.header, size), "`" + entry.name + "` is damaged");
  uint64_t start = entry.header + 30 + little(&bytes[entry.header + 26], 2) +
                   little(&bytes[entry.header + 28], 2);
  if (start > size || entry.packed > size - start)
    refuse(size, "`" + entry.name + "` is cut short");
  const uint8_t *from = bytes.data() + start;
  std::vector<uint8_t> out;
  if (entry.method == 0) {
    out.assign(from, from + entry.packed);
  } else if (entry.method == 8) {
    // Deflate compresses by at most a factor of 1032.
    if (entry.size / 1032 > entry.packed + 1)
      refuse(start, "`" + entry.name + "` is damaged");
    out.resize(entry.size);
    z_stream stream = {};
    if (inflateInit2(&stream, -15) != Z_OK)
      throw std::bad_alloc();
    uint64_t in = 0, used = 0;
    int state = Z_OK;
    while (state == Z_OK) {
      constexpr uint64_t most = 1 << 30;
      stream.next_in = const_cast<Bytef *>(from + in);
      stream.avail_in = uInt(std::min(entry.packed - in, most));
      stream.next_out = out.data() + used;
      stream.avail_out = uInt(std::min(entry.size - used, most));
      uInt before = stream.avail_in, room = stream.avail_out;
      state = inflate(&stream, Z_NO_FLUSH);
      in += before - stream.avail_in;
      used += room - stream.avail_out;
    }
    inflateEnd(&stream);
    if (state != Z_STREAM_END || used != entry.size)
      refuse(start, "`" + entry.name + "` is damaged");
  } else {
    refuse(start, "`" + entry.name + "` is compressed by method " +
                      std::to_string(entry.method) + ", only deflate is read");
  }
  if (out.size() != entry.size ||
      crc32_z(0, out.data(), out.size()) != entry.checksum)
    refuse(start, "`" + entry.name + "` does not have its checksum");
  return out;
}

NpyArray NpzFile::read(const std::string &name) const {
  for (const Entry &entry : entries)
    if (entry.name == name + ".npy")
      return parseNpy(file + ", array " + name, unpack(entry));
  Error error(fault::NpzEntry, file, name);
  std::string known;
  for (const std::string &other : order)
    known += (known.empty() ? "`" : ", `") + other + "`";
  throw error.note(known.empty() ? "it holds none at all"
                                 : "its arrays are " + known);
}

} // namespace gradus
