// RUN: gradus-opt %s -split-input-file -graph-place-scratch=workers=3 | FileCheck %s

// Small: on the stack. The two are never alive together and share bytes.
// CHECK-LABEL: func.func @small
// CHECK-NOT: graph.scratch
// CHECK: %[[BLOCK:.*]] = memref.alloca() {alignment = 64 : i64} : memref<64xi8>
// CHECK: %[[ZERO:.*]] = arith.constant 0
// CHECK: memref.view %[[BLOCK]][%[[ZERO]]][] : memref<64xi8> to memref<16xf32>
// CHECK: %[[ZERO1:.*]] = arith.constant 0
// CHECK: memref.view %[[BLOCK]][%[[ZERO1]]][] : memref<64xi8> to memref<8xf64>
// CHECK-NOT: memref.alloc()
// CHECK-NOT: memref.dealloc
func.func @small(%i: index, %x: f32, %y: f64) {
  %a = memref.alloc() : memref<16xf32>
  memref.store %x, %a[%i] : memref<16xf32>
  memref.dealloc %a : memref<16xf32>
  %b = memref.alloc() : memref<8xf64>
  memref.store %y, %b[%i] : memref<8xf64>
  return
}

// -----

// Large: in a block from the caller. Both are used in one loop.
// CHECK-LABEL: func.func @large
// CHECK-SAME: %[[BLOCK:[^:]*]]: memref<40000xi8>
// CHECK-SAME: attributes {graph.scratch = 40000 : i64}
// CHECK-NOT: memref.alloc
// CHECK-DAG: memref.view %[[BLOCK]]{{.*}} to memref<5000xf32>
// CHECK-DAG: memref.view %[[BLOCK]]{{.*}} to memref<4990xf32>
func.func @large(%x: f32) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 4990 : index
  %b = memref.alloc() : memref<4990xf32>
  scf.for %i = %zero to %n step %one {
    %a = memref.alloc() : memref<5000xf32>
    memref.store %x, %a[%i] : memref<5000xf32>
    %y = memref.load %a[%zero] : memref<5000xf32>
    memref.store %y, %b[%i] : memref<4990xf32>
  }
  return
}

// -----

// Split among three workers: what a loop hands to the next is common; what one
// step works in lies behind it, 40,000 bytes for each worker.
// CHECK-LABEL: func.func @split
// CHECK-SAME: %[[NUMBER:[^:]*]]: index, %{{[^:]*}}: index, %{{[^:]*}}: index, %[[BLOCK:[^:]*]]: memref<120064xi8>
// CHECK-SAME: graph.scratch = 120064 : i64
// CHECK: memref.view %[[BLOCK]]{{.*}} to memref<16xf32>
// CHECK: %[[OFFSET:.*]] = arith.muli %{{.*}}, %[[NUMBER]]
// CHECK: %[[BEGIN:.*]] = arith.addi %{{.*}}, %[[OFFSET]]
// CHECK: %[[OWN:.*]] = arith.addi %[[BEGIN]], %{{.*}}
// CHECK: memref.view %[[BLOCK]][%[[OWN]]][] : memref<120064xi8> to memref<10000xf32>
func.func @split(%x: f32, %number: index, %count: index, %meeting: index)
    attributes {graph.split} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 16 : index
  %own = memref.alloc() {graph.private} : memref<10000xf32>
  %common = memref.alloc() : memref<16xf32>
  scf.for %i = %zero to %n step %one {
    memref.store %x, %own[%i] : memref<10000xf32>
    memref.store %x, %common[%i] : memref<16xf32>
  } {graph.split}
  return
}
