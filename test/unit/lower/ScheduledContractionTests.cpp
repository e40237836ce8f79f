// Contractions as register tiles against plain loops: all forms, sizes that fit
// no tile, batches, several contracted axes, epilogues.
#include "test/unit/lower/KernelRunner.h"

#include "gtest/gtest.h"
#include <fmt/format.h>

#include <cmath>
#include <map>

namespace gradus {
namespace {

using Sizes = std::map<char, int64_t>;

std::string tensorType(const std::string &axes, const Sizes &sizes,
                       const std::string &element) {
  std::string type = "tensor<";
  for (char axis : axes)
    type += fmt::format("{}x", sizes.at(axis));
  return type + element + ">";
}

std::string mapOf(const std::string &loops, const std::string &axes) {
  auto list = [](const std::string &letters) {
    std::string text;
    for (char letter : letters)
      text += (text.empty() ? "" : ", ") + std::string(1, letter);
    return text;
  };
  return fmt::format("affine_map<({}) -> ({})>", list(loops), list(axes));
}

/// The body of a kernel: %c = sum of %a * %b.
std::string contraction(const std::string &a, const std::string &b,
                        const std::string &c, const Sizes &sizes,
                        const std::string &element) {
  std::string loops = c, kinds;
  for (char axis : a + b)
    if (loops.find(axis) == std::string::npos)
      loops += axis;
  for (size_t i = 0; i < loops.size(); ++i)
    kinds += fmt::format("{}\"{}\"", i ? ", " : "",
                         i < c.size() ? "parallel" : "reduction");
  std::string typeA = tensorType(a, sizes, element),
              typeB = tensorType(b, sizes, element),
              typeC = tensorType(c, sizes, element);
  return fmt::format(
      R"(  %zero = arith.constant 0.0 : {0}
  %e = tensor.empty() : {3}
  %f = linalg.fill ins(%zero : {0}) outs(%e : {3}) -> {3}
  %c = linalg.generic {{indexing_maps = [{4}, {5}, {6}],
                        iterator_types = [{7}]}}
      ins(%a, %b : {1}, {2}) outs(%f : {3}) {{
    ^bb0(%x: {0}, %y: {0}, %s: {0}):
      %p = arith.mulf %x, %y : {0}
      %r = arith.addf %s, %p : {0}
      linalg.yield %r : {0}
  }} -> {3}
)",
      element, typeA, typeB, typeC, mapOf(loops, a), mapOf(loops, b),
      mapOf(loops, c), kinds);
}

int64_t count(const std::string &axes, const Sizes &sizes) {
  int64_t product = 1;
  for (char axis : axes)
    product *= sizes.at(axis);
  return product;
}

/// c by the definition, in f64.
template <typename T>
std::vector<double> contract(const std::string &a, const std::string &b,
                             const std::string &c, const Sizes &sizes,
                             const Buffer<T> &x, const Buffer<T> &y) {
  std::string loops = c;
  for (char axis : a + b)
    if (loops.find(axis) == std::string::npos)
      loops += axis;
  std::vector<double> result(count(c, sizes), 0.0);
  std::map<char, int64_t> at;
  int64_t total = count(loops, sizes);
  auto offset = [&](const std::string &axes) {
    int64_t sum = 0;
    for (char axis : axes)
      sum = sum * sizes.at(axis) + at[axis];
    return sum;
  };
  for (int64_t step = 0; step < total; ++step) {
    int64_t rest = step;
    for (size_t i = loops.size(); i-- > 0;) {
      at[loops[i]] = rest % sizes.at(loops[i]);
      rest /= sizes.at(loops[i]);
    }
    result[offset(c)] += double(x[offset(a)]) * double(y[offset(b)]);
  }
  return result;
}

template <typename T>
void expectContraction(const std::string &a, const std::string &b,
                       const std::string &c, const Sizes &sizes) {
  std::string element = sizeof(T) == 4 ? "f32" : "f64";
  SCOPED_TRACE(a + "," + b + "->" + c);
  for (auto [axis, size] : sizes)
    SCOPED_TRACE(fmt::format("{} = {}", axis, size));
  Kernel kernel(fmt::format("func.func @k(%a: {}, %b: {}) -> {} {{\n{}"
                            "  return %c : {}\n}}",
                            tensorType(a, sizes, element),
                            tensorType(b, sizes, element),
                            tensorType(c, sizes, element),
                            contraction(a, b, c, sizes, element),
                            tensorType(c, sizes, element)),
                /*schedule=*/true);
  auto x = randomNumbers<T>(count(a, sizes), 1);
  auto y = randomNumbers<T>(count(b, sizes), 2);
  Buffer<T> z(count(c, sizes), T(7));
  kernel(x, y, z);
  std::vector<double> expected = contract(a, b, c, sizes, x, y);
  double steps = double(count(a + b + c, sizes)) / double(z.size());
  double bound = (sizeof(T) == 4 ? 6e-8 : 1e-16) * (4 + 4 * std::sqrt(steps));
  for (size_t i = 0; i < z.size(); ++i)
    ASSERT_NEAR(z[i], expected[i], bound * 8) << "at " << i;
}

struct Shape {
  int64_t m, n, k;
};

class Forms : public testing::TestWithParam<Shape> {};

TEST_P(Forms, AgreeWithLoops) {
  auto [m, n, k] = GetParam();
  Sizes sizes{{'m', m}, {'n', n}, {'k', k}};
  expectContraction<float>("mk", "kn", "mn", sizes);
  expectContraction<float>("km", "kn", "mn", sizes);
  expectContraction<float>("mk", "nk", "mn", sizes);
  expectContraction<float>("km", "nk", "mn", sizes);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Forms,
                         testing::Values(Shape{1, 1, 1}, Shape{1, 1, 37},
                                         Shape{1, 40, 17}, Shape{33, 1, 5},
                                         Shape{3, 5, 7}, Shape{5, 64, 9},
                                         Shape{6, 130, 21}, Shape{7, 33, 16},
                                         Shape{8, 32, 1}, Shape{16, 10, 32},
                                         Shape{17, 31, 33}, Shape{23, 47, 50},
                                         Shape{64, 96, 64}, Shape{37, 48, 19},
                                         Shape{64, 64, 1}, Shape{64, 40, 1}));

TEST(ScheduledContraction, DoublesHoldTheirPrecision) {
  Sizes sizes{{'m', 19}, {'n', 29}, {'k', 41}};
  expectContraction<double>("mk", "kn", "mn", sizes);
  expectContraction<double>("km", "kn", "mn", sizes);
  expectContraction<double>("mk", "nk", "mn", sizes);
}

TEST(ScheduledContraction, ABatchRepeatsIt) {
  Sizes sizes{{'b', 3}, {'m', 9}, {'n', 20}, {'k', 18}};
  expectContraction<float>("bmk", "bkn", "bmn", sizes);
  expectContraction<float>("bmk", "bnk", "bmn", sizes);
  expectContraction<float>("bkm", "kn", "bmn", sizes);
  expectContraction<float>("mk", "bkn", "bmn", sizes);
}

TEST(ScheduledContraction, SeveralAxesAreContractedOrKept) {
  Sizes sizes{{'b', 3}, {'t', 5}, {'m', 9}, {'n', 20}, {'h', 2}, {'k', 6}};
  expectContraction<float>("btm", "btn", "mn", sizes);
  expectContraction<float>("btk", "kn", "btn", sizes);
  expectContraction<float>("bthk", "hkn", "btn", sizes);
  expectContraction<float>("bmhk", "bthk", "bhmt", sizes);
}

TEST(ScheduledContraction, TheBatchMayBeContiguous) {
  Sizes sizes{{'b', 21}, {'m', 4}, {'n', 5}, {'k', 6}};
  expectContraction<float>("mkb", "knb", "mnb", sizes);
}

TEST(ScheduledContraction, VectorsTakePart) {
  Sizes sizes{{'m', 35}, {'n', 37}, {'k', 39}};
  expectContraction<float>("mk", "k", "m", sizes);
  expectContraction<float>("k", "kn", "n", sizes);
  expectContraction<float>("k", "nk", "n", sizes);
  expectContraction<float>("k", "k", "", sizes);
}

TEST(ScheduledContraction, ColumnsAreDotProducts) {
  // Whole vectors of columns and of steps, some of each, and fewer than one.
  for (int64_t n : {1, 4, 16, 45})
    for (int64_t k : {7, 16, 48, 50}) {
      Sizes sizes{{'m', n}, {'k', k}, {'h', 3}};
      expectContraction<float>("mk", "k", "m", sizes);
      expectContraction<double>("mk", "k", "m", sizes);
      expectContraction<float>("hk", "hmk", "hm", sizes);
    }
}

TEST(ScheduledContraction, BlocksOfRowsPassAllPanels) {
  // A of 2 MiB and more, in blocks of 128 and of 101 rows.
  for (int64_t m : {2048, 2020})
    expectContraction<float>("mk", "kn", "mn",
                             {{'m', m}, {'n', 50}, {'k', 260}});
}

TEST(ScheduledContraction, RowsMayBeLongerThanABlockOfThem) {
  // 160 KB a row, and no part of a prime number of steps.
  expectContraction<float>("mk", "kn", "mn",
                           {{'m', 16}, {'n', 40}, {'k', 40009}});
}

TEST(ScheduledContraction, PartsOfALongSumPassAllPanels) {
  for (int64_t n : {40, 70})
    expectContraction<float>("km", "kn", "mn",
                             {{'m', 67}, {'n', n}, {'k', 8192}});
}

TEST(ScheduledContraction, EachChannelHasItsOwnProducts) {
  for (int64_t c : {1, 8, 16, 29}) {
    Sizes sizes{{'n', 13}, {'h', 3}, {'p', 5}, {'c', c}};
    // Weights meet positions, of which a tile takes some.
    expectContraction<float>("npc", "pc", "nc", sizes);
    expectContraction<float>("nphc", "phc", "nc", sizes);
    expectContraction<float>("npc", "cp", "nc", sizes);
    expectContraction<double>("npc", "pc", "nc", sizes);
    // Positions meet taps, of which a tile takes all.
    expectContraction<float>("nphc", "nc", "phc", sizes);
    expectContraction<float>("nphc", "nc", "cph", sizes);
  }
  // So long a sum is taken in parts.
  Sizes sizes{{'n', 40}, {'m', 30}, {'p', 9}, {'c', 12}};
  expectContraction<float>("nmpc", "nmc", "pc", sizes);
  expectContraction<float>("nmpc", "nmc", "cp", sizes);
}

/// A depthwise convolution with its windows as index maps, as the compiler has
/// it: forward with steps of two, and the gradient of the image, which reads
/// the windows backwards.
TEST(ScheduledContraction, DepthwiseConvolutions) {
  constexpr int kImages = 3, kSize = 11, kChannels = 19, kTaps = 3;
  for (bool backwards : {false, true}) {
    const int step = backwards ? 1 : 2;
    const int positions = (kSize - kTaps) / step + 1;
    Kernel kernel(fmt::format(R"(
func.func @k(%x: tensor<{0}x{1}x{1}x{2}xf32>, %w: tensor<{2}x{3}x{3}xf32>)
    -> tensor<{0}x{4}x{4}x{2}xf32> {{
  %u = graph.unfold %x along [1, 2] sizes [{3}, {3}] strides [{5}, {5}]
      dilations [{6}, {6}] : tensor<{0}x{1}x{1}x{2}xf32>
  %y = graph.einsum "bpqcij,cij->bpqc" %u, %w
      : tensor<{0}x{4}x{4}x{2}x{3}x{3}xf32>, tensor<{2}x{3}x{3}xf32>
  return %y : tensor<{0}x{4}x{4}x{2}xf32>
}})",
                              kImages, kSize, kChannels, kTaps, positions, step,
                              backwards ? -1 : 1),
                  /*schedule=*/true);
    auto x = randomNumbers<float>(kImages * kSize * kSize * kChannels, 1);
    auto w = randomNumbers<float>(kChannels * kTaps * kTaps, 2);
    Buffer<float> y(kImages * positions * positions * kChannels, 7);
    kernel(x, w, y);
    size_t at = 0;
    for (int b = 0; b < kImages; ++b)
      for (int p = 0; p < positions; ++p)
        for (int q = 0; q < positions; ++q)
          for (int c = 0; c < kChannels; ++c) {
            double sum = 0;
            for (int i = 0; i < kTaps; ++i)
              for (int j = 0; j < kTaps; ++j) {
                int row = p * step + (backwards ? kTaps - 1 - i : i);
                int column = q * step + (backwards ? kTaps - 1 - j : j);
                sum +=
                    double(x[((b * kSize + row) * kSize + column) * kChannels +
                             c]) *
                    w[(c * kTaps + i) * kTaps + j];
              }
            ASSERT_NEAR(y[at++], sum, 1e-5) << b << " " << p << " " << q;
          }
  }
}

