// Random numbers in kernels: the words of Philox that belong to each element,
// whatever the shape, the schedule and what else the kernel computes; and that
// they are distributed as they should be. Bounds of the statistics are five
// standard deviations of what independent numbers give; the keys are fixed, so
// that a test passes or fails for good.
#include "runtime/Random.h"
#include "test/unit/lower/KernelRunner.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numbers>

namespace gradus {
namespace {

using Sizes = std::vector<int64_t>;

std::string tensorOf(const Sizes &shape, const std::string &element) {
  std::string type = "tensor<";
  for (int64_t size : shape)
    type += std::to_string(size) + "x";
  return type + element + ">";
}

std::string drawingKernel(const std::string &law, const Sizes &shape,
                          const std::string &element) {
  return fmt::format(R"(
    func.func @k(%key: tensor<3xi32>, %round: tensor<i32>) -> {0} {{
      %y = graph.random {1} %key round %round shape [{2}] of {3}
      return %y : {0}
    }})",
                     tensorOf(shape, element), law, fmt::join(shape, ", "),
                     element);
}

template <typename T>
Buffer<T> drawn(const std::string &law, const Sizes &shape, const DrawKey &key,
                int32_t round = 0, bool schedule = true) {
  Kernel kernel(drawingKernel(law, shape, sizeof(T) == 4 ? "f32" : "f64"),
                schedule);
  Buffer<int32_t> words(3), rounds(1, round);
  for (int i = 0; i < 3; ++i)
    words[i] = int32_t(key[i]);
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  Buffer<T> y(count);
  kernel(words, rounds, y);
  return y;
}

/// The place of element i (Philox.h), counted in another way.
uint32_t placeOf(int64_t i, const Sizes &shape) {
  int64_t width = shape.empty() ? 1 : shape.back();
  int64_t pitch = width;
  while (pitch % 64 != 0)
    ++pitch;
  return uint32_t(i / width * pitch + i % width);
}

double uniformOf(uint32_t place, const DrawKey &key) {
  auto words =
      philox({place / 64 * 16 + place % 16, key[2], 0, 0}, {key[0], key[1]});
  return std::floor(words[place % 64 / 16] / 256.0) / 16777216.0;
}

double normalOf(uint32_t place, const DrawKey &key) {
  auto words =
      philox({place / 32 * 16 + place % 16, key[2], 0, 0}, {key[0], key[1]});
  bool isSecond = place % 32 >= 16;
  double u = float(words[isSecond ? 2 : 0] | 1u) / 4294967296.0;
  double v = std::floor(int32_t(words[isSecond ? 3 : 1]) / 256.0) / 16777216.0;
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

const DrawKey kKey = {0x12345678, 0x9ABCDEF0, 5};

const std::vector<Sizes> &shapes() {
  static const std::vector<Sizes> all = {{},      {1},       {7},      {16},
                                         {64},    {100},     {200},    {3, 10},
                                         {2, 64}, {2, 3, 5}, {1, 130}, {4, 1}};
  return all;
}

TEST(Drawing, UniformNumbersAreWordsOfPhilox) {
  for (const Sizes &shape : shapes())
    for (bool schedule : {false, true}) {
      DrawKey key = kKey;
      key[2] += 3;
      auto single = drawn<float>("uniform", shape, kKey, 3, schedule);
      auto wide = drawn<double>("uniform", shape, kKey, 3, schedule);
      for (size_t i = 0; i < single.size(); ++i) {
        double expected = uniformOf(placeOf(i, shape), key);
        EXPECT_EQ(double(single[i]), expected)
            << tensorOf(shape, "f32") << " " << i;
        EXPECT_EQ(wide[i], expected) << tensorOf(shape, "f64") << " " << i;
      }
    }
}

TEST(Drawing, NormalNumbersAreBoxAndMullers) {
  for (const Sizes &shape : shapes())
    for (bool schedule : {false, true}) {
      auto single = drawn<float>("normal", shape, kKey, 0, schedule);
      auto wide = drawn<double>("normal", shape, kKey, 0, schedule);
      for (size_t i = 0; i < single.size(); ++i) {
        double expected = normalOf(placeOf(i, shape), kKey);
        // A few units in the last place, near 0 and in the tails alike.
        EXPECT_NEAR(single[i], expected, 8e-7 * std::fabs(expected))
            << tensorOf(shape, "f32") << " " << i;
        EXPECT_NEAR(wide[i], expected, 1e-14 * std::fabs(expected))
            << tensorOf(shape, "f64") << " " << i;
      }
    }
}

// What reads the numbers changes none of them: a mask in the kernel of a
// product, and one that is returned beside it.
TEST(Drawing, NumbersAreTheSameWhereverTheyAreComputed) {
  auto text = [](const std::string &results, const std::string &types) {
    return fmt::format(R"(
      func.func @k(%key: tensor<3xi32>, %x: tensor<5x70xf32>,
                   %w: tensor<70x100xf32>) -> ({1}) {{
        %h = graph.einsum "ij,jk->ik" %x, %w
            : tensor<5x70xf32>, tensor<70x100xf32>
        %u = graph.random uniform %key shape [5, 100] of f32
        %p = graph.constant dense<0.7> : tensor<5x100xf32>
        %0 = graph.constant dense<0.0> : tensor<5x100xf32>
        %keep = graph.compare lt %u, %p : tensor<5x100xf32>
        %y = graph.select %keep, %h, %0 : tensor<5x100xf32>
        %s = graph.sum %u over [1] : tensor<5x100xf32>
        return {0} : {1}
      }})",
                       results, types);
  };
  Buffer<int32_t> key(3);
  for (int i = 0; i < 3; ++i)
    key[i] = int32_t(kKey[i]);
  auto x = randomNumbers<float>(350, 1), w = randomNumbers<float>(7000, 2);
  Buffer<float> y(500), u(500), s(5);
  Kernel(text("%y, %u, %s", "tensor<5x100xf32>, tensor<5x100xf32>, "
                            "tensor<5xf32>"),
         true)(key, x, w, y, u, s);
  Buffer<float> alone(500), sums(5);
  Kernel(text("%y", "tensor<5x100xf32>"), true)(key, x, w, alone);
  Kernel(text("%s", "tensor<5xf32>"), true)(key, x, w, sums);
  for (int i = 0; i < 500; ++i) {
    double expected = uniformOf(placeOf(i, {5, 100}), kKey);
    EXPECT_EQ(double(u[i]), expected);
    EXPECT_EQ(y[i] != 0, expected < double(0.7f)) << i;
    EXPECT_EQ(alone[i] != 0, expected < double(0.7f)) << i;
  }
  for (int i = 0; i < 5; ++i)
    EXPECT_NEAR(sums[i], s[i], 1e-4);
}

//===-- Statistics --------------------------------------------------------===//

constexpr int kRows = 500, kColumns = 2000, kCount = kRows * kColumns;

/// The mean of x^power.
double moment(const Buffer<float> &x, int power) {
  double sum = 0;
  for (float value : x)
    sum += std::pow(double(value), power);
  return sum / double(x.size());
}

void expectMean(double found, double mean, double variance) {
  EXPECT_NEAR(found, mean, 5 * std::sqrt(variance / kCount));
}

/// Chi squared of how many numbers lie in each of `bins` parts that are equally
/// likely, as standard deviations from its mean.
template <typename Part>
double excess(const Buffer<float> &x, int bins, Part part) {
  std::vector<double> counts(bins);
  for (float value : x)
    ++counts[std::clamp(int(part(value) * bins), 0, bins - 1)];
  double expected = double(x.size()) / bins, sum = 0;
  for (double count : counts)
    sum += (count - expected) * (count - expected) / expected;
  return (sum - (bins - 1)) / std::sqrt(2.0 * (bins - 1));
}

TEST(Drawing, UniformNumbersAreUniform) {
  auto x = drawn<float>("uniform", {kRows, kColumns}, kKey);
  expectMean(moment(x, 1), 1. / 2, 1. / 12);
  expectMean(moment(x, 2), 1. / 3, 4. / 45);
  expectMean(moment(x, 3), 1. / 4, 9. / 112);
  expectMean(moment(x, 4), 1. / 5, 16. / 225);
  EXPECT_LT(std::fabs(excess(x, 1000, [](double u) { return u; })), 5);
  EXPECT_GE(*std::min_element(x.begin(), x.end()), 0.f);
  EXPECT_LT(*std::max_element(x.begin(), x.end()), 1.f);
}

TEST(Drawing, NormalNumbersAreNormal) {
  auto x = drawn<float>("normal", {kRows, kColumns}, kKey);
  // Mean, variance, skewness and kurtosis.
  expectMean(moment(x, 1), 0, 1);
  expectMean(moment(x, 2), 1, 2);
  expectMean(moment(x, 3), 0, 15);
  expectMean(moment(x, 4), 3, 96);
  auto below = [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); };
  EXPECT_LT(std::fabs(excess(x, 1000, below)), 5);
  // Tails: as many beyond 3, 4 and 4.5 as there should be.
  for (double bound : {3.0, 4.0, 4.5}) {
    double expected = std::erfc(bound / std::sqrt(2.0)) * kCount;
    double found = double(std::count_if(
        x.begin(), x.end(), [&](float z) { return std::fabs(z) > bound; }));
    EXPECT_NEAR(found, expected, 5 * std::sqrt(expected) + 1) << bound;
  }
}

