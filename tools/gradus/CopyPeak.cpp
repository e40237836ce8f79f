// See CopyPeak.h.
#include "tools/gradus/CopyPeak.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace gradus {

namespace {

constexpr int64_t kLeast = 16 << 10, kMost = 128 << 20;
/// Bytes moved by one measurement, if one copy moves less.
constexpr int64_t kMoved = 2 << 20;

/// Copies buffer 0 to buffer 1, each worker its part, as often as buffer 3
/// says; buffer 2 says how many bytes.
void copyKernel(void *const *buffers, const Worker *worker) {
  auto *from = static_cast<const char *>(buffers[0]);
  auto *to = static_cast<char *>(buffers[1]);
  int64_t bytes = *static_cast<const int64_t *>(buffers[2]);
  int64_t rounds = *static_cast<const int64_t *>(buffers[3]);
  int64_t first = bytes / 64 * worker->number / worker->count * 64;
  int64_t last = bytes / 64 * (worker->number + 1) / worker->count * 64;
  for (int64_t round = 0; round < rounds; ++round) {
    std::memcpy(to + first, from + first, size_t(last - first));
    // Each round has to be done.
    asm volatile("" : : "r"(to) : "memory");
  }
}

} // namespace

CopyPeak::CopyPeak(int64_t bytes)
    : half(std::clamp(bytes, kLeast, kMost) / 128 * 64),
      rounds(std::max<int64_t>(kMoved / (2 * half), 1)), from(half), to(half) {
  std::memset(from.get(), 1, size_t(half));
  std::memset(to.get(), 0, size_t(half));
}

double CopyPeak::measure(Team *team) {
  void *const buffers[] = {from.get(), to.get(), &half, &rounds};
  auto before = std::chrono::steady_clock::now();
  if (team)
    team->run(copyKernel, buffers);
  else
    copyKernel(buffers, &alone);
  double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - before)
          .count();
  return double(2 * half * rounds) / seconds;
}

} // namespace gradus
