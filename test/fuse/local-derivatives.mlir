// RUN: gradus-opt %s -split-input-file -graph-form-kernels | FileCheck %s

// silu: y = x s(x), s(x) = (tanh(x / 2) + 1) / 2. What the backward pass reads
// is its derivative, and neither x nor the tanh.
// CHECK-LABEL: func.func @silu
// CHECK-NEXT: %[[Y:.*]]:2 = call @matmul_mul_tanh_etc(
// CHECK-NEXT: %[[DX:.*]] = call @matmul_strong_mul(%[[Y]]#0, %{{.*}}, %[[Y]]#1)
// CHECK-NEXT: return %[[DX]]
// CHECK: func.func private @matmul_strong_mul
// CHECK-NEXT: %[[DY:.*]] = graph.einsum
// CHECK-NEXT: graph.strong_mul %[[DY]], %arg2
// CHECK-NEXT: return
func.func @silu(%a: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %half = graph.constant dense<0.5> : tensor<8x8xf32>
  %one = graph.constant dense<1.0> : tensor<8x8xf32>
  %x = graph.einsum "ij,jk->ik" %a, %w : tensor<8x8xf32>, tensor<8x8xf32>
  %0 = graph.mul %x, %half : tensor<8x8xf32>
  %t = graph.tanh %0 : tensor<8x8xf32>
  %1 = graph.add %t, %one : tensor<8x8xf32>
  %s = graph.mul %1, %half : tensor<8x8xf32>
  %y = graph.mul %x, %s : tensor<8x8xf32>
  %dy = graph.einsum "ij,kj->ik" %y, %w : tensor<8x8xf32>, tensor<8x8xf32>
  %2 = graph.strong_mul %dy, %s : tensor<8x8xf32>
  %3 = graph.strong_mul %dy, %x : tensor<8x8xf32>
  %4 = graph.mul %3, %half : tensor<8x8xf32>
  %5 = graph.mul %t, %t : tensor<8x8xf32>
  %6 = graph.sub %one, %5 : tensor<8x8xf32>
  %7 = graph.strong_mul %4, %6 : tensor<8x8xf32>
  %8 = graph.mul %7, %half : tensor<8x8xf32>
  %dx = graph.add %2, %8 : tensor<8x8xf32>
  return %dx : tensor<8x8xf32>
}

// -----

// elu: a branch that takes nothing of dy has the derivative 0, one that takes
// all of it the derivative 1. Differences and quotients are linear, too.
// CHECK-LABEL: func.func @elu
// CHECK-NEXT: %[[Y:.*]]:2 = call @{{.*}}(
// CHECK-NEXT: %[[DX:.*]] = call @matmul_strong_mul(%[[Y]]#0, %{{.*}}, %[[Y]]#1)
// CHECK-NEXT: return %[[DX]]
// CHECK: func.func private @matmul_
// CHECK-DAG: %[[ONE:.*]] = graph.constant dense<1.0{{.*}}> : tensor<8x8xf32>
// CHECK-DAG: %[[ZERO:.*]] = graph.constant dense<0.0{{.*}}> : tensor<8x8xf32>
// CHECK-DAG: graph.select %{{.*}}, %[[ONE]], %[[ZERO]]
// CHECK-DAG: graph.neg
// CHECK-DAG: graph.sub
// CHECK-DAG: graph.div
// CHECK: return
func.func @elu(%a: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = graph.constant dense<0.0> : tensor<8x8xf32>
  %three = graph.constant dense<3.0> : tensor<8x8xf32>
  %x = graph.einsum "ij,jk->ik" %a, %w : tensor<8x8xf32>, tensor<8x8xf32>
  %above = graph.compare gt %x, %zero : tensor<8x8xf32>
  %e = graph.exp %x : tensor<8x8xf32>
  %y = graph.select %above, %x, %e : tensor<8x8xf32>
  %dy = graph.einsum "ij,kj->ik" %y, %w : tensor<8x8xf32>, tensor<8x8xf32>
  %0 = graph.select %above, %dy, %zero : tensor<8x8xf32>
  %1 = graph.select %above, %zero, %dy : tensor<8x8xf32>
  %2 = graph.strong_mul %1, %e : tensor<8x8xf32>
  %3 = graph.neg %2 : tensor<8x8xf32>
  %4 = graph.sub %0, %3 : tensor<8x8xf32>
  %dx = graph.div %4, %three : tensor<8x8xf32>
  return %dx : tensor<8x8xf32>
}

