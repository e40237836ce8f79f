// Compiled code against the interpreter: what a result may differ by, and what
// it does.
#pragma once

#include "test/unit/property/Orders.h"

#include "compiler/Compiler.h"
#include "runtime/Execution.h"

namespace gradus::property {

/// A sample with its derivatives, compiled as a model is.
class Compiled {
public:
  explicit Compiled(const Orders &orders);

  Arrays run(const Arrays &arguments);

private:
  Execution execution;
  std::vector<Tensor> tensors;
  std::vector<mlir::RankedTensorType> resultTypes;
};

/// The point with every number as its type holds it.
Point rounded(Point point);

/// What a result is, and how far from it compiled code may be.
struct Estimate {
  Arrays exact;
  /// For each result and element; infinite where nothing can be said, as
  /// numbers overflow the type on the way.
  std::vector<std::vector<double>> bound;
};

/// The bound is stated in terms of rounding: the interpreter runs with the
/// result of every inexact op shifted at random by a few units in the last
/// place of its type (of sums: of the sum of the magnitudes). Compiled code may
/// be off by 8 times the largest change seen in 6 such runs, and 4 units.
Estimate estimate(const Orders &orders, const Point &at, Random &random);

/// Fails the test for each element beyond its bound. Infinities, NaN, whole
/// numbers and truth values have to be the same.
void expectAgreement(const Orders &orders, const Estimate &expected,
                     const Arrays &found, const std::string &where);

} // namespace gradus::property
