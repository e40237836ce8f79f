// RUN: gradus-opt %s -split-input-file -graph-to-linalg -graph-scheduled-loops=vectors=avx2 | FileCheck %s

// Tiles have six rows of two vectors. Two rows of seven pixels are three tiles,
// of five, five and four rows, each of which takes four channels at a time.
// CHECK-LABEL: func.func @small_image
// CHECK: scf.for {{.*}} to %c32 step %c4 iter_args
// CHECK-COUNT-40: math.fma
// CHECK: scf.yield
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-40: math.fma
// CHECK: scf.yield
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-32: math.fma
// CHECK-NOT: math.fma
// CHECK: scf.yield
func.func @small_image(%x: tensor<64x10x9x32xf32>, %w: tensor<32x3x3x16xf32>)
    -> tensor<64x8x7x16xf32> {
  %u = graph.unfold %x along [1, 2] sizes [3, 3] strides [1, 1] dilations [1, 1]
      : tensor<64x10x9x32xf32>
  %y = graph.einsum "bpqcij,cijo->bpqo" %u, %w
      : tensor<64x8x7x32x3x3xf32>, tensor<32x3x3x16xf32>
  return %y : tensor<64x8x7x16xf32>
}

// -----

// The gradient of the weights goes by four rows of an image, 112 pixels, whose
// panel fits the nearest cache.
// CHECK-LABEL: func.func @weights
// CHECK: memref.alloc() {{.*}} : memref<1792xf32>
func.func @weights(%x: tensor<64x30x30x32xf32>, %dy: tensor<64x28x28x32xf32>)
    -> tensor<3x3x32x32xf32> {
  %u = graph.unfold %x along [1, 2] sizes [3, 3] strides [1, 1] dilations [1, 1]
      : tensor<64x30x30x32xf32>
  %y = graph.einsum "bpqo,bpqcij->ijco" %dy, %u
      : tensor<64x28x28x32xf32>, tensor<64x28x28x32x3x3xf32>
  return %y : tensor<3x3x32x32xf32>
}

// -----

// Where rows are the taps of a window, an element that one pixel reads the next
// reads again: pixels are taken one by one, or all of these would be kept in
// registers.
// CHECK-LABEL: func.func @taps
// CHECK: scf.for %{{.*}} = %c0 to %c28 step %c1 iter_args
// CHECK-NOT: step %c4 iter_args
// CHECK: return
func.func @taps(%x: tensor<64x30x30x1xf32>, %dy: tensor<64x28x28x16xf32>)
    -> tensor<3x3x1x16xf32> {
  %u = graph.unfold %x along [1, 2] sizes [3, 3] strides [1, 1] dilations [1, 1]
      : tensor<64x30x30x1xf32>
  %y = graph.einsum "bpqo,bpqcij->ijco" %dy, %u
      : tensor<64x28x28x16xf32>, tensor<64x28x28x1x3x3xf32>
  return %y : tensor<3x3x1x16xf32>
}
