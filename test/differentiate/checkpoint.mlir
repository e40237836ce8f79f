// RUN: gradus-opt %s -graph-expand-gradients=budget=100 | FileCheck %s
// RUN: gradus-opt %s -graph-expand-gradients | FileCheck %s --check-prefix=ALL
// RUN: gradus-opt %s -graph-differentiate=budget=100 -canonicalize | FileCheck %s --check-prefix=TWICE

// 11 rounds whose carried values take 176 bytes: 3 segments of 3 rounds and a
// rest of 2. Kept is what is carried into each segment and each round of the
// rest; the counter goes on.
// CHECK: %[[S:[0-9]+]]:3 = graph.loop 3 carried(%arg0) over(%{{.*}}) with(%arg2) {graph.every = 3 : i64}
// CHECK: ^bb0(%[[I:[a-z0-9]+]]: tensor<i32>, %[[IN:[a-z0-9]+]]: tensor<4xf32>,
// CHECK: %[[FIRST:[0-9]+]] = graph.whole mul %[[I]], %{{.*}}
// CHECK: %[[INNER:[0-9]+]]:2 = graph.loop 3 carried(%[[IN]]) over(%{{.*}}) with(%{{.*}}, %[[FIRST]])
// CHECK: graph.whole add
// CHECK: graph.yield %[[INNER]]#0, %[[INNER]]#1, %[[IN]]
// CHECK: %[[REST:[0-9]+]]:3 = graph.loop 2 carried(%[[S]]#0)
// CHECK: graph.concat %{{.*}}, %[[REST]]#1 along 0 : tensor<9x4xf32>, tensor<2x4xf32>
// CHECK: %[[DREST:[0-9]+]]:3 = graph.loop 2 reverse carried({{.*}}) over(%[[REST]]#2,
// CHECK: graph.loop 3 reverse carried(%[[DREST]]#0, {{.*}}) over(%[[S]]#2,

// With room for all of it the loop stays as it is.
// ALL: graph.loop 11 carried
// ALL: graph.loop 11 reverse

// On the way back each segment runs its rounds once more, then the other way.
// TWICE: graph.loop 3 reverse
// TWICE: graph.loop 3 carried
// TWICE: graph.loop 3 reverse
func.func @rnn(%h: tensor<4xf32>, %x: tensor<11x4xf32>, %w: tensor<4xf32>)
    -> tensor<4xf32> {
  %last, %all = graph.loop 11 carried(%h) over(%x) with(%w)
      : (tensor<4xf32>, tensor<11x4xf32>, tensor<4xf32>)
        -> (tensor<4xf32>, tensor<11x4xf32>) {
  ^bb0(%i: tensor<i32>, %before: tensor<4xf32>, %row: tensor<4xf32>,
       %factor: tensor<4xf32>):
    %0 = graph.mul %before, %factor : tensor<4xf32>
    %n = graph.convert %i to f32 : tensor<i32>
    %many = graph.broadcast %n along [0] sizes [4] : tensor<f32>
    %1 = graph.mul %0, %many : tensor<4xf32>
    %next = graph.add %1, %row : tensor<4xf32>
    graph.yield %next, %next : tensor<4xf32>, tensor<4xf32>
  }
  %s = graph.sum %all over [0, 1] : tensor<11x4xf32>
  %dw = graph.gradient %s wrt %w : tensor<f32>, tensor<4xf32>
  return %dw : tensor<4xf32>
}
