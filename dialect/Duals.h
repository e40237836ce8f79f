// What the tables Derivatives.td and Identities.td call by name: constants and
// the attributes of an op's transpose.
#pragma once

#include "dialect/Graph.h"

namespace gradus::graph {

/// A splat constant of the type of `like`; whole numbers for integer types.
mlir::Value fillLike(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value like, double value);

/// The same as an attribute of the tensor type `type`.
mlir::DenseElementsAttr splatOf(mlir::Type type, double value);

/// The permutation that undoes `permutation`.
mlir::DenseI64ArrayAttr inversePermutation(mlir::Builder &builder,
                                           mlir::DenseI64ArrayAttr permutation);

/// The permutation that applies `first`, then `second`.
mlir::DenseI64ArrayAttr composePermutations(mlir::Builder &builder,
                                            mlir::DenseI64ArrayAttr first,
                                            mlir::DenseI64ArrayAttr second);

/// The spec of the cotangent of operand a, as einsum(dy, b).
mlir::StringAttr einsumWrtA(mlir::Builder &builder, mlir::StringAttr spec);
/// The spec of the cotangent of operand b, as einsum(dy, a).
mlir::StringAttr einsumWrtB(mlir::Builder &builder, mlir::StringAttr spec);

/// Whether y has the indices of a, or of b, and no others: if the other operand
/// is 1, it is that operand with its axes in another order, which is the
/// second.
bool onlyOrders(mlir::StringAttr spec, bool ofA);
mlir::DenseI64ArrayAttr orderInResult(mlir::Builder &builder,
                                      mlir::StringAttr spec, bool ofA);

/// The sizes of the axes `dims` of x.
mlir::DenseI64ArrayAttr sizesAlong(mlir::Builder &builder, mlir::Value x,
                                   mlir::DenseI64ArrayAttr dims);
/// The shape of x.
mlir::DenseI64ArrayAttr shapeOf(mlir::Builder &builder, mlir::Value x);
/// The element type of x.
mlir::TypeAttr elementOf(mlir::Value x);
/// The size of the first axis of x.
mlir::IntegerAttr rowsOf(mlir::Builder &builder, mlir::Value x);
/// What lies behind the box [offsets, offsets + sizes) on each axis of x.
mlir::DenseI64ArrayAttr roomAfter(mlir::Builder &builder, mlir::Value x,
                                  mlir::DenseI64ArrayAttr offsets,
                                  mlir::DenseI64ArrayAttr sizes);

/// The sizes of the last axes of x, one for each of `dims`: the taps of a fold.
mlir::DenseI64ArrayAttr tapsOf(mlir::Builder &builder, mlir::Value x,
                               mlir::DenseI64ArrayAttr dims);

/// `ij,jk->ik` for matrices with the leading axes of x, which are the same in
/// all three.
mlir::StringAttr matrixSpec(mlir::Builder &builder, mlir::Value x,
                            llvm::StringRef spec);
/// The permutation that exchanges the last two axes of x.
mlir::DenseI64ArrayAttr swapLastAxes(mlir::Builder &builder, mlir::Value x);
/// Like x, with 1 below the diagonal of each matrix, 1/2 on it and 0 above.
mlir::Value halfLower(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value x);

/// Whether x is a splat constant that is neither zero, infinite nor NaN.
bool isFiniteNonzeroSplat(mlir::Value x);

} // namespace gradus::graph
