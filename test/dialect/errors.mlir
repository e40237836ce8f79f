// RUN: gradus-opt %s -split-input-file -verify-diagnostics

func.func @einsum_form(%a: tensor<2x3xf32>) {
  // expected-error @+2 {{'ij->ji' is not of the form 'ij,jk->ik'}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.einsum"(%a, %a) {spec = "ij->ji"} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @einsum_law(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error @+2 {{index 'i' occurs in only one of the operands and the result}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.einsum"(%a, %b) {spec = "ij,j->"} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<f32>
  return
}

// -----

func.func @einsum_twice(%a: tensor<2x2xf32>, %b: tensor<2xf32>) {
  // expected-error @+2 {{index 'i' occurs twice in 'ii'}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.einsum"(%a, %b) {spec = "ii,i->i"} : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @einsum_shapes(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+2 {{do not fit 'ij,jk->ik'}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.einsum"(%a, %b) {spec = "ij,jk->ik"} : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @einsum_elements(%a: tensor<2x3xf32>, %b: tensor<3x5xf64>) {
  // expected-error @+2 {{operands have different element types}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.einsum"(%a, %b) {spec = "ij,jk->ik"} : (tensor<2x3xf32>, tensor<3x5xf64>) -> tensor<2x5xf32>
  return
}

// -----

