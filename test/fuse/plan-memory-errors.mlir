// RUN: gradus-opt %s -split-input-file -graph-plan-memory -verify-diagnostics

// expected-error @below {{result 1 shares its bytes with another value: run graph-update-in-place first}}
func.func @twice(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = call @next(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %0 : tensor<4xf32>, tensor<4xf32>
}
func.func private @next(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// expected-error @below {{result 0 shares its bytes with another value}}
func.func @argument(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
