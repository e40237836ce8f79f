// Element-wise ops and reductions as vectors against plain loops: rows of any
// width, several results, mixed element types, scalars.
#include "test/unit/lower/KernelRunner.h"

#include "gtest/gtest.h"
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gradus {
namespace {

class Widths : public testing::TestWithParam<int64_t> {};
INSTANTIATE_TEST_SUITE_P(Rows, Widths,
                         testing::Values(1, 2, 7, 10, 16, 17, 31, 48, 64, 67,
                                         100, 257));

TEST_P(Widths, RowsAndColumnsAreBroadcast) {
  int64_t width = GetParam();
  Kernel kernel(fmt::format(R"(
    func.func @k(%x: tensor<5x{0}xf32>, %row: tensor<{0}xf32>,
                 %column: tensor<5xf32>, %s: tensor<f32>)
        -> tensor<5x{0}xf32> {{
      %e = tensor.empty() : tensor<5x{0}xf32>
      %y = linalg.generic {{
          indexing_maps = [affine_map<(i, j) -> (i, j)>,
                           affine_map<(i, j) -> (j)>,
                           affine_map<(i, j) -> (i)>, affine_map<(i, j) -> ()>,
                           affine_map<(i, j) -> (i, j)>],
          iterator_types = ["parallel", "parallel"]}}
          ins(%x, %row, %column, %s : tensor<5x{0}xf32>, tensor<{0}xf32>,
              tensor<5xf32>, tensor<f32>)
          outs(%e : tensor<5x{0}xf32>) {{
        ^bb0(%p: f32, %q: f32, %r: f32, %t: f32, %o: f32):
          %0 = arith.mulf %p, %q : f32
          %1 = arith.divf %r, %t : f32
          %2 = arith.addf %0, %1 : f32
          linalg.yield %2 : f32
      }} -> tensor<5x{0}xf32>
      return %y : tensor<5x{0}xf32>
    }})",
                            width),
                /*schedule=*/true);
  auto x = randomNumbers<float>(5 * width, 1),
       row = randomNumbers<float>(width, 2);
  auto column = randomNumbers<float>(5, 3);
  Buffer<float> s(1, 3.0f), y(5 * width);
  kernel(x, row, column, s, y);
  for (int64_t i = 0; i < 5; ++i)
    for (int64_t j = 0; j < width; ++j)
      ASSERT_EQ(y[i * width + j], x[i * width + j] * row[j] + column[i] / s[0]);
}

TEST_P(Widths, TransposesAndCountsIndices) {
  int64_t width = GetParam();
  Kernel kernel(fmt::format(R"(
    func.func @k(%x: tensor<{0}x3xi32>) -> tensor<3x{0}xi64> {{
      %e = tensor.empty() : tensor<3x{0}xi64>
      %y = linalg.generic {{
          indexing_maps = [affine_map<(i, j) -> (j, i)>,
                           affine_map<(i, j) -> (i, j)>],
          iterator_types = ["parallel", "parallel"]}}
          ins(%x : tensor<{0}x3xi32>) outs(%e : tensor<3x{0}xi64>) {{
        ^bb0(%p: i32, %o: i64):
          %i = linalg.index 0 : index
          %j = linalg.index 1 : index
          %hundred = arith.constant 100 : index
          %0 = arith.muli %i, %hundred : index
          %1 = arith.addi %0, %j : index
          %2 = arith.index_cast %1 : index to i64
          %3 = arith.extsi %p : i32 to i64
          %4 = arith.subi %2, %3 : i64
          linalg.yield %4 : i64
      }} -> tensor<3x{0}xi64>
      return %y : tensor<3x{0}xi64>
    }})",
                            width),
                /*schedule=*/true);
  Buffer<int32_t> x(3 * width);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = int32_t(i * 37 % 101);
  Buffer<int64_t> y(3 * width);
  kernel(x, y);
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < width; ++j)
      ASSERT_EQ(y[i * width + j], 100 * i + j - x[j * 3 + i]);
}

