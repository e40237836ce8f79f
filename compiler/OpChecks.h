// A function whose derivatives are taken, as the ops it is made of: each
// becomes a function of its own with the value of the op and one with its
// pullback, to be held against differences on the values that the op has in the
// whole. So a wrong derivative is traced to the rule that makes it wrong.
#pragma once

#include "compiler/CheckedOp.h"
#include "compiler/Places.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <vector>

namespace gradus {

/// The ops behind the result `loss` of `function`, each once for every place
/// where it stands; of a loop also those of its body, in the first round and
/// the last. Gives a module with the function `values` and those of the ops,
/// equal ones once; null if a derivative in `function` cannot be taken. Changes
/// `module`.
mlir::OwningOpRef<mlir::ModuleOp> separateOps(mlir::ModuleOp module,
                                              llvm::StringRef function,
                                              const Places &places,
                                              std::vector<CheckedOp> &ops);

} // namespace gradus
