// Greedy by size: see Arena.h.
#include "compiler/fuse/Arena.h"

#include <algorithm>
#include <numeric>

namespace gradus::fuse {

static int64_t alignUp(int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

ArenaLayout layOut(std::span<const Lifetime> values) {
  std::vector<size_t> bySize(values.size());
  std::iota(bySize.begin(), bySize.end(), size_t(0));
  std::sort(bySize.begin(), bySize.end(), [&](size_t a, size_t b) {
    return std::pair(-values[a].bytes, a) < std::pair(-values[b].bytes, b);
  });

  ArenaLayout layout;
  layout.offsets.resize(values.size());
  std::vector<size_t> placed; // by offset
  for (size_t value : bySize) {
    const Lifetime &life = values[value];
    int64_t size = alignUp(life.bytes), end = 0;
    int64_t best = -1, bestGap = 0;
    for (size_t other : placed) {
      if (values[other].last < life.first || life.last < values[other].first)
        continue;
      int64_t gap = layout.offsets[other] - end;
      if (gap >= size && (best < 0 || gap < bestGap)) {
        best = end;
        bestGap = gap;
      }
      end = std::max(end, layout.offsets[other] + alignUp(values[other].bytes));
    }
    layout.offsets[value] = best < 0 ? end : best;
    layout.bytes = std::max(layout.bytes, layout.offsets[value] + size);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), value,
                                   [&](size_t a, size_t b) {
                                     return layout.offsets[a] <
                                            layout.offsets[b];
                                   }),
                  value);
  }
  return layout;
}

} // namespace gradus::fuse
