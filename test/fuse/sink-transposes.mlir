// RUN: gradus-opt %s -split-input-file -graph-form-kernels | FileCheck %s

// From one convolution to the next a value keeps its channels last, although
// the language counts them second: no transposition is left between them.
// CHECK-LABEL: func.func @two_convolutions
// CHECK-NOT: graph.transpose
// CHECK: graph.einsum "bchwij,ocij->bhwo"
// CHECK-NEXT: graph.broadcast %{{.*}} along [0, 1, 2] sizes [2, 8, 8]
// CHECK-NEXT: graph.add
// CHECK: graph.unfold %{{.*}} along [1, 2] sizes [2, 2] strides [2, 2]
// CHECK-NEXT: graph.reduce_max %{{.*}} over [4, 5]
// CHECK: graph.transpose %{{.*}} by [0, 3, 1, 2]
func.func @two_convolutions(%x: tensor<2x1x10x10xf32>, %bias: tensor<16xf32>,
                            %v: tensor<16x1x3x3xf32>, %w: tensor<32x16x3x3xf32>)
    -> tensor<2x32x2x2xf32> {
  %0 = graph.unfold %x along [2, 3] sizes [3, 3] strides [1, 1] dilations [1, 1]
      : tensor<2x1x10x10xf32>
  %1 = graph.einsum "bchwij,ocij->bohw" %0, %v
      : tensor<2x1x8x8x3x3xf32>, tensor<16x1x3x3xf32>
  %2 = graph.broadcast %bias along [0, 2, 3] sizes [2, 8, 8] : tensor<16xf32>
  %3 = graph.add %1, %2 : tensor<2x16x8x8xf32>
  %4 = graph.unfold %3 along [2, 3] sizes [2, 2] strides [2, 2] dilations [1, 1]
      : tensor<2x16x8x8xf32>
  %5 = graph.reduce_max %4 over [4, 5] : tensor<2x16x4x4x2x2xf32>
  %6 = graph.unfold %5 along [2, 3] sizes [3, 3] strides [1, 1] dilations [1, 1]
      : tensor<2x16x4x4xf32>
  %7 = graph.einsum "bchwij,ocij->bohw" %6, %w
      : tensor<2x16x2x2x3x3xf32>, tensor<32x16x3x3xf32>
  return %7 : tensor<2x32x2x2xf32>
}

// -----

// A parameter and what its optimizer keeps stay as they are stored: the gradient
// is turned.
// CHECK-LABEL: func.func @update
// CHECK: graph.transpose %{{.*}} by [1, 0]
// CHECK-NOT: graph.transpose
func.func @update(%p: tensor<4x3xf32> {graph.buffer = "p"}, %a: tensor<8x3xf32>,
                  %b: tensor<8x4xf32>) -> tensor<4x3xf32> {
  %g = graph.einsum "ki,kj->ij" %a, %b : tensor<8x3xf32>, tensor<8x4xf32>
  %t = graph.transpose %g by [1, 0] : tensor<3x4xf32>
  %q = graph.sub %p, %t : tensor<4x3xf32>
  return %q : tensor<4x3xf32>
}

// -----

// Movements and reductions are done in the layout at hand.
// CHECK-LABEL: func.func @through
// CHECK: graph.pad %{{.*}} low [1, 0, 2] high [0, 3, 0]
// CHECK-NEXT: graph.slice %{{.*}} from [0, 1, 0] sizes [5, 4, 4]
// CHECK-NEXT: graph.sum %{{.*}} over [1]
// CHECK-NEXT: graph.broadcast %{{.*}} along [1] sizes [7]
// CHECK: graph.transpose %{{.*}} by [2, 1, 0]
func.func @through(%x: tensor<4x3x2xf32>) -> tensor<4x7x5xf32> {
  %0 = graph.transpose %x by [2, 0, 1] : tensor<4x3x2xf32>
  %1 = graph.pad %0 low [2, 1, 0] high [0, 0, 3] : tensor<2x4x3xf32>
  %2 = graph.slice %1 from [0, 0, 1] sizes [4, 5, 4] : tensor<4x5x6xf32>
  %3 = graph.sum %2 over [2] : tensor<4x5x4xf32>
  %4 = graph.broadcast %3 along [1] sizes [7] : tensor<4x5xf32>
  return %4 : tensor<4x7x5xf32>
}
