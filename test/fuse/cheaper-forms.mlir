// RUN: gradus-opt %s -split-input-file -graph-form-kernels | FileCheck %s

// The mask of a relu reads its output: the operand is not stored.
// CHECK-LABEL: func.func @mask
// CHECK-NEXT: %[[Y:.*]] = call @matmul_add_max(
// CHECK-NEXT: %[[G:.*]] = call @matmul_compare_select(%[[Y]], %{{.*}})
// CHECK-NEXT: return %[[G]]
func.func @mask(%x: tensor<8x8xf32>, %b: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = graph.constant dense<0.0> : tensor<8x8xf32>
  %xx = graph.einsum "ij,jk->ik" %x, %x : tensor<8x8xf32>, tensor<8x8xf32>
  %z = graph.add %xx, %b : tensor<8x8xf32>
  %y = graph.max %z, %0 : tensor<8x8xf32>
  %g = graph.einsum "ij,kj->ik" %y, %b : tensor<8x8xf32>, tensor<8x8xf32>
  %taken = graph.compare gt %z, %0 : tensor<8x8xf32>
  %dx = graph.select %taken, %g, %0 : tensor<8x8xf32>
  return %dx : tensor<8x8xf32>
}

// -----

// One division a row, or one in all, instead of one an element.
// CHECK-LABEL: func.func @reciprocals
// CHECK: func.func private
// CHECK: graph.div %{{.*}}, %{{.*}} : tensor<8xf32>
// CHECK-NOT: graph.div
// CHECK: graph.mul %{{.*}} : tensor<8x4xf32>
// CHECK-NOT: tensor<8x4xf32>
// CHECK: return
func.func @reciprocals(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %e = graph.exp %x : tensor<8x4xf32>
  %total = graph.sum %e over [1] : tensor<8x4xf32>
  %totals = graph.broadcast %total along [1] sizes [4] : tensor<8xf32>
  %y = graph.div %e, %totals : tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// A divisor for each column would need a kernel of its own: it stays.
// CHECK-LABEL: func.func @columns
// CHECK-NEXT: call @kernel_div(%arg1, %arg0)
// CHECK-NEXT: return
func.func @columns(%x: tensor<8x4xf32>, %d: tensor<4xf32>) -> tensor<8x4xf32> {
  %ds = graph.broadcast %d along [0] sizes [8] : tensor<4xf32>
  %y = graph.div %x, %ds : tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// A product reads its operands in whatever order the axes are, and what repeats
// along its other operand only once.
// CHECK-LABEL: func.func @movements
// CHECK-NEXT: call @kernel_matmul(%arg0, %arg1)
// CHECK-NEXT: call @kernel_matmul_2(%arg0, %arg2)
// CHECK-NEXT: return
// CHECK: graph.einsum "ij,kj->ik"
// CHECK: graph.einsum "ij,j->i"
func.func @movements(%x: tensor<8x4xf32>, %w: tensor<5x4xf32>, %v: tensor<4xf32>)
    -> (tensor<8x5xf32>, tensor<8xf32>) {
  %wt = graph.transpose %w by [1, 0] : tensor<5x4xf32>
  %y = graph.einsum "ij,jk->ik" %x, %wt : tensor<8x4xf32>, tensor<4x5xf32>
  %vs = graph.broadcast %v along [0] sizes [8] : tensor<4xf32>
  %z = graph.einsum "ij,ij->i" %x, %vs : tensor<8x4xf32>, tensor<8x4xf32>
  return %y, %z : tensor<8x5xf32>, tensor<8xf32>
}

// -----

// Without an index in the other operand the repetition is part of the sum.
// CHECK-LABEL: func.func @summed_repetition
// CHECK-NEXT: call @kernel_broadcast
// CHECK-NEXT: call @kernel_matmul
func.func @summed_repetition(%x: tensor<8x4xf32>, %v: tensor<4xf32>)
    -> tensor<8x5xf32> {
  %vs = graph.broadcast %v along [1] sizes [5] : tensor<4xf32>
  %y = graph.einsum "ij,jk->ik" %x, %vs : tensor<8x4xf32>, tensor<4x5xf32>
  return %y : tensor<8x5xf32>
}
