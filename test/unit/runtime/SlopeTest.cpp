#include "runtime/run/Slope.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace gradus;

namespace {

/// The verdict on `analytic` as the derivative of f at 0.
SlopeVerdict judge(const std::function<double(double)> &f, double analytic,
                   double scale = 1, double noise = 0) {
  SlopeProblem problem;
  problem.f = [&](double &step) { return f(step); };
  problem.atZero = f(0);
  problem.scale = scale;
  problem.noise = std::max(noise, std::abs(f(0)) * 0x1p-52);
  problem.analytic = analytic;
  return compareSlope(problem).verdict;
}

constexpr SlopeVerdict ok = SlopeVerdict::Ok, noise = SlopeVerdict::Noise,
                       kink = SlopeVerdict::Kink, wrong = SlopeVerdict::Wrong;

} // namespace

TEST(Slope, FindsErrorsOfATenthOfAPerCentInSmoothFunctions) {
  struct Smooth {
    std::function<double(double)> f;
    double slope;
  };
  const Smooth cases[] = {
      {[](double x) { return std::exp(x); }, 1},
      {[](double x) { return std::sin(3 * x + 1); }, 3 * std::cos(1)},
      {[](double x) { return std::log(2 + x); }, 0.5},
      {[](double x) { return std::pow(x + 1, 7) * 1e-9; }, 7e-9},
      {[](double x) { return std::tanh(40 * x); }, 40},
      {[](double x) { return 5 - 1e-3 * x; }, -1e-3},
  };
  for (const Smooth &one : cases) {
    EXPECT_EQ(judge(one.f, one.slope), ok) << one.slope;
    EXPECT_EQ(judge(one.f, 1.001 * one.slope), wrong) << one.slope;
    EXPECT_EQ(judge(one.f, 1.03 * one.slope), wrong) << one.slope;
    EXPECT_EQ(judge(one.f, -one.slope), wrong) << one.slope;
    EXPECT_EQ(judge(one.f, 0), wrong) << one.slope;
    EXPECT_EQ(judge(one.f, std::nan("")), wrong) << one.slope;
    EXPECT_EQ(judge(one.f, INFINITY), wrong) << one.slope;
  }
}

TEST(Slope, ZeroIsRightWhereNothingChanges) {
  EXPECT_EQ(judge([](double) { return 3.; }, 0), ok);
  EXPECT_EQ(judge([](double) { return 0.; }, 0), ok);
  EXPECT_EQ(judge([](double x) { return 1 + x * x; }, 0), ok);
  EXPECT_EQ(judge([](double) { return 3.; }, 1e-3), wrong);
}

TEST(Slope, AtAKinkAnythingBetweenBothSidesIsRight) {
  auto relu = [](double x) { return std::max(x, 0.); };
  EXPECT_EQ(judge(relu, 0), kink);
  EXPECT_EQ(judge(relu, 1), kink);
  EXPECT_EQ(judge(relu, 0.5), kink); // as for a tie of max
  EXPECT_EQ(judge(relu, 1.03), wrong);
  EXPECT_EQ(judge(relu, -0.03), wrong);
  auto abs = [](double x) { return std::abs(x) + x * x; };
  EXPECT_EQ(judge(abs, 0), kink);
  EXPECT_EQ(judge(abs, 2), wrong);
}

TEST(Slope, AKinkNearbyIsNoError) {
  for (double distance : {1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12}) {
    auto relu = [&](double x) { return 1 + std::max(x + distance, 0.); };
    EXPECT_LE(judge(relu, 1), kink) << distance;
    EXPECT_EQ(judge(relu, 1.03), wrong) << distance;
  }
  auto far = [](double x) { return std::max(x + 1e-4, 0.); };
  EXPECT_EQ(judge(far, 1), ok);
  EXPECT_EQ(judge(far, 0), wrong);
}

TEST(Slope, AJumpIsNoError) {
  auto step = [](double x) { return x >= 0 ? 1 + 2 * x : 2 * x; };
  EXPECT_EQ(judge(step, 2), kink);
  for (double distance : {1e-3, 1e-6, 1e-9})
    EXPECT_LE(judge([&](double x) { return step(x - distance); }, 2), kink)
        << distance;
}

TEST(Slope, LargeValuesAreNoError) {
  auto large = [](double x) { return 1e8 + 2 * x + 3 * x * x; };
  EXPECT_EQ(judge(large, 2), ok);
  EXPECT_EQ(judge(large, 2.06), wrong);
  auto huge = [](double x) { return 1e13 + 2 * x; };
  EXPECT_EQ(judge(huge, 2), noise);
  EXPECT_EQ(judge(huge, 0), ok); // nothing tells it from zero
}

