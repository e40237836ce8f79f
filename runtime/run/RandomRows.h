// Random rows that fit a `data` declaration, for what needs rows but no true
// ones: real fields are standard normal, indices and whole numbers uniform.
#pragma once

#include "runtime/data/Dataset.h"

namespace gradus {

/// `index(K)` below K, `u8` below 256, other whole numbers below 10. The same
/// rows for the same seed.
Dataset randomRows(const DataInfo &info, int64_t rows, uint64_t seed);

} // namespace gradus
