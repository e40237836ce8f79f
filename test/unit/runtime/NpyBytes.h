// Npy files put together by hand, so that tests can damage them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gradus {

/// An npy file with this header.
inline std::string npy(std::string header, const std::string &data,
                       char version = 1) {
  std::string out = "\x93NUMPY";
  out += version;
  out += '\0';
  uint32_t length = uint32_t(header.size());
  out.append(reinterpret_cast<char *>(&length), version == 1 ? 2 : 4);
  return out + header + data;
}
inline std::string headerOf(const std::string &descr, const std::string &shape,
                            bool fortran = false) {
  return "{'descr': '" + descr +
         "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + shape + ", }    \n";
}
template <typename T> std::string bytesOf(std::vector<T> numbers) {
  return {reinterpret_cast<char *>(numbers.data()), numbers.size() * sizeof(T)};
}

} // namespace gradus
