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
  if (shuffle)
    order = permutation(uint32_t(data.rows),
                        Stream(seed, siteOf("shuffle"), uint32_t(epoch)));
}

int64_t Batches::rowsOf(int64_t index) const {
  return std::min(batch, data.rows - index * batch);
}

void Batches::gather(int64_t index, size_t field, void *destination) const {
  size_t width = size_t(data.fields[field].bytes());
  const char *from = static_cast<const char *>(data.values[field].data());
  size_t first = size_t(index * batch), count = size_t(rowsOf(index));
  if (order.empty()) {
    std::memcpy(destination, from + first * width, count * width);
    return;
  }
  char *to = static_cast<char *>(destination);
  for (size_t i = 0; i < count; ++i)
    std::memcpy(to + i * width, from + order[first + i] * width, width);
}

} // namespace gradus
