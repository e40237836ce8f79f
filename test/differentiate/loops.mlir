// RUN: gradus-opt %s -graph-expand-gradients | FileCheck %s --check-prefix=EXPAND
// RUN: gradus-opt %s -graph-differentiate -canonicalize -cse | FileCheck %s

// The pullback of a loop is a loop the other way: it carries the cotangents of
// the carried values and the sums of those of common values, reads the carried
// values that the forward loop now keeps, and asks for the vjp of a round.
// EXPAND-LABEL: func.func @rnn
// EXPAND: %[[F:[a-z0-9]+]]:3 = graph.loop 9 carried(%arg0) over(%arg1) with(%arg2)
// EXPAND: ^bb0(%{{.*}}: tensor<i32>, %[[BEFORE:[a-z0-9]+]]: tensor<4xf32>,
// EXPAND: graph.yield %[[NEXT:[a-z0-9]+]], %[[NEXT]], %[[BEFORE]]
// EXPAND: graph.loop 9 reverse carried(%{{.*}}, %{{.*}}) over(%[[F]]#2, %arg1, %{{.*}}) with(%arg2)
// EXPAND: graph.vjp %{{.*}}, %{{.*}} seeds %{{.*}}, %{{.*}} wrt
// EXPAND: graph.add
// EXPAND-NEXT: graph.yield

// CHECK-LABEL: func.func @rnn
// CHECK: %[[F:[a-z0-9]+]]:2 = graph.loop 9 carried(%arg0) over(%arg1) with(%arg2)
// CHECK: ^bb0(%{{.*}}: tensor<i32>, %[[BEFORE:[a-z0-9]+]]: tensor<4xf32>,
// CHECK: graph.yield %{{.*}}, %[[BEFORE]] : tensor<4xf32>, tensor<4xf32>
// CHECK: %[[B:[a-z0-9]+]]:2 = graph.loop 9 reverse carried(%{{.*}}, %{{.*}}) over(%[[F]]#1, %{{.*}}) with(%arg2)
// CHECK: ^bb0(%{{.*}}: tensor<i32>, %[[DH:[a-z0-9]+]]: tensor<4xf32>, %[[DW:[a-z0-9]+]]: tensor<4xf32>, %[[H:[a-z0-9]+]]: tensor<4xf32>, %[[DY:[a-z0-9]+]]: tensor<4xf32>, %[[W:[a-z0-9]+]]: tensor<4xf32>):
// CHECK-DAG: %[[D:[a-z0-9]+]] = graph.add %[[DH]], %[[DY]]
// CHECK-DAG: %[[HW:[a-z0-9]+]] = graph.mul %[[H]], %[[W]]
// CHECK-DAG: %[[T:[a-z0-9]+]] = graph.tanh %[[HW]]
// CHECK: %[[S:[a-z0-9]+]] = graph.mul %[[D]], %{{.*}}
// CHECK-DAG: %[[NEXT:[a-z0-9]+]] = graph.mul %[[S]], %[[W]]
// CHECK-DAG: %[[PART:[a-z0-9]+]] = graph.mul %[[S]], %[[H]]
// CHECK-DAG: %[[SUM:[a-z0-9]+]] = graph.add %[[DW]], %[[PART]]
// CHECK: graph.yield %[[NEXT]], %[[SUM]]
// CHECK: return %[[B]]#1
func.func @rnn(%h: tensor<4xf32>, %x: tensor<9x4xf32>, %w: tensor<4xf32>)
    -> tensor<4xf32> {
  %last, %all = graph.loop 9 carried(%h) over(%x) with(%w)
      : (tensor<4xf32>, tensor<9x4xf32>, tensor<4xf32>)
        -> (tensor<4xf32>, tensor<9x4xf32>) {
  ^bb0(%i: tensor<i32>, %before: tensor<4xf32>, %row: tensor<4xf32>,
       %factor: tensor<4xf32>):
    %0 = graph.mul %before, %factor : tensor<4xf32>
    %1 = graph.tanh %0 : tensor<4xf32>
    %next = graph.add %1, %row : tensor<4xf32>
    graph.yield %next, %next : tensor<4xf32>, tensor<4xf32>
  }
  %s = graph.sum %all over [0, 1] : tensor<9x4xf32>
  %dw = graph.gradient %s wrt %w : tensor<f32>, tensor<4xf32>
  return %dw : tensor<4xf32>
}

// A cotangent that a mask may have silenced in a later round is masked in every
// round: products with it are strong ones.
// CHECK-LABEL: func.func @masked
// CHECK: graph.loop 3 reverse
// CHECK: graph.strong_mul
func.func @masked(%x: tensor<f32>) -> tensor<f32> {
  %zero = graph.constant dense<0.0> : tensor<f32>
  %y = graph.loop 3 carried(%x) over() with(%zero)
      : (tensor<f32>, tensor<f32>) -> tensor<f32> {
  ^bb0(%i: tensor<i32>, %before: tensor<f32>, %z: tensor<f32>):
    %root = graph.sqrt %before : tensor<f32>
    %taken = graph.compare gt %before, %z : tensor<f32>
    %next = graph.select %taken, %root, %z : tensor<f32>
    graph.yield %next : tensor<f32>
  }
  %dx = graph.gradient %y wrt %x : tensor<f32>, tensor<f32>
  return %dx : tensor<f32>
}

// Of values without a path the vjp is zero; a gradient would be an error.
// CHECK-LABEL: func.func @vjp
// CHECK-DAG: %[[ZERO:[a-z0-9]+]] = graph.constant dense<0.0
// CHECK-DAG: %[[DX:[a-z0-9]+]] = graph.mul %arg2, %arg0
// CHECK: return %{{.*}}, %[[ZERO]]
func.func @vjp(%x: tensor<3xf32>, %z: tensor<2xf32>, %dy: tensor<3xf32>)
    -> (tensor<3xf32>, tensor<2xf32>) {
  %y = graph.mul %x, %x : tensor<3xf32>
  %dx, %dz = graph.vjp %y seeds %dy wrt %x, %z
      : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<2xf32>)
        -> (tensor<3xf32>, tensor<2xf32>)
  return %dx, %dz : tensor<3xf32>, tensor<2xf32>
}
