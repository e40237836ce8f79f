// Row-wise chains and attention, whose rows run block by block in one loop, as
// kernels that train have them, against plain loops without fusion: rows of ten
// numbers and of thousands, numbers of rows that no block divides, heads.
#include "test/unit/fuse/StepRunner.h"

#include "gtest/gtest.h"
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradus {
namespace {

void expectEqual(const std::string &text, const std::string &kind) {
  auto step = planStep(text, true);
  ASSERT_TRUE(step);
  ASSERT_EQ(step->calls.size(), 1u) << kind << " of\n" << text;
  auto fused = StepRunner(text, true, 1, /*schedule=*/true).run(1);
  auto whole = StepRunner(text, false, 1).run(1);
  expectSameBitsOnAnyWorkers(text);
  ASSERT_EQ(fused.size(), whole.size());
  for (size_t i = 0; i < fused.size(); ++i)
    for (size_t j = 0; j < fused[i].size(); ++j)
      ASSERT_LE(std::abs(fused[i][j] - whole[i][j]),
                2e-5 * std::max(1.0, std::abs(whole[i][j])))
          << "value " << j << " of result " << i << " of\n"
          << text;
}

struct Shape {
  int64_t rows, width;
};

class Rows : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(Shapes, Rows,
                         testing::Values(Shape{3, 5}, Shape{131, 10},
                                         Shape{1021, 10}, Shape{257, 16},
                                         Shape{48, 100}, Shape{101, 129},
                                         Shape{7, 2048}, Shape{3, 9001}));

/// The loss, the mean over all rows, and its gradient.
TEST_P(Rows, CrossEntropyIsOneKernel) {
  auto [rows, width] = GetParam();
  expectEqual(fmt::format(R"(
func.func @step(%z: tensor<{0}x{1}xf32>, %y: tensor<{0}xf32>)
    -> (tensor<{0}x{1}xf32> {{graph.updates = 0 : i64}},
        tensor<{0}xf32> {{graph.updates = 1 : i64}}, tensor<f32>) {{
  %top = graph.reduce_max %z over [1] : tensor<{0}x{1}xf32>
  %tops = graph.broadcast %top along [1] sizes [{1}] : tensor<{0}xf32>
  %c = graph.sub %z, %tops : tensor<{0}x{1}xf32>
  %e = graph.exp %c : tensor<{0}x{1}xf32>
  %sum = graph.sum %e over [1] : tensor<{0}x{1}xf32>
  %log = graph.log %sum : tensor<{0}xf32>
  %i = graph.iota {1} of i32
  %j = graph.iota {0} of i32
  %is = graph.broadcast %i along [0] sizes [{0}] : tensor<{1}xi32>
  %js = graph.broadcast %j along [1] sizes [{1}] : tensor<{0}xi32>
  %taken = graph.compare le %is, %js : tensor<{0}x{1}xi32>
  %zero = graph.constant dense<0.0> : tensor<{0}x{1}xf32>
  %kept = graph.select %taken, %c, %zero : tensor<{0}x{1}xf32>
  %picked = graph.sum %kept over [1] : tensor<{0}x{1}xf32>
  %loss = graph.sub %log, %picked : tensor<{0}xf32>
  %losses = graph.mul %loss, %y : tensor<{0}xf32>
  %total = graph.sum %losses over [0] : tensor<{0}xf32>
  %n = graph.constant dense<{0}.0> : tensor<f32>
  %mean = graph.div %total, %n : tensor<f32>
  %sums = graph.broadcast %sum along [1] sizes [{1}] : tensor<{0}xf32>
  %p = graph.div %e, %sums : tensor<{0}x{1}xf32>
  return %p, %loss, %mean
      : tensor<{0}x{1}xf32>, tensor<{0}xf32>, tensor<f32>
}})",
                          rows, width),
              "a cross entropy");
}

TEST_P(Rows, NormalizationIsOneKernel) {
  auto [rows, width] = GetParam();
  expectEqual(fmt::format(R"(
func.func @step(%x: tensor<{0}x{1}xf32>, %gain: tensor<{1}xf32>)
    -> (tensor<{0}x{1}xf32> {{graph.updates = 0 : i64}}, tensor<{0}xf32>) {{
  %n = graph.constant dense<{1}.0> : tensor<{0}xf32>
  %eps = graph.constant dense<0.1> : tensor<{0}xf32>
  %sum = graph.sum %x over [1] : tensor<{0}x{1}xf32>
  %mean = graph.div %sum, %n : tensor<{0}xf32>
  %means = graph.broadcast %mean along [1] sizes [{1}] : tensor<{0}xf32>
  %c = graph.sub %x, %means : tensor<{0}x{1}xf32>
  %squares = graph.mul %c, %c : tensor<{0}x{1}xf32>
  %total = graph.sum %squares over [1] : tensor<{0}x{1}xf32>
  %variance = graph.div %total, %n : tensor<{0}xf32>
  %above = graph.add %variance, %eps : tensor<{0}xf32>
  %s = graph.sqrt %above : tensor<{0}xf32>
  %ss = graph.broadcast %s along [1] sizes [{1}] : tensor<{0}xf32>
  %y = graph.div %c, %ss : tensor<{0}x{1}xf32>
  %gains = graph.broadcast %gain along [0] sizes [{0}] : tensor<{1}xf32>
  %z = graph.mul %y, %gains : tensor<{0}x{1}xf32>
  return %z, %s : tensor<{0}x{1}xf32>, tensor<{0}xf32>
}})",
                          rows, width),
              "a normalization");
}

