// RUN: gradus-opt %s -split-input-file -graph-update-in-place \
// RUN:   -graph-plan-memory -graph-verify-plan | FileCheck %s

// Whatever reads the old value runs before the update, also if the program has
// it later. The kernel learns that its result lies on its argument.
// CHECK-LABEL: func.func @read_first
// CHECK-NEXT: %[[Y:.*]] = call @twice(%arg0)
// CHECK-NEXT: %[[W:.*]] = call @plus(%arg0, %arg1)
// CHECK-SAME: ["buffer 0", "buffer 1"]
// CHECK-NEXT: return %[[W]], %[[Y]]
// CHECK: func.func private @plus
// CHECK-SAME: -> (tensor<4xf32> {graph.updates = 0 : i32})
func.func @read_first(%w: tensor<4xf32>, %x: tensor<4xf32>)
    -> (tensor<4xf32> {graph.updates = 0 : i64}, tensor<4xf32>) {
  %w1 = call @plus(%w, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %y = call @twice(%w) : (tensor<4xf32>) -> tensor<4xf32>
  return %w1, %y : tensor<4xf32>, tensor<4xf32>
}
func.func private @plus(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.add %a, %b : tensor<4xf32>
  return %y : tensor<4xf32>
}
func.func private @twice(%a: tensor<4xf32>) -> tensor<4xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.add %a, %a : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// A new value from which something is made together with the old one cannot be
// written over it: it is computed aside and copied at the end.
// CHECK-LABEL: func.func @both_needed
// CHECK-NEXT: %[[W:.*]] = call @twice(%arg0) {graph.operands = ["buffer 0", "arena 0"]}
// CHECK-NEXT: %[[Y:.*]] = call @plus(%arg0, %[[W]]) {graph.operands = ["buffer 0", "arena 0", "buffer 1"]}
// CHECK-NEXT: %[[C:.*]] = call @copy(%[[W]]) {graph.operands = ["arena 0", "buffer 0"]}
// CHECK-NEXT: return %[[C]], %[[Y]]
func.func @both_needed(%w: tensor<4xf32>)
    -> (tensor<4xf32> {graph.updates = 0 : i64}, tensor<4xf32>) {
  %w1 = call @twice(%w) : (tensor<4xf32>) -> tensor<4xf32>
  %y = call @plus(%w, %w1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %w1, %y : tensor<4xf32>, tensor<4xf32>
}
func.func private @plus(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.add %a, %b : tensor<4xf32>
  return %y : tensor<4xf32>
}
func.func private @twice(%a: tensor<4xf32>) -> tensor<4xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.add %a, %a : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Two arguments that change places: one of the copies goes through the arena.
// CHECK-LABEL: func.func @swap
// CHECK-DAG: call @copy(%arg0) {{.*}}["buffer 0", "arena 0"]
// CHECK-DAG: call @copy(%arg1) {{.*}}["buffer 1", "buffer 0"]
// CHECK: call @copy(%{{.*}}) {{.*}}["arena 0", "buffer 1"]
// CHECK-NOT: call
// CHECK: return
func.func @swap(%a: tensor<4xf32>, %b: tensor<4xf32>)
    -> (tensor<4xf32> {graph.updates = 0 : i64},
        tensor<4xf32> {graph.updates = 1 : i64}) {
  return %b, %a : tensor<4xf32>, tensor<4xf32>
}

// -----

// What stays as it is needs no call; a value returned twice is copied, and so
// is an old value that is returned beside its update.
// CHECK-LABEL: func.func @copies
// CHECK-DAG: call @copy(%arg1) {{.*}}["buffer 1", "buffer 2"]
// CHECK-DAG: call @twice(%arg1) {{.*}}["buffer 1"]
// CHECK: call @copy(%{{.*}}) {{.*}}["buffer 1", "buffer 3"]
// CHECK-NOT: call
// CHECK: return %arg0,
func.func @copies(%u: tensor<4xf32>, %w: tensor<4xf32>)
    -> (tensor<4xf32> {graph.updates = 0 : i64},
        tensor<4xf32> {graph.updates = 1 : i64}, tensor<4xf32>,
        tensor<4xf32>) {
  %w1 = call @twice(%w) : (tensor<4xf32>) -> tensor<4xf32>
  return %u, %w1, %w, %w1
      : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
func.func private @twice(%a: tensor<4xf32>) -> tensor<4xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.add %a, %a : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// A kernel that is shared by a call that updates and one that does not comes in
// two variants.
// CHECK-LABEL: func.func @variants
// CHECK-NEXT: call @twice(%arg0) {{.*}}["buffer 0"]
// CHECK-NEXT: call @[[OTHER:twice_.*]](%arg1) {{.*}}["buffer 1", "buffer 2"]
// CHECK: func.func private @twice(
// CHECK-SAME: graph.updates = 0
// CHECK: func.func private @[[OTHER]](
// CHECK-NOT: graph.updates
// CHECK-SAME: -> tensor<4xf32>
func.func @variants(%w: tensor<4xf32>, %x: tensor<4xf32>)
    -> (tensor<4xf32> {graph.updates = 0 : i64}, tensor<4xf32>) {
  %w1 = call @twice(%w) : (tensor<4xf32>) -> tensor<4xf32>
  %y = call @twice(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %w1, %y : tensor<4xf32>, tensor<4xf32>
}
func.func private @twice(%a: tensor<4xf32>) -> tensor<4xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.add %a, %a : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// A kernel that reads an argument under two names does not know that they are
// one: its result cannot lie there.
// CHECK-LABEL: func.func @two_names
// CHECK: call @outer(%arg0, %{{.*}}) {{.*}}["buffer 0", "buffer 0", "arena 0"]
// CHECK: call @copy(%{{.*}}) {{.*}}["arena 0", "buffer 0"]
func.func @two_names(%w: tensor<2x2xf32>)
    -> (tensor<2x2xf32> {graph.updates = 0 : i64}) {
  %flat = graph.reshape %w to [4] : tensor<2x2xf32>
  %w1 = call @outer(%w, %flat)
      : (tensor<2x2xf32>, tensor<4xf32>) -> tensor<2x2xf32>
  return %w1 : tensor<2x2xf32>
}
func.func private @outer(%a: tensor<2x2xf32>, %b: tensor<4xf32>)
    -> tensor<2x2xf32> attributes {graph.kernel = "rows"} {
  %s = graph.sum %b over [0] : tensor<4xf32>
  %ss = graph.broadcast %s along [0, 1] sizes [2, 2] : tensor<f32>
  %y = graph.add %a, %ss : tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
