// RUN: gradus-opt %s -split-input-file -graph-verify-plan -verify-diagnostics

// The plan of a chain of three, without fault.
func.func @right(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  %0 = call @next(%x) {graph.operands = ["buffer 0", "arena 0"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  %1 = call @next(%0) {graph.operands = ["arena 0", "arena 128"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  %2 = call @next(%1) {graph.operands = ["arena 128", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %2 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @overwritten(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  %0 = call @next(%x) {graph.operands = ["buffer 0", "arena 0"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  %1 = call @next(%x) {graph.operands = ["buffer 0", "arena 64"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  // expected-error @below {{reads argument 0 where its bytes do not lie or were overwritten}}
  %2 = call @next(%0) {graph.operands = ["arena 0", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %2 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @elsewhere(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  %0 = call @next(%x) {graph.operands = ["buffer 0", "arena 0"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  // expected-error @below {{reads argument 0 where its bytes do not lie or were overwritten}}
  %1 = call @next(%0) {graph.operands = ["arena 128", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %1 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

// A kernel would write what it still reads.
func.func @onto_itself(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  %0 = call @next(%x) {graph.operands = ["buffer 0", "arena 0"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  // expected-error @below {{writes bytes that hold its argument 0}}
  %1 = call @next(%0) {graph.operands = ["arena 0", "arena 64"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  %2 = call @next(%1) {graph.operands = ["arena 64", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %2 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @outside(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{operand 1 lies outside the arena of 256 bytes}}
  %0 = call @next(%x) {graph.operands = ["buffer 0", "arena 192"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  %1 = call @next(%0) {graph.operands = ["arena 192", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %1 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @before_the_start(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{operand 1 lies outside the arena of 256 bytes}}
  %0 = call @next(%x) {graph.operands = ["buffer 0", "arena -64"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  %1 = call @next(%0) {graph.operands = ["arena -64", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %1 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @unaligned(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{operand 1 is not aligned to 64 bytes}}
  %0 = call @next(%x) {graph.operands = ["buffer 0", "arena 32"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  %1 = call @next(%0) {graph.operands = ["arena 32", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %1 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @no_such_buffer(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{operand 1 names buffer 7, which does not exist}}
  %0 = call @next(%x) {graph.operands = ["buffer 0", "buffer 7"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %0 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @other_size(%x: tensor<20xf32>, %k: tensor<f32>) -> (tensor<20xf32>, tensor<f32>)
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{operand 1 has 80 bytes, buffer 1 has 4}}
  %0 = call @next(%x) {graph.operands = ["buffer 0", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %0, %k : tensor<20xf32>, tensor<f32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @read_only(%x: tensor<20xf32>, %z: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{writes buffer 1, which the function only reads}}
  %0 = call @next(%x) {graph.operands = ["buffer 0", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %0 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @too_few(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{expected 2 operands, found 1}}
  %0 = call @next(%x) {graph.operands = ["buffer 0"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %0 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

// expected-error @below {{at the end result 0 does not lie in buffer 1}}
func.func @result_elsewhere(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  %0 = call @next(%x) {graph.operands = ["buffer 0", "arena 0"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %0 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

// An old value is gone once its update is written.
func.func @read_after_update(%w: tensor<20xf32>) -> (tensor<20xf32> {graph.updates = 0 : i64}, tensor<20xf32>)
    attributes {graph.arena_bytes = 256 : i64} {
  %0 = call @over(%w) {graph.operands = ["buffer 0"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  // expected-error @below {{reads argument 0 where its bytes do not lie or were overwritten}}
  %1 = call @next(%w) {graph.operands = ["buffer 0", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %0, %1 : tensor<20xf32>, tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}
func.func private @over(%x: tensor<20xf32>) -> (tensor<20xf32> {graph.updates = 0 : i32})
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

// expected-error @below {{at the end result 0 does not lie in buffer 0}}
func.func @update_missing(%w: tensor<20xf32>) -> (tensor<20xf32> {graph.updates = 0 : i64})
    attributes {graph.arena_bytes = 256 : i64} {
  %0 = call @next(%w) {graph.operands = ["buffer 0", "arena 0"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %0 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @scratch_meets_argument(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  %0 = call @next(%x) {graph.operands = ["buffer 0", "arena 0", "arena 128"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  // expected-error @below {{writes bytes that hold its argument 0}}
  %1 = call @next(%0) {graph.operands = ["arena 0", "buffer 1", "arena 64"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %1 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows", graph.scratch = 100 : i64} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @scratch_meets_result(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{writes the same bytes twice}}
  %0 = call @next(%x) {graph.operands = ["buffer 0", "arena 0", "arena 64"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  %1 = call @next(%0) {graph.operands = ["arena 0", "buffer 1", "arena 128"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %1 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows", graph.scratch = 100 : i64} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

// expected-error @below {{the function has no graph.arena_bytes}}
func.func @no_arena(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {} {
  %0 = call @next(%x) {graph.operands = ["buffer 0", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %0 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @not_a_place(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{expected "buffer <number>" or "arena <bytes>" in graph.operands, found "heap 1"}}
  %0 = call @next(%x) {graph.operands = ["buffer 0", "heap 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %0 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @no_places(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{the call has no graph.operands}}
  %0 = call @next(%x) : (tensor<20xf32>) -> tensor<20xf32>
  return %0 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}

// -----

func.func @not_a_call(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.arena_bytes = 256 : i64} {
  // expected-error @below {{a planned function consists of calls of kernels, found 'graph.exp'}}
  %0 = graph.exp %x : tensor<20xf32>
  return %0 : tensor<20xf32>
}

// -----

// expected-error @below {{result 0 updates argument 3, which does not exist}}
func.func @no_argument(%x: tensor<20xf32>) -> (tensor<20xf32> {graph.updates = 3 : i64})
    attributes {graph.arena_bytes = 256 : i64} {
  %0 = call @next(%x) {graph.operands = ["buffer 0", "buffer 1"]}
      : (tensor<20xf32>) -> tensor<20xf32>
  return %0 : tensor<20xf32>
}
func.func private @next(%x: tensor<20xf32>) -> tensor<20xf32>
    attributes {graph.kernel = "rows"} {
  %y = graph.exp %x : tensor<20xf32>
  return %y : tensor<20xf32>
}
