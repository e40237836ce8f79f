// RUN: gradus-opt %s -graph-place-scratch -verify-diagnostics

func.func @dynamic(%n: index) {
  // expected-error@+1 {{kernel 'dynamic' needs a buffer of unknown size}}
  %a = memref.alloc(%n) : memref<?xf32>
  return
}
