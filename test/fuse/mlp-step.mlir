// RUN: gradus-opt %s -graph-differentiate -canonicalize -cse \
// RUN:   -graph-form-kernels -graph-update-in-place -graph-plan-memory \
// RUN:   -graph-verify-plan | FileCheck %s

// A training step of an MLP with Adam, forward, backward and update, is 14
// kernels: the image made real, a product for each layer forwards, the loss
// with its gradient, the numbers that depend on the step, and for each layer
// backwards the update of the bias, the gradient of the layer's input (not for
// the first) and the gradient of the weights with their update. Every parameter
// and slot is updated where it lies.
// CHECK-LABEL: func.func @train_step
// CHECK: call @convert_div(
// CHECK-NEXT: call @fc1_matmul_add_max(
// CHECK-NEXT: call @fc2_matmul_add_max(
// CHECK-NEXT: call @fc3_matmul_add(
// CHECK-NEXT: call @reduce_max_{{.*}}(
// CHECK-NEXT: call @convert_pow_sub_div(
// CHECK-NEXT: call @fc3_b_sum_update(
// CHECK-NEXT: call @fc3_backward_matmul_compare_select(
// CHECK-NEXT: call @fc3_W_matmul_update(
// CHECK-NEXT: call @fc2_b_sum_update(
// CHECK-NEXT: call @fc2_backward_matmul_compare_select(
// CHECK-NEXT: call @fc2_W_matmul_update(
// CHECK-NEXT: call @fc1_b_sum_update(
// CHECK-NEXT: call @fc1_W_matmul_update(
// CHECK-NEXT: return

