// Under which key the code of a graph is kept: the text of the graph, and
// whatever else its code depends on.
#pragma once

#include "compiler/CacheFolder.h"
#include "compiler/Compiler.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Location.h"

namespace gradus {

/// Where an op stands, `FILE:LINE`; empty if it comes from no source.
std::string placeOf(mlir::Location location);

/// The key of what is made of `graphs` under these options, and of `more`.
///
/// Of locations only what code shows is part of it: names that kernels are
/// called after, and the places of loops. So a comment that is added, or the
/// same model in another folder, changes nothing.
CacheKey graphKey(llvm::ArrayRef<mlir::ModuleOp> graphs,
                  const CompileOptions &options, llvm::StringRef more = "");

} // namespace gradus
