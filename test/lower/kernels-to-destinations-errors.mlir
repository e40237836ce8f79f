// RUN: gradus-opt %s -split-input-file -graph-kernels-to-destinations \
// RUN:   -verify-diagnostics

// expected-error@+1 {{kernel 'dynamic' must take and give tensors of fixed shape and whole bytes}}
func.func @dynamic(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

// expected-error@+1 {{kernel 'bits' must take and give tensors of fixed shape and whole bytes}}
func.func @bits(%x: tensor<4xi1>) -> tensor<4xi1> {
  return %x : tensor<4xi1>
}

// -----

// expected-error@+1 {{kernel 'other': result 0 cannot be written over argument 0: no argument of the same type}}
func.func @other(%x: tensor<4xf32>, %y: tensor<5xf32>)
    -> (tensor<5xf32> {graph.updates = 0 : i32}) {
  return %y : tensor<5xf32>
}

// -----

// expected-error@+1 {{kernel 'twice': argument 0 is updated twice}}
func.func @twice(%x: tensor<4xf32>)
    -> (tensor<4xf32> {graph.updates = 0 : i32},
        tensor<4xf32> {graph.updates = 0 : i32}) {
  return %x, %x : tensor<4xf32>, tensor<4xf32>
}
