// NumPy's npy format, versions 1 and 2: data and the arguments of `run` and
// `predict` as files. Next: Npz.h, an archive of them.
#pragma once

#include "runtime/Error.h"
#include "runtime/Tensor.h"

#include <span>

namespace gradus {

/// An array as the file has it, in row-major order and native byte order.
struct NpyArray {
  /// For messages: `x.npy`, or `x.npz, array image`.
  std::string origin;
  /// `f` real, `i` signed, `u` unsigned, `b` bool; bytes of one element.
  char kind = 'f';
  int width = 4;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
  /// Where the elements start in the file; 0 if they are no longer as they
  /// stand there.
  uint64_t start = 0;
  /// A number typed on the command line: a whole one may stand for a real one,
  /// as literals do in the language.
  bool literal = false;

  int64_t elements() const { return width ? int64_t(bytes.size()) / width : 0; }
  /// Element i; whole numbers of 64 bits may be rounded.
  double real(int64_t i) const;
  /// Element i of an array of whole numbers or bools; a number beyond 2^63 - 1
  /// becomes that.
  int64_t whole(int64_t i) const;
  /// Where element i stands, for messages: its row, and its byte if known.
  DataPlace place(int64_t i) const;
  /// `int64[3]`, in NumPy's words.
  std::string text() const;
};

/// What a value given from outside has to be.
struct ValueType {
  /// Of the argument, and its type as declared, for messages.
  std::string name, type;
  Element element = Element::F32;
  /// K of `index(K)`, else 0.
  int64_t classes = 0;
};

/// Throws E0802 to E0804 and E1006. Big-endian and column-major arrays are
/// turned round.
NpyArray readNpy(const std::string &path);
NpyArray parseNpy(std::string origin, std::span<const uint8_t> file);

/// Converts as the language allows: real takes real numbers, index and whole
/// numbers take any whole numbers in range, bool takes bool and 0 or 1. Throws
/// E1007 for another kind of number and E1008 for one out of range.
Tensor toTensor(const NpyArray &array, const ValueType &type);

} // namespace gradus
