// Loops whose pullback would keep too much, as segments: only the carried
// values at the beginning of each are kept, and its rounds are run once more on
// the way back (Griewank, Walther: Algorithm 799, revolve, 2000; segments of
// equal length as in Chen et al.: Training Deep Nets with Sublinear Memory
// Cost, 2016).
#pragma once

#include "dialect/Loops.h"

namespace gradus::differentiate {

/// The bytes of carried values that the pullback of `loop` needs to have kept.
int64_t bytesForPullback(graph::LoopOp loop);

/// Replaces `loop` by a loop over segments of about as many rounds as there are
/// segments, fewer segments if not even they fit `budget` bytes; what remains
/// of the rounds follows as a loop of its own. Every segment is marked with its
/// length (`graph.every`).
void checkpoint(graph::LoopOp loop, int64_t budget);

} // namespace gradus::differentiate
