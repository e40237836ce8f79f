// A sample with its derivatives up to the third order, as one function:
//
//   y  = f(x), but `fill` in masked lanes
//   s0 = sum(w (y + k (y^2/2 + y^3/6)))     k = 1: ops that are linear have
//   g1 = the gradient of s0 by x            derivatives of every order, too
//   s1 = sum(g1 v1), g2 = its gradient, s2 = sum(g2 v2), g3 = its gradient
//
// A masked lane of an element-wise sample is one of y; of others one of x,
// where 1 stands in its place.
#pragma once

#include "dialect/Interpreter.h"
#include "test/unit/property/Sample.h"

namespace gradus::property {

/// A point of the whole function. `x` are the arguments of f.
struct Point {
  Arrays x, masks;
  graph::Array w;
  Arrays v1, v2;
  double k = 1;
};

class Orders {
public:
  /// Takes the module of `sample`. If f has no real operand, or its result is
  /// not real, y is all there is.
  explicit Orders(Sample sample);

  bool isDifferentiable() const { return !reals.empty(); }

  /// Smooth, nothing masked.
  Point drawSmooth(Random &random) const;
  /// On seams, k = 0.
  Point drawSeams(Random &random) const;
  /// Smooth, but random lanes are masked; NaN, infinities, 0 and -1 stand
  /// there.
  Point drawMasked(Random &random) const;

  /// The results of the function at a point, evaluated by the interpreter.
  Arrays interpret(const Point &at, graph::Watch watch = {}) const;
  /// All arguments of the function.
  Arrays arguments(const Point &at) const;

  /// The results of the function by what they are.
  double s(const Arrays &results, unsigned order) const;
  /// `order` from 1 to 3: an array for each real argument.
  llvm::ArrayRef<graph::Array> g(const Arrays &results, unsigned order) const;
  /// Which result is the first of them.
  size_t gradientsOf(unsigned order) const {
    return 4 + (order - 1) * reals.size();
  }
  /// "y", "g2[0]": what a result is, for messages.
  std::string nameOf(unsigned result) const;

  Sample sample;
  /// Which arguments of f are real.
  std::vector<unsigned> reals;

private:
  void build();
  Point complete(Arrays x, Random &random) const;

  /// The module with derivatives still to take; what is interpreted has them
  /// taken.
  mlir::OwningOpRef<mlir::ModuleOp> plain;
  std::vector<mlir::RankedTensorType> maskTypes;
  mlir::RankedTensorType resultType;
};

} // namespace gradus::property
