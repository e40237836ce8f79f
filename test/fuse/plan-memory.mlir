// RUN: gradus-opt %s -split-input-file -graph-plan-memory -graph-verify-plan \
// RUN:   | FileCheck %s

// Bytes are used again as soon as nobody reads them any more, never before; the
// result is written where the caller wants it.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: graph.arena_bytes = 256
// CHECK-NEXT: call @next(%arg0) {graph.operands = ["buffer 0", "arena 0"]}
// CHECK-NEXT: call @next(%0) {graph.operands = ["arena 0", "arena 128"]}
// CHECK-NEXT: call @next(%1) {graph.operands = ["arena 128", "arena 0"]}
// CHECK-NEXT: call @next(%2) {graph.operands = ["arena 0", "buffer 1"]}
func.func @chain(%x: tensor<20xf32>) -> tensor<20xf32> {
  %0 = call @next(%x) : (tensor<20xf32>) -> tensor<20xf32>
  %1 = call @next(%0) : (tensor<20xf32>) -> tensor<20xf32>
  %2 = call @next(%1) : (tensor<20xf32>) -> tensor<20xf32>
  %3 = call @next(%2) : (tensor<20xf32>) -> tensor<20xf32>
  return %3 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

// A reshape has the bytes of what it renames, and keeps them alive. A boolean
// takes one byte.
// CHECK-LABEL: func.func @renamed
// CHECK-SAME: graph.arena_bytes = 128
// CHECK: call @positive(%arg0) {graph.operands = ["buffer 0", "arena 0"]}
// CHECK: call @positive(%arg0) {graph.operands = ["buffer 0", "arena 64"]}
// CHECK: call @both({{.*}}) {graph.operands = ["arena 0", "arena 64", "buffer 1"]}
func.func @renamed(%x: tensor<4x16xf32>) -> tensor<64xf32> {
  %0 = call @positive(%x) : (tensor<4x16xf32>) -> tensor<4x16xi1>
  %1 = graph.reshape %0 to [64] : tensor<4x16xi1>
  %2 = call @positive(%x) : (tensor<4x16xf32>) -> tensor<4x16xi1>
  %3 = graph.reshape %2 to [64] : tensor<4x16xi1>
  %4 = call @both(%1, %3)
      : (tensor<64xi1>, tensor<64xi1>) -> tensor<64xf32>
  return %4 : tensor<64xf32>
}
func.func private @positive(%x: tensor<4x16xf32>) -> tensor<4x16xi1>
    attributes {graph.kernel = "rows"} {
  %y = graph.convert %x to i1 : tensor<4x16xf32>
  return %y : tensor<4x16xi1>
}
func.func private @both(%a: tensor<64xi1>, %b: tensor<64xi1>) -> tensor<64xf32>
    attributes {graph.kernel = "rows"} {
  %c = graph.select %a, %a, %b : tensor<64xi1>
  %y = graph.convert %c to f32 : tensor<64xi1>
  return %y : tensor<64xf32>
}

// -----

// Scratch of a kernel is its last operand and lives for one call.
// CHECK-LABEL: func.func @scratch
// CHECK-SAME: graph.arena_bytes = 1088
// CHECK-NEXT: call @wide(%arg0) {graph.operands = ["buffer 0", "arena 1024", "arena 0"]}
// CHECK-NEXT: call @wide(%0) {graph.operands = ["arena 1024", "buffer 1", "arena 0"]}
func.func @scratch(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = call @wide(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = call @wide(%0) : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
func.func private @wide(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {graph.kernel = "rows", graph.scratch = 1000 : i64} {
  %y = graph.exp %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
