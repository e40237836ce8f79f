// Which rows of a file make a split: a range of them, or a random part.
#pragma once

#include "runtime/data/Schema.h"

namespace gradus {

/// Counts a negative number from the end, as slices do.
int64_t fromStart(int64_t number, int64_t count);

/// The rows of a split in ascending order; the file at `path` has `count` of
/// them. Throws E0820, E0821, E0826.
std::vector<size_t> chosenRows(const std::string &path, int64_t count,
                               const RowChoice &choice);

} // namespace gradus