func.func @sum_axes(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{axes must be ascending and below the rank, 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.sum"(%x) {dims = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<f32>
  return
}

// -----

func.func @broadcast_sizes(%x: tensor<3xf32>) {
  // expected-error @+2 {{needs one size for each new axis}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.broadcast"(%x) {dims = array<i64: 0>, sizes = array<i64>} : (tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @broadcast_axes(%x: tensor<3xf32>) {
  // expected-error @+2 {{new axes must be ascending and below the rank, 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.broadcast"(%x) {dims = array<i64: 2>, sizes = array<i64: 2>} : (tensor<3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @transpose(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{needs a permutation of 2 axes}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.transpose"(%x) {permutation = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @reshape(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{the number of elements differs}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.reshape"(%x) {shape = array<i64: 5>} : (tensor<2x3xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @slice(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{the box does not lie within 'tensor<2x3xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.slice"(%x) {offsets = array<i64: 1, 0>, sizes = array<i64: 2, 3>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @pad(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{needs a non-negative number before and after each axis}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.pad"(%x) {low = array<i64: -1, 0>, high = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @concat(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) {
  // expected-error @+2 {{differ beyond axis 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.concat"(%a, %b) {dim = 0} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @reduce_max(%x: tensor<2x0xf32>) {
  // expected-error @+2 {{has no element to choose along axis 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.reduce_max"(%x) {dims = array<i64: 1>} : (tensor<2x0xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @iota() {
  // expected-error @+2 {{has a negative size}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.iota"() {size = -1 : i64, element = i32} : () -> tensor<0xi32>
  return
}

// -----

func.func @select(%c: tensor<2xi1>, %a: tensor<3xf32>) {
  // expected-error @+1 {{the condition has the shape of the operands}}
  %y = "graph.select"(%c, %a, %a) : (tensor<2xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @pullback(%dy: tensor<f32>, %a: tensor<f32>) {
  %y = graph.mul %a, %a : tensor<f32>
  // expected-error @+1 {{needs one result for each real operand of the op that gave y}}
  %dx = graph.pullback1 %dy, %y : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @pullback_of_argument(%dy: tensor<f32>, %y: tensor<f32>) {
  // expected-error @+1 {{needs the op that gave y}}
  %dx = graph.pullback1 %dy, %y : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @custom_unknown(%x: tensor<f32>) {
  // expected-error @+1 {{calls the unknown function @f}}
  %y = graph.custom @f(%x) backward @g : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}
func.func @custom_backward(%x: tensor<f32>) {
  // expected-error @+1 {{expects @f to be of type}}
  %y = graph.custom @f(%x) backward @f : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @unfold_lists(%x: tensor<3x8xf32>) {
  // expected-error @+2 {{needs a size, a stride and a dilation other than zero for each of ascending axes}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.unfold"(%x) {dims = array<i64: 1>, sizes = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 0>} : (tensor<3x8xf32>) -> tensor<3x7x2xf32>
  return
}

// -----

func.func @unfold_too_large(%x: tensor<3x8xf32>) {
  // expected-error @+2 {{a window of 9 does not fit axis 1 of 'tensor<3x8xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.unfold"(%x) {dims = array<i64: 1>, sizes = array<i64: 5>, strides = array<i64: 1>, dilations = array<i64: -2>} : (tensor<3x8xf32>) -> tensor<3x1x5xf32>
  return
}

// -----

func.func @fold_positions(%x: tensor<3x4x2xf32>) {
  // expected-error @+2 {{axis 1 of 'tensor<3x4x2xf32>' holds 4 positions of a window, 8 elements have 7}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.fold"(%x) {dims = array<i64: 1>, extents = array<i64: 8>, strides = array<i64: 1>, dilations = array<i64: 1>} : (tensor<3x4x2xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @fold_taps(%x: tensor<4xf32>) {
  // expected-error @+2 {{needs an axis of taps and an extent for each axis}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.fold"(%x) {dims = array<i64: 0>, extents = array<i64: 4>, strides = array<i64: 1>, dilations = array<i64: 1>} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @gather_rows(%x: tensor<f32>, %i: tensor<2xi32>) {
  // expected-error @+2 {{needs rows, found 'tensor<f32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.gather"(%x, %i) : (tensor<f32>, tensor<2xi32>) -> tensor<2xf32>
  return
}

// -----

func.func @scatter_add_rows(%x: tensor<3x4xf32>, %i: tensor<2xi32>) {
  // expected-error @+2 {{needs a row for each index of 'tensor<2xi32>', found 'tensor<3x4xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = "graph.scatter_add"(%x, %i) {rows = 5 : i64} : (tensor<3x4xf32>, tensor<2xi32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @loop_rounds(%h: tensor<3xf32>) {
  // expected-error @+1 {{needs at least one round, found 0}}
  %y = graph.loop 0 carried(%h) over() with() : (tensor<3xf32>) -> tensor<3xf32> {
  ^bb0(%i: tensor<i32>, %before: tensor<3xf32>):
    graph.yield %before : tensor<3xf32>
  }
  return
}

// -----

func.func @loop_rows(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{needs a row for each of 5 rounds, found 'tensor<4x3xf32>'}}
  %y = graph.loop 5 carried() over(%x) with() : (tensor<4x3xf32>) -> tensor<5x3xf32> {
  ^bb0(%i: tensor<i32>, %row: tensor<3xf32>):
    graph.yield %row : tensor<3xf32>
  }
  return
}

// -----

func.func @loop_arguments(%w: tensor<3xf32>) {
  // expected-error @+1 {{needs a body of arguments 'tensor<i32>', 'tensor<3xf32>'}}
  %y = graph.loop 5 carried() over() with(%w) : (tensor<3xf32>) -> tensor<5x2xf32> {
  ^bb0(%i: tensor<i32>, %v: tensor<2xf32>):
    graph.yield %v : tensor<2xf32>
  }
  return
}

// -----

func.func @loop_yields(%h: tensor<3xf32>) {
  // expected-error @+1 {{yields 2 values for 1 results and 1 carried values}}
  %y = graph.loop 5 carried(%h) over() with() : (tensor<3xf32>) -> tensor<3xf32> {
  ^bb0(%i: tensor<i32>, %before: tensor<3xf32>):
    graph.yield %before, %before : tensor<3xf32>, tensor<3xf32>
  }
  return
}

// -----

func.func @loop_carries(%h: tensor<3xf32>, %n: tensor<2xf32>) {
  // expected-error @+1 {{carries on values of other types}}
  %y = graph.loop 5 carried(%h) over() with(%n) : (tensor<3xf32>, tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%i: tensor<i32>, %before: tensor<3xf32>, %other: tensor<2xf32>):
    graph.yield %other : tensor<2xf32>
  }
  return
}

// -----

func.func @loop_results(%x: tensor<5x3xf32>) {
  // expected-error @+1 {{has results of other types than 'tensor<5x3xf32>'}}
  %y = graph.loop 5 carried() over(%x) with() : (tensor<5x3xf32>) -> tensor<4x3xf32> {
  ^bb0(%i: tensor<i32>, %row: tensor<3xf32>):
    graph.yield %row : tensor<3xf32>
  }
  return
}

// -----

func.func @vjp_seeds(%x: tensor<3xf32>, %v: tensor<f32>) {
  // expected-error @+1 {{needs a seed of its type for each value}}
  %y = graph.vjp %x seeds %v wrt %x : (tensor<3xf32>, tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @when(%x: tensor<f32>, %c: tensor<2xi1>) -> tensor<f32> {
  // expected-error @+1 {{needs one truth value as a condition, found 'tensor<2xi1>'}}
  %y = graph.loop 1 carried(%x) over() with() when(%c)
      : (tensor<f32>, tensor<2xi1>) -> tensor<f32> {
  ^bb0(%i: tensor<i32>, %before: tensor<f32>):
    graph.yield %before : tensor<f32>
  }
  return %y : tensor<f32>
}

// -----

func.func @extern(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  // expected-error @below {{needs the axes of each operand}}
  %y = graph.extern "f" from "l"(%x) sizes [4] axes []
      : (tensor<4x3xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @extern(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  // expected-error @below {{needs a number for each axis of 'tensor<4x3xf32>'}}
  %y = graph.extern "f" from "l"(%x) sizes [4] axes [array<i64: 0>]
      : (tensor<4x3xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @extern(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  // expected-error @below {{has no axis 0 of size 3}}
  %y = graph.extern "f" from "l"(%x) sizes [4] axes [array<i64: -1, 0>]
      : (tensor<4x3xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
