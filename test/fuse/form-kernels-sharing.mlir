// RUN: gradus-opt %s -graph-form-kernels | FileCheck %s

// Equal layers are calls of one kernel, whatever their names and places in the
// source; a different constant makes a different kernel.
// CHECK-LABEL: func.func @layers
// CHECK-NEXT: %[[A:.*]] = call @[[K:h_1_matmul_mul]](%arg0, %arg1)
// CHECK-NEXT: %[[B:.*]] = call @[[K]](%[[A]], %arg2)
// CHECK-NEXT: %[[C:.*]] = call @h_3_matmul_mul(%[[B]], %arg3)
// CHECK-NEXT: return %[[C]]
func.func @layers(%x: tensor<8x4xf32>, %u: tensor<4x4xf32>, %v: tensor<4x4xf32>,
                  %w: tensor<4x4xf32>) -> tensor<8x4xf32> {
  %half = graph.constant dense<0.5> : tensor<8x4xf32>
  %third = graph.constant dense<0.3> : tensor<8x4xf32>
  %xu = graph.einsum "bi,ij->bj" %x, %u
      : tensor<8x4xf32>, tensor<4x4xf32> loc("h.1")
  %a = graph.mul %xu, %half : tensor<8x4xf32>
  %av = graph.einsum "bi,ij->bj" %a, %v
      : tensor<8x4xf32>, tensor<4x4xf32> loc("h.2")
  %b = graph.mul %av, %half : tensor<8x4xf32>
  %bw = graph.einsum "bi,ij->bj" %b, %w
      : tensor<8x4xf32>, tensor<4x4xf32> loc("h.3")
  %c = graph.mul %bw, %third : tensor<8x4xf32>
  return %c : tensor<8x4xf32>
}

// Functions of a module share kernels too.
// CHECK-LABEL: func.func @predict
// CHECK-NEXT: call @[[K]](%arg0, %arg1)
func.func @predict(%x: tensor<8x4xf32>, %u: tensor<4x4xf32>)
    -> tensor<8x4xf32> {
  %half = graph.constant dense<0.5> : tensor<8x4xf32>
  %xu = graph.einsum "bi,ij->bj" %x, %u : tensor<8x4xf32>, tensor<4x4xf32>
  %a = graph.mul %xu, %half : tensor<8x4xf32>
  return %a : tensor<8x4xf32>
}

// The order of ops in the program makes no difference.
// CHECK-LABEL: func.func @order
// CHECK-NEXT: %[[A:.*]] = call @[[K:matmul_exp_tanh_add]](%arg0, %arg1)
// CHECK-NEXT: %[[B:.*]] = call @[[K]](%[[A]], %arg2)
// CHECK-NEXT: call @matmul_tanh_exp_sub(%[[B]], %arg1)
// CHECK-NEXT: return
func.func @order(%x: tensor<8x4xf32>, %u: tensor<4x4xf32>,
                 %v: tensor<4x4xf32>) -> tensor<8x4xf32> {
  %xu = graph.einsum "bi,ij->bj" %x, %u : tensor<8x4xf32>, tensor<4x4xf32>
  %p = graph.exp %xu : tensor<8x4xf32>
  %q = graph.tanh %xu : tensor<8x4xf32>
  %a = graph.add %p, %q : tensor<8x4xf32>
  %av = graph.einsum "bi,ij->bj" %a, %v : tensor<8x4xf32>, tensor<4x4xf32>
  %r = graph.tanh %av : tensor<8x4xf32>
  %s = graph.exp %av : tensor<8x4xf32>
  %b = graph.add %s, %r : tensor<8x4xf32>
  %bu = graph.einsum "bi,ij->bj" %b, %u : tensor<8x4xf32>, tensor<4x4xf32>
  %t = graph.tanh %bu : tensor<8x4xf32>
  %w = graph.exp %bu : tensor<8x4xf32>
  %c = graph.sub %t, %w : tensor<8x4xf32>
  return %c : tensor<8x4xf32>
}