func.func private @relu_64(%x: tensor<32x64xf32>) -> tensor<32x64xf32> {
  %0 = graph.constant dense<0.0> : tensor<32x64xf32>
  %y = graph.max %x, %0 : tensor<32x64xf32>
  return %y : tensor<32x64xf32>
}
func.func private @relu_64_backward(%x: tensor<32x64xf32>, %y: tensor<32x64xf32>, %dy: tensor<32x64xf32>) -> tensor<32x64xf32> {
  %0 = graph.constant dense<0.0> : tensor<32x64xf32>
  %taken = graph.compare gt %x, %0 : tensor<32x64xf32>
  %dx = graph.select %taken, %dy, %0 : tensor<32x64xf32>
  return %dx : tensor<32x64xf32>
}
func.func private @relu_32(%x: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %0 = graph.constant dense<0.0> : tensor<32x32xf32>
  %y = graph.max %x, %0 : tensor<32x32xf32>
  return %y : tensor<32x32xf32>
}
func.func private @relu_32_backward(%x: tensor<32x32xf32>, %y: tensor<32x32xf32>, %dy: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %0 = graph.constant dense<0.0> : tensor<32x32xf32>
  %taken = graph.compare gt %x, %0 : tensor<32x32xf32>
  %dx = graph.select %taken, %dy, %0 : tensor<32x32xf32>
  return %dx : tensor<32x32xf32>
}
func.func @train_step(
    %fc1_W: tensor<196x64xf32> {graph.name = "param/fc1.W"},
    %fc1_b: tensor<64xf32> {graph.name = "param/fc1.b"},
    %fc2_W: tensor<64x32xf32> {graph.name = "param/fc2.W"},
    %fc2_b: tensor<32xf32> {graph.name = "param/fc2.b"},
    %fc3_W: tensor<32x10xf32> {graph.name = "param/fc3.W"},
    %fc3_b: tensor<10xf32> {graph.name = "param/fc3.b"},
    %fc1_W_m: tensor<196x64xf32> {graph.name = "slot/adam/fc1.W.m"},
    %fc1_W_v: tensor<196x64xf32> {graph.name = "slot/adam/fc1.W.v"},
    %fc1_b_m: tensor<64xf32> {graph.name = "slot/adam/fc1.b.m"},
    %fc1_b_v: tensor<64xf32> {graph.name = "slot/adam/fc1.b.v"},
    %fc2_W_m: tensor<64x32xf32> {graph.name = "slot/adam/fc2.W.m"},
    %fc2_W_v: tensor<64x32xf32> {graph.name = "slot/adam/fc2.W.v"},
    %fc2_b_m: tensor<32xf32> {graph.name = "slot/adam/fc2.b.m"},
    %fc2_b_v: tensor<32xf32> {graph.name = "slot/adam/fc2.b.v"},
    %fc3_W_m: tensor<32x10xf32> {graph.name = "slot/adam/fc3.W.m"},
    %fc3_W_v: tensor<32x10xf32> {graph.name = "slot/adam/fc3.W.v"},
    %fc3_b_m: tensor<10xf32> {graph.name = "slot/adam/fc3.b.m"},
    %fc3_b_v: tensor<10xf32> {graph.name = "slot/adam/fc3.b.v"},
    %image: tensor<32x14x14xui8> {graph.name = "field/image"},
    %label: tensor<32xi32> {graph.name = "field/label"},
    %t: tensor<i32> {graph.name = "t"})
    -> (tensor<196x64xf32> {graph.name = "param/fc1.W", graph.updates = 0 : i64},
        tensor<64xf32> {graph.name = "param/fc1.b", graph.updates = 1 : i64},
        tensor<64x32xf32> {graph.name = "param/fc2.W", graph.updates = 2 : i64},
        tensor<32xf32> {graph.name = "param/fc2.b", graph.updates = 3 : i64},
        tensor<32x10xf32> {graph.name = "param/fc3.W", graph.updates = 4 : i64},
        tensor<10xf32> {graph.name = "param/fc3.b", graph.updates = 5 : i64},
        tensor<196x64xf32> {graph.name = "slot/adam/fc1.W.m", graph.updates = 6 : i64},
        tensor<196x64xf32> {graph.name = "slot/adam/fc1.W.v", graph.updates = 7 : i64},
        tensor<64xf32> {graph.name = "slot/adam/fc1.b.m", graph.updates = 8 : i64},
        tensor<64xf32> {graph.name = "slot/adam/fc1.b.v", graph.updates = 9 : i64},
        tensor<64x32xf32> {graph.name = "slot/adam/fc2.W.m", graph.updates = 10 : i64},
        tensor<64x32xf32> {graph.name = "slot/adam/fc2.W.v", graph.updates = 11 : i64},
        tensor<32xf32> {graph.name = "slot/adam/fc2.b.m", graph.updates = 12 : i64},
        tensor<32xf32> {graph.name = "slot/adam/fc2.b.v", graph.updates = 13 : i64},
        tensor<32x10xf32> {graph.name = "slot/adam/fc3.W.m", graph.updates = 14 : i64},
        tensor<32x10xf32> {graph.name = "slot/adam/fc3.W.v", graph.updates = 15 : i64},
        tensor<10xf32> {graph.name = "slot/adam/fc3.b.m", graph.updates = 16 : i64},
        tensor<10xf32> {graph.name = "slot/adam/fc3.b.v", graph.updates = 17 : i64},
        tensor<f32> {graph.name = "loss"}) {
  %flat = graph.reshape %image to [32, 196] : tensor<32x14x14xui8>
  %pixels = graph.convert %flat to f32 : tensor<32x196xui8>
  %c0 = graph.constant dense<255.0> : tensor<32x196xf32>
  %x = graph.div %pixels, %c0 : tensor<32x196xf32>
  %xw0 = graph.einsum "bi,ij->bj" %x, %fc1_W : tensor<32x196xf32>, tensor<196x64xf32>
  %c2 = graph.broadcast %fc1_b along [0] sizes [32] : tensor<64xf32>
  %z0 = graph.add %xw0, %c2 : tensor<32x64xf32>
  %h0 = graph.custom @relu_64(%z0) backward @relu_64_backward : (tensor<32x64xf32>) -> tensor<32x64xf32>
  %xw1 = graph.einsum "bi,ij->bj" %h0, %fc2_W : tensor<32x64xf32>, tensor<64x32xf32>
  %c4 = graph.broadcast %fc2_b along [0] sizes [32] : tensor<32xf32>
  %z1 = graph.add %xw1, %c4 : tensor<32x32xf32>
  %h1 = graph.custom @relu_32(%z1) backward @relu_32_backward : (tensor<32x32xf32>) -> tensor<32x32xf32>
  %xw2 = graph.einsum "bi,ij->bj" %h1, %fc3_W : tensor<32x32xf32>, tensor<32x10xf32>
  %c6 = graph.broadcast %fc3_b along [0] sizes [32] : tensor<10xf32>
  %z2 = graph.add %xw2, %c6 : tensor<32x10xf32>
  %top = graph.reduce_max %z2 over [1] : tensor<32x10xf32>
  %frozen = graph.stop %top : tensor<32xf32>
  %c8 = graph.broadcast %frozen along [1] sizes [10] : tensor<32xf32>
  %shifted = graph.sub %z2, %c8 : tensor<32x10xf32>
  %c10 = graph.exp %shifted : tensor<32x10xf32>
  %total = graph.sum %c10 over [1] : tensor<32x10xf32>
  %c11 = graph.log %total : tensor<32xf32>
  %c12 = graph.broadcast %c11 along [1] sizes [10] : tensor<32xf32>
  %logp = graph.sub %shifted, %c12 : tensor<32x10xf32>
  %classes = graph.iota 10 of i32
  %c14 = graph.broadcast %classes along [0] sizes [32] : tensor<10xi32>
  %c15 = graph.broadcast %label along [1] sizes [10] : tensor<32xi32>
  %hit = graph.compare eq %c14, %c15 : tensor<32x10xi32>
  %c16 = graph.constant dense<0.0> : tensor<32x10xf32>
  %picked = graph.select %hit, %logp, %c16 : tensor<32x10xf32>
  %pick = graph.sum %picked over [1] : tensor<32x10xf32>
  %c17 = graph.neg %pick : tensor<32xf32>
  %sum = graph.sum %c17 over [0] : tensor<32xf32>
  %c18 = graph.constant dense<32.0> : tensor<f32>
  %loss = graph.div %sum, %c18 : tensor<f32>
  %d_fc1_W, %d_fc1_b, %d_fc2_W, %d_fc2_b, %d_fc3_W, %d_fc3_b = graph.gradient %loss wrt %fc1_W, %fc1_b, %fc2_W, %fc2_b, %fc3_W, %fc3_b : tensor<f32>, tensor<196x64xf32>, tensor<64xf32>, tensor<64x32xf32>, tensor<32xf32>, tensor<32x10xf32>, tensor<10xf32>
  %step = graph.convert %t to f32 : tensor<i32>
  %c20 = graph.constant dense<1.0> : tensor<f32>
  %c21 = graph.constant dense<0.9> : tensor<f32>
  %c22 = graph.pow %c21, %step : tensor<f32>
  %c23 = graph.sub %c20, %c22 : tensor<f32>
  %c24 = graph.constant dense<0.999> : tensor<f32>
  %c25 = graph.pow %c24, %step : tensor<f32>
  %c26 = graph.sub %c20, %c25 : tensor<f32>
  %c27 = graph.constant dense<0.9> : tensor<196x64xf32>
  %c28 = graph.mul %c27, %fc1_W_m : tensor<196x64xf32>
  %c29 = graph.constant dense<0.1> : tensor<196x64xf32>
  %c30 = graph.mul %c29, %d_fc1_W : tensor<196x64xf32>
  %c31 = graph.add %c28, %c30 : tensor<196x64xf32>
  %c32 = graph.mul %d_fc1_W, %d_fc1_W : tensor<196x64xf32>
  %c33 = graph.constant dense<0.999> : tensor<196x64xf32>
  %c34 = graph.mul %c33, %fc1_W_v : tensor<196x64xf32>
  %c35 = graph.constant dense<0.001> : tensor<196x64xf32>
  %c36 = graph.mul %c35, %c32 : tensor<196x64xf32>
  %c37 = graph.add %c34, %c36 : tensor<196x64xf32>
  %c38 = graph.broadcast %c23 along [0, 1] sizes [196, 64] : tensor<f32>
  %c39 = graph.div %c31, %c38 : tensor<196x64xf32>
  %c40 = graph.broadcast %c26 along [0, 1] sizes [196, 64] : tensor<f32>
  %c41 = graph.div %c37, %c40 : tensor<196x64xf32>
  %c42 = graph.sqrt %c41 : tensor<196x64xf32>
  %c43 = graph.constant dense<1.0e-8> : tensor<196x64xf32>
  %c44 = graph.add %c42, %c43 : tensor<196x64xf32>
  %c45 = graph.constant dense<1.0e-3> : tensor<196x64xf32>
  %c46 = graph.mul %c45, %c39 : tensor<196x64xf32>
  %c47 = graph.div %c46, %c44 : tensor<196x64xf32>
  %c48 = graph.sub %fc1_W, %c47 : tensor<196x64xf32>
  %c49 = graph.constant dense<0.9> : tensor<64xf32>
  %c50 = graph.mul %c49, %fc1_b_m : tensor<64xf32>
  %c51 = graph.constant dense<0.1> : tensor<64xf32>
  %c52 = graph.mul %c51, %d_fc1_b : tensor<64xf32>
  %c53 = graph.add %c50, %c52 : tensor<64xf32>
  %c54 = graph.mul %d_fc1_b, %d_fc1_b : tensor<64xf32>
  %c55 = graph.constant dense<0.999> : tensor<64xf32>
  %c56 = graph.mul %c55, %fc1_b_v : tensor<64xf32>
  %c57 = graph.constant dense<0.001> : tensor<64xf32>
  %c58 = graph.mul %c57, %c54 : tensor<64xf32>
  %c59 = graph.add %c56, %c58 : tensor<64xf32>
  %c60 = graph.broadcast %c23 along [0] sizes [64] : tensor<f32>
  %c61 = graph.div %c53, %c60 : tensor<64xf32>
  %c62 = graph.broadcast %c26 along [0] sizes [64] : tensor<f32>
  %c63 = graph.div %c59, %c62 : tensor<64xf32>
  %c64 = graph.sqrt %c63 : tensor<64xf32>
  %c65 = graph.constant dense<1.0e-8> : tensor<64xf32>
  %c66 = graph.add %c64, %c65 : tensor<64xf32>
  %c67 = graph.constant dense<1.0e-3> : tensor<64xf32>
  %c68 = graph.mul %c67, %c61 : tensor<64xf32>
  %c69 = graph.div %c68, %c66 : tensor<64xf32>
  %c70 = graph.sub %fc1_b, %c69 : tensor<64xf32>
  %c71 = graph.constant dense<0.9> : tensor<64x32xf32>
  %c72 = graph.mul %c71, %fc2_W_m : tensor<64x32xf32>
  %c73 = graph.constant dense<0.1> : tensor<64x32xf32>
  %c74 = graph.mul %c73, %d_fc2_W : tensor<64x32xf32>
  %c75 = graph.add %c72, %c74 : tensor<64x32xf32>
  %c76 = graph.mul %d_fc2_W, %d_fc2_W : tensor<64x32xf32>
  %c77 = graph.constant dense<0.999> : tensor<64x32xf32>
  %c78 = graph.mul %c77, %fc2_W_v : tensor<64x32xf32>
  %c79 = graph.constant dense<0.001> : tensor<64x32xf32>
  %c80 = graph.mul %c79, %c76 : tensor<64x32xf32>
  %c81 = graph.add %c78, %c80 : tensor<64x32xf32>
  %c82 = graph.broadcast %c23 along [0, 1] sizes [64, 32] : tensor<f32>
  %c83 = graph.div %c75, %c82 : tensor<64x32xf32>
  %c84 = graph.broadcast %c26 along [0, 1] sizes [64, 32] : tensor<f32>
  %c85 = graph.div %c81, %c84 : tensor<64x32xf32>
  %c86 = graph.sqrt %c85 : tensor<64x32xf32>
  %c87 = graph.constant dense<1.0e-8> : tensor<64x32xf32>
  %c88 = graph.add %c86, %c87 : tensor<64x32xf32>
  %c89 = graph.constant dense<1.0e-3> : tensor<64x32xf32>
  %c90 = graph.mul %c89, %c83 : tensor<64x32xf32>
  %c91 = graph.div %c90, %c88 : tensor<64x32xf32>
  %c92 = graph.sub %fc2_W, %c91 : tensor<64x32xf32>
  %c93 = graph.constant dense<0.9> : tensor<32xf32>
  %c94 = graph.mul %c93, %fc2_b_m : tensor<32xf32>
  %c95 = graph.constant dense<0.1> : tensor<32xf32>
  %c96 = graph.mul %c95, %d_fc2_b : tensor<32xf32>
  %c97 = graph.add %c94, %c96 : tensor<32xf32>
  %c98 = graph.mul %d_fc2_b, %d_fc2_b : tensor<32xf32>
  %c99 = graph.constant dense<0.999> : tensor<32xf32>
  %c100 = graph.mul %c99, %fc2_b_v : tensor<32xf32>
  %c101 = graph.constant dense<0.001> : tensor<32xf32>
  %c102 = graph.mul %c101, %c98 : tensor<32xf32>
  %c103 = graph.add %c100, %c102 : tensor<32xf32>
  %c104 = graph.broadcast %c23 along [0] sizes [32] : tensor<f32>
  %c105 = graph.div %c97, %c104 : tensor<32xf32>
  %c106 = graph.broadcast %c26 along [0] sizes [32] : tensor<f32>
  %c107 = graph.div %c103, %c106 : tensor<32xf32>
  %c108 = graph.sqrt %c107 : tensor<32xf32>
  %c109 = graph.constant dense<1.0e-8> : tensor<32xf32>
  %c110 = graph.add %c108, %c109 : tensor<32xf32>
  %c111 = graph.constant dense<1.0e-3> : tensor<32xf32>
  %c112 = graph.mul %c111, %c105 : tensor<32xf32>
  %c113 = graph.div %c112, %c110 : tensor<32xf32>
  %c114 = graph.sub %fc2_b, %c113 : tensor<32xf32>
  %c115 = graph.constant dense<0.9> : tensor<32x10xf32>
  %c116 = graph.mul %c115, %fc3_W_m : tensor<32x10xf32>
  %c117 = graph.constant dense<0.1> : tensor<32x10xf32>
  %c118 = graph.mul %c117, %d_fc3_W : tensor<32x10xf32>
  %c119 = graph.add %c116, %c118 : tensor<32x10xf32>
  %c120 = graph.mul %d_fc3_W, %d_fc3_W : tensor<32x10xf32>
  %c121 = graph.constant dense<0.999> : tensor<32x10xf32>
  %c122 = graph.mul %c121, %fc3_W_v : tensor<32x10xf32>
  %c123 = graph.constant dense<0.001> : tensor<32x10xf32>
  %c124 = graph.mul %c123, %c120 : tensor<32x10xf32>
  %c125 = graph.add %c122, %c124 : tensor<32x10xf32>
  %c126 = graph.broadcast %c23 along [0, 1] sizes [32, 10] : tensor<f32>
  %c127 = graph.div %c119, %c126 : tensor<32x10xf32>
  %c128 = graph.broadcast %c26 along [0, 1] sizes [32, 10] : tensor<f32>
  %c129 = graph.div %c125, %c128 : tensor<32x10xf32>
  %c130 = graph.sqrt %c129 : tensor<32x10xf32>
  %c131 = graph.constant dense<1.0e-8> : tensor<32x10xf32>
  %c132 = graph.add %c130, %c131 : tensor<32x10xf32>
  %c133 = graph.constant dense<1.0e-3> : tensor<32x10xf32>
  %c134 = graph.mul %c133, %c127 : tensor<32x10xf32>
  %c135 = graph.div %c134, %c132 : tensor<32x10xf32>
  %c136 = graph.sub %fc3_W, %c135 : tensor<32x10xf32>
  %c137 = graph.constant dense<0.9> : tensor<10xf32>
  %c138 = graph.mul %c137, %fc3_b_m : tensor<10xf32>
  %c139 = graph.constant dense<0.1> : tensor<10xf32>
  %c140 = graph.mul %c139, %d_fc3_b : tensor<10xf32>
  %c141 = graph.add %c138, %c140 : tensor<10xf32>
  %c142 = graph.mul %d_fc3_b, %d_fc3_b : tensor<10xf32>
  %c143 = graph.constant dense<0.999> : tensor<10xf32>
  %c144 = graph.mul %c143, %fc3_b_v : tensor<10xf32>
  %c145 = graph.constant dense<0.001> : tensor<10xf32>
  %c146 = graph.mul %c145, %c142 : tensor<10xf32>
  %c147 = graph.add %c144, %c146 : tensor<10xf32>
  %c148 = graph.broadcast %c23 along [0] sizes [10] : tensor<f32>
  %c149 = graph.div %c141, %c148 : tensor<10xf32>
  %c150 = graph.broadcast %c26 along [0] sizes [10] : tensor<f32>
  %c151 = graph.div %c147, %c150 : tensor<10xf32>
  %c152 = graph.sqrt %c151 : tensor<10xf32>
  %c153 = graph.constant dense<1.0e-8> : tensor<10xf32>
  %c154 = graph.add %c152, %c153 : tensor<10xf32>
  %c155 = graph.constant dense<1.0e-3> : tensor<10xf32>
  %c156 = graph.mul %c155, %c149 : tensor<10xf32>
  %c157 = graph.div %c156, %c154 : tensor<10xf32>
  %c158 = graph.sub %fc3_b, %c157 : tensor<10xf32>
  return %c48, %c70, %c92, %c114, %c136, %c158, %c31, %c37, %c53, %c59, %c75, %c81, %c97, %c103, %c119, %c125, %c141, %c147, %loss
      : tensor<196x64xf32>, tensor<64xf32>, tensor<64x32xf32>, tensor<32xf32>, tensor<32x10xf32>, tensor<10xf32>, tensor<196x64xf32>, tensor<196x64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64x32xf32>, tensor<64x32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32x10xf32>, tensor<32x10xf32>, tensor<10xf32>, tensor<10xf32>, tensor<f32>
}
