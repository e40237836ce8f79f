// RUN: gradus-opt %s -split-input-file -graph-to-linalg | FileCheck %s

// Loops over the result's indices, then over the contracted ones.
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @weight_gradient
// CHECK: linalg.fill
// CHECK: linalg.generic {indexing_maps = [#[[A]], #[[B]], #[[Y]]]
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
func.func @weight_gradient(%x: tensor<8x4xf32>, %dy: tensor<8x3xf32>)
    -> tensor<4x3xf32> {
  %dw = graph.einsum "bi,bj->ij" %x, %dy : tensor<8x4xf32>, tensor<8x3xf32>
  return %dw : tensor<4x3xf32>
}

// -----

// A product that contracts nothing is pointwise.
// CHECK-LABEL: func.func @outer
// CHECK-NOT: linalg.fill
// CHECK: iterator_types = ["parallel", "parallel"]
// CHECK-NOT: arith.addf
// CHECK: return
func.func @outer(%a: tensor<4xf32>, %b: tensor<3xf32>) -> tensor<4x3xf32> {
  %y = graph.einsum "i,j->ij" %a, %b : tensor<4xf32>, tensor<3xf32>
  return %y : tensor<4x3xf32>
}
