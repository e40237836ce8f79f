// The reference path against loops written here.
#include "test/unit/lower/KernelRunner.h"

#include "gtest/gtest.h"

#include <cmath>

namespace gradus {
namespace {

TEST(Reference, AddsABiasAndClips) {
  Kernel kernel(R"(
    func.func @k(%x: tensor<3x5xf32>, %b: tensor<5xf32>) -> tensor<3x5xf32> {
      %e = tensor.empty() : tensor<3x5xf32>
      %y = linalg.generic {
          indexing_maps = [affine_map<(i, j) -> (i, j)>,
                           affine_map<(i, j) -> (j)>,
                           affine_map<(i, j) -> (i, j)>],
          iterator_types = ["parallel", "parallel"]}
          ins(%x, %b : tensor<3x5xf32>, tensor<5xf32>)
          outs(%e : tensor<3x5xf32>) {
        ^bb0(%p: f32, %q: f32, %o: f32):
          %s = arith.addf %p, %q : f32
          %z = arith.constant 0.0 : f32
          %m = arith.maximumf %s, %z : f32
          linalg.yield %m : f32
      } -> tensor<3x5xf32>
      return %y : tensor<3x5xf32>
    })",
                /*schedule=*/false);
  Buffer<float> x = randomNumbers<float>(15, 1), b = randomNumbers<float>(5, 2);
  Buffer<float> y(15);
  kernel(x, b, y);
  for (int i = 0; i < 15; ++i)
    EXPECT_EQ(y[i], std::max(x[i] + b[i % 5], 0.0f));
}

TEST(Reference, UpdatesAnArgumentInPlace) {
  Kernel kernel(R"(
    func.func @k(%w: tensor<7xf64>, %g: tensor<7xf64>)
        -> (tensor<7xf64> {graph.updates = 0 : i32}, tensor<f64>) {
      %e = tensor.empty() : tensor<7xf64>
      %w1 = linalg.generic {
          indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>,
                           affine_map<(i) -> (i)>],
          iterator_types = ["parallel"]}
          ins(%w, %g : tensor<7xf64>, tensor<7xf64>) outs(%e : tensor<7xf64>) {
        ^bb0(%p: f64, %q: f64, %o: f64):
          %s = arith.subf %p, %q : f64
          linalg.yield %s : f64
      } -> tensor<7xf64>
      %z = arith.constant 0.0 : f64
      %e0 = tensor.empty() : tensor<f64>
      %f = linalg.fill ins(%z : f64) outs(%e0 : tensor<f64>) -> tensor<f64>
      // Reads the old value, after the new one was computed.
      %n = linalg.generic {
          indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
          iterator_types = ["reduction"]}
          ins(%w : tensor<7xf64>) outs(%f : tensor<f64>) {
        ^bb0(%p: f64, %o: f64):
          %s = arith.addf %o, %p : f64
          linalg.yield %s : f64
      } -> tensor<f64>
      return %w1, %n : tensor<7xf64>, tensor<f64>
    })",
                /*schedule=*/false);
  Buffer<double> w = randomNumbers<double>(7, 1);
  Buffer<double> g = randomNumbers<double>(7, 2);
  Buffer<double> old = w, norm(1);
  kernel(w, g, norm);
  double sum = 0;
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(w[i], old[i] - g[i]);
    sum += old[i];
  }
  EXPECT_EQ(norm[0], sum);
}

TEST(Reference, SwapsTwoArguments) {
  Kernel kernel(R"(
    func.func @k(%a: tensor<4xf32>, %b: tensor<4xf32>)
        -> (tensor<4xf32> {graph.updates = 0 : i32},
            tensor<4xf32> {graph.updates = 1 : i32}) {
      return %b, %a : tensor<4xf32>, tensor<4xf32>
    })",
                /*schedule=*/false);
  Buffer<float> a = randomNumbers<float>(4, 1), b = randomNumbers<float>(4, 2);
  Buffer<float> oldA = a, oldB = b;
  kernel(a, b);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(a[i], oldB[i]);
    EXPECT_EQ(b[i], oldA[i]);
  }
}

TEST(Reference, ContractsInScratchLargerThanTheStack) {
  Kernel kernel(R"(
    func.func @k(%a: tensor<70x80xf32>, %b: tensor<80x90xf32>)
        -> tensor<90x70xf32> {
      %z = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<70x90xf32>
      %f = linalg.fill ins(%z : f32) outs(%e : tensor<70x90xf32>)
          -> tensor<70x90xf32>
      %c = linalg.matmul
          ins(%a, %b : tensor<70x80xf32>, tensor<80x90xf32>)
          outs(%f : tensor<70x90xf32>) -> tensor<70x90xf32>
      %e1 = tensor.empty() : tensor<90x70xf32>
      %t = linalg.transpose ins(%c : tensor<70x90xf32>)
          outs(%e1 : tensor<90x70xf32>) permutation = [1, 0]
      return %t : tensor<90x70xf32>
    })",
                /*schedule=*/false);
  Buffer<float> a = randomNumbers<float>(70 * 80, 1);
  Buffer<float> b = randomNumbers<float>(80 * 90, 2);
  Buffer<float> y(90 * 70);
  kernel(a, b, y);
  for (int i = 0; i < 70; ++i)
    for (int j = 0; j < 90; ++j) {
      double sum = 0;
      for (int k = 0; k < 80; ++k)
        sum += double(a[i * 80 + k]) * b[k * 90 + j];
      EXPECT_NEAR(y[j * 70 + i], sum, 1e-5);
    }
}

TEST(Reference, CallsTheMathLibrary) {
  Kernel kernel(R"(
    func.func @k(%x: tensor<9xf64>) -> tensor<9xf64> {
      %e = tensor.empty() : tensor<9xf64>
      %y = linalg.generic {
          indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
          iterator_types = ["parallel"]}
          ins(%x : tensor<9xf64>) outs(%e : tensor<9xf64>) {
        ^bb0(%p: f64, %o: f64):
          %0 = math.exp %p : f64
          %1 = math.erf %0 : f64
          %2 = math.log1p %1 : f64
          %3 = math.tanh %2 : f64
          linalg.yield %3 : f64
      } -> tensor<9xf64>
      return %y : tensor<9xf64>
    })",
                /*schedule=*/false);
  Buffer<double> x = randomNumbers<double>(9, 1), y(9);
  kernel(x, y);
  for (int i = 0; i < 9; ++i)
    EXPECT_EQ(y[i], std::tanh(std::log1p(std::erf(std::exp(x[i])))));
}

} // namespace
} // namespace gradus
