// The value of a tensor while a graph is interpreted: real elements in double
// whatever their type, whole numbers and truth values exactly, in row-major
// order. And the walks over indices that the semantics of ops are written with.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <vector>

namespace gradus::graph {

struct Array {
  Array() = default;
  /// Zeros.
  explicit Array(mlir::RankedTensorType type);

  bool isReal() const {
    return mlir::isa<mlir::FloatType>(type.getElementType());
  }
  llvm::ArrayRef<int64_t> shape() const { return type.getShape(); }
  int64_t size() const { return type.getNumElements(); }

  mlir::RankedTensorType type;
  /// The elements if they are real; else empty.
  std::vector<double> reals;
  /// The elements if they are not: `i1` as 0 and 1, `ui8` as 0 to 255.
  std::vector<int64_t> wholes;
};

/// Visits every index of a shape, the last axis fastest.
void forEachIndex(
    llvm::ArrayRef<int64_t> shape,
    llvm::function_ref<void(llvm::ArrayRef<int64_t> index)> visit);

/// Where the element at `index` lies in row-major order.
int64_t offsetOf(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> index);

} // namespace gradus::graph