/// y = reduction of x[4, width, 3] over the axes whose kind is `reduction`.
std::string reduction(int64_t width, const std::string &kept,
                      const std::string &type, const std::string &combine,
                      const std::string &start) {
  auto isKept = [&](char axis) { return kept.find(axis) != kept.npos; };
  std::string kinds, axes, shape;
  for (char axis : std::string("ijk")) {
    kinds += fmt::format("{}\"{}\"", kinds.empty() ? "" : ", ",
                         isKept(axis) ? "parallel" : "reduction");
    if (!isKept(axis))
      continue;
    axes += fmt::format("{}{}", axes.empty() ? "" : ", ", axis);
    shape += fmt::format("{}x", axis == 'i' ? 4 : axis == 'j' ? width : 3);
  }
  return fmt::format(R"(
    func.func @k(%x: tensor<4x{0}x3x{1}>) -> tensor<{2}{1}> {{
      %e = tensor.empty() : tensor<{2}{1}>
      %z = arith.constant {3} : {1}
      %f = linalg.fill ins(%z : {1}) outs(%e : tensor<{2}{1}>)
          -> tensor<{2}{1}>
      %y = linalg.generic {{
          indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>,
                           affine_map<(i, j, k) -> ({4})>],
          iterator_types = [{5}]}}
          ins(%x : tensor<4x{0}x3x{1}>) outs(%f : tensor<{2}{1}>) {{
        ^bb0(%p: {1}, %o: {1}):
          %0 = {6} %o, %p : {1}
          linalg.yield %0 : {1}
      }} -> tensor<{2}{1}>
      return %y : tensor<{2}{1}>
    }})",
                     width, type, shape, start, axes, kinds, combine);
}

TEST_P(Widths, SumsOverEveryChoiceOfAxes) {
  int64_t width = GetParam();
  for (std::string kept : {"", "i", "j", "k", "ij", "ik", "jk"}) {
    SCOPED_TRACE("kept: " + kept);
    Kernel kernel(reduction(width, kept, "f32", "arith.addf", "0.5"),
                  /*schedule=*/true);
    auto x = randomNumbers<float>(4 * width * 3, 1);
    auto size = [&](char axis, int64_t full) {
      return kept.find(axis) != kept.npos ? full : 1;
    };
    int64_t si = size('i', 4), sj = size('j', width), sk = size('k', 3);
    Buffer<float> y(si * sj * sk);
    kernel(x, y);
    std::vector<double> sums(y.size(), 0.5);
    for (int64_t i = 0; i < 4; ++i)
      for (int64_t j = 0; j < width; ++j)
        for (int64_t k = 0; k < 3; ++k)
          sums[(i % si * sj + j % sj) * sk + k % sk] +=
              x[(i * width + j) * 3 + k];
    for (size_t i = 0; i < sums.size(); ++i)
      ASSERT_NEAR(y[i], sums[i], 2e-5);
  }
}

TEST_P(Widths, TheLargestOfEachRow) {
  int64_t width = GetParam();
  Kernel kernel(
      reduction(width, "ik", "f64", "arith.maximumf", "0xFFF0000000000000"),
      /*schedule=*/true);
  auto x = randomNumbers<double>(4 * width * 3, 1);
  Buffer<double> y(12);
  kernel(x, y);
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t k = 0; k < 3; ++k) {
      double largest = -std::numeric_limits<double>::infinity();
      for (int64_t j = 0; j < width; ++j)
        largest = std::max(largest, x[(i * width + j) * 3 + k]);
      ASSERT_EQ(y[i * 3 + k], largest);
    }
}

