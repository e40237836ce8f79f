// RUN: gradus-opt %s -graph-form-kernels=fuse=false -graph-update-in-place \
// RUN:   -graph-plan-memory -graph-verify-plan | FileCheck %s

// The reference path: one kernel, in the order of the program.
// CHECK-LABEL: func.func @step
// CHECK: %[[R:.*]]:2 = call @step_whole(%arg1, %arg0)
// CHECK-SAME: graph.operands = ["buffer 1", "buffer 0", "buffer 2"]
// CHECK-NEXT: return %[[R]]#0, %[[R]]#1
// CHECK: func.func private @step_whole
// CHECK-SAME: -> (tensor<4xf32> {graph.updates = 1 : i32}, tensor<f32>)
// CHECK-SAME: graph.kernel = "whole"
func.func @step(%w: tensor<4xf32> {graph.name = "param/w"}, %x: tensor<2x2xf32>)
    -> (tensor<4xf32> {graph.name = "param/w", graph.updates = 0 : i64},
        tensor<f32> {graph.name = "loss"}) {
  %flat = graph.reshape %x to [4] : tensor<2x2xf32>
  %w1 = graph.sub %w, %flat : tensor<4xf32>
  %p = graph.mul %w, %flat : tensor<4xf32>
  %loss = graph.sum %p over [0] : tensor<4xf32>
  return %w1, %loss : tensor<4xf32>, tensor<f32>
}
