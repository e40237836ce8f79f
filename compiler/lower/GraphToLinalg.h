// What the families of patterns graph -> linalg share: how elements are stored,
// and the two forms of `linalg.generic` that nearly all ops become.
// Next: Pointwise, Movement, Reduction, Contraction.
#pragma once

#include "dialect/Graph.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/Transforms/DialectConversion.h"

namespace gradus::lower {

/// Tensors of `i1` and `ui8` are stored as tensors of `i8`, one byte an
/// element; a boolean is 0 or 1. Everything else is stored as it is.
class StorageTypes : public mlir::TypeConverter {
public:
  StorageTypes();

  /// The stored form of a type of a graph value.
  mlir::RankedTensorType storedTensor(mlir::Type type) const {
    return mlir::cast<mlir::RankedTensorType>(convertType(type));
  }
};

/// The scalar form of an op: stored elements in, stored element out.
using Body = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                            mlir::ValueRange)>;

/// `y[i] = body(x0[map0(i)], x1[map1(i)], ...)` over the indices of the stored
/// type `type`. An operand that is a splat constant becomes a scalar inside
/// the body instead of an input.
mlir::Value mapElements(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::RankedTensorType type, mlir::ValueRange operands,
                        llvm::ArrayRef<mlir::AffineMap> maps, Body body);

/// A tensor of `type` that holds the number `value` everywhere: what a
/// reduction starts from.
mlir::Value filled(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::RankedTensorType type, mlir::TypedAttr value);

/// The map (d0, ..., d<rank-1>) -> the axes that are not in `dims`.
mlir::AffineMap dropAxes(mlir::MLIRContext *context, int64_t rank,
                         llvm::ArrayRef<int64_t> dims);

/// constant, iota; element-wise ops.
void populatePointwisePatterns(const StorageTypes &types,
                               mlir::RewritePatternSet &patterns);
/// broadcast, transpose, reshape, slice, pad, concat.
void populateMovementPatterns(const StorageTypes &types,
                              mlir::RewritePatternSet &patterns);
/// unfold, fold.
void populateWindowPatterns(const StorageTypes &types,
                            mlir::RewritePatternSet &patterns);
/// sum, reduce_max, argmax.
void populateReductionPatterns(const StorageTypes &types,
                               mlir::RewritePatternSet &patterns);
/// gather, scatter_add.
void populateGatheringPatterns(const StorageTypes &types,
                               mlir::RewritePatternSet &patterns);
/// solve, cholesky, extern: calls of C functions on buffers.
void populateNativeCallPatterns(const StorageTypes &types,
                                mlir::RewritePatternSet &patterns);
/// random.
void populateDrawingPatterns(const StorageTypes &types,
                             mlir::RewritePatternSet &patterns);
/// einsum.
void populateContractionPatterns(const StorageTypes &types,
                                 mlir::RewritePatternSet &patterns);

} // namespace gradus::lower
