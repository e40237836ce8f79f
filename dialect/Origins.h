// Where an op comes from, kept in its location: a place in the source, the
// calls it was inlined through, and marks of what it was written for.
#pragma once

#include "mlir/IR/Location.h"

namespace gradus::graph {

/// On what a derivative has written.
inline constexpr llvm::StringLiteral derivativeMark = "derivative";
/// On what makes the new value of a parameter or slot from a gradient.
inline constexpr llvm::StringLiteral updateMark = "update";

/// `location` with a mark.
mlir::Location marked(mlir::Location location, llvm::StringRef mark);

/// Whether `location`, or a call it was inlined through, has that mark.
bool isMarked(mlir::Location location, llvm::StringRef mark);

/// Of an op of a function that was inlined for `call`. The name of a value in
/// the source is that of the op, not of the call.
mlir::Location inlinedAt(mlir::Location location, mlir::Location call);

} // namespace gradus::graph
