// RUN: gradus-opt %s -split-input-file -graph-to-linalg -graph-scheduled-loops=vectors=avx2 | FileCheck %s

// A depthwise convolution: eight pixels of a row meet each tap of eight channels,
// whose weights have been laid side by side.
// CHECK-LABEL: func.func @forward
// CHECK: memref.alloc() {{.*}} : memref<288xf32>
// CHECK: scf.for {{.*}} to %c64
// CHECK: scf.for {{.*}} to %c32
// CHECK: scf.for {{.*}} to %c32{{.*}} step %c8
// CHECK: scf.for {{.*}} to %c32{{.*}} step %c8
// CHECK-NOT: scf.for
// CHECK-COUNT-72: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func @forward(%x: tensor<64x34x34x32xf32>, %w: tensor<32x3x3xf32>)
    -> tensor<64x32x32x32xf32> {
  %u = graph.unfold %x along [1, 2] sizes [3, 3] strides [1, 1] dilations [1, 1]
      : tensor<64x34x34x32xf32>
  %y = graph.einsum "bpqcij,cij->bpqc" %u, %w
      : tensor<64x32x32x32x3x3xf32>, tensor<32x3x3xf32>
  return %y : tensor<64x32x32x32xf32>
}

// -----

// The gradient of its weights: a pixel of the result meets all nine taps, row by
// row of all images; what the rows give is added up in memory.
// CHECK-LABEL: func.func @weights
// CHECK: scf.for {{.*}} to %c64
// CHECK: scf.for {{.*}} to %c32
// CHECK: scf.for {{.*}} to %c32{{.*}} step %c8
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-9: math.fma
// CHECK-NOT: math.fma
// CHECK: graph.parallel
// CHECK: graph.adds
// CHECK: graph.adds
// CHECK: return
func.func @weights(%x: tensor<64x34x34x32xf32>, %dy: tensor<64x32x32x32xf32>)
    -> tensor<32x3x3xf32> {
  %u = graph.unfold %x along [1, 2] sizes [3, 3] strides [1, 1] dilations [1, 1]
      : tensor<64x34x34x32xf32>
  %y = graph.einsum "bpqcij,bpqc->cij" %u, %dy
      : tensor<64x32x32x32x3x3xf32>, tensor<64x32x32x32xf32>
  return %y : tensor<32x3x3xf32>
}