TEST(ScheduledContraction, LongSumsKeepTheirPrecision) {
  Sizes sizes{{'m', 9}, {'n', 34}, {'k', 5000}};
  expectContraction<float>("mk", "kn", "mn", sizes);
  expectContraction<float>("mk", "nk", "mn", sizes);
  expectContraction<float>("k", "nk", "n", sizes);
}

TEST(ScheduledContraction, BiasAndReluRunOnTheRegisters) {
  Sizes sizes{{'m', 21}, {'n', 43}, {'k', 30}};
  Kernel kernel("#id = affine_map<(i, j) -> (i, j)>\n"
                "func.func @k(%a: tensor<21x30xf32>, %b: tensor<30x43xf32>,"
                " %bias: tensor<43xf32>)"
                " -> (tensor<21x43xf32>, tensor<21x43xi8>) {\n" +
                    contraction("mk", "kn", "mn", sizes, "f32") + R"(
  %e1 = tensor.empty() : tensor<21x43xf32>
  %e2 = tensor.empty() : tensor<21x43xi8>
  %y:2 = linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (j)>, #id,
                                          #id],
                         iterator_types = ["parallel", "parallel"]}
      ins(%c, %bias : tensor<21x43xf32>, tensor<43xf32>)
      outs(%e1, %e2 : tensor<21x43xf32>, tensor<21x43xi8>) {
    ^bb0(%p: f32, %q: f32, %o0: f32, %o1: i8):
      %s = arith.addf %p, %q : f32
      %z = arith.constant 0.0 : f32
      %m = arith.maximumf %s, %z : f32
      %g = arith.cmpf ogt, %s, %z : f32
      %w = arith.extui %g : i1 to i8
      linalg.yield %m, %w : f32, i8
  } -> (tensor<21x43xf32>, tensor<21x43xi8>)
  return %y#0, %y#1 : tensor<21x43xf32>, tensor<21x43xi8>
})",
                /*schedule=*/true);
  auto a = randomNumbers<float>(21 * 30, 1);
  auto b = randomNumbers<float>(30 * 43, 2);
  auto bias = randomNumbers<float>(43, 3);
  Buffer<float> y(21 * 43);
  Buffer<uint8_t> mask(21 * 43, 9);
  kernel(a, b, bias, y, mask);
  std::vector<double> c = contract("mk", "kn", "mn", sizes, a, b);
  for (size_t i = 0; i < y.size(); ++i) {
    double s = c[i] + bias[i % 43];
    EXPECT_NEAR(y[i], std::max(s, 0.0), 1e-5);
    if (std::abs(s) > 1e-5)
      EXPECT_EQ(mask[i], s > 0);
  }
}