/// Products of numbers that are to have nothing to do with each other, centred.
double correlation(const Buffer<float> &a, const Buffer<float> &b,
                   size_t apart = 0) {
  double sum = 0;
  size_t count = a.size() - apart;
  for (size_t i = 0; i < count; ++i)
    sum += double(a[i]) * double(b[i + apart]);
  return sum / double(count);
}

TEST(Drawing, ElementsAreIndependent) {
  auto z = drawn<float>("normal", {kRows, kColumns}, kKey);
  auto squares = z;
  for (float &value : squares)
    value = (value * value - 1) / std::sqrt(2.f);
  // Neighbours, those that share a block, and those of the next rows.
  for (size_t apart : {1, 2, 15, 16, 17, 32, 48, 64, 2000, 4000, 2016}) {
    double bound = 5 / std::sqrt(double(kCount));
    EXPECT_LT(std::fabs(correlation(z, z, apart)), bound) << apart;
    EXPECT_LT(std::fabs(correlation(squares, squares, apart)), bound) << apart;
  }
}

TEST(Drawing, SitesStepsSeedsAndRoundsAreIndependent) {
  Sizes shape = {kRows, kColumns};
  auto base = drawKey("draw/0/a", 1, 1, DrawFor::Training);
  auto z = drawn<float>("normal", shape, base);
  double bound = 5 / std::sqrt(double(kCount));
  auto expectIndependent = [&](const DrawKey &key, int32_t round) {
    auto other = drawn<float>("normal", shape, key, round);
    EXPECT_LT(std::fabs(correlation(z, other)), bound);
    EXPECT_NE(z[0], other[0]);
  };
  expectIndependent(drawKey("draw/0/b", 1, 1, DrawFor::Training), 0);
  expectIndependent(drawKey("draw/0/a", 1, 2, DrawFor::Training), 0);
  expectIndependent(drawKey("draw/0/a", 2, 1, DrawFor::Training), 0);
  expectIndependent(drawKey("draw/0/a", 1, 1, DrawFor::Evaluation), 0);
  expectIndependent(base, 1);
  // A round is one number, wherever it comes from.
  auto first = drawn<float>("normal", {300}, base, 7);
  auto second = drawn<float>("normal", {300},
                             drawKey("draw/7/a", 1, 1, DrawFor::Training), 0);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin()));
}

} // namespace
} // namespace gradus
