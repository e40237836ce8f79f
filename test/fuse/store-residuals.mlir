// RUN: gradus-opt %s -graph-differentiate -canonicalize -cse -graph-store-residuals -canonicalize | FileCheck %s
// RUN: gradus-opt %s -graph-differentiate -canonicalize -cse -graph-store-residuals=budget=20000 -canonicalize | FileCheck %s --check-prefix=FEW

// Of what the way back computes again, the value behind the contraction that is
// nearest to its use is kept, not the product itself.
// CHECK-LABEL: func.func @rnn
// CHECK: %[[F:[0-9]+]]:3 = graph.loop 9
// CHECK: %[[NEXT:[0-9]+]] = graph.tanh
// CHECK: graph.yield %[[NEXT]], %{{.*}}, %[[NEXT]]
// CHECK: graph.loop 9 reverse carried(%{{.*}}) over(%[[F]]#1, %[[F]]#2)
// CHECK-NOT: graph.tanh
// CHECK: graph.einsum "bj,ij->bi"
// CHECK: graph.einsum "bj,bi->ij"
// CHECK-NOT: graph.einsum

// 18,432 bytes are kept without it, as many again are too many.
// FEW-LABEL: func.func @rnn
// FEW: %[[F:[0-9]+]]:2 = graph.loop 9
// FEW: graph.loop 9 reverse carried(%{{.*}}) over(%[[F]]#1, %arg1)
// FEW: graph.tanh

// Element-wise work is done again.
// CHECK-LABEL: func.func @cheap
// CHECK: graph.loop 9 reverse
// CHECK: graph.tanh
func.func @rnn(%h: tensor<8x64xf32>, %x: tensor<9x8x64xf32>, %w: tensor<64x64xf32>)
    -> tensor<64x64xf32> {
  %last = graph.loop 9 carried(%h) over(%x) with(%w)
      : (tensor<8x64xf32>, tensor<9x8x64xf32>, tensor<64x64xf32>)
        -> tensor<8x64xf32> {
  ^bb0(%i: tensor<i32>, %before: tensor<8x64xf32>, %row: tensor<8x64xf32>,
       %v: tensor<64x64xf32>):
    %p = graph.einsum "bi,ij->bj" %before, %v : tensor<8x64xf32>, tensor<64x64xf32>
    %a = graph.add %p, %row : tensor<8x64xf32>
    %next = graph.tanh %a : tensor<8x64xf32>
    graph.yield %next : tensor<8x64xf32>
  }
  %s = graph.sum %last over [0, 1] : tensor<8x64xf32>
  %dw = graph.gradient %s wrt %w : tensor<f32>, tensor<64x64xf32>
  return %dw : tensor<64x64xf32>
}

func.func @cheap(%h: tensor<4xf32>, %x: tensor<9x4xf32>, %w: tensor<4xf32>)
    -> tensor<4xf32> {
  %last = graph.loop 9 carried(%h) over(%x) with(%w)
      : (tensor<4xf32>, tensor<9x4xf32>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i32>, %before: tensor<4xf32>, %row: tensor<4xf32>,
       %factor: tensor<4xf32>):
    %0 = graph.mul %before, %factor : tensor<4xf32>
    %1 = graph.tanh %0 : tensor<4xf32>
    %next = graph.add %1, %row : tensor<4xf32>
    graph.yield %next : tensor<4xf32>
  }
  %s = graph.sum %last over [0] : tensor<4xf32>
  %dw = graph.gradient %s wrt %w : tensor<f32>, tensor<4xf32>
  return %dw : tensor<4xf32>
}