TEST(Slope, SinglePrecisionIsNoError) {
  auto f = [](double x) { return double(float(std::exp(float(x)))); };
  EXPECT_LE(judge(f, 1, 1, 3e-8), noise);
  EXPECT_EQ(judge(f, 1.03, 1, 3e-8), wrong);
  auto g = [](double x) { return double(float(100 + 1e-4 * x)); };
  EXPECT_EQ(judge(g, 1e-4, 1, 4e-6), noise);
}

TEST(Slope, ADomainThatEndsNearbyIsNoError) {
  for (double x : {1., 1e-2, 1e-4}) {
    EXPECT_EQ(judge([x](double s) { return std::log(x + s); }, 1 / x), ok) << x;
    EXPECT_EQ(judge([x](double s) { return std::log(x + s); }, 1.03 / x), wrong)
        << x;
  }
}

TEST(Slope, GivesNoFalseAlarmOnRandomNetworks) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  int verdicts[4] = {};
  for (int trial = 0; trial < 2000; ++trial) {
    // Twenty units of max(a + b s, 0), squared error.
    double a[20], b[20], c[20], target = normal(random);
    for (int i = 0; i < 20; ++i) {
      a[i] = normal(random);
      b[i] = normal(random);
      c[i] = normal(random) * 0.2;
    }
    auto f = [&](double s) {
      double sum = -target;
      for (int i = 0; i < 20; ++i)
        sum += c[i] * std::max(a[i] + b[i] * s, 0.);
      return sum * sum;
    };
    double sum = -target, slope = 0;
    for (int i = 0; i < 20; ++i)
      if (a[i] > 0) {
        sum += c[i] * a[i];
        slope += c[i] * b[i];
      }
    ++verdicts[int(judge(f, 2 * sum * slope, 1, std::abs(sum) * 1e-16))];
    EXPECT_EQ(judge(f, 2.06 * sum * slope, 1, std::abs(sum) * 1e-16), wrong);
  }
  EXPECT_EQ(verdicts[int(wrong)], 0);
  EXPECT_GT(verdicts[int(ok)], 1990);
}

TEST(Slope, TheRemainderFallsWithTheSquareWhereTheDerivativeIsRight) {
  auto slopeFor = [](const std::function<double(double)> &f, double analytic) {
    SlopeProblem problem;
    problem.f = [&](double &step) { return f(step); };
    problem.atZero = f(0);
    problem.noise = std::abs(f(0)) * 0x1p-53;
    problem.analytic = analytic;
    return remainderSlope(problem);
  };
  auto exp = [](double x) { return std::exp(x); };
  EXPECT_NEAR(slopeFor(exp, 1), 2, 0.1);
  for (double factor : {1.001, 1.01, 1.03, 1.1, 0.97, 0., -1.})
    EXPECT_NEAR(slopeFor(exp, factor), 1, 0.05) << factor;
  EXPECT_NEAR(slopeFor([](double x) { return std::sin(x); }, 1), 3, 0.1);
  EXPECT_NEAR(slopeFor([](double x) { return std::max(x, 0.); }, 0), 1, 1e-9);
  EXPECT_NEAR(slopeFor([](double x) { return std::abs(x) * x; }, 0), 2, 0.1);
  // A line, and a jump.
  EXPECT_TRUE(std::isnan(slopeFor([](double x) { return 5 - 3 * x; }, -3)));
  EXPECT_NEAR(slopeFor([](double x) { return x > 0 ? 1. : 0.; }, 0), 0, 1e-9);
}

TEST(Noise, IsFoundInATableOfDifferences) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  for (double sigma : {1e-3, 1e-6, 1e-9}) {
    double worst = 0, least = 1;
    for (int trial = 0; trial < 100; ++trial) {
      double values[7];
      for (int i = 0; i < 7; ++i)
        values[i] = 2 + sigma * (10 * i + normal(random));
      double found = noiseOf(values) / sigma;
      worst = std::max(worst, found);
      least = std::min(least, found);
    }
    EXPECT_LT(worst, 10) << sigma;
    EXPECT_GT(least, 0.05) << sigma;
  }
  double constant[7] = {3, 3, 3, 3, 3, 3, 3};
  EXPECT_EQ(noiseOf(constant), 3 * 0x1p-53);
}
