// RUN: gradus-opt %s -split-input-file -graph-form-kernels | FileCheck %s

// A penalty on all parameters and its derivative: no vector of all is made.
// CHECK-LABEL: func.func @penalty
// CHECK-NOT: tensor<18xf32>
// CHECK-NOT: graph.concat
func.func @penalty(%w: tensor<3x4xf32>, %b: tensor<6xf32>)
    -> (tensor<f32>, tensor<3x4xf32>, tensor<6xf32>) {
  %two = graph.constant dense<2.0> : tensor<18xf32>
  %flat = graph.reshape %w to [12] : tensor<3x4xf32>
  %all = graph.concat %flat, %b along 0 : tensor<12xf32>, tensor<6xf32>
  %squares = graph.mul %all, %all : tensor<18xf32>
  %sum = graph.sum %squares over [0] : tensor<18xf32>
  %scale = graph.broadcast %sum along [0] sizes [18] : tensor<f32>
  %d = graph.mul %two, %all : tensor<18xf32>
  %scaled = graph.mul %d, %scale : tensor<18xf32>
  %dflat = graph.slice %scaled from [0] sizes [12] : tensor<18xf32>
  %db = graph.slice %scaled from [12] sizes [6] : tensor<18xf32>
  %dw = graph.reshape %dflat to [3, 4] : tensor<12xf32>
  return %sum, %dw, %db : tensor<f32>, tensor<3x4xf32>, tensor<6xf32>
}

// -----

// Slices across the seams, and sums along another axis, need the concat.
// CHECK-LABEL: func.func @across
// CHECK: graph.concat
func.func @across(%a: tensor<2x3xf32>, %b: tensor<1x3xf32>)
    -> (tensor<2x3xf32>, tensor<3xf32>) {
  %all = graph.concat %a, %b along 0 : tensor<2x3xf32>, tensor<1x3xf32>
  %e = graph.exp %all : tensor<3x3xf32>
  %part = graph.slice %e from [1, 0] sizes [2, 3] : tensor<3x3xf32>
  %rows = graph.sum %e over [1] : tensor<3x3xf32>
  return %part, %rows : tensor<2x3xf32>, tensor<3xf32>
}
