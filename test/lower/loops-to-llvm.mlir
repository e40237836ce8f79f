// RUN: gradus-opt %s -graph-loops-to-llvm-dialect \
// RUN:   -reconcile-unrealized-casts | FileCheck %s

// Bare pointers; an intrinsic where LLVM has one, the C library elsewhere.
// CHECK: llvm.func @erf(f64) -> f64
// CHECK-LABEL: llvm.func @k(
// CHECK-SAME: %[[X:.*]]: !llvm.ptr, %[[Y:.*]]: !llvm.ptr)
// CHECK: llvm.load
// CHECK: llvm.intr.exp
// CHECK: llvm.call @erf
// CHECK: llvm.store
// CHECK-NOT: unrealized_conversion_cast
func.func @k(%x: memref<8xf64>, %y: memref<8xf64>) {
  %zero = arith.constant 0 : index
  %a = memref.load %x[%zero] : memref<8xf64>
  %b = math.exp %a : f64
  %c = math.erf %b : f64
  memref.store %c, %y[%zero] : memref<8xf64>
  return
}