TEST_P(Widths, LogSoftmaxOfRows) {
  int64_t width = GetParam();
  std::string text = fmt::format(R"(
    #id = affine_map<(i, j) -> (i, j)>
    #r = affine_map<(i, j) -> (i)>
    func.func @k(%x: tensor<6x{0}xf32>) -> tensor<6x{0}xf32> {{
      %low = arith.constant 0xFF800000 : f32
      %z = arith.constant 0.0 : f32
      %e1 = tensor.empty() : tensor<6xf32>
      %e2 = tensor.empty() : tensor<6x{0}xf32>
      %f0 = linalg.fill ins(%low : f32) outs(%e1 : tensor<6xf32>)
          -> tensor<6xf32>
      %m = linalg.generic {{indexing_maps = [#id, #r],
                            iterator_types = ["parallel", "reduction"]}}
          ins(%x : tensor<6x{0}xf32>) outs(%f0 : tensor<6xf32>) {{
        ^bb0(%p: f32, %o: f32):
          %0 = arith.maximumf %o, %p : f32
          linalg.yield %0 : f32
      }} -> tensor<6xf32>
      %c = linalg.generic {{indexing_maps = [#id, #r, #id],
                            iterator_types = ["parallel", "parallel"]}}
          ins(%x, %m : tensor<6x{0}xf32>, tensor<6xf32>)
          outs(%e2 : tensor<6x{0}xf32>) {{
        ^bb0(%p: f32, %q: f32, %o: f32):
          %0 = arith.subf %p, %q : f32
          linalg.yield %0 : f32
      }} -> tensor<6x{0}xf32>
      %ex = linalg.generic {{indexing_maps = [#id, #id],
                             iterator_types = ["parallel", "parallel"]}}
          ins(%c : tensor<6x{0}xf32>) outs(%e2 : tensor<6x{0}xf32>) {{
        ^bb0(%p: f32, %o: f32):
          %0 = math.exp %p : f32
          linalg.yield %0 : f32
      }} -> tensor<6x{0}xf32>
      %f1 = linalg.fill ins(%z : f32) outs(%e1 : tensor<6xf32>)
          -> tensor<6xf32>
      %s = linalg.generic {{indexing_maps = [#id, #r],
                            iterator_types = ["parallel", "reduction"]}}
          ins(%ex : tensor<6x{0}xf32>) outs(%f1 : tensor<6xf32>) {{
        ^bb0(%p: f32, %o: f32):
          %0 = arith.addf %o, %p : f32
          linalg.yield %0 : f32
      }} -> tensor<6xf32>
      %l = linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>,
                                             affine_map<(i) -> (i)>],
                            iterator_types = ["parallel"]}}
          ins(%s : tensor<6xf32>) outs(%e1 : tensor<6xf32>) {{
        ^bb0(%p: f32, %o: f32):
          %0 = math.log %p : f32
          linalg.yield %0 : f32
      }} -> tensor<6xf32>
      %y = linalg.generic {{indexing_maps = [#id, #r, #id],
                            iterator_types = ["parallel", "parallel"]}}
          ins(%c, %l : tensor<6x{0}xf32>, tensor<6xf32>)
          outs(%e2 : tensor<6x{0}xf32>) {{
        ^bb0(%p: f32, %q: f32, %o: f32):
          %0 = arith.subf %p, %q : f32
          linalg.yield %0 : f32
      }} -> tensor<6x{0}xf32>
      return %y : tensor<6x{0}xf32>
    }})",
                                 width);
  Kernel kernel(text, /*schedule=*/true);
  auto x = randomNumbers<float>(6 * width, 1);
  for (float &number : x)
    number *= 20;
  Buffer<float> y(6 * width);
  kernel(x, y);
  for (int64_t i = 0; i < 6; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < width; ++j)
      sum += std::exp(double(x[i * width + j]));
    for (int64_t j = 0; j < width; ++j)
      ASSERT_NEAR(y[i * width + j], x[i * width + j] - std::log(sum), 2e-5);
  }
}

