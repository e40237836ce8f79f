// RUN: gradus-opt %s -split-input-file -graph-form-kernels | FileCheck %s

// The scores of an attention, their softmax and the mix share the examples: one
// kernel, which gives the weights as well if they are asked for.
// CHECK-LABEL: func.func @attention
// CHECK-NEXT: call @{{.*}}(%arg0, %arg1, %arg2)
// CHECK-NEXT: return
// CHECK: graph.kernel = "blocks"
func.func @attention(%q: tensor<2x3x8x4xf32>, %k: tensor<2x3x8x4xf32>,
                     %v: tensor<2x3x8x4xf32>)
    -> (tensor<2x8x3x4xf32>, tensor<2x3x8x8xf32>) {
  %s = graph.einsum "bhic,bhjc->bhij" %q, %k
      : tensor<2x3x8x4xf32>, tensor<2x3x8x4xf32>
  %e = graph.exp %s : tensor<2x3x8x8xf32>
  %sum = graph.sum %e over [3] : tensor<2x3x8x8xf32>
  %sums = graph.broadcast %sum along [3] sizes [8] : tensor<2x3x8xf32>
  %w = graph.div %e, %sums : tensor<2x3x8x8xf32>
  %mix = graph.einsum "bhij,bhjc->bihc" %w, %v
      : tensor<2x3x8x8xf32>, tensor<2x3x8x4xf32>
  return %mix, %w : tensor<2x8x3x4xf32>, tensor<2x3x8x8xf32>
}

// -----

// A product with weights that all examples share is a kernel of its own: its
// panels are packed once.
// CHECK-LABEL: func.func @shared
// CHECK-NEXT: call @kernel_matmul(
// CHECK-NEXT: call @{{.*}}sum{{.*}}(
// CHECK-NEXT: return
func.func @shared(%x: tensor<2x8x4xf32>, %w: tensor<4x6xf32>)
    -> tensor<2x8x6xf32> {
  %y = graph.einsum "bic,cd->bid" %x, %w : tensor<2x8x4xf32>, tensor<4x6xf32>
  %sum = graph.sum %y over [2] : tensor<2x8x6xf32>
  %sums = graph.broadcast %sum along [2] sizes [6] : tensor<2x8xf32>
  %z = graph.div %y, %sums : tensor<2x8x6xf32>
  return %z : tensor<2x8x6xf32>
}

// -----

// Two values that the backward pass reads are cheap to compute from tanh(x),
// which is stored in their place.
// CHECK-LABEL: func.func @source
// CHECK-NEXT: %[[Y:.*]]:2 = call @{{.*}}tanh{{.*}}(%arg0, %arg1)
// CHECK-NEXT: %[[Z:.*]] = call @kernel_matmul(%[[Y]]#
// CHECK-NEXT: call @{{.*}}(%[[Z]], %arg2, %[[Y]]#{{[01]}}) :
// CHECK-NEXT: return
func.func @source(%x: tensor<8x4xf32>, %w: tensor<4x6xf32>,
                  %u: tensor<6x6xf32>) -> tensor<8x6xf32> {
  %one = graph.constant dense<1.0> : tensor<8x6xf32>
  %z = graph.einsum "ic,cd->id" %x, %w : tensor<8x4xf32>, tensor<4x6xf32>
  %t = graph.tanh %z : tensor<8x6xf32>
  %a = graph.add %t, %one : tensor<8x6xf32>
  %y = graph.mul %z, %a : tensor<8x6xf32>
  %o = graph.einsum "id,de->ie" %y, %u : tensor<8x6xf32>, tensor<6x6xf32>
  %g = graph.einsum "ie,de->id" %o, %u : tensor<8x6xf32>, tensor<6x6xf32>
  %square = graph.mul %t, %t : tensor<8x6xf32>
  %b = graph.sub %one, %square : tensor<8x6xf32>
  %c = graph.mul %a, %g : tensor<8x6xf32>
  %d = graph.mul %b, %c : tensor<8x6xf32>
  return %d : tensor<8x6xf32>
}

// -----

// A gradient of weights and its update come as soon as what they read is there,
// although a number of the update stands further behind; an update that needs
// what comes last waits for it and holds nothing else up.
// CHECK-LABEL: func.func @early
// CHECK-NEXT: call @kernel_matmul(%arg1)
// CHECK-NEXT: %[[DX:.*]] = call @w_matmul(%arg1, %arg2)
// CHECK-NEXT: %[[P:.*]] = call @kernel_pow(%arg4)
// CHECK-NEXT: call @w_matmul_update(%arg0, %arg1, %[[P]], %arg2)
// CHECK-NEXT: call @w_matmul(%[[DX]], %arg2)
// CHECK-NEXT: call @v_{{.*}}update(
// CHECK-NEXT: return
func.func @early(%x: tensor<8x4xf32>, %dy: tensor<8x4xf32>,
                 %w: tensor<4x4xf32> {graph.name = "param/w"},
                 %v: tensor<4x4xf32> {graph.name = "param/v"}, %t: tensor<f32>)
    -> (tensor<4x4xf32> {graph.updates = 2 : i64},
        tensor<4x4xf32> {graph.updates = 3 : i64}) {
  %first = graph.einsum "ic,id->cd" %dy, %dy : tensor<8x4xf32>, tensor<8x4xf32>
  %dx = graph.einsum "id,cd->ic" %dy, %w : tensor<8x4xf32>, tensor<4x4xf32>
  %g = graph.einsum "ic,id->cd" %x, %dy : tensor<8x4xf32>, tensor<8x4xf32>
  %dz = graph.einsum "id,cd->ic" %dx, %w : tensor<8x4xf32>, tensor<4x4xf32>
  %last = graph.einsum "ic,id->cd" %x, %dz : tensor<8x4xf32>, tensor<8x4xf32>
  %gv = graph.add %first, %last : tensor<4x4xf32>
  %base = graph.constant dense<0.9> : tensor<f32>
  %power = graph.pow %base, %t : tensor<f32>
  %powers = graph.broadcast %power along [0, 1] sizes [4, 4] : tensor<f32>
  %step = graph.mul %g, %powers : tensor<4x4xf32>
  %w1 = graph.sub %w, %step : tensor<4x4xf32>
  %v1 = graph.sub %v, %gv : tensor<4x4xf32>
  return %w1, %v1 : tensor<4x4xf32>, tensor<4x4xf32>
}
