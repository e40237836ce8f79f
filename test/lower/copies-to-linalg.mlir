// RUN: gradus-opt %s -graph-copies-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @columns
// CHECK-SAME: %[[X:.*]]: memref<4x2xf32, strided<[8, 1]>>, %[[Y:.*]]: memref<4x2xf32>
// CHECK-NOT: memref.copy
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[X]] : {{.*}}) outs(%[[Y]]
func.func @columns(%x: memref<4x2xf32, strided<[8, 1]>>, %y: memref<4x2xf32>) {
  memref.copy %x, %y : memref<4x2xf32, strided<[8, 1]>> to memref<4x2xf32>
  return
}

// CHECK-LABEL: func.func @onto_itself
// CHECK-NEXT: return
func.func @onto_itself(%x: memref<4xf32>) {
  memref.copy %x, %x : memref<4xf32> to memref<4xf32>
  return
}
