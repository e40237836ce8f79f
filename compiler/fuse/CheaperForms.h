// Rewrites of a step that would harm derivatives or readability earlier, and
// that make its kernels cheaper now. Each keeps values up to rounding.
#pragma once

#include "mlir/IR/Block.h"

namespace gradus::fuse {

/// Applies all of them to a straight line of graph ops, derivatives taken.
void useCheaperForms(mlir::Block &body);

} // namespace gradus::fuse
