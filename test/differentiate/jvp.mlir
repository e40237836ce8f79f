// RUN: gradus-opt %s -graph-expand-gradients | FileCheck %s
// RUN: gradus-opt %s -graph-differentiate -canonicalize -cse | FileCheck %s --check-prefix=PLAIN

// The transpose of the vjp: a vjp of it by its seeds, whose values do not matter.
// CHECK-LABEL: @pushforward
// CHECK: %[[SEED:.*]] = graph.constant dense<1.0{{.*}}> : tensor<3xf32>
// CHECK: %[[PULLED:.*]] = graph.vjp %{{.*}} seeds %[[SEED]] wrt %{{.*}}
// CHECK: graph.vjp %[[PULLED]] seeds %{{.*}} wrt %[[SEED]]

// sin(x)' along v is cos(x) * v: nothing of the walk there and back is left.
// PLAIN-LABEL: @pushforward(
// PLAIN-SAME: %[[X:.*]]: tensor<3xf32>, %[[V:.*]]: tensor<3xf32>
// PLAIN-NEXT: %[[COS:.*]] = graph.cos %[[X]]
// PLAIN-NEXT: %[[DY:.*]] = graph.mul %[[V]], %[[COS]]
// PLAIN-NEXT: return %[[DY]]
func.func @pushforward(%x: tensor<3xf32>, %v: tensor<3xf32>) -> tensor<3xf32> {
  %y = graph.sin %x : tensor<3xf32>
  %dy = graph.jvp %y wrt %x along %v
      : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %dy : tensor<3xf32>
}