TEST(ScheduledContraction, TheOptimizerRunsOnTheRegisters) {
  // dW = x^T dy, then Adam on W, m and v in place.
  Sizes sizes{{'m', 27}, {'n', 40}, {'k', 12}};
  std::string type = "tensor<27x40xf32>";
  Kernel kernel(
      "#id = affine_map<(i, j) -> (i, j)>\n#s = affine_map<(i, j) -> ()>\n"
      "func.func @k(%a: tensor<12x27xf32>, %b: tensor<12x40xf32>,"
      " %w: tensor<27x40xf32>, %m: tensor<27x40xf32>, %v: tensor<27x40xf32>,"
      " %t: tensor<f32>)"
      " -> (tensor<27x40xf32> {graph.updates = 2 : i32},"
      "     tensor<27x40xf32> {graph.updates = 3 : i32},"
      "     tensor<27x40xf32> {graph.updates = 4 : i32}) {\n" +
          contraction("km", "kn", "mn", sizes, "f32") + R"(
  %e1 = tensor.empty() : tensor<27x40xf32>
  %m1 = linalg.generic {indexing_maps = [#id, #id, #id],
                        iterator_types = ["parallel", "parallel"]}
      ins(%m, %c : tensor<27x40xf32>, tensor<27x40xf32>)
      outs(%e1 : tensor<27x40xf32>) {
    ^bb0(%p: f32, %g: f32, %o: f32):
      %b1 = arith.constant 0.9 : f32
      %n1 = arith.constant 0.1 : f32
      %0 = arith.mulf %p, %b1 : f32
      %1 = arith.mulf %g, %n1 : f32
      %2 = arith.addf %0, %1 : f32
      linalg.yield %2 : f32
  } -> tensor<27x40xf32>
  %v1 = linalg.generic {indexing_maps = [#id, #id, #id],
                        iterator_types = ["parallel", "parallel"]}
      ins(%v, %c : tensor<27x40xf32>, tensor<27x40xf32>)
      outs(%e1 : tensor<27x40xf32>) {
    ^bb0(%p: f32, %g: f32, %o: f32):
      %b2 = arith.constant 0.999 : f32
      %n2 = arith.constant 0.001 : f32
      %0 = arith.mulf %p, %b2 : f32
      %1 = arith.mulf %g, %g : f32
      %2 = arith.mulf %1, %n2 : f32
      %3 = arith.addf %0, %2 : f32
      linalg.yield %3 : f32
  } -> tensor<27x40xf32>
  %e0 = tensor.empty() : tensor<f32>
  %rate = linalg.generic {indexing_maps = [affine_map<() -> ()>,
                                           affine_map<() -> ()>],
                          iterator_types = []}
      ins(%t : tensor<f32>) outs(%e0 : tensor<f32>) {
    ^bb0(%p: f32, %o: f32):
      %b1 = arith.constant 0.9 : f32
      %one = arith.constant 1.0 : f32
      %0 = math.powf %b1, %p : f32
      %1 = arith.subf %one, %0 : f32
      linalg.yield %1 : f32
  } -> tensor<f32>
  %w1 = linalg.generic {indexing_maps = [#id, #id, #id, #s, #id],
                        iterator_types = ["parallel", "parallel"]}
      ins(%w, %m1, %v1, %rate : tensor<27x40xf32>, tensor<27x40xf32>,
          tensor<27x40xf32>, tensor<f32>) outs(%e1 : tensor<27x40xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32, %d: f32, %o: f32):
      %eps = arith.constant 1.0e-3 : f32
      %lr = arith.constant 0.01 : f32
      %0 = math.sqrt %r : f32
      %1 = arith.addf %0, %eps : f32
      %2 = arith.divf %q, %d : f32
      %3 = arith.divf %2, %1 : f32
      %4 = arith.mulf %3, %lr : f32
      %5 = arith.subf %p, %4 : f32
      linalg.yield %5 : f32
  } -> tensor<27x40xf32>
  return %w1, %m1, %v1 : tensor<27x40xf32>, tensor<27x40xf32>, tensor<27x40xf32>
})",
      /*schedule=*/true);
  auto a = randomNumbers<float>(12 * 27, 1),
       b = randomNumbers<float>(12 * 40, 2);
  auto w = randomNumbers<float>(27 * 40, 3),
       m = randomNumbers<float>(27 * 40, 4);
  auto v = randomNumbers<float>(27 * 40, 5);
  for (float &number : v)
    number = std::abs(number);
  Buffer<float> w0 = w, m0 = m, v0 = v, t(1, 3.0f);
  kernel(a, b, w, m, v, t);
  std::vector<double> g = contract("km", "kn", "mn", sizes, a, b);
  for (size_t i = 0; i < w.size(); ++i) {
    double m1 = 0.9 * m0[i] + 0.1 * g[i];
    double v1 = 0.999 * v0[i] + 0.001 * g[i] * g[i];
    double w1 =
        w0[i] - 0.01 * (m1 / (1 - std::pow(0.9, 3.0))) / (std::sqrt(v1) + 1e-3);
    EXPECT_NEAR(m[i], m1, 1e-6);
    EXPECT_NEAR(v[i], v1, 1e-6);
    EXPECT_NEAR(w[i], w1, 1e-5);
  }
}

