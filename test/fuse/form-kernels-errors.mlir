// RUN: gradus-opt %s -split-input-file -graph-form-kernels -verify-diagnostics

func.func @gradient(%x: tensor<f32>) -> tensor<f32> {
  %y = graph.mul %x, %x : tensor<f32>
  // expected-error @below {{derivatives must be taken before kernels are formed, found 'graph.gradient'}}
  %dx = graph.gradient %y wrt %x : tensor<f32>, tensor<f32>
  return %dx : tensor<f32>
}

// -----

func.func @foreign(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @below {{expected an op of graph, found 'math.exp'}}
  %y = math.exp %x : tensor<f32>
  return %y : tensor<f32>
}

// -----

// expected-error @below {{a step is one straight line of ops}}
func.func @branches(%x: tensor<f32>) -> tensor<f32> {
  cf.br ^end
^end:
  return %x : tensor<f32>
}

// -----

// expected-error @below {{result 0 cannot update argument 1: no argument of the same type}}
func.func @other_type(%x: tensor<f32>, %w: tensor<3xf32>)
    -> (tensor<f32> {graph.updates = 1 : i64}) {
  return %x : tensor<f32>
}

// -----

// expected-error @below {{argument 0 is updated twice}}
func.func @twice(%x: tensor<f32>)
    -> (tensor<f32> {graph.updates = 0 : i64},
        tensor<f32> {graph.updates = 0 : i64}) {
  return %x, %x : tensor<f32>, tensor<f32>
}
