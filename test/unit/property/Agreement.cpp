// See Agreement.h.
#include "test/unit/property/Agreement.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <stdexcept>

using namespace mlir;

namespace gradus::property {

//===-- Compiled code -----------------------------------------------------===//

static CompiledFunction compile(const Orders &orders) {
  ModuleOp module = *orders.sample.module;
  // Every other time by two threads, which split what they can.
  static const auto team = std::make_shared<Team>(2, /*worth=*/1);
  static bool isSplit = false;
  CompileOptions options;
  if ((isSplit = !isSplit))
    options.team = team;
  auto functions = compileGraph(OwningOpRef<ModuleOp>(module.clone()), options);
  if (!functions)
    throw std::logic_error(orders.sample.title + " cannot be compiled");
  return std::move(functions->at("f"));
}

Compiled::Compiled(const Orders &orders) : execution(compile(orders)) {
  for (const BufferInfo &buffer : execution.function().buffers)
    tensors.emplace_back(buffer.element, buffer.shape);
  for (size_t i = 0; i < tensors.size(); ++i)
    execution.bind(i, tensors[i]);
  for (Type type : orders.sample.function().getResultTypes())
    resultTypes.push_back(cast<RankedTensorType>(type));
}

Arrays Compiled::run(const Arrays &arguments) {
  for (auto [i, array] : llvm::enumerate(arguments))
    for (int64_t j = 0; j < array.size(); ++j)
      tensors[i].set(j, array.isReal() ? array.reals[j]
                                       : static_cast<double>(array.wholes[j]));
  execution.run();
  Arrays results;
  for (auto [i, type] : llvm::enumerate(resultTypes)) {
    graph::Array &array = results.emplace_back(type);
    const Tensor &tensor = tensors[arguments.size() + i];
    for (int64_t j = 0; j < array.size(); ++j)
      if (array.isReal())
        array.reals[j] = tensor.at(j);
      else
        array.wholes[j] = static_cast<int64_t>(tensor.at(j));
  }
  return results;
}

static void round(graph::Array &array) {
  if (array.type && array.isReal() && array.type.getElementType().isF32())
    for (double &x : array.reals)
      x = static_cast<float>(x);
}

Point rounded(Point point) {
  round(point.w);
  for (Arrays *arrays : {&point.x, &point.v1, &point.v2})
    for (graph::Array &array : *arrays)
      round(array);
  return point;
}

//===-- Bounds ------------------------------------------------------------===//

/// Half a unit in the last place of 1.
static double roundingOf(RankedTensorType type) {
  return type.getElementType().isF32() ? 0x1p-24 : 0x1p-53;
}

/// By how many half units the result of an op may be off; 0 for an op that
/// only chooses, moves or changes signs.
static double inexactness(Operation *op) {
  if (isa<graph::AddOp, graph::SubOp, graph::MulOp, graph::StrongMulOp>(op))
    return 1;
  // May be the product with a reciprocal.
  if (isa<graph::DivOp, graph::SqrtOp>(op))
    return 4;
  if (isa<graph::SumOp, graph::EinsumOp, graph::FoldOp>(op))
    return 4;
  if (isa<graph::ExpOp, graph::Expm1Op, graph::LogOp, graph::Log1pOp,
          graph::TanhOp, graph::ErfOp, graph::SinOp, graph::CosOp,
          graph::AtanOp, graph::PowOp>(op))
    return 8;
  if (auto random = dyn_cast<graph::RandomOp>(op))
    return random.getLaw() == graph::Law::normal ? 8 : 0;
  return 0;
}

/// What the errors of a sum are relative to.
static graph::Array magnitudes(Operation *op, ArrayRef<graph::Array> operands,
                               const graph::Array &result) {
  if (!isa<graph::SumOp, graph::EinsumOp, graph::FoldOp>(op))
    return result;
  Arrays absolute(operands);
  for (graph::Array &array : absolute)
    for (double &x : array.reals)
      x = std::fabs(x);
  return cast<graph::Evaluable>(op).evaluate(absolute)[0];
}

/// What takes whole matrices is off by what small changes of them would do, as
/// elimination is.
static graph::Array ofShifted(Operation *op, ArrayRef<graph::Array> operands,
                              Random &random) {
  Arrays shifted(operands);
  for (graph::Array &array : shifted)
    for (double &x : array.reals)
      x += 4 * roundingOf(array.type) * x * drawReal(random, -1, 1);
  return cast<graph::Evaluable>(op).evaluate(shifted)[0];
}

/// Runs with every inexact result shifted at random.
static Arrays shifted(const Orders &orders, const Point &at, Random &random) {
  return orders.interpret(at, [&](Operation *op,
                                  ArrayRef<graph::Array> operands,
                                  MutableArrayRef<graph::Array> results) {
    graph::Array &y = results[0];
    if (!y.isReal())
      return;
    if (isa<graph::SolveOp, graph::CholeskyOp>(op)) {
      y = ofShifted(op, operands, random);
    } else if (double units = inexactness(op)) {
      graph::Array scale = magnitudes(op, operands, y);
      for (int64_t i = 0; i < y.size(); ++i)
        if (std::isfinite(y.reals[i]))
          y.reals[i] += units * roundingOf(y.type) * scale.reals[i] *
                        drawReal(random, -1, 1);
    }
    if (y.type.getElementType().isF32())
      for (double &x : y.reals)
        x = static_cast<float>(x);
  });
}

Estimate estimate(const Orders &orders, const Point &at, Random &random) {
  Estimate estimate;
  estimate.exact = orders.interpret(at);
  for (const graph::Array &array : estimate.exact)
    estimate.bound.emplace_back(array.reals.size());
  for (int run = 0; run < 6; ++run) {
    Arrays changed = shifted(orders, at, random);
    for (auto [i, array] : llvm::enumerate(estimate.exact))
      for (size_t j = 0; j < array.reals.size(); ++j) {
        double exact = array.reals[j], other = changed[i].reals[j];
        if (!std::isfinite(exact) && !std::isfinite(other))
          continue;
        double &bound = estimate.bound[i][j];
        bound = std::max(bound, std::isfinite(exact) && std::isfinite(other)
                                    ? 8 * std::fabs(exact - other)
                                    : INFINITY);
      }
  }
  for (auto [i, array] : llvm::enumerate(estimate.exact))
    for (size_t j = 0; j < array.reals.size(); ++j)
      if (std::isfinite(array.reals[j]))
        // What is less than the least normal number may become 0.
        estimate.bound[i][j] +=
            4 * roundingOf(array.type) * std::fabs(array.reals[j]) +
            (array.type.getElementType().isF32() ? 0x1p-126 : 0x1p-1022);
  return estimate;
}

void expectAgreement(const Orders &orders, const Estimate &expected,
                     const Arrays &found, const std::string &where) {
  for (auto [i, array] : llvm::enumerate(expected.exact)) {
    std::string name = where + ": " + orders.nameOf(i);
    EXPECT_EQ(array.wholes, found[i].wholes) << name;
    for (size_t j = 0; j < array.reals.size(); ++j) {
      double exact = array.reals[j], other = found[i].reals[j];
      double bound = expected.bound[i][j];
      bool agrees = std::isinf(bound)   ? true
                    : std::isnan(exact) ? std::isnan(other)
                    : std::isinf(exact) ? exact == other
                                        : std::fabs(exact - other) <= bound;
      EXPECT_TRUE(agrees) << fmt::format(
          "{} element {}: interpreted {}, compiled {}, bound {}", name, j,
          exact, other, bound);
    }
  }
}

} // namespace gradus::property
