#include "runtime/Random.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace gradus;

// The known answers of the authors' library Random123 (kat_vectors).
TEST(Philox, KnownAnswers) {
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Words{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}));
  EXPECT_EQ(philox({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344},
                   {0xA4093822, 0x299F31D0}),
            (Words{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}));
}

TEST(Stream, ElementIsAFunctionOfItsIndexOnly) {
  Stream stream(7, siteOf("param/w"));
  Tensor few(Element::F64, {5}), many(Element::F64, {1001});
  fillNormal(few, stream, 0, 1);
  fillNormal(many, stream, 0, 1);
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(few.at(i), many.at(i));
    EXPECT_EQ(few.at(i), stream.normal(uint64_t(i)));
  }
}

TEST(Stream, DependsOnSeedSiteAndStep) {
  double base = Stream(1, 2, 3).uniform(0);
  EXPECT_NE(base, Stream(2, 2, 3).uniform(0));
  EXPECT_NE(base, Stream(1, 3, 3).uniform(0));
  EXPECT_NE(base, Stream(1, 2, 4).uniform(0));
  EXPECT_EQ(base, Stream(1, 2, 3).uniform(0));
  // The upper halves of the 64-bit keys count too.
  EXPECT_NE(base, Stream(1 | uint64_t(1) << 40, 2, 3).uniform(0));
  EXPECT_NE(base, Stream(1, 2 | uint64_t(1) << 40, 3).uniform(0));
}

TEST(Stream, UniformHasItsMoments) {
  Stream stream(0, siteOf("u"));
  constexpr int n = 100000;
  double sum = 0, squares = 0, least = 1, most = 0;
  for (int i = 0; i < n; ++i) {
    double value = stream.uniform(uint64_t(i));
    sum += value;
    squares += value * value;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  // Five standard deviations of the mean.
  EXPECT_NEAR(sum / n, 0.5, 5 * std::sqrt(1. / 12 / n));
  EXPECT_NEAR(squares / n, 1. / 3, 5 * std::sqrt(4. / 45 / n));
  EXPECT_GE(least, 0);
  EXPECT_LT(most, 1);
}

TEST(Stream, NormalHasItsMomentsAndIndependentNeighbours) {
  Stream stream(0, siteOf("n"));
  constexpr int n = 100000;
  double sum = 0, squares = 0, fourth = 0, neighbours = 0;
  for (int i = 0; i < n; ++i) {
    double value = stream.normal(uint64_t(i));
    sum += value;
    squares += value * value;
    fourth += std::pow(value, 4);
    if (i % 2)
      neighbours += value * stream.normal(uint64_t(i - 1));
  }
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(double(n)));
  EXPECT_NEAR(squares / n, 1, 5 * std::sqrt(2. / n));
  EXPECT_NEAR(fourth / n, 3, 5 * std::sqrt(96. / n));
  EXPECT_NEAR(neighbours / (n / 2), 0, 5 / std::sqrt(n / 2.));
}

TEST(Stream, BelowIsBelowAndReachesAll) {
  Stream stream(0, 0);
  std::vector<int> seen(7);
  for (uint64_t i = 0; i < 7000; ++i)
    ++seen.at(stream.below(i, 7));
  for (int count : seen)
    EXPECT_NEAR(count, 1000, 150);
}

TEST(Fill, UniformStaysBelowItsBoundInSinglePrecision) {
  Tensor values(Element::F32, {100000});
  // So narrow that rounding to nearest would reach the bound.
  fillUniform(values, Stream(0, 0), 1, 1 + 0x1p-23);
  for (float value : values.as<float>())
    EXPECT_EQ(value, 1.0f);
  EXPECT_LT(roundDown(1 - 0x1p-40), 1.0f);
  EXPECT_EQ(roundDown(0.5), 0.5f);
}

TEST(Fill, BernoulliDrawsOnesWithItsProbability) {
  Tensor values(Element::F32, {10000});
  fillBernoulli(values, Stream(3, 4), 0.25);
  double ones = 0;
  for (float value : values.as<float>()) {
    EXPECT_TRUE(value == 0 || value == 1);
    ones += value;
  }
  EXPECT_NEAR(ones / 10000, 0.25, 0.025);
}

TEST(Permutation, IsOneAndDependsOnTheStream) {
  auto order = permutation(1000, Stream(1, 2));
  EXPECT_EQ(order, permutation(1000, Stream(1, 2)));
  EXPECT_NE(order, permutation(1000, Stream(1, 2, 1)));
  std::sort(order.begin(), order.end());
  for (uint32_t i = 0; i < 1000; ++i)
    EXPECT_EQ(order[i], i);
  EXPECT_TRUE(permutation(0, Stream(1, 2)).empty());
}
