// RUN: gradus-opt %s -graph-form-kernels | FileCheck %s
// RUN: gradus-opt %s -graph-form-kernels=fuse=false | FileCheck %s --check-prefix=WHOLE
// RUN: gradus-opt %s -graph-form-kernels -graph-update-in-place -graph-plan-memory -graph-verify-plan | FileCheck %s --check-prefix=PLAN

// The body of a loop becomes a list of kernels of its own, each carried value
// written where the one before lies; the loop is one call, operand by operand.
// Equal bodies are one function.
// CHECK-LABEL: func.func @step
// CHECK: %[[A:.*]]:2 = call @[[LOOP:kernel_rounds]](%arg0, %arg1, %arg2)
// CHECK: %[[B:.*]]:2 = call @[[LOOP]](%[[A]]#0, %arg1, %arg2)
// CHECK: call @{{.*}}(%[[B]]#1)
// CHECK: func.func private @step_loop(%{{.*}}: tensor<i32>, %[[H:.*]]: tensor<8x4xf32>, %[[X:.*]]: tensor<8x4xf32>, %[[W:.*]]: tensor<4x4xf32>) -> (tensor<8x4xf32> {graph.updates = 1 : i64}, tensor<8x4xf32>) attributes {graph.body}
// CHECK-NEXT: %[[N:.*]] = call @[[BODY:.*]](%[[H]], %[[W]], %[[X]])
// CHECK-NEXT: return %[[N]], %[[N]]
// CHECK-NOT: func.func private @step_loop_2
// CHECK: func.func private @[[LOOP]]{{.*}} attributes {graph.kernel = "loop"}
// CHECK-NEXT: graph.rounds @step_loop 9 carried(%arg0) over(%arg1) with(%arg2)

// WHOLE-LABEL: func.func @step
// WHOLE-NEXT: call @step_rounds
// WHOLE-NEXT: call @step_rounds
// WHOLE-NEXT: call @step_whole
// WHOLE: func.func private @step_loop(
// WHOLE-NEXT: call @step_loop_whole

// The scratch of a loop is its counter and the arena of its body; a value that
// is carried on and stacked is copied.
// PLAN: func.func private @step_loop{{.*}} attributes {graph.arena_bytes = 0 : i64, graph.body}
// PLAN-NEXT: call @{{.*}} {graph.operands = ["buffer 1", "buffer 3", "buffer 2", "buffer 4"]}
// PLAN-NEXT: call @copy{{.*}} {graph.operands = ["buffer 4", "buffer 1"]}
// PLAN: graph.kernel = "loop", graph.scratch = 64 : i64
func.func @step(%h: tensor<8x4xf32>, %x: tensor<9x8x4xf32>, %w: tensor<4x4xf32>)
    -> (tensor<8x4xf32>, tensor<f32>) {
  %a, %as = graph.loop 9 carried(%h) over(%x) with(%w)
      : (tensor<8x4xf32>, tensor<9x8x4xf32>, tensor<4x4xf32>)
        -> (tensor<8x4xf32>, tensor<9x8x4xf32>) {
  ^bb0(%i: tensor<i32>, %before: tensor<8x4xf32>, %row: tensor<8x4xf32>,
       %v: tensor<4x4xf32>):
    %p = graph.einsum "bi,ij->bj" %before, %v
        : tensor<8x4xf32>, tensor<4x4xf32>
    %next = graph.add %p, %row : tensor<8x4xf32>
    graph.yield %next, %next : tensor<8x4xf32>, tensor<8x4xf32>
  }
  %b, %bs = graph.loop 9 carried(%a) over(%x) with(%w)
      : (tensor<8x4xf32>, tensor<9x8x4xf32>, tensor<4x4xf32>)
        -> (tensor<8x4xf32>, tensor<9x8x4xf32>) {
  ^bb0(%i: tensor<i32>, %before: tensor<8x4xf32>, %row: tensor<8x4xf32>,
       %v: tensor<4x4xf32>):
    %p = graph.einsum "bi,ij->bj" %before, %v
        : tensor<8x4xf32>, tensor<4x4xf32>
    %next = graph.add %p, %row : tensor<8x4xf32>
    graph.yield %next, %next : tensor<8x4xf32>, tensor<8x4xf32>
  }
  %s = graph.sum %bs over [0, 1, 2] : tensor<9x8x4xf32>
  return %b, %s : tensor<8x4xf32>, tensor<f32>
}
