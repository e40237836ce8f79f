// RUN: gradus-opt %s -graph-batch -canonicalize -cse | FileCheck %s
// RUN: gradus-opt %s -graph-batch=budget=60 -canonicalize -cse | FileCheck %s --check-prefix=BLOCKS

// The derivatives of w @ x are w: the sum over the axis of the 1 has one term.
// CHECK-LABEL: @matrix(
// CHECK-SAME: %[[W:.*]]: tensor<3x4xf32>
// CHECK-NEXT: return %[[W]]
func.func @matrix(%w: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %e = graph.seed : tensor<3xf32>
  %dx = graph.einsum "i,ij->j" %e, %w : tensor<3xf32>, tensor<3x4xf32>
  %J = graph.rows %dx of %e : tensor<3xf32>, tensor<4xf32>
  return %J : tensor<3x4xf32>
}

// A diagonal stays one through pointwise ops: one product for all rows. The
// second one meets rows, and one matrix product does for all of them. Under a
// small budget every row is computed on its own.
// CHECK-LABEL: @gram(
// CHECK: %[[ROWS:.*]] = graph.einsum "i,ij->ij"
// CHECK-NEXT: graph.einsum "{{.}}j,kj->{{.}}k" %[[ROWS]], %{{.*}}
// BLOCKS-LABEL: @gram(
// BLOCKS: graph.loop 5
// BLOCKS: graph.einsum "i,ij->j"
func.func @gram(%d: tensor<5xf32>, %a: tensor<5x4xf32>, %b: tensor<3x4xf32>)
    -> tensor<5x3xf32> {
  %e = graph.seed : tensor<5xf32>
  %0 = graph.mul %e, %d : tensor<5xf32>
  %1 = graph.einsum "i,ij->j" %0, %a : tensor<5xf32>, tensor<5x4xf32>
  %2 = graph.einsum "j,kj->k" %1, %b : tensor<4xf32>, tensor<3x4xf32>
  %all = graph.rows %2 of %e : tensor<5xf32>, tensor<3xf32>
  return %all : tensor<5x3xf32>
}

// What the rows have in common is not computed for each.
// CHECK-LABEL: @shared
// CHECK: graph.exp %{{.*}} : tensor<4xf32>
// CHECK-NOT: graph.exp
func.func @shared(%x: tensor<4xf32>) -> tensor<4x4xf32> {
  %e = graph.seed : tensor<4xf32>
  %0 = graph.exp %x : tensor<4xf32>
  %1 = graph.mul %e, %0 : tensor<4xf32>
  %all = graph.rows %1 of %e : tensor<4xf32>, tensor<4xf32>
  return %all : tensor<4x4xf32>
}

// The sum of a part over the axis: rows outside of it are zeros.
// CHECK-LABEL: @part(
// CHECK-SAME: %[[W:.*]]: tensor<2x4xf32>
// CHECK-NEXT: %[[ROWS:.*]] = graph.pad %[[W]] low [1, 0] high [2, 0]
// CHECK-NEXT: return %[[ROWS]]
func.func @part(%w: tensor<2x4xf32>) -> tensor<5x4xf32> {
  %e = graph.seed : tensor<5xf32>
  %part = graph.slice %e from [1] sizes [2] : tensor<5xf32>
  %0 = graph.einsum "i,ij->j" %part, %w : tensor<2xf32>, tensor<2x4xf32>
  %all = graph.rows %0 of %e : tensor<5xf32>, tensor<4xf32>
  return %all : tensor<5x4xf32>
}

// The other way round, rows that no longer exist are dropped.
// CHECK-LABEL: @padded(
// CHECK-SAME: %[[W:.*]]: tensor<8x4xf32>
// CHECK: graph.slice %{{.*}} from [1, 0] sizes [5, 4]
func.func @padded(%w: tensor<8x4xf32>) -> tensor<5x4xf32> {
  %e = graph.seed : tensor<5xf32>
  %padded = graph.pad %e low [1] high [2] : tensor<5xf32>
  %0 = graph.einsum "i,ij->j" %padded, %w : tensor<8xf32>, tensor<8x4xf32>
  %all = graph.rows %0 of %e : tensor<5xf32>, tensor<4xf32>
  return %all : tensor<5x4xf32>
}

// The gradients of one loss an example: what belongs to an example stays with it,
// also behind the mask of a relu, whose zero is a number that is spread.
// CHECK-LABEL: @per_example
// CHECK-NOT: tensor<4x4
// CHECK: graph.einsum "ni,no->nio" %{{.*}} : tensor<4x3xf32>, tensor<4x5xf32>
// CHECK-NEXT: return
func.func @per_example(%x: tensor<4x3xf32>, %w: tensor<5xf32>,
                       %taken: tensor<4x5xi1>) -> tensor<4x3x5xf32> {
  %e = graph.seed : tensor<4xf32>
  %zero = graph.constant dense<0.0> : tensor<f32>
  %zeros = graph.broadcast %zero along [0, 1] sizes [4, 5] : tensor<f32>
  %dh = graph.einsum "n,o->no" %e, %w : tensor<4xf32>, tensor<5xf32>
  %dz = graph.select %taken, %dh, %zeros : tensor<4x5xf32>
  %dW = graph.einsum "ni,no->io" %x, %dz : tensor<4x3xf32>, tensor<4x5xf32>
  %all = graph.rows %dW of %e : tensor<4xf32>, tensor<3x5xf32>
  return %all : tensor<4x3x5xf32>
}

// A loop has no rule: one row after the other.
// CHECK-LABEL: @row_by_row
// CHECK: graph.loop 3
// CHECK: graph.loop 9
func.func @row_by_row(%w: tensor<3xf32>) -> tensor<3x3xf32> {
  %e = graph.seed : tensor<3xf32>
  %y = graph.loop 9 carried(%e) over() with(%w)
      : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> {
  ^bb0(%i: tensor<i32>, %h: tensor<3xf32>, %v: tensor<3xf32>):
    %next = graph.mul %h, %v : tensor<3xf32>
    graph.yield %next : tensor<3xf32>
  }
  %all = graph.rows %y of %e : tensor<3xf32>, tensor<3xf32>
  return %all : tensor<3x3xf32>
}
