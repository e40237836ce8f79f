// RUN: gradus-opt %s -split-input-file -graph-to-linalg | FileCheck %s

// Repeating is a map, so that it fuses into what reads it.
// CHECK: #[[ROW:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @broadcast
// CHECK: linalg.generic {indexing_maps = [#[[ROW]],
// CHECK-SAME: iterator_types = ["parallel", "parallel"]
func.func @broadcast(%x: tensor<3xf32>) -> tensor<4x3xf32> {
  %y = graph.broadcast %x along [0] sizes [4] : tensor<3xf32>
  return %y : tensor<4x3xf32>
}

// -----

// y[i, j, k] = x[k, i, j]
// CHECK: #[[BACK:.*]] = affine_map<(d0, d1, d2) -> (d2, d0, d1)>
// CHECK-LABEL: func.func @transpose
// CHECK: linalg.generic {indexing_maps = [#[[BACK]],
func.func @transpose(%x: tensor<4x3x2xi1>) -> tensor<3x2x4xi1> {
  %y = graph.transpose %x by [1, 2, 0] : tensor<4x3x2xi1>
  return %y : tensor<3x2x4xi1>
}

// -----

// CHECK-LABEL: func.func @reshape
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2]]
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1, 2]]
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1]]
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0, 1]]
// CHECK: tensor.collapse_shape %{{.*}} [] : tensor<1x1xf32> into tensor<f32>
func.func @reshape(%a: tensor<4x28x28xf32>, %b: tensor<4x6xf32>,
                   %c: tensor<4x6xf32>, %d: tensor<1x1xf32>)
    -> (tensor<4x784xf32>, tensor<4x2x3xf32>, tensor<8x3xf32>, tensor<f32>) {
  %0 = graph.reshape %a to [4, 784] : tensor<4x28x28xf32>
  %1 = graph.reshape %b to [4, 2, 3] : tensor<4x6xf32>
  %2 = graph.reshape %c to [8, 3] : tensor<4x6xf32>
  %3 = graph.reshape %d to [] : tensor<1x1xf32>
  return %0, %1, %2, %3
      : tensor<4x784xf32>, tensor<4x2x3xf32>, tensor<8x3xf32>, tensor<f32>
}

// -----

// CHECK-LABEL: func.func @boxes
// CHECK: tensor.extract_slice %{{.*}}[1, 0] [2, 3] [1, 1]
// CHECK: linalg.fill
// CHECK: tensor.insert_slice %{{.*}}[1, 0] [2, 3] [1, 1] : tensor<2x3xf32> into tensor<4x5xf32>
// CHECK: tensor.insert_slice %{{.*}}[0, 0] [4, 3] [1, 1]
// CHECK: tensor.insert_slice %{{.*}}[4, 0] [2, 3] [1, 1]
func.func @boxes(%x: tensor<4x3xf32>)
    -> (tensor<2x3xf32>, tensor<4x5xf32>, tensor<6x3xf32>) {
  %0 = graph.slice %x from [1, 0] sizes [2, 3] : tensor<4x3xf32>
  %1 = graph.pad %0 low [1, 0] high [1, 2] : tensor<2x3xf32>
  %2 = graph.concat %x, %0 along 0 : tensor<4x3xf32>, tensor<2x3xf32>
  return %0, %1, %2 : tensor<2x3xf32>, tensor<4x5xf32>, tensor<6x3xf32>
}
