// RUN: gradus-opt %s -canonicalize | FileCheck %s

// CHECK-LABEL: @neutral
// CHECK-NEXT: return %arg0, %arg0, %arg0, %arg0, %arg0
func.func @neutral(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>,
    tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %zero = graph.constant dense<0.0> : tensor<3xf32>
  %one = graph.constant dense<1.0> : tensor<3xf32>
  %a = graph.add %zero, %x : tensor<3xf32>
  %b = graph.sub %x, %zero : tensor<3xf32>
  %c = graph.mul %one, %x : tensor<3xf32>
  %d = graph.div %x, %one : tensor<3xf32>
  %e = graph.pow %x, %one : tensor<3xf32>
  return %a, %b, %c, %d, %e : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>,
      tensor<3xf32>, tensor<3xf32>
}

// x * 0 stays: x may be infinite.
// CHECK-LABEL: @zero_times
// CHECK: graph.mul
func.func @zero_times(%x: tensor<3xf32>) -> tensor<3xf32> {
  %zero = graph.constant dense<0.0> : tensor<3xf32>
  %y = graph.mul %x, %zero : tensor<3xf32>
  return %y : tensor<3xf32>
}

// A strong product with 0 is 0; with another finite constant it is a product.
// CHECK-LABEL: @strong
// CHECK-DAG: %[[ZERO:.*]] = graph.constant dense<0.0
// CHECK-DAG: %[[TWO:.*]] = graph.constant dense<2.0
// CHECK: %[[Y:.*]] = graph.mul %arg0, %[[TWO]]
// CHECK: return %[[ZERO]], %[[Y]]
func.func @strong(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %zero = graph.constant dense<0.0> : tensor<3xf32>
  %two = graph.constant dense<2.0> : tensor<3xf32>
  %a = graph.strong_mul %x, %zero : tensor<3xf32>
  %b = graph.strong_mul %two, %x : tensor<3xf32>
  return %a, %b : tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: @signs
// CHECK-DAG: %[[D:.*]] = graph.sub %arg0, %arg1
// CHECK-DAG: %[[S:.*]] = graph.add %arg0, %arg1
// CHECK-DAG: %[[P:.*]] = graph.mul %arg0, %arg1
// CHECK: return %arg0, %[[D]], %[[S]], %[[P]]
func.func @signs(%a: tensor<3xf32>, %b: tensor<3xf32>) -> (tensor<3xf32>,
    tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %na = graph.neg %a : tensor<3xf32>
  %nb = graph.neg %b : tensor<3xf32>
  %w = graph.neg %na : tensor<3xf32>
  %x = graph.add %a, %nb : tensor<3xf32>
  %y = graph.sub %a, %nb : tensor<3xf32>
  %z = graph.mul %na, %nb : tensor<3xf32>
  return %w, %x, %y, %z : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>,
      tensor<3xf32>
}

// CHECK-LABEL: @movements
// CHECK-NOT: graph.transpose
// CHECK: %[[Y:.*]] = graph.reshape %arg0 to [6]
// CHECK-NOT: graph.reshape
// CHECK: return %arg0, %[[Y]]
func.func @movements(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<6xf32>) {
  %t = graph.transpose %x by [1, 0] : tensor<2x3xf32>
  %a = graph.transpose %t by [1, 0] : tensor<3x2xf32>
  %r = graph.reshape %x to [3, 2] : tensor<2x3xf32>
  %b = graph.reshape %r to [6] : tensor<3x2xf32>
  return %a, %b : tensor<2x3xf32>, tensor<6xf32>
}

// Splats fold through arithmetic and movement.
// CHECK-LABEL: @splats
// CHECK-DAG: graph.constant dense<6.0{{.*}}> : tensor<2xf32>
// CHECK-DAG: graph.constant dense<true> : tensor<2xi1>
// CHECK-NOT: graph.{{(mul|sum|broadcast|compare)}}
func.func @splats() -> (tensor<2xf32>, tensor<2xi1>) {
  %two = graph.constant dense<2.0> : tensor<f32>
  %b = graph.broadcast %two along [0, 1] sizes [2, 3] : tensor<f32>
  %s = graph.sum %b over [1] : tensor<2x3xf32>
  %c = graph.broadcast %two along [0] sizes [2] : tensor<f32>
  %g = graph.compare gt %s, %c : tensor<2xf32>
  return %s, %g : tensor<2xf32>, tensor<2xi1>
}