// -----

// One value is all that has to be kept: the product stays in two.
// CHECK-LABEL: func.func @one
// CHECK: func.func private @matmul_mul_sub_strong_mul
// CHECK: graph.strong_mul
// CHECK-NEXT: graph.strong_mul
func.func @one(%a: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %one = graph.constant dense<1.0> : tensor<8x8xf32>
  %x = graph.einsum "ij,jk->ik" %a, %w : tensor<8x8xf32>, tensor<8x8xf32>
  %t = graph.tanh %x : tensor<8x8xf32>
  %dy = graph.einsum "ij,kj->ik" %t, %w : tensor<8x8xf32>, tensor<8x8xf32>
  %0 = graph.mul %t, %t : tensor<8x8xf32>
  %1 = graph.sub %one, %0 : tensor<8x8xf32>
  %2 = graph.strong_mul %dy, %1 : tensor<8x8xf32>
  %dx = graph.strong_mul %2, %t : tensor<8x8xf32>
  return %dx : tensor<8x8xf32>
}

// -----

// The tanh is kept for others behind dy anyway.
// CHECK-LABEL: func.func @kept
// CHECK: func.func private @matmul_strong_mul
// CHECK: graph.strong_mul
// CHECK: graph.strong_mul
func.func @kept(%a: tensor<8x8xf32>, %w: tensor<8x8xf32>)
    -> (tensor<8x8xf32>, tensor<8xf32>) {
  %x = graph.einsum "ij,jk->ik" %a, %w : tensor<8x8xf32>, tensor<8x8xf32>
  %t = graph.tanh %x : tensor<8x8xf32>
  %dy = graph.einsum "ij,kj->ik" %t, %w : tensor<8x8xf32>, tensor<8x8xf32>
  %0 = graph.strong_mul %dy, %t : tensor<8x8xf32>
  %dx = graph.strong_mul %0, %x : tensor<8x8xf32>
  %sum = graph.sum %t over [0] : tensor<8x8xf32>
  return %dx, %sum : tensor<8x8xf32>, tensor<8xf32>
}

// -----

// Not a derivative: what multiplies %x is computed from it.
// CHECK-LABEL: func.func @forward
// CHECK: %[[X:.*]] = graph.einsum
// CHECK: %[[XT:.*]] = graph.mul %[[X]],
// CHECK-NEXT: graph.mul %[[XT]],
// CHECK-NEXT: return
func.func @forward(%a: tensor<8x8xf32>, %w: tensor<8x8xf32>)
    -> tensor<8x8xf32> {
  %x = graph.einsum "ij,jk->ik" %a, %w : tensor<8x8xf32>, tensor<8x8xf32>
  %t = graph.tanh %x : tensor<8x8xf32>
  %e = graph.exp %x : tensor<8x8xf32>
  %0 = graph.mul %x, %t : tensor<8x8xf32>
  %y = graph.mul %0, %e : tensor<8x8xf32>
  return %y : tensor<8x8xf32>
}

// -----

// Neither is this: what is multiplied is another function of the same value.
// CHECK-LABEL: func.func @siblings
// CHECK: %[[S:.*]] = graph.sin
// CHECK: %[[ST:.*]] = graph.mul %[[S]],
// CHECK-NEXT: graph.mul %[[ST]],
// CHECK-NEXT: return
func.func @siblings(%a: tensor<8x8xf32>, %w: tensor<8x8xf32>)
    -> tensor<8x8xf32> {
  %x = graph.einsum "ij,jk->ik" %a, %w : tensor<8x8xf32>, tensor<8x8xf32>
  %s = graph.sin %x : tensor<8x8xf32>
  %t = graph.tanh %x : tensor<8x8xf32>
  %e = graph.exp %x : tensor<8x8xf32>
  %0 = graph.mul %s, %t : tensor<8x8xf32>
  %y = graph.mul %0, %e : tensor<8x8xf32>
  return %y : tensor<8x8xf32>
}
