// A dense row-major array that owns its memory, aligned to 64 bytes as kernels
// expect. Everything a run keeps (parameters, batches, datasets) is one of
// these.
#pragma once

#include "runtime/Abi.h"

#include <span>

namespace gradus {

/// Memory of `bytes` bytes at a multiple of 64, zeroed. Throws E1052.
class AlignedBytes {
public:
  AlignedBytes() = default;
  explicit AlignedBytes(int64_t bytes);
  AlignedBytes(AlignedBytes &&other) noexcept;
  AlignedBytes &operator=(AlignedBytes &&other) noexcept;
  ~AlignedBytes();

  void *get() const { return memory; }

private:
  void *memory = nullptr;
  int64_t size = 0;
};

class Tensor {
public:
  /// An empty array of shape [0].
  Tensor() : dims{0} {}
  /// All zeros. A scalar has no dims. Throws E1052 if there is no memory.
  Tensor(Element element, std::vector<int64_t> shape);
  /// A scalar of this element type.
  static Tensor scalar(Element element, double value);

  Element element() const { return type; }
  const std::vector<int64_t> &shape() const { return dims; }
  int64_t elements() const { return count; }
  int64_t bytes() const { return count * byteWidth(type); }

  void *data() { return storage.get(); }
  const void *data() const { return storage.get(); }
  /// The elements; T is the C++ type of `element()`, unsigned char for `U8` and
  /// `Bool`.
  template <typename T> std::span<T> as() {
    return {static_cast<T *>(storage.get()), size_t(count)};
  }
  template <typename T> std::span<const T> as() const {
    return {static_cast<const T *>(storage.get()), size_t(count)};
  }

  /// Element `index` in row-major order as a double (exact but for large I64).
  double at(int64_t index) const;
  /// Converts to the element type: real numbers are rounded to nearest, whole
  /// numbers truncated, bool is `value != 0`.
  void set(int64_t index, double value);
  void fill(double value);

  Tensor copy() const;
  /// The same numbers in another element type, converted as `set` does.
  Tensor converted(Element target) const;

private:
  Element type = Element::F32;
  std::vector<int64_t> dims;
  int64_t count = 0;
  AlignedBytes storage;
};

/// `f32[128, 10]`, `f64` for a scalar.
std::string typeText(Element element, const std::vector<int64_t> &shape);
/// `f32`, `bool`.
std::string_view elementText(Element element);

} // namespace gradus
