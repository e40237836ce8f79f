// A part of a text file as numbers, for a field that is a window of it: bytes,
// or the characters of UTF-8 by their place in a vocabulary.
#pragma once

#include "runtime/Error.h"
#include "runtime/data/Dataset.h"

#include <string_view>

namespace gradus {

class TextPart {
public:
  /// Reads the file and finds the part. `source` outlives this. Throws E0829
  /// and what reading throws.
  TextPart(std::string path, const TextSource &source);
  TextPart(TextPart &&) = default;

  /// The different characters of the part, in the order of code points.
  std::vector<std::string> characters() const;

  /// A window begins where the last but one element of the window before it
  /// stands: so that windows of T + 1 elements predict each element but the
  /// first once, from at most T others. Throws E0832 if there is none.
  Windows windows(const Field &field) const;
  int64_t count(const Windows &windows) const;

  Tensor bytes() const;
  /// The place of each character in `vocabulary`; U8 if all fit. Throws E0830,
  /// E0831.
  Tensor numbers(const Field &field,
                 const std::vector<std::string> &vocabulary) const;

private:
  int64_t countCharacters() const;
  DataPlace placeOf(size_t at, size_t length, bool asByte) const;

  std::string path;
  const TextSource &source;
  std::vector<uint8_t> file;
  /// The part of the file, and how many bytes or characters it has.
  std::string_view text;
  int64_t elements = 0;
};

} // namespace gradus