/// The gradient of a batch normalization and a ReLU behind it: totals over all
/// rows, then what needs them in every row, with a frame of zeros around it,
/// and the mean of that.
TEST_P(Rows, GradientOfBatchNormalizationIsOneKernel) {
  auto [rows, width] = GetParam();
  expectEqual(fmt::format(R"(
func.func @step(%x: tensor<{0}x4x{1}xf32>, %g: tensor<{0}x4x{1}xf32>,
                %mean: tensor<{1}xf32>, %scale: tensor<{1}xf32>)
    -> (tensor<{0}x6x{1}xf32>, tensor<{1}xf32> {{graph.updates = 2 : i64}}) {{
  %n = graph.constant dense<0.001> : tensor<{1}xf32>
  %zero = graph.constant dense<0.0> : tensor<{0}x4x{1}xf32>
  %means = graph.broadcast %mean along [0, 1] sizes [{0}, 4] : tensor<{1}xf32>
  %scales = graph.broadcast %scale along [0, 1] sizes [{0}, 4] : tensor<{1}xf32>
  %c = graph.sub %x, %means : tensor<{0}x4x{1}xf32>
  %y = graph.mul %c, %scales : tensor<{0}x4x{1}xf32>
  %shown = graph.compare gt %y, %zero : tensor<{0}x4x{1}xf32>
  %d = graph.select %shown, %g, %zero : tensor<{0}x4x{1}xf32>
  %sum = graph.sum %d over [0, 1] : tensor<{0}x4x{1}xf32>
  %dc = graph.mul %d, %c : tensor<{0}x4x{1}xf32>
  %sumc = graph.sum %dc over [0, 1] : tensor<{0}x4x{1}xf32>
  %a = graph.mul %sum, %n : tensor<{1}xf32>
  %b = graph.mul %sumc, %n : tensor<{1}xf32>
  %as = graph.broadcast %a along [0, 1] sizes [{0}, 4] : tensor<{1}xf32>
  %bs = graph.broadcast %b along [0, 1] sizes [{0}, 4] : tensor<{1}xf32>
  %cb = graph.mul %c, %bs : tensor<{0}x4x{1}xf32>
  %da = graph.sub %d, %as : tensor<{0}x4x{1}xf32>
  %dx = graph.sub %da, %cb : tensor<{0}x4x{1}xf32>
  %total = graph.sum %dx over [0, 1] : tensor<{0}x4x{1}xf32>
  %share = graph.mul %total, %n : tensor<{1}xf32>
  %framed = graph.pad %dx low [0, 1, 0] high [0, 1, 0] : tensor<{0}x4x{1}xf32>
  return %framed, %share : tensor<{0}x6x{1}xf32>, tensor<{1}xf32>
}})",
                          rows, width),
              "a gradient of a batch normalization");
}