TEST(ScheduledLoops, SumsOfManyRowsFallIntoParts) {
  for (int64_t images : {32, 61, 62, 95, 100}) {
    SCOPED_TRACE(images);
    Kernel kernel(fmt::format(R"(
      func.func @k(%x: tensor<{0}x20x32xf32>) -> tensor<32xf32> {{
        %start = arith.constant 0.5 : f32
        %e = tensor.empty() : tensor<32xf32>
        %f = linalg.fill ins(%start : f32) outs(%e : tensor<32xf32>)
            -> tensor<32xf32>
        %y = linalg.generic {{
            indexing_maps = [affine_map<(b, i, c) -> (b, i, c)>,
                             affine_map<(b, i, c) -> (c)>],
            iterator_types = ["reduction", "reduction", "parallel"]}}
            ins(%x : tensor<{0}x20x32xf32>) outs(%f : tensor<32xf32>) {{
          ^bb0(%p: f32, %o: f32):
            %0 = arith.addf %o, %p : f32
            linalg.yield %0 : f32
        }} -> tensor<32xf32>
        return %y : tensor<32xf32>
      }})",
                              images),
                  /*schedule=*/true);
    auto x = randomNumbers<float>(images * 20 * 32, 1);
    Buffer<float> y(32);
    kernel(x, y);
    std::vector<double> sums(32, 0.5);
    for (size_t i = 0; i < x.size(); ++i)
      sums[i % 32] += x[i];
    for (size_t i = 0; i < sums.size(); ++i)
      ASSERT_NEAR(y[i], sums[i], 2e-5);
  }
}

TEST(ScheduledLoops, WhatNoScheduleFitsStaysRight) {
  // argmax: two results, one of them an index.
  Kernel kernel(R"(
    #id = affine_map<(i, j) -> (i, j)>
    #r = affine_map<(i, j) -> (i)>
    func.func @k(%x: tensor<9x10xf32>) -> tensor<9xi32> {
      %low = arith.constant 0xFF800000 : f32
      %z = arith.constant 0 : i32
      %e0 = tensor.empty() : tensor<9xf32>
      %e1 = tensor.empty() : tensor<9xi32>
      %f0 = linalg.fill ins(%low : f32) outs(%e0 : tensor<9xf32>)
          -> tensor<9xf32>
      %f1 = linalg.fill ins(%z : i32) outs(%e1 : tensor<9xi32>)
          -> tensor<9xi32>
      %y:2 = linalg.generic {indexing_maps = [#id, #r, #r],
                             iterator_types = ["parallel", "reduction"]}
          ins(%x : tensor<9x10xf32>)
          outs(%f0, %f1 : tensor<9xf32>, tensor<9xi32>) {
        ^bb0(%p: f32, %best: f32, %at: i32):
          %i = linalg.index 1 : index
          %here = arith.index_cast %i : index to i32
          %larger = arith.cmpf ogt, %p, %best : f32
          %0 = arith.select %larger, %p, %best : f32
          %1 = arith.select %larger, %here, %at : i32
          linalg.yield %0, %1 : f32, i32
      } -> (tensor<9xf32>, tensor<9xi32>)
      return %y#1 : tensor<9xi32>
    })",
                /*schedule=*/true);
  auto x = randomNumbers<float>(90, 1);
  Buffer<int32_t> y(9);
  kernel(x, y);
  for (int i = 0; i < 9; ++i)
    EXPECT_EQ(y[i], std::max_element(&x[i * 10], &x[i * 10] + 10) - &x[i * 10]);
}

