// A plain graph as functions of the runtime that are not compiled but evaluated
// by the dialect's interpreter (`gradus run --interpret`, and tests).
#pragma once

#include "runtime/Abi.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <string>

namespace gradus {

/// The public functions of `module`, by their names. They keep it, and need its
/// context.
std::map<std::string, CompiledFunction>
interpretedFunctions(mlir::OwningOpRef<mlir::ModuleOp> module);

} // namespace gradus
