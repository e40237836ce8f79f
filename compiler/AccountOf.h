// A planned function -> its account.
#pragma once

#include "compiler/Account.h"
#include "compiler/Places.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace gradus {

/// Of `step`, with or without a memory plan: without, nothing is known of its
/// values but their work.
StepAccount accountOf(mlir::func::FuncOp step, const Places &places);

} // namespace gradus