TEST(ScheduledLoops, BoxesAreCutPaddedAndJoined) {
  Kernel kernel(R"(
    func.func @k(%x: tensor<4x9xf32>)
        -> (tensor<2x5xf32>, tensor<6x12xf32>, tensor<4x14xf32>) {
      %s = tensor.extract_slice %x[1, 3] [2, 5] [1, 1]
          : tensor<4x9xf32> to tensor<2x5xf32>
      %z = arith.constant 0.0 : f32
      %p = tensor.pad %x low[2, 1] high[0, 2] {
        ^bb0(%i: index, %j: index):
          tensor.yield %z : f32
      } : tensor<4x9xf32> to tensor<6x12xf32>
      %e = tensor.empty() : tensor<4x14xf32>
      %c0 = tensor.insert_slice %x into %e[0, 0] [4, 9] [1, 1]
          : tensor<4x9xf32> into tensor<4x14xf32>
      %t = tensor.extract_slice %x[0, 4] [4, 5] [1, 1]
          : tensor<4x9xf32> to tensor<4x5xf32>
      %c = tensor.insert_slice %t into %c0[0, 9] [4, 5] [1, 1]
          : tensor<4x5xf32> into tensor<4x14xf32>
      return %s, %p, %c : tensor<2x5xf32>, tensor<6x12xf32>, tensor<4x14xf32>
    })",
                /*schedule=*/true);
  auto x = randomNumbers<float>(36, 1);
  Buffer<float> cut(10), padded(72, 9.0f), joined(56);
  kernel(x, cut, padded, joined);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 5; ++j)
      EXPECT_EQ(cut[i * 5 + j], x[(i + 1) * 9 + j + 3]);
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 12; ++j) {
      bool inside = i >= 2 && j >= 1 && j < 10;
      EXPECT_EQ(padded[i * 12 + j], inside ? x[(i - 2) * 9 + j - 1] : 0.0f);
    }
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 14; ++j)
      EXPECT_EQ(joined[i * 14 + j], x[i * 9 + (j < 9 ? j : j - 5)]);
}

TEST(ScheduledLoops, ADivisorOfAllLanesIsInvertedOnce) {
  Kernel kernel(R"(
    func.func @k(%x: tensor<64xf32>, %d: tensor<f32>) -> tensor<64xf32> {
      %e = tensor.empty() : tensor<64xf32>
      %y = linalg.generic {
          indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>,
                           affine_map<(i) -> (i)>],
          iterator_types = ["parallel"]}
          ins(%x, %d : tensor<64xf32>, tensor<f32>) outs(%e : tensor<64xf32>) {
        ^bb0(%p: f32, %q: f32, %o: f32):
          %0 = arith.divf %p, %q : f32
          linalg.yield %0 : f32
      } -> tensor<64xf32>
      return %y : tensor<64xf32>
    })",
                /*schedule=*/true);
  auto x = randomNumbers<float>(64, 1);
  x[0] = 0;
  Buffer<float> d(1), y(64);
  float inf = std::numeric_limits<float>::infinity();
  for (float divisor : {3.0f, -7e20f, 1e-30f}) {
    d[0] = divisor;
    kernel(x, d, y);
    for (int i = 0; i < 64; ++i)
      EXPECT_NEAR(y[i], x[i] / divisor, 2e-7 * std::abs(x[i] / divisor));
  }
  for (float divisor : {0.0f, inf, -inf}) {
    d[0] = divisor;
    kernel(x, d, y);
    for (int i = 1; i < 64; ++i)
      EXPECT_EQ(y[i], x[i] / divisor);
    EXPECT_EQ(std::isnan(y[0]), divisor == 0);
  }
  // Zero over a subnormal number is zero, as it was before.
  d[0] = 1e-40f;
  kernel(x, d, y);
  EXPECT_EQ(y[0], 0);
}

