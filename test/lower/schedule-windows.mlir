// RUN: gradus-opt %s -split-input-file -graph-to-linalg -graph-scheduled-loops | FileCheck %s

// Pooling reads its windows where they lie; nothing else is allocated.
// CHECK-LABEL: func.func @pool
// CHECK-NOT: memref.alloc
// CHECK: vector.load %{{.*}} : memref<1024xf32>, vector<16xf32>
// CHECK: arith.maximumf {{.*}} : vector<16xf32>
func.func @pool(%x: tensor<8x8x16xf32>) -> tensor<4x4x16xf32> {
  %p = graph.unfold %x along [0, 1] sizes [2, 2] strides [2, 2] dilations [1, 1]
      : tensor<8x8x16xf32>
  %y = graph.reduce_max %p over [3, 4] : tensor<4x4x16x2x2xf32>
  return %y : tensor<4x4x16xf32>
}

// -----

// Lanes lie along the axis in which no windows meet.
// CHECK-LABEL: func.func @fold
// CHECK-NOT: memref.alloc
// CHECK: vector.load
// CHECK: %[[Y:.*]] = vector.load %[[TO:.*]][%[[AT:.*]]]
// CHECK: %[[SUM:.*]] = arith.addf %[[Y]], %{{.*}} : vector<16xf32>
// CHECK: vector.store %[[SUM]], %[[TO]][%[[AT]]]
func.func @fold(%x: tensor<2x5x3x16xf32>) -> tensor<11x3x16xf32> {
  %t = graph.transpose %x by [1, 2, 3, 0] : tensor<2x5x3x16xf32>
  %y = graph.fold %t along [0] extents [11] strides [2] dilations [2]
      : tensor<5x3x16x2xf32>
  return %y : tensor<11x3x16xf32>
}

// -----

// Too few columns of a window for a tile: all nine taps are its rows, and each
// image is read once.
// CHECK-LABEL: func.func @taps_as_rows
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.for {{.*}} iter_args
// CHECK: vector.load
// CHECK-COUNT-9: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func @taps_as_rows(%x: tensor<2x30x30xf32>, %dy: tensor<2x28x28x16xf32>)
    -> tensor<3x3x16xf32> {
  %u = graph.unfold %x along [1, 2] sizes [3, 3] strides [1, 1] dilations [1, 1]
      : tensor<2x30x30xf32>
  %y = graph.einsum "bpqo,bpqij->ijo" %dy, %u
      : tensor<2x28x28x16xf32>, tensor<2x28x28x3x3xf32>
  return %y : tensor<3x3x16xf32>
}

// -----

// Seven columns of a small image are too few as well: tiles of four of its rows
// and of three, not of pixels of different images.
// CHECK-LABEL: func.func @small_image
// CHECK-NOT: memref.prefetch
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-28: math.fma
// CHECK: scf.yield
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-21: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func @small_image(%x: tensor<64x9x9x32xf32>, %w: tensor<32x3x3x16xf32>)
    -> tensor<64x7x7x16xf32> {
  %u = graph.unfold %x along [1, 2] sizes [3, 3] strides [1, 1] dilations [1, 1]
      : tensor<64x9x9x32xf32>
  %y = graph.einsum "bpqcij,cijo->bpqo" %u, %w
      : tensor<64x7x7x32x3x3xf32>, tensor<32x3x3x16xf32>
  return %y : tensor<64x7x7x16xf32>
}

// -----

// Nine steps a tile: its results are asked for before them, as they lie beyond
// the nearest caches. (Those of @small_image take longer to compute.)
// CHECK-LABEL: func.func @short_sums
// CHECK-COUNT-28: memref.prefetch %{{.*}}, write
// CHECK-NOT: memref.prefetch
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-28: math.fma
// CHECK: return
func.func @short_sums(%x: tensor<8x30x30xf32>, %w: tensor<3x3x16xf32>)
    -> tensor<8x28x28x16xf32> {
  %u = graph.unfold %x along [1, 2] sizes [3, 3] strides [1, 1] dilations [1, 1]
      : tensor<8x30x30xf32>
  %y = graph.einsum "bpqij,ijo->bpqo" %u, %w
      : tensor<8x28x28x3x3xf32>, tensor<3x3x16xf32>
  return %y : tensor<8x28x28x16xf32>
}
