// The C functions that a graph calls, found in the libraries their declarations
// name.
#pragma once

#include "compiler/Diagnostics.h"
#include "compiler/check/TypedAst.h"
#include "runtime/Libraries.h"

#include "mlir/IR/BuiltinOps.h"

#include <map>
#include <string>

namespace gradus {

/// Addresses for every `graph.extern` of `graph`, by `LIBRARY:SYMBOL`. Null
/// `libraries`: they are not allowed. Reports E0608 to E0610.
std::map<std::string, void *> findExterns(mlir::ModuleOp graph,
                                          const typed::Program &program,
                                          Libraries *libraries,
                                          Diagnostics &diagnostics);

} // namespace gradus
