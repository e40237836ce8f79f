// RUN: gradus-opt %s -split-input-file -graph-form-kernels | FileCheck %s

// What is done to the elements of a product follows it in its kernel. The name
// tells the value and the ops.
// CHECK-LABEL: func.func @layer
// CHECK-NEXT: %[[Y:.*]] = call @fc1_h_matmul_add_max(%arg0, %arg1, %arg2)
// CHECK-NEXT: return %[[Y]]
// CHECK: func.func private @fc1_h_matmul_add_max
// CHECK-SAME: attributes {graph.kernel = "contraction"}
// CHECK-NEXT: graph.einsum
// CHECK-NEXT: graph.broadcast
// CHECK-NEXT: graph.add
// CHECK-NEXT: graph.constant
// CHECK-NEXT: graph.max
// CHECK-NEXT: return
func.func @layer(%x: tensor<8x4xf32>, %w: tensor<4x3xf32>, %b: tensor<3xf32>)
    -> tensor<8x3xf32> {
  %xw = graph.einsum "bi,ij->bj" %x, %w
      : tensor<8x4xf32>, tensor<4x3xf32> loc("fc1.h")
  %bias = graph.broadcast %b along [0] sizes [8] : tensor<3xf32>
  %z = graph.add %xw, %bias : tensor<8x3xf32>
  %0 = graph.constant dense<0.0> : tensor<8x3xf32>
  %y = graph.max %z, %0 : tensor<8x3xf32>
  return %y : tensor<8x3xf32>
}

// -----

// Nothing is fused in front of a product: it would be computed once for each
// time the product reads it.
// CHECK-LABEL: func.func @image
// CHECK-NEXT: %[[X:.*]] = call @convert_div(%arg0)
// CHECK-NEXT: %[[Y:.*]] = call @kernel_matmul(%[[X]], %arg1)
// CHECK-NEXT: return %[[Y]]
func.func @image(%image: tensor<8x4xui8>, %w: tensor<4x3xf32>)
    -> tensor<8x3xf32> {
  %real = graph.convert %image to f32 : tensor<8x4xui8>
  %255 = graph.constant dense<255.0> : tensor<8x4xf32>
  %x = graph.div %real, %255 : tensor<8x4xf32>
  %y = graph.einsum "bi,ij->bj" %x, %w : tensor<8x4xf32>, tensor<4x3xf32>
  return %y : tensor<8x3xf32>
}

// -----

// The whole update of a parameter and its slot joins the product that gives the
// gradient, ops that do not depend on the gradient included.
// CHECK-LABEL: func.func @momentum
// CHECK-NEXT: %[[NEW:.*]]:2 = call @fc1_W_matmul_update(
// CHECK-NEXT: return %[[NEW]]#1, %[[NEW]]#0
func.func @momentum(%w: tensor<4x3xf32> {graph.name = "param/fc1.W"},
                    %v: tensor<4x3xf32> {graph.name = "slot/momentum/fc1.W.v"},
                    %x: tensor<8x4xf32>, %dy: tensor<8x3xf32>)
    -> (tensor<4x3xf32> {graph.name = "param/fc1.W", graph.updates = 0 : i64},
        tensor<4x3xf32> {graph.name = "slot/momentum/fc1.W.v",
                         graph.updates = 1 : i64}) {
  %g = graph.einsum "bi,bj->ij" %x, %dy : tensor<8x4xf32>, tensor<8x3xf32>
  %rho = graph.constant dense<0.9> : tensor<4x3xf32>
  %kept = graph.mul %v, %rho : tensor<4x3xf32>
  %v1 = graph.add %kept, %g : tensor<4x3xf32>
  %lr = graph.constant dense<0.1> : tensor<4x3xf32>
  %s = graph.mul %v1, %lr : tensor<4x3xf32>
  %w1 = graph.sub %w, %s : tensor<4x3xf32>
  return %w1, %v1 : tensor<4x3xf32>, tensor<4x3xf32>
}

// -----

// A gradient that is needed elsewhere first (here its norm) is stored, and the
// update has a kernel of its own: no kernel may wait for itself.
// CHECK-LABEL: func.func @clipped
// CHECK: %[[G:.*]] = call @kernel_matmul(%arg1, %arg2)
// CHECK: %[[S:.*]] = call @mul_sum_{{.*}}(%[[G]])
// CHECK: call @{{.*}}update(
// CHECK-NOT: call
// CHECK: return
func.func @clipped(%w: tensor<4x3xf32> {graph.name = "param/W"},
                   %x: tensor<8x4xf32>, %dy: tensor<8x3xf32>)
    -> (tensor<4x3xf32> {graph.updates = 0 : i64}) {
  %g = graph.einsum "bi,bj->ij" %x, %dy : tensor<8x4xf32>, tensor<8x3xf32>
  %g2 = graph.mul %g, %g : tensor<4x3xf32>
  %square = graph.sum %g2 over [0, 1] : tensor<4x3xf32>
  %norm = graph.sqrt %square : tensor<f32>
  %norms = graph.broadcast %norm along [0, 1] sizes [4, 3] : tensor<f32>
  %unit = graph.div %g, %norms : tensor<4x3xf32>
  %w1 = graph.sub %w, %unit : tensor<4x3xf32>
  return %w1 : tensor<4x3xf32>
}
