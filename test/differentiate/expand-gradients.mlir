// RUN: gradus-opt %s -graph-expand-gradients | FileCheck %s
// RUN: gradus-opt %s -graph-differentiate -canonicalize -cse | FileCheck %s --check-prefix=PLAIN

// One pullback an op, in reverse order; a value used twice adds its cotangents.
// CHECK-LABEL: @shared_use
// CHECK: %[[Y:.*]] = graph.mul
// CHECK: %[[E:.*]] = graph.exp %[[Y]]
// CHECK: %[[S:.*]] = graph.add %[[Y]], %[[E]]
// CHECK: %[[ONE:.*]] = graph.constant dense<1.0
// CHECK: %[[DS:.*]], %[[DS1:.*]] = graph.pullback2 %[[ONE]], %[[S]]
// CHECK: %[[DE:.*]] = graph.pullback1 %[[DS1]], %[[E]]
// CHECK: %[[DY:.*]] = graph.add %[[DS]], %[[DE]]
// CHECK: %[[A:.*]], %[[B:.*]] = graph.pullback2 %[[DY]], %[[Y]]
// CHECK: graph.add %[[A]], %[[B]]

// PLAIN-LABEL: @shared_use
// PLAIN-NOT: graph.gradient
// PLAIN-NOT: graph.pullback
// PLAIN-NOT: graph.strong_mul
func.func @shared_use(%x: tensor<f32>) -> tensor<f32> {
  %y = graph.mul %x, %x : tensor<f32>
  %e = graph.exp %y : tensor<f32>
  %s = graph.add %y, %e : tensor<f32>
  %dx = graph.gradient %s wrt %x : tensor<f32>, tensor<f32>
  return %dx : tensor<f32>
}

// Only ops between x and y are walked.
// CHECK-LABEL: @inactive_ops_stay
// CHECK: graph.pullback1
// CHECK-NOT: graph.pullback
func.func @inactive_ops_stay(%x: tensor<f32>, %z: tensor<f32>)
    -> (tensor<f32>, tensor<f32>) {
  %c = graph.sin %z : tensor<f32>
  %y = graph.exp %x : tensor<f32>
  %later = graph.cos %y : tensor<f32>
  %dx = graph.gradient %y wrt %x : tensor<f32>, tensor<f32>
  return %dx, %c : tensor<f32>, tensor<f32>
}
