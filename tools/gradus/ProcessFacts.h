// What the operating system knows about this process.
#pragma once

#include <cstdint>

namespace gradus {

/// The most memory this process has held, in bytes, mapped files included.
int64_t peakMemory();
/// Memory of its own that this process holds now, in bytes: no mapped files.
int64_t anonymousMemory();
/// Since the process was started, its loading included; to a hundredth of a
/// second.
double secondsSinceProcessStart();

} // namespace gradus
