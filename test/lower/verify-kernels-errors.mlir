// RUN: gradus-opt %s -split-input-file -graph-verify-kernels \
// RUN:   -verify-diagnostics

llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @expf(f32) -> f32
llvm.func internal @k.body(%x: f32) -> f32 {
  %n = llvm.mlir.constant(64 : i64) : i64
  // expected-error@+1 {{kernel 'k' allocates memory: it calls 'malloc'}}
  %p = llvm.call @malloc(%n) : (i64) -> !llvm.ptr
  %y = llvm.call @expf(%x) : (f32) -> f32
  llvm.return %y : f32
}

// -----

llvm.func @getenv(!llvm.ptr) -> !llvm.ptr
llvm.func internal @k.body(%x: !llvm.ptr) {
  // expected-error@+1 {{kernel 'k' calls 'getenv', which compiled code does not have}}
  llvm.call @getenv(%x) : (!llvm.ptr) -> !llvm.ptr
  llvm.return
}

// -----

llvm.func internal @k.body(%x: !llvm.ptr) {
  // expected-error@+1 {{kernel 'k' calls through a pointer}}
  llvm.call %x() : !llvm.ptr, () -> ()
  llvm.return
}

// -----

llvm.func internal @k.body(%x: i64) {
  // expected-error@+1 {{kernel 'k': 'builtin.unrealized_conversion_cast' was not lowered}}
  %y = builtin.unrealized_conversion_cast %x : i64 to index
  llvm.return
}

// -----

llvm.func internal @k.body(%x: f32) {
  // expected-error@+1 {{kernel 'k' leaves it to LLVM whether a product is rounded}}
  %y = llvm.intr.fmuladd(%x, %x, %x) : (f32, f32, f32) -> f32
  llvm.return
}

// -----

// expected-error@+1 {{'func.func' was not lowered}}
func.func private @k()