struct Heads {
  int64_t examples, heads, positions, width;
};

class Attention : public testing::TestWithParam<Heads> {};
INSTANTIATE_TEST_SUITE_P(Shapes, Attention,
                         testing::Values(Heads{1, 1, 3, 2}, Heads{2, 3, 5, 4},
                                         Heads{3, 2, 33, 17},
                                         Heads{2, 2, 64, 16}));

/// Scores, softmax and mix with the axes as attention has them, the heads
/// behind the positions in the result; and a gradient that meets both.
TEST_P(Attention, ForwardAndBackwardAreOneKernel) {
  auto [b, h, n, c] = GetParam();
  expectEqual(fmt::format(R"(
func.func @step(%q: tensor<{0}x{1}x{2}x{3}xf32>, %k: tensor<{0}x{1}x{2}x{3}xf32>,
                %v: tensor<{0}x{1}x{2}x{3}xf32>)
    -> (tensor<{0}x{1}x{2}x{3}xf32> {{graph.updates = 0 : i64}},
        tensor<{0}x{1}x{2}x{3}xf32>, tensor<{0}x{2}x{1}x{3}xf32>,
        tensor<{0}x{1}x{2}x{2}xf32>) {{
  %s = graph.einsum "bhic,bhjc->bhij" %q, %k
      : tensor<{0}x{1}x{2}x{3}xf32>, tensor<{0}x{1}x{2}x{3}xf32>
  %e = graph.exp %s : tensor<{0}x{1}x{2}x{2}xf32>
  %sum = graph.sum %e over [3] : tensor<{0}x{1}x{2}x{2}xf32>
  %sums = graph.broadcast %sum along [3] sizes [{2}] : tensor<{0}x{1}x{2}xf32>
  %w = graph.div %e, %sums : tensor<{0}x{1}x{2}x{2}xf32>
  %mix = graph.einsum "bhij,bhjc->bihc" %w, %v
      : tensor<{0}x{1}x{2}x{2}xf32>, tensor<{0}x{1}x{2}x{3}xf32>
  %g = graph.einsum "bihc,bhjc->bhij" %mix, %v
      : tensor<{0}x{2}x{1}x{3}xf32>, tensor<{0}x{1}x{2}x{3}xf32>
  %gw = graph.mul %g, %w : tensor<{0}x{1}x{2}x{2}xf32>
  %t = graph.sum %gw over [3] : tensor<{0}x{1}x{2}x{2}xf32>
  %ts = graph.broadcast %t along [3] sizes [{2}] : tensor<{0}x{1}x{2}xf32>
  %d = graph.sub %g, %ts : tensor<{0}x{1}x{2}x{2}xf32>
  %ds = graph.mul %d, %w : tensor<{0}x{1}x{2}x{2}xf32>
  %dq = graph.einsum "bhij,bhjc->bhic" %ds, %k
      : tensor<{0}x{1}x{2}x{2}xf32>, tensor<{0}x{1}x{2}x{3}xf32>
  %dk = graph.einsum "bhij,bhic->bhjc" %ds, %q
      : tensor<{0}x{1}x{2}x{2}xf32>, tensor<{0}x{1}x{2}x{3}xf32>
  return %dq, %dk, %mix, %w
      : tensor<{0}x{1}x{2}x{3}xf32>, tensor<{0}x{1}x{2}x{3}xf32>,
        tensor<{0}x{2}x{1}x{3}xf32>, tensor<{0}x{1}x{2}x{2}xf32>
}})",
                          b, h, n, c),
              "an attention");
}

} // namespace
} // namespace gradus
