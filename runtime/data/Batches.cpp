#include "runtime/data/Batches.h"

#include "runtime/Random.h"

#include <algorithm>
#include <cstring>

namespace gradus {

Batches::Batches(const Dataset &rows, int64_t batch, bool shuffle,
                 uint64_t seed)
    : data(rows), batch(std::min(batch, rows.rows)), shuffle(shuffle),
      seed(seed) {}

void Batches::startEpoch(int64_t epoch) {
  if (!shuffle)
    return;
  order = permutation(uint32_t(data.rows),
                      Stream(seed, siteOf("shuffle"), uint32_t(epoch)));
  if (data.windows)
    offset = int64_t(Stream(seed, siteOf("window"), uint32_t(epoch))
                         .below(0, uint64_t(data.windows->stride)));
}

int64_t Batches::rowsOf(int64_t index) const {
  return std::min(batch, data.rows - index * batch);
}

/// The text as numbers of 32 bits.
static void widen(const Tensor &text, int64_t begin, int64_t length,
                  int32_t *to) {
  if (text.element() == Element::U8)
    std::copy_n(text.as<uint8_t>().data() + begin, length, to);
  else
    std::copy_n(text.as<int32_t>().data() + begin, length, to);
}

void Batches::gatherWindows(size_t first, size_t count,
                            void *destination) const {
  auto [length, stride] = *data.windows;
  const Tensor &text = data.values.front();
  auto *to = static_cast<int32_t *>(destination);
  for (size_t i = first; i < first + count; ++i, to += length) {
    int64_t begin = offset + int64_t(order.empty() ? i : order[i]) * stride;
    // The one that the offset has pushed over the end takes the head, where
    // the offset has left room.
    widen(text, begin + length > text.elements() ? 0 : begin, length, to);
  }
}

void Batches::gather(int64_t index, size_t field, void *destination) const {
  size_t first = size_t(index * batch), count = size_t(rowsOf(index));
  if (data.windows)
    return gatherWindows(first, count, destination);
  size_t width = size_t(data.fields[field].bytes());
  const char *from = static_cast<const char *>(data.values[field].data());
  if (order.empty()) {
    std::memcpy(destination, from + first * width, count * width);
    return;
  }
  char *to = static_cast<char *>(destination);
  for (size_t i = 0; i < count; ++i)
    std::memcpy(to + i * width, from + order[first + i] * width, width);
}

} // namespace gradus
