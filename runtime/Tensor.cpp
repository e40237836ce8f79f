#include "runtime/Tensor.h"

#include "runtime/Error.h"

#include <cmath>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <utility>

namespace gradus {

static Error outOfMemory(const std::string &what) {
  return Error(fault::OutOfMemory, what)
      .help("smaller dims or a smaller batch need less");
}

/// What a large page holds. Values of that size and more lie in such pages
/// where the system has them: a pass over some megabytes looks up few
/// addresses.
static constexpr size_t kLargePage = size_t(2) << 20;

static std::align_val_t alignmentOf(int64_t bytes) {
  return std::align_val_t(size_t(bytes) >= kLargePage ? kLargePage : 64);
}

AlignedBytes::AlignedBytes(int64_t bytes) : size(bytes) {
  // Never null, so that an empty buffer can be passed to a kernel too.
  size_t rounded = (size_t(bytes) + 63) / 64 * 64;
  rounded = rounded ? rounded : 64;
  memory = bytes >= 0 && bytes < (int64_t(1) << 46)
               ? ::operator new(rounded, alignmentOf(bytes), std::nothrow)
               : nullptr;
  if (!memory)
    throw outOfMemory(bytes >> 30 ? std::to_string(bytes >> 30) + " GiB"
                                  : counted(uint64_t(bytes), "byte"));
  if (size_t(bytes) >= kLargePage)
    madvise(memory, rounded / kLargePage * kLargePage, MADV_HUGEPAGE);
  std::memset(memory, 0, rounded);
}

AlignedBytes::AlignedBytes(AlignedBytes &&other) noexcept
    : memory(std::exchange(other.memory, nullptr)),
      size(std::exchange(other.size, 0)) {}

AlignedBytes &AlignedBytes::operator=(AlignedBytes &&other) noexcept {
  std::swap(memory, other.memory);
  std::swap(size, other.size);
  return *this;
}

AlignedBytes::~AlignedBytes() {
  if (memory)
    ::operator delete(memory, alignmentOf(size));
}

Tensor::Tensor(Element element, std::vector<int64_t> shape)
    : type(element), dims(std::move(shape)), count(1) {
  for (int64_t dim : dims)
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count) ||
        count > (int64_t(1) << 46))
      throw outOfMemory("a value of " + typeText(type, dims));
  storage = AlignedBytes(bytes());
}

Tensor Tensor::scalar(Element element, double value) {
  Tensor result(element, {});
  result.set(0, value);
  return result;
}

double Tensor::at(int64_t index) const {
  const void *data = storage.get();
  switch (type) {
  case Element::F32:
    return static_cast<const float *>(data)[index];
  case Element::F64:
    return static_cast<const double *>(data)[index];
  case Element::I32:
    return static_cast<const int32_t *>(data)[index];
  case Element::I64:
    return double(static_cast<const int64_t *>(data)[index]);
  case Element::U8:
  case Element::Bool:
    return static_cast<const uint8_t *>(data)[index];
  }
  return 0;
}

void Tensor::set(int64_t index, double value) {
  void *data = storage.get();
  switch (type) {
  case Element::F32:
    static_cast<float *>(data)[index] = float(value);
    break;
  case Element::F64:
    static_cast<double *>(data)[index] = value;
    break;
  case Element::I32:
    static_cast<int32_t *>(data)[index] = int32_t(value);
    break;
  case Element::I64:
    static_cast<int64_t *>(data)[index] = int64_t(value);
    break;
  case Element::U8:
    static_cast<uint8_t *>(data)[index] = uint8_t(value);
    break;
  case Element::Bool:
    static_cast<uint8_t *>(data)[index] = value != 0;
    break;
  }
}

void Tensor::fill(double value) {
  for (int64_t i = 0; i < count; ++i)
    set(i, value);
}

Tensor Tensor::copy() const {
  Tensor result(type, dims);
  std::memcpy(result.data(), data(), size_t(bytes()));
  return result;
}

Tensor Tensor::converted(Element target) const {
  if (target == type)
    return copy();
  Tensor result(target, dims);
  for (int64_t i = 0; i < count; ++i)
    result.set(i, at(i));
  return result;
}

std::string_view elementText(Element element) {
  switch (element) {
  case Element::F32:
    return "f32";
  case Element::F64:
    return "f64";
  case Element::I32:
    return "i32";
  case Element::I64:
    return "i64";
  case Element::U8:
    return "u8";
  case Element::Bool:
    return "bool";
  }
  return "?";
}

std::string typeText(Element element, const std::vector<int64_t> &shape) {
  std::string text(elementText(element));
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "[") + std::to_string(shape[i]);
  return shape.empty() ? text : text + "]";
}

} // namespace gradus
