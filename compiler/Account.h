// What a compiled step costs, before it runs: the arithmetic and the traffic of
// each kernel, divided among the lines of the source it comes from; how long
// each value between kernels lives and where it lies; what fusion spares. Plain
// data for `plan` and `profile`. Read off the planned module (AccountOf.h).
#pragma once

#include "compiler/Source.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gradus {

/// The part of a training step that an op belongs to. Optimizers, clipping and
/// what they evaluate are the update, even a derivative they take.
enum class Phase : uint8_t { Forward, Backward, Update };
inline constexpr std::array<const char *, 3> phaseNames{"forward", "backward",
                                                        "update"};

struct Work {
  /// Multiplications and additions of contractions and of what takes whole
  /// matrices (graph::flopsOf).
  int64_t flops = 0;
  /// Elements that all other ops compute.
  int64_t elements = 0;
  /// Bytes that cross the boundaries of kernels: what a kernel reads and what
  /// it writes, each value once a call; of a gather the rows it takes.
  int64_t bytes = 0;

  Work &operator+=(const Work &other) {
    flops += other.flops;
    elements += other.elements;
    bytes += other.bytes;
    return *this;
  }
  friend Work operator*(Work work, int64_t times) {
    return {work.flops * times, work.elements * times, work.bytes * times};
  }
  friend Work operator+(Work a, const Work &b) { return a += b; }
  bool operator==(const Work &) const = default;
};

/// A line of the user's source; null for what belongs to none.
struct SourceLine {
  const Source *source = nullptr;
  uint32_t number = 0;

  /// Its text without the blanks around it; empty for no line.
  std::string_view text() const;
  /// By file, then by number; no line comes last.
  bool operator<(const SourceLine &other) const;
  bool operator==(const SourceLine &) const = default;
};

/// Work by line and phase.
using LineWork = std::map<std::pair<SourceLine, Phase>, Work>;

/// One call of the step, in all its rounds if it is a loop. The condition of a
/// loop is taken to hold in no step.
struct CallAccount {
  std::string kernel;
  bool isLoop = false;
  /// What fusion spares: values that stay in registers and caches of the
  /// kernel, their bytes, and the traffic they would be.
  int64_t sparedValues = 0, sparedBytes = 0, sparedTraffic = 0;
  /// Sums to `total()`.
  LineWork lines;

  Work total() const;
};

/// A value that lies in the arena.
struct PlannedValue {
  /// What the source calls it, or the kernel that writes it.
  std::string name;
  SourceLine line;
  /// Empty for scratch of a kernel.
  std::vector<int64_t> shape;
  bool isScratch = false;
  int64_t bytes = 0;
  /// Bytes from the start of the arena.
  int64_t offset = 0;
  /// The calls from the one that writes it to the last one that reads it.
  int64_t first = 0, last = 0;
};

struct StepAccount {
  std::vector<CallAccount> calls;
  /// Largest first.
  std::vector<PlannedValue> values;
  int64_t arenaBytes = 0;

  /// Bytes alive during each call.
  std::vector<int64_t> aliveBytes() const;
  LineWork lines() const;
  Work total() const;
};

/// What the machine can do in a second, measured.
struct Peaks {
  double flops = 0, bytes = 0;
};

/// The `seconds` that a call has taken, divided among its lines and phases in
/// the proportions of the times that their work would take at the peaks,
/// arithmetic and traffic added; an element counts as one operation. The parts
/// sum to `seconds`. Equal parts of what has no work; what has no lines is no
/// line's.
std::map<std::pair<SourceLine, Phase>, double>
timesOf(const CallAccount &call, double seconds, const Peaks &peaks);

/// What keeps work from being done faster.
enum class Bound : uint8_t { Compute, Memory, Overhead };
inline constexpr std::array<const char *, 3> boundNames{"compute", "memory",
                                                        "overhead"};

/// The larger of the two times that `work` would take at the peaks says what
/// bounds it; overhead (calls, short loops, waiting for results, functions such
/// as `exp`) if that is less than a quarter of the time taken.
Bound boundOf(const Work &work, double seconds, const Peaks &peaks);

} // namespace gradus
