// The idx format of MNIST: two zero bytes, the element type, the number of
// dims, the dims as big-endian 32-bit numbers, then the values.
#pragma once

#include "runtime/Tensor.h"
#include "runtime/data/Schema.h"

namespace gradus {

/// Reads a file of bytes whose items have the shape of `field`, converted to
/// its element type. Gives [rows, shape...]. Throws E0801, E0808 to E0811 and
/// what readDataFile throws.
Tensor readIdx(const std::string &path, const Field &field);

} // namespace gradus
