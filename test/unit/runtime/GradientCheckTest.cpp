#include "runtime/run/GradientCheck.h"

#include "runtime/Random.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace gradus;

namespace {

/// f = sum of sin(x_i) exp(s y), with its gradient.
struct Example {
  Tensor x{Element::F64, {20, 50}}, y = Tensor::scalar(Element::F64, 0.5);

  Example() { fillNormal(x, Stream(1, 2), 0, 1); }
  double value() const {
    double sum = 0;
    for (double one : x.as<double>())
      sum += std::sin(one);
    return sum * std::exp(2 * y.at(0));
  }
  GradientProblem problem() {
    GradientProblem problem;
    Tensor dx(Element::F64, x.shape());
    for (int64_t i = 0; i < x.elements(); ++i)
      dx.set(i, std::cos(x.at(i)) * std::exp(2 * y.at(0)));
    problem.inputs.push_back({"x", &x, std::move(dx)});
    problem.inputs.push_back(
        {"y", &y, Tensor::scalar(Element::F64, 2 * value())});
    problem.value = [this] { return value(); };
    return problem;
  }
};

} // namespace

TEST(GradientCheck, FindsARightGradientRight) {
  Example example;
  Tensor before = example.x.copy();
  GradientProblem problem = example.problem();
  for (int64_t samples : {int64_t(0), int64_t(17)}) {
    auto rows = checkGradient(problem, {samples, 3});
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].name, "x");
    EXPECT_EQ(rows[0].checked, samples ? samples : 1000);
    EXPECT_EQ(rows[1].checked, 1);
    for (const GradientRow &row : rows) {
      EXPECT_EQ(row.verdict, SlopeVerdict::Ok) << row.name;
      EXPECT_LT(row.relative, 1e-5) << row.name;
      EXPECT_NEAR(row.slope, 2, 0.2) << row.name;
      EXPECT_FALSE(row.isZero);
    }
  }
  EXPECT_EQ(std::memcmp(before.data(), example.x.data(), before.bytes()), 0);
}

TEST(GradientCheck, NamesTheWorstElement) {
  Example example;
  GradientProblem problem = example.problem();
  Tensor &dx = problem.inputs[0].gradient;
  dx.set(317, 1.001 * dx.at(317));
  dx.set(500, 1.03 * dx.at(500));
  GradientRow row = checkGradient(problem, {0, 0})[0];
  EXPECT_EQ(row.verdict, SlopeVerdict::Wrong);
  EXPECT_EQ(row.counts[size_t(SlopeVerdict::Wrong)], 2);
  EXPECT_EQ(row.worst, 500);
  EXPECT_NEAR(row.slope, 1, 0.05);
  EXPECT_NEAR(row.relative, 0.03 / 1.03, 1e-6);
  EXPECT_NEAR(row.analytic / row.numeric, 1.03, 1e-6);
  EXPECT_EQ(indexText(row.worst, row.shape), "[10, 0]");
}

TEST(GradientCheck, SeesTheElementsThatAreNotSampledAlongADirection) {
  Example example;
  GradientProblem problem = example.problem();
  Tensor &dx = problem.inputs[0].gradient;
  for (int64_t i = 0; i < dx.elements(); ++i)
    dx.set(i, dx.at(i) + (i % 2 ? 0 : 0.2));
  // With one sample in a thousand it is the direction that finds some errors.
  int found = 0, direction = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    GradientRow row = checkGradient(problem, {1, seed})[0];
    found += row.verdict == SlopeVerdict::Wrong;
    direction += row.worst == -1;
  }
  EXPECT_EQ(found, 20);
  EXPECT_GT(direction, 0);
}

TEST(GradientCheck, SaysWhichDerivativesAreZero) {
  Tensor x(Element::F64, {3});
  GradientProblem problem;
  problem.inputs.push_back({"x", &x, Tensor(Element::F64, {3})});
  problem.value = [] { return 2.; };
  GradientRow row = checkGradient(problem, {0, 0})[0];
  EXPECT_EQ(row.verdict, SlopeVerdict::Ok);
  EXPECT_TRUE(row.isZero);
  EXPECT_EQ(row.absolute, 0);
}

TEST(GradientCheck, NumbersThatAreSingleInsideAreNoError) {
  Tensor x(Element::F64, {10});
  fillNormal(x, Stream(4, 2), 0, 1);
  for (double factor : {1., 1.01}) {
    Tensor dx(Element::F64, {10});
    for (int64_t i = 0; i < 10; ++i)
      dx.set(i, factor * std::exp(x.at(i)));
    GradientProblem problem;
    problem.inputs.push_back({"x", &x, std::move(dx)});
    problem.value = [&] {
      double sum = 0;
      for (double one : x.as<double>())
        sum += std::exp(float(one));
      return sum;
    };
    SlopeVerdict verdict = checkGradient(problem, {0, 0})[0].verdict;
    EXPECT_EQ(verdict == SlopeVerdict::Wrong, factor != 1) << str(verdict);
  }
}

TEST(GradientCheck, AKinkAmongOthersLeavesTheTensorRight) {
  Tensor x(Element::F64, {2});
  x.set(0, 0);
  x.set(1, 2);
  Tensor dx(Element::F64, {2});
  dx.set(1, 1);
  GradientProblem problem;
  problem.inputs.push_back({"x", &x, std::move(dx)});
  problem.value = [&] { return std::max(x.at(0), 0.) + std::max(x.at(1), 0.); };
  GradientRow row = checkGradient(problem, {0, 0})[0];
  EXPECT_EQ(row.verdict, SlopeVerdict::Ok);
  EXPECT_EQ(row.counts[size_t(SlopeVerdict::Kink)], 1);
  EXPECT_LT(row.absolute, 1e-6);
}

TEST(GradientCheck, AnElementMuchSmallerThanTheOthersIsNoError) {
  Tensor x(Element::F64, {2});
  x.set(0, 1e-8);
  x.set(1, 1);
  for (double factor : {1., 1.01}) {
    Tensor dx(Element::F64, {2});
    for (int64_t i : {0, 1})
      dx.set(i, factor / x.at(i));
    GradientProblem problem;
    problem.inputs.push_back({"x", &x, std::move(dx)});
    problem.value = [&] { return std::log(x.at(0)) + std::log(x.at(1)); };
    SlopeVerdict verdict = checkGradient(problem, {0, 0})[0].verdict;
    EXPECT_EQ(verdict == SlopeVerdict::Wrong, factor != 1) << str(verdict);
  }
}

TEST(GradientCheck, WritesIndicesAsTheModelDoes) {
  EXPECT_EQ(indexText(0, {}), "");
  EXPECT_EQ(indexText(5, {7}), "[5]");
  EXPECT_EQ(indexText(23, {2, 3, 4}), "[1, 2, 3]");
}
