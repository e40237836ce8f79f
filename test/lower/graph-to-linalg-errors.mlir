// RUN: gradus-opt %s -split-input-file -graph-to-linalg -verify-diagnostics

func.func @gradient(%x: tensor<f32>) -> tensor<f32> {
  %y = graph.mul %x, %x : tensor<f32>
  // expected-error @below {{failed to legalize operation 'graph.gradient'}}
  %dx = graph.gradient %y wrt %x : tensor<f32>, tensor<f32>
  return %dx : tensor<f32>
}

// -----

func.func @resource() -> tensor<4xf32> {
  // expected-error @below {{failed to legalize operation 'graph.constant'}}
  %y = graph.constant dense_resource<weights> : tensor<4xf32>
  return %y : tensor<4xf32>
}
{-# dialect_resources: { builtin: {
  weights: "0x0400000000000000000000000000000000000000"
} } #-}
