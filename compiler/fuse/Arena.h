// Where values with lifetimes lie in one block of memory. Pure; no MLIR in it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradus::fuse {

/// Everything in the arena starts at a multiple of this many bytes.
inline constexpr int64_t kAlignment = 64;

/// A value from the call that writes it to the last call that reads it, both
/// included.
struct Lifetime {
  int64_t first = 0, last = 0;
  int64_t bytes = 0;
};

struct ArenaLayout {
  /// One for each value, a multiple of `kAlignment`.
  std::vector<int64_t> offsets;
  /// The size of the arena, a multiple of `kAlignment`.
  int64_t bytes = 0;
};

/// Greedy by size (Pisarchyk, Lee: Efficient Memory Management for Deep Neural
/// Net Inference, 2020, section 5.2): the largest value first, each at the
/// smallest gap that holds it between the values placed already that are alive
/// at the same time, else behind them.
ArenaLayout layOut(std::span<const Lifetime> values);

} // namespace gradus::fuse
