// RUN: gradus-opt %s -graph-hoist-from-loops -canonicalize | FileCheck %s
// RUN: gradus-opt %s -graph-hoist-from-loops=budget=1000 -canonicalize | FileCheck %s --check-prefix=FEW

// Computed once: what no round changes, but not its spreading over rows.
// CHECK-LABEL: func.func @invariant
// CHECK-SAME: (%[[H:.*]]: tensor<8x4xf32>, %[[W:.*]]: tensor<4xf32>)
// CHECK-NEXT: %[[E:.*]] = graph.exp %[[W]]
// CHECK-NEXT: %[[N:.*]] = graph.neg %[[E]]
// CHECK-NEXT: graph.loop 9 carried(%[[H]]) over() with(%[[N]])
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<i32>, %[[BEFORE:.*]]: tensor<8x4xf32>, %[[V:.*]]: tensor<4xf32>):
// CHECK-NEXT: %[[B:.*]] = graph.broadcast %[[V]]
// CHECK-NEXT: graph.mul %[[BEFORE]], %[[B]]
// CHECK-NEXT: graph.yield
func.func @invariant(%h: tensor<8x4xf32>, %w: tensor<4xf32>)
    -> tensor<8x4xf32> {
  %y = graph.loop 9 carried(%h) over() with(%w)
      : (tensor<8x4xf32>, tensor<4xf32>) -> tensor<8x4xf32> {
  ^bb0(%i: tensor<i32>, %before: tensor<8x4xf32>, %v: tensor<4xf32>):
    %e = graph.exp %v : tensor<4xf32>
    %n = graph.neg %e : tensor<4xf32>
    %b = graph.broadcast %n along [0] sizes [8] : tensor<4xf32>
    %next = graph.mul %before, %b : tensor<8x4xf32>
    graph.yield %next : tensor<8x4xf32>
  }
  return %y : tensor<8x4xf32>
}

// Rows times a matrix that is large beside them: one product before the loop.
// CHECK-LABEL: func.func @rows
// CHECK: %[[ALL:.*]] = graph.einsum "abi,ij->abj" %arg1, %arg2 : tensor<9x2x64xf32>, tensor<64x32xf32>
// CHECK: graph.loop 9 carried(%arg0) over(%[[ALL]]) with()
// CHECK-NOT: graph.einsum
// FEW-LABEL: func.func @rows
// FEW: graph.loop
// FEW: graph.einsum
func.func @rows(%h: tensor<2x32xf32>, %x: tensor<9x2x64xf32>,
                %w: tensor<64x32xf32>) -> tensor<2x32xf32> {
  %y = graph.loop 9 carried(%h) over(%x) with(%w)
      : (tensor<2x32xf32>, tensor<9x2x64xf32>, tensor<64x32xf32>)
        -> tensor<2x32xf32> {
  ^bb0(%i: tensor<i32>, %before: tensor<2x32xf32>, %row: tensor<2x64xf32>,
       %v: tensor<64x32xf32>):
    %p = graph.einsum "bi,ij->bj" %row, %v
        : tensor<2x64xf32>, tensor<64x32xf32>
    %next = graph.add %before, %p : tensor<2x32xf32>
    graph.yield %next : tensor<2x32xf32>
  }
  return %y : tensor<2x32xf32>
}

// A large sum of products of small rows, and a product that is only stacked: one
// product each behind the loop, of rows that it reads and rows that it keeps
// for that.
// CHECK-LABEL: func.func @behind
// CHECK: %[[L:.*]]:2 = graph.loop 9 reverse carried(%arg0) over(%arg1) with()
// CHECK: %[[T:.*]] = graph.tanh
// CHECK-NOT: graph.einsum
// CHECK: graph.yield %[[T]], %[[T]]
// CHECK-DAG: %[[SUM:.*]] = graph.einsum "abi,abj->ij" %arg1, %[[L]]#1
// CHECK-DAG: %[[SUMS:.*]] = graph.add %arg2, %[[SUM]]
// CHECK-DAG: %[[ROWS:.*]] = graph.einsum "abj,ij->abi" %[[L]]#1, %arg3
// CHECK: return %[[L]]#0, %[[SUMS]], %[[ROWS]]
// FEW-LABEL: func.func @behind
// FEW: graph.loop
// FEW: graph.einsum
// FEW: graph.einsum
// FEW: graph.yield
func.func @behind(%h: tensor<2x64xf32>, %x: tensor<9x2x64xf32>,
                  %s: tensor<64x64xf32>, %w: tensor<64x64xf32>)
    -> (tensor<2x64xf32>, tensor<64x64xf32>, tensor<9x2x64xf32>) {
  %y, %sum, %rows = graph.loop 9 reverse carried(%h, %s) over(%x) with(%w)
      : (tensor<2x64xf32>, tensor<64x64xf32>, tensor<9x2x64xf32>,
         tensor<64x64xf32>)
        -> (tensor<2x64xf32>, tensor<64x64xf32>, tensor<9x2x64xf32>) {
  ^bb0(%i: tensor<i32>, %before: tensor<2x64xf32>, %gathered: tensor<64x64xf32>,
       %row: tensor<2x64xf32>, %v: tensor<64x64xf32>):
    %a = graph.add %before, %row : tensor<2x64xf32>
    %next = graph.tanh %a : tensor<2x64xf32>
    %part = graph.einsum "bi,bj->ij" %row, %next
        : tensor<2x64xf32>, tensor<2x64xf32>
    %more = graph.add %gathered, %part : tensor<64x64xf32>
    %back = graph.einsum "bj,ij->bi" %next, %v
        : tensor<2x64xf32>, tensor<64x64xf32>
    graph.yield %next, %more, %back
        : tensor<2x64xf32>, tensor<64x64xf32>, tensor<2x64xf32>
  }
  return %y, %sum, %rows
      : tensor<2x64xf32>, tensor<64x64xf32>, tensor<9x2x64xf32>
}
