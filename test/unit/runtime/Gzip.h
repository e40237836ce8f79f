// Compressed and big-endian bytes for tests of readers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>
#include <zlib.h>

namespace gradus {

/// One gzip member.
inline std::string gzip(const std::string &bytes) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
  stream.avail_in = uInt(bytes.size());
  stream.next_out = reinterpret_cast<Bytef *>(out.data());
  stream.avail_out = uInt(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// An idx file with these dims and this element type.
inline std::string idx(const std::vector<uint32_t> &dims,
                       const std::string &values, char type = 8) {
  std::string out{'\0', '\0', type, char(dims.size())};
  for (uint32_t dim : dims)
    for (int shift = 24; shift >= 0; shift -= 8)
      out += char(dim >> shift);
  return out + values;
}

} // namespace gradus
