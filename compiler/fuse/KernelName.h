// Readable names for kernels, seen in profiles, plans and the IR.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>

namespace gradus::fuse {

/// Whose work the kernel of `ops` in `step` does, then what it does:
/// `fc1_matmul_add_max` reads parameters of `fc1`, `fc2_backward_matmul_select`
/// those of `fc2` for a derivative, `fc1_W_matmul_update` updates one,
/// `logits_exp_sum` computes a value the source calls `logits`. A letter, a
/// digit or `_` each; never the name of a function of the C library.
std::string kernelName(mlir::func::FuncOp step,
                       llvm::ArrayRef<mlir::Operation *> ops);

} // namespace gradus::fuse
