// RUN: gradus-opt %s -canonicalize | FileCheck %s

// What no result needs goes: a carried value, a row, a stack. What came twice
// comes once; what no round changes is no carried value; constants are made
// inside.
// CHECK-LABEL: func.func @prune
// CHECK-SAME: (%[[H:.*]]: tensor<3xf32>, %[[X:.*]]: tensor<9x3xf32>, %[[W:.*]]: tensor<3xf32>)
// CHECK-NEXT: %[[Y:.*]] = graph.loop 9 carried(%[[H]]) over(%[[X]]) with(%[[W]])
// CHECK-SAME: : (tensor<3xf32>, tensor<9x3xf32>, tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<i32>, %[[BEFORE:.*]]: tensor<3xf32>, %[[ROW:.*]]: tensor<3xf32>, %[[V:.*]]: tensor<3xf32>):
// CHECK-DAG: %[[TWO:.*]] = graph.constant dense<2.0
// CHECK-DAG: %[[A:.*]] = graph.mul %[[BEFORE]], %[[V]]
// CHECK-DAG: %[[B:.*]] = graph.mul %[[A]], %[[V]]
// CHECK-DAG: %[[C:.*]] = graph.mul %[[B]], %[[TWO]]
// CHECK: %[[D:.*]] = graph.add %[[C]], %[[ROW]]
// CHECK-NEXT: graph.yield %[[D]] : tensor<3xf32>
// CHECK: return %[[Y]], %[[W]]
func.func @prune(%h: tensor<3xf32>, %x: tensor<9x3xf32>, %w: tensor<3xf32>)
    -> (tensor<3xf32>, tensor<3xf32>) {
  %two = graph.constant dense<2.0> : tensor<3xf32>
  %y, %kept, %dead, %all = graph.loop 9 carried(%h, %w, %h) over(%x, %x)
      with(%w, %two)
      : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<9x3xf32>,
         tensor<9x3xf32>, tensor<3xf32>, tensor<3xf32>)
        -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<9x3xf32>) {
  ^bb0(%i: tensor<i32>, %before: tensor<3xf32>, %same: tensor<3xf32>,
       %unused: tensor<3xf32>, %row: tensor<3xf32>, %again: tensor<3xf32>,
       %v: tensor<3xf32>, %t: tensor<3xf32>):
    %a = graph.mul %before, %v : tensor<3xf32>
    %b = graph.mul %a, %same : tensor<3xf32>
    %c = graph.mul %b, %t : tensor<3xf32>
    %d = graph.add %c, %row : tensor<3xf32>
    %e = graph.exp %unused : tensor<3xf32>
    %f = graph.add %e, %again : tensor<3xf32>
    graph.yield %d, %same, %f, %e
        : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
  }
  return %y, %kept : tensor<3xf32>, tensor<3xf32>
}

// A value is carried if another that is needed depends on it.
// CHECK-LABEL: func.func @chain
// CHECK: graph.loop 4 carried(%arg0, %arg0)
// CHECK-SAME: -> (tensor<3xf32>, tensor<3xf32>)
func.func @chain(%h: tensor<3xf32>) -> tensor<3xf32> {
  %y, %z = graph.loop 4 carried(%h, %h) over() with()
      : (tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  ^bb0(%i: tensor<i32>, %a: tensor<3xf32>, %b: tensor<3xf32>):
    %next = graph.add %a, %b : tensor<3xf32>
    %other = graph.sin %b : tensor<3xf32>
    graph.yield %next, %other : tensor<3xf32>, tensor<3xf32>
  }
  return %y : tensor<3xf32>
}