TEST(ScheduledLoops, TablesOfNumbersArePartOfTheCode) {
  Kernel kernel(R"(
    func.func @k(%x: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<2xi32>) {
      %table = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
      %fixed = arith.constant dense<[5, 6]> : tensor<2xi32>
      %e = tensor.empty() : tensor<3x4xf32>
      %y = linalg.generic {
          indexing_maps = [affine_map<(i, j) -> (i, j)>,
                           affine_map<(i, j) -> (j)>,
                           affine_map<(i, j) -> (i, j)>],
          iterator_types = ["parallel", "parallel"]}
          ins(%x, %table : tensor<3x4xf32>, tensor<4xf32>)
          outs(%e : tensor<3x4xf32>) {
        ^bb0(%p: f32, %q: f32, %o: f32):
          %0 = arith.mulf %p, %q : f32
          linalg.yield %0 : f32
      } -> tensor<3x4xf32>
      return %y, %fixed : tensor<3x4xf32>, tensor<2xi32>
    })",
                /*schedule=*/true);
  auto x = randomNumbers<float>(12, 1);
  Buffer<float> y(12);
  Buffer<int32_t> fixed(2);
  kernel(x, y, fixed);
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(y[i], x[i] * float(i % 4 + 1));
  EXPECT_EQ(fixed[0], 5);
  EXPECT_EQ(fixed[1], 6);
}

TEST(ScheduledLoops, SlotsAreReadBeforeTheyAreWritten) {
  Kernel kernel(R"(
    #id = affine_map<(i) -> (i)>
    func.func @k(%w: tensor<37xf32>, %v: tensor<37xf32>, %g: tensor<37xf32>)
        -> (tensor<37xf32> {graph.updates = 1 : i32},
            tensor<37xf32> {graph.updates = 0 : i32}) {
      %e = tensor.empty() : tensor<37xf32>
      %v1 = linalg.generic {indexing_maps = [#id, #id, #id],
                            iterator_types = ["parallel"]}
          ins(%v, %g : tensor<37xf32>, tensor<37xf32>)
          outs(%e : tensor<37xf32>) {
        ^bb0(%p: f32, %q: f32, %o: f32):
          %half = arith.constant 0.5 : f32
          %0 = arith.mulf %p, %half : f32
          %1 = arith.addf %0, %q : f32
          linalg.yield %1 : f32
      } -> tensor<37xf32>
      %w1 = linalg.generic {indexing_maps = [#id, #id, #id, #id],
                            iterator_types = ["parallel"]}
          ins(%w, %v1, %v : tensor<37xf32>, tensor<37xf32>, tensor<37xf32>)
          outs(%e : tensor<37xf32>) {
        ^bb0(%p: f32, %q: f32, %r: f32, %o: f32):
          %0 = arith.subf %p, %q : f32
          %1 = arith.addf %0, %r : f32
          linalg.yield %1 : f32
      } -> tensor<37xf32>
      return %v1, %w1 : tensor<37xf32>, tensor<37xf32>
    })",
                /*schedule=*/true);
  auto w = randomNumbers<float>(37, 1), v = randomNumbers<float>(37, 2);
  auto g = randomNumbers<float>(37, 3);
  Buffer<float> w0 = w, v0 = v;
  kernel(w, v, g);
  for (int i = 0; i < 37; ++i) {
    float v1 = v0[i] * 0.5f + g[i];
    EXPECT_EQ(v[i], v1);
    EXPECT_EQ(w[i], w0[i] - v1 + v0[i]);
  }
}

/// y = f(x) for one op of the math dialect.
template <typename T>
Buffer<T> valuesOf(const std::string &op, const Buffer<T> &x) {
  std::string type = sizeof(T) == 4 ? "f32" : "f64";
  Kernel kernel(fmt::format(R"(
    func.func @k(%x: tensor<{0}x{1}>) -> tensor<{0}x{1}> {{
      %e = tensor.empty() : tensor<{0}x{1}>
      %y = linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>,
                                             affine_map<(i) -> (i)>],
                            iterator_types = ["parallel"]}}
          ins(%x : tensor<{0}x{1}>) outs(%e : tensor<{0}x{1}>) {{
        ^bb0(%p: {1}, %o: {1}):
          %0 = {2} %p : {1}
          linalg.yield %0 : {1}
      }} -> tensor<{0}x{1}>
      return %y : tensor<{0}x{1}>
    }})",
                            x.size(), type, op),
                /*schedule=*/true);
  Buffer<T> in = x, y(x.size());
  kernel(in, y);
  return y;
}

