// The passes of the stage `fuse`: a step of graph ops -> kernels, their order,
// and where everything lies. Next: Plan.h reads the outcome.
#pragma once

#include "dialect/Loops.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace gradus::fuse {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/fuse/Passes.h.inc"

} // namespace gradus::fuse
