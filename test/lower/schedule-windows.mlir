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
