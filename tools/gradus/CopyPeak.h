// The speed limit that memory sets: bytes that copies can move in a second,
// measured on as many bytes as a step works on, so that they come from the
// caches that hold the step.
#pragma once

#include "runtime/Team.h"
#include "runtime/Tensor.h"

namespace gradus {

class CopyPeak {
public:
  /// For a step that works on `bytes`; at most 128 MiB are taken.
  explicit CopyPeak(int64_t bytes);

  /// Bytes a second, read and written ones, of this thread, or of all of
  /// `team`. Takes about a tenth of a millisecond, or one copy.
  double measure(Team *team = nullptr);

  int64_t bytes() const { return 2 * half; }

private:
  int64_t half, rounds;
  AlignedBytes from, to;
};

} // namespace gradus
