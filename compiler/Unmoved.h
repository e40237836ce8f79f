// Parameters that a training step does not move: their derivatives are zero
// whatever the values are, or their updates change nothing. Nothing is wrong
// with such a model, but its author hardly meant it.
#pragma once

#include "compiler/Places.h"
#include "compiler/construct/Construct.h"

#include "mlir/IR/BuiltinOps.h"

namespace gradus {

/// Where derivatives from a parameter to the loss end, in graphs whose
/// gradients are not taken yet: at products with zero and at functions whose
/// `backward` is zero. Keyed by check and parameter.
using Blocks = std::map<std::pair<std::string, std::string>,
                        std::vector<std::pair<Range, std::string>>>;
Blocks findBlocks(mlir::ModuleOp checks, const Places &places);

/// Warns of the parameters of each `minimize` that do not move. `gradients`
/// holds the functions of `checks`, `step` the function `step`, both of plain
/// graphs that have been simplified.
void warnOfUnmoved(mlir::ModuleOp gradients, mlir::ModuleOp step,
                   const std::vector<construct::CheckedDerivative> &checks,
                   const Blocks &blocks, const typed::Train &train,
                   Diagnostics &diagnostics);

} // namespace gradus
