// RUN: gradus-opt %s -split-input-file -graph-to-linalg | FileCheck %s

// A window is an index map; an empty operand bounds the loops over its taps.
// CHECK: #[[UNDER:.*]] = affine_map<(d0, d1, d2) -> (d0, d1 * 2 + d2 * 3)>
// CHECK: #[[TAPS:.*]] = affine_map<(d0, d1, d2) -> (d2)>
// CHECK-LABEL: func.func @unfold
// CHECK: %[[WINDOW:.*]] = tensor.empty() : tensor<4xf32>
// CHECK: linalg.generic {indexing_maps = [#[[UNDER]], #[[TAPS]],
// CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel"]
// CHECK-SAME: ins(%{{.*}}, %[[WINDOW]] :
func.func @unfold(%x: tensor<3x14xf32>) -> tensor<3x3x4xf32> {
  %y = graph.unfold %x along [1] sizes [4] strides [2] dilations [3]
      : tensor<3x14xf32>
  return %y : tensor<3x3x4xf32>
}

// -----

// Backwards from the last tap.
// CHECK: affine_map<(d0, d1) -> (d0 - d1 + 3)>
// CHECK-LABEL: func.func @backwards
func.func @backwards(%x: tensor<8xi1>) -> tensor<5x4xi1> {
  %y = graph.unfold %x along [0] sizes [4] strides [1] dilations [-1]
      : tensor<8xi1>
  return %y : tensor<5x4xi1>
}

// -----

// Windows overlap in the result: their loops reduce.
// CHECK: #[[UNDER:.*]] = affine_map<(d0, d1, d2) -> (d0, d1 * 2 + d2)>
// CHECK-LABEL: func.func @fold
// CHECK: %[[ZEROS:.*]] = linalg.fill
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[UNDER]]],
// CHECK-SAME: iterator_types = ["parallel", "reduction", "reduction"]
// CHECK-SAME: outs(%[[ZEROS]] :
// CHECK: arith.addf
func.func @fold(%x: tensor<5x3x4xf32>) -> tensor<5x8xf32> {
  %y = graph.fold %x along [1] extents [8] strides [2] dilations [1]
      : tensor<5x3x4xf32>
  return %y : tensor<5x8xf32>
}
