// The dialect's C++ face: the one header others include.
#pragma once

#include "dialect/Array.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace gradus::graph {

/// Real in, real out, derivative zero: cotangents end here.
template <typename ConcreteOp>
class ZeroDerivative
    : public mlir::OpTrait::TraitBase<ConcreteOp, ZeroDerivative> {};

/// The pullback switches operands on and off: cotangents behind it are masked.
template <typename ConcreteOp>
class Masking : public mlir::OpTrait::TraitBase<ConcreteOp, Masking> {};

/// Whether a value carries derivatives: its elements are real.
inline bool isReal(mlir::Value value) {
  return mlir::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(value));
}

/// The type of the mask that selects among elements of `type`.
inline mlir::Type maskTypeOf(mlir::Type type) {
  return mlir::cast<mlir::RankedTensorType>(type).clone(
      mlir::IntegerType::get(type.getContext(), 1));
}

} // namespace gradus::graph

#include "dialect/GraphDialect.h.inc"
#include "dialect/GraphEnums.h.inc"
#include "dialect/GraphInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialect/GraphOps.h.inc"