/// Distance in units in the last place of f32. Subnormal numbers may be 0.
double ulps(float computed, double exact) {
  float rounded = float(exact);
  if (computed == 0 && std::abs(exact) < std::numeric_limits<float>::min())
    return 0;
  if (std::isnan(computed) || std::isnan(rounded))
    return std::isnan(computed) && std::isnan(rounded) ? 0 : 1e9;
  if (std::isinf(rounded) || std::isinf(computed))
    return computed == rounded ? 0 : 1e9;
  int exponent = std::max(std::ilogb(exact == 0 ? 1e-45 : exact), -126);
  return std::abs(computed - exact) / std::ldexp(1.0, exponent - 23);
}

struct Function {
  std::string op;
  double (*exact)(double);
  double bound;
};

class MathFunctions : public testing::TestWithParam<Function> {};
INSTANTIATE_TEST_SUITE_P(Ops, MathFunctions,
                         testing::Values(Function{"math.exp", std::exp, 2},
                                         Function{"math.log", std::log, 2},
                                         Function{"math.log1p", std::log1p, 3},
                                         Function{"math.tanh", std::tanh, 6},
                                         Function{"math.erf", std::erf, 6},
                                         Function{"math.sin", std::sin, 2},
                                         Function{"math.cos", std::cos, 2},
                                         Function{"math.sqrt", std::sqrt, 1},
                                         Function{"math.floor", std::floor, 0}),
                         [](const auto &info) {
                           return info.param.op.substr(5);
                         });

TEST_P(MathFunctions, KeepToAFewUnitsInTheLastPlace) {
  auto [op, exact, bound] = GetParam();
  Buffer<float> x(60000);
  std::mt19937 engine(1);
  for (size_t i = 0; i < x.size(); ++i) {
    double scale = std::uniform_real_distribution<double>(-40, 7)(engine);
    x[i] = float(std::exp2(scale)) * (i % 2 ? 1.0f : -1.0f);
  }
  Buffer<float> y = valuesOf(op, x);
  double worst = 0;
  float where = 0;
  for (size_t i = 0; i < x.size(); ++i)
    if (double distance = ulps(y[i], exact(x[i])); distance > worst) {
      worst = distance;
      where = x[i];
    }
  EXPECT_LE(worst, bound) << op << " at " << where;
}

TEST_P(MathFunctions, AreRightAtTheirEnds) {
  auto [op, exact, bound] = GetParam();
  float inf = std::numeric_limits<float>::infinity();
  std::vector<float> ends = {
      0.0f,    -0.0f,   inf,    -inf,   std::numeric_limits<float>::quiet_NaN(),
      1e-30f,  -1e-30f, 1e-42f, 1.0f,   -1.0f,
      88.0f,   89.0f,   100.0f, -88.0f, -104.0f,
      -200.0f, 1e30f,   -1e30f, 3e38f};
  Buffer<float> x(ends.size());
  std::copy(ends.begin(), ends.end(), x.begin());
  Buffer<float> y = valuesOf(op, x);
  for (size_t i = 0; i < ends.size(); ++i)
    EXPECT_LE(ulps(y[i], exact(ends[i])), bound)
        << op << "(" << ends[i] << ") = " << y[i];
}

TEST_P(MathFunctions, AreTheLibraryForDoubles) {
  auto [op, exact, bound] = GetParam();
  Buffer<double> x = randomNumbers<double>(1000, 1);
  for (double &number : x)
    number *= 10;
  Buffer<double> y = valuesOf(op, x);
  for (size_t i = 0; i < x.size(); ++i)
    if (!std::isnan(y[i]) || !std::isnan(exact(x[i])))
      ASSERT_EQ(y[i], exact(x[i])) << op << " at " << x[i];
}

} // namespace
} // namespace gradus