TEST(ScheduledContraction, AResultOverItsOwnOperandIsKeptAside) {
  // x = x w: every row of x is read before any is written.
  Sizes sizes{{'m', 20}, {'n', 24}, {'k', 24}};
  Kernel kernel("func.func @k(%a: tensor<20x24xf32>, %b: tensor<24x24xf32>)"
                " -> (tensor<20x24xf32> {graph.updates = 0 : i32}) {\n" +
                    contraction("mk", "kn", "mn", sizes, "f32") + R"(
  %e1 = tensor.empty() : tensor<20x24xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                        affine_map<(i, j) -> (i, j)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c, %a : tensor<20x24xf32>, tensor<20x24xf32>)
      outs(%e1 : tensor<20x24xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.addf %p, %q : f32
      linalg.yield %s : f32
  } -> tensor<20x24xf32>
  return %y : tensor<20x24xf32>
})",
                /*schedule=*/true);
  auto a = randomNumbers<float>(20 * 24, 1),
       b = randomNumbers<float>(24 * 24, 2);
  Buffer<float> old = a;
  kernel(a, b);
  std::vector<double> c = contract("mk", "kn", "mn", sizes, old, b);
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_NEAR(a[i], c[i] + old[i], 1e-5);
}

} // namespace
} // namespace gradus
