// The ratio of two samples of times, with its interval.
#include "tools/gradus/Ratio.h"

#include "gtest/gtest.h"

namespace gradus {
namespace {

TEST(RatioOfSamples, TheRatioIsTheMiddleOfAllRatios) {
  Ratio ratio = compareSamples({2, 4, 8}, {1, 1, 1});
  EXPECT_DOUBLE_EQ(ratio.estimate, 4);
  // Too few to be sure of anything: all of them.
  EXPECT_DOUBLE_EQ(ratio.low, 2);
  EXPECT_DOUBLE_EQ(ratio.high, 8);
}

TEST(RatioOfSamples, AnEvenNumberOfRatiosHasItsMiddleOnLogarithms) {
  EXPECT_DOUBLE_EQ(compareSamples({1, 4}, {1}).estimate, 2);
}

/// 20 samples each, 100 to 119 and the same times a factor.
Ratio scaledBy(double factor) {
  std::vector<double> now, before;
  for (int i = 0; i < 20; ++i) {
    before.push_back(100 + i);
    now.push_back(factor * (100 + (7 * i) % 20));
  }
  return compareSamples(now, before);
}

TEST(RatioOfSamples, EqualSamplesAreNotTold) {
  Ratio ratio = scaledBy(1);
  EXPECT_NEAR(ratio.estimate, 1, 1e-12);
  EXPECT_LT(ratio.low, 1);
  EXPECT_GT(ratio.high, 1);
  // The interval of the rank sum test is symmetric on logarithms.
  EXPECT_NEAR(ratio.low * ratio.high, 1, 1e-12);
}

TEST(RatioOfSamples, TheIntervalMovesWithTheFactor) {
  Ratio same = scaledBy(1), slower = scaledBy(1.2);
  EXPECT_NEAR(slower.estimate, 1.2 * same.estimate, 1e-12);
  EXPECT_NEAR(slower.low, 1.2 * same.low, 1e-12);
  EXPECT_GT(slower.low, 1);
}

TEST(RatioOfSamples, OneDisturbedBlockIsNoSlowdown) {
  std::vector<double> before(20, 1.0), now(20, 1.0);
  for (int i = 0; i < 20; ++i)
    before[i] = now[19 - i] = 1 + 0.001 * i;
  now[3] = 100;
  EXPECT_NEAR(compareSamples(now, before).estimate, 1, 0.01);
}

TEST(RatioOfSamples, TimesCountInUnitsOfThePeak) {
  // Twice as long at half the clock is the same.
  std::vector<Block> now = {{2e-3, 50e9}}, before = {{1e-3, 100e9}};
  EXPECT_DOUBLE_EQ(atPeak(now).front(), atPeak(before).front());
}

} // namespace
} // namespace gradus
