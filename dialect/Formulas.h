// The meaning of ops on single elements: Formulas.def as functions, comparison
// and conversion.
#pragma once

#include "dialect/Graph.h"

#include <cmath>

namespace gradus::graph {

/// `Formula<ExpOp>::of(x)` is e^x.
template <typename Op> struct Formula;

#define UNARY(OP, FORMULA)                                                     \
  template <> struct Formula<OP> {                                             \
    static double of(double x) { return FORMULA; }                             \
  };
#define BINARY(OP, FORMULA)                                                    \
  template <> struct Formula<OP> {                                             \
    static double of(double a, double b) { return FORMULA; }                   \
  };
#include "dialect/Formulas.def"

/// `a predicate b`; with NaN only `ne` holds.
template <typename T> bool holds(Predicate predicate, T a, T b) {
  switch (predicate) {
  case Predicate::eq:
    return a == b;
  case Predicate::ne:
    return a != b;
  case Predicate::lt:
    return a < b;
  case Predicate::le:
    return a <= b;
  case Predicate::gt:
    return a > b;
  case Predicate::ge:
    return a >= b;
  }
  llvm_unreachable("a predicate beyond the enumeration");
}

/// A real as an element of type `to`: towards zero, beyond its range its
/// nearest end, NaN as 0; as a truth value whether it is not 0.
int64_t toWhole(double x, mlir::IntegerType to);

/// A whole number as an element of type `to`, modulo its size; as a truth value
/// whether it is not 0.
int64_t wrap(int64_t x, mlir::IntegerType to);

/// What `whole` computes of two elements of type `to`.
int64_t compute(Arithmetic formula, int64_t a, int64_t b, mlir::IntegerType to);

} // namespace gradus::graph
