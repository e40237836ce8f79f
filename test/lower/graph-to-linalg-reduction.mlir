// RUN: gradus-opt %s -split-input-file -graph-to-linalg | FileCheck %s

// CHECK: #[[KEPT:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-LABEL: func.func @sum
// CHECK: %[[ZERO:.*]] = arith.constant 0
// CHECK: linalg.fill ins(%[[ZERO]] : f32)
// CHECK: linalg.generic {{.*}}#[[KEPT]]]
// CHECK-SAME: iterator_types = ["reduction", "parallel", "reduction"]
// CHECK: arith.addf
func.func @sum(%x: tensor<4x3x2xf32>) -> tensor<3xf32> {
  %y = graph.sum %x over [0, 2] : tensor<4x3x2xf32>
  return %y : tensor<3xf32>
}

// -----

// CHECK-LABEL: func.func @reduce_max
// CHECK: arith.constant 0xFF800000 : f32
// CHECK: iterator_types = ["parallel", "reduction"]
// CHECK: arith.maximumf
func.func @reduce_max(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  %y = graph.reduce_max %x over [1] : tensor<4x3xf32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @argmax
// CHECK: %[[S:.*]]:2 = linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "reduction"]
// CHECK: arith.cmpf ugt
// CHECK: arith.cmpf ord
// CHECK: return %[[S]]#1 : tensor<4xi32>
func.func @argmax(%x: tensor<4x3xf32>) -> tensor<4xi32> {
  %y = graph.argmax %x over 1 : tensor<4x3xf32>
  return %y : tensor<4xi32>
}
