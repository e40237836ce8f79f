// RUN: gradus-opt %s -graph-expand-gradients | FileCheck %s

// Three rows are fewer than four columns.
// CHECK-LABEL: @rows
// CHECK: %[[SEED:.*]] = graph.seed : tensor<3xf32>
// CHECK: graph.vjp %{{.*}} seeds %[[SEED]] wrt
// CHECK: graph.rows %{{.*}} of %[[SEED]] : tensor<3xf32>, tensor<4xf32>
func.func @rows(%x: tensor<4xf32>, %w: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %y = graph.einsum "ij,j->i" %w, %x : tensor<3x4xf32>, tensor<4xf32>
  %J = graph.jacobian %y wrt %x : tensor<3xf32>, tensor<4xf32>
  return %J : tensor<3x4xf32>
}

// Two columns are fewer than three rows.
// CHECK-LABEL: @columns
// CHECK: %[[SEED:.*]] = graph.seed : tensor<2xf32>
// CHECK: %[[ROWS:.*]] = graph.rows %{{.*}} of %[[SEED]] : tensor<2xf32>, tensor<3xf32>
// CHECK: graph.transpose %[[ROWS]] by [1, 0]
func.func @columns(%x: tensor<2xf32>, %w: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %y = graph.einsum "ij,j->i" %w, %x : tensor<3x2xf32>, tensor<2xf32>
  %J = graph.jacobian %y wrt %x : tensor<3xf32>, tensor<2xf32>
  return %J : tensor<3x2xf32>
}
