// The speed limit that arithmetic sets: fused multiply-adds that one core
// of this processor can do in a second, measured.
#pragma once

namespace gradus {

/// Flops a second in f32 or f64 (a multiply-add counts as two) of ten
/// independent chains in the widest vectors there are. Takes about a tenth of a
/// millisecond: clocks drift, so it is measured again and again beside what is
/// compared with it.
double measureFmaPeak(bool isDouble = false);

} // namespace gradus
