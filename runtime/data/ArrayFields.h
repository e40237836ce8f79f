// A field made of an npy array: its type and shape checked, its rows chosen.
#pragma once

#include "runtime/data/Npy.h"
#include "runtime/data/Schema.h"

namespace gradus {

/// How many rows an array has: the length of its first axis. Throws E0810 if
/// what follows is not the shape of the field.
int64_t rowsOf(const NpyArray &array, const Field &field);

/// The values [rows, shape...] of these rows; `missing` replaces NaN and Inf.
/// Throws E0801, E0815, E1007, E1008.
Tensor arrayValues(const NpyArray &array, const Field &field,
                   std::span<const size_t> rows, std::optional<double> missing);

} // namespace gradus
