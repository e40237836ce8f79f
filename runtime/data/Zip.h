// The zip format: the first four bytes of its records.
#pragma once

#include <cstdint>

namespace gradus::zip {

inline constexpr uint32_t localHeader = 0x04034B50,
                          directoryHeader = 0x02014B50, endRecord = 0x06054B50,
                          endRecord64 = 0x06064B50, endLocator64 = 0x07064B50;

} // namespace gradus::zip
