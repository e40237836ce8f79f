// RUN: gradus-opt %s -graph-split-kernels | FileCheck %s

// Two loops with enough to do, the second reading what the first has written:
// each worker takes its part of both, and all meet between them.
// CHECK-LABEL: func.func @phases(
// CHECK-SAME: %[[WORKER:[a-z0-9]+]]: index, %[[COUNT:[a-z0-9]+]]: index, %[[MEETING:[a-z0-9]+]]: index)
// CHECK-SAME: graph.split
// CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %[[WORKER]]
// CHECK: arith.divui %[[FIRST]], %[[COUNT]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[WORKER]], %{{.*}}
// CHECK: arith.muli %{{.*}}, %[[NEXT]]
// CHECK: scf.for
// CHECK: {graph.parallel, graph.split}
// CHECK: call @gradusBarrier(%[[MEETING]])
// CHECK: scf.for
// CHECK: {graph.parallel, graph.split}
// CHECK-NOT: gradusBarrier
// CHECK: return
func.func @phases(%x: memref<100000xf32>, %y: memref<100000xf32>,
                  %z: memref<100000xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 100000 : index
  scf.for %i = %zero to %n step %one {
    %0 = memref.load %x[%i] : memref<100000xf32>
    memref.store %0, %y[%i] : memref<100000xf32>
  } {graph.parallel}
  scf.for %i = %zero to %n step %one {
    %j = arith.subi %n, %i : index
    %k = arith.subi %j, %one : index
    %0 = memref.load %y[%k] : memref<100000xf32>
    memref.store %0, %z[%i] : memref<100000xf32>
  } {graph.parallel}
  return
}

// What is not marked, or is little, is left to the first worker.
// CHECK-LABEL: func.func @alone(
// CHECK: {graph.parallel, graph.split}
// CHECK: call @gradusBarrier
// CHECK: %[[IS_FIRST:.*]] = arith.cmpi eq, %{{.*}}, %{{.*}} : index
// CHECK: scf.if %[[IS_FIRST]] {
// CHECK: memref.store
// CHECK: scf.for
// CHECK: }
// CHECK: return
func.func @alone(%x: memref<100000xf32>, %y: memref<100000xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %few = arith.constant 10 : index
  %n = arith.constant 100000 : index
  %c = arith.constant 1.0 : f32
  scf.for %i = %zero to %n step %one {
    memref.store %c, %x[%i] : memref<100000xf32>
  } {graph.parallel}
  memref.store %c, %y[%zero] : memref<100000xf32>
  scf.for %i = %one to %few step %one {
    %0 = memref.load %x[%i] : memref<100000xf32>
    memref.store %0, %y[%i] : memref<100000xf32>
  } {graph.parallel}
  return
}

// A kernel with little to do stays whole.
// CHECK-LABEL: func.func @small(%{{.*}}: memref<10xf32>) {
// CHECK-NOT: gradusBarrier
func.func @small(%x: memref<10xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 10 : index
  %c = arith.constant 1.0 : f32
  scf.for %i = %zero to %n step %one {
    memref.store %c, %x[%i] : memref<10xf32>
  } {graph.parallel}
  return
}

// A buffer in which one step works is each worker's own; one that a loop hands on
// to the next is not.
// CHECK-LABEL: func.func @buffers(
// CHECK: memref.alloc() {graph.private} : memref<8xf32>
// CHECK: memref.alloc() : memref<100000xf32>
func.func @buffers(%x: memref<100000xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 100000 : index
  %c = arith.constant 1.0 : f32
  %own = memref.alloc() {graph.private} : memref<8xf32>
  %common = memref.alloc() {graph.private} : memref<100000xf32>
  scf.for %i = %zero to %n step %one {
    memref.store %c, %own[%zero] : memref<8xf32>
    %0 = memref.load %own[%zero] : memref<8xf32>
    memref.store %0, %common[%i] : memref<100000xf32>
  } {graph.parallel}
  scf.for %i = %zero to %n step %one {
    %0 = memref.load %common[%i] : memref<100000xf32>
    memref.store %0, %x[%i] : memref<100000xf32>
  } {graph.parallel}
  return
}

// Three steps are not worth it for two workers.
// CHECK-LABEL: func.func @three(%{{.*}}: memref<3x100000xf32>) {
// CHECK-NOT: graph.split
func.func @three(%x: memref<3x100000xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %three = arith.constant 3 : index
  %n = arith.constant 100000 : index
  %c = arith.constant 1.0 : f32
  scf.for %i = %zero to %three step %one {
    scf.for %j = %zero to %n step %one {
      memref.store %c, %x[%i, %j] : memref<3x100000xf32>
    }
  } {graph.parallel}
  return
}

// A loop that adds to the same places in each step: all run it, each its part of
// the loop inside, and meet nobody; a buffer of the kernel's own is filled by
// each, and what is not split is the first worker's.
// CHECK-LABEL: func.func @adds(
// CHECK-NOT: gradusBarrier
// CHECK: scf.for
// CHECK: scf.for
// CHECK: memref.store %{{.*}}, %{{.*}} : memref<16xf32>
// CHECK: arith.divui
// CHECK: scf.for
// CHECK: {graph.parallel, graph.split}
// CHECK: scf.if
// CHECK-NEXT: memref.store %{{.*}}, %{{.*}} : memref<1001xf32>
// CHECK: {graph.adds, graph.split}
// CHECK-NOT: gradusBarrier
// CHECK: return
func.func @adds(%x: memref<100x16xf32>, %y: memref<1001xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %lanes = arith.constant 16 : index
  %n = arith.constant 1000 : index
  %rows = arith.constant 100 : index
  %own = memref.alloc() {graph.private} : memref<16xf32>
  scf.for %r = %zero to %rows step %one {
    scf.for %i = %zero to %lanes step %one {
      %0 = memref.load %x[%r, %i] : memref<100x16xf32>
      memref.store %0, %own[%i] : memref<16xf32>
    }
    scf.for %i = %zero to %n step %one {
      %0 = memref.load %y[%i] : memref<1001xf32>
      %1 = memref.load %own[%zero] : memref<16xf32>
      %2 = arith.addf %0, %1 : f32
      memref.store %2, %y[%i] : memref<1001xf32>
    } {graph.parallel}
    %0 = memref.load %y[%n] : memref<1001xf32>
    %1 = arith.addf %0, %0 : f32
    memref.store %1, %y[%n] : memref<1001xf32>
  } {graph.adds}
  return
}

// A parallel loop whose steps are all run by all, each its part of the loop
// inside: what is packed is packed by each.
// CHECK-LABEL: func.func @inside(
// CHECK-NOT: gradusBarrier
// CHECK: scf.for %{{.*}} = %{{.*}} to %c100
// CHECK: memref.store %{{.*}}, %{{.*}} : memref<16xf32>
// CHECK: arith.divui
// CHECK: scf.for
// CHECK: {graph.parallel, graph.split}
// CHECK: {graph.inside = true, graph.parallel, graph.split}
// CHECK: return
func.func @inside(%x: memref<100x16xf32>, %y: memref<1000x100xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %lanes = arith.constant 16 : index
  %n = arith.constant 1000 : index
  %c100 = arith.constant 100 : index
  %own = memref.alloc() {graph.private} : memref<16xf32>
  scf.for %r = %zero to %c100 step %one {
    scf.for %i = %zero to %lanes step %one {
      %0 = memref.load %x[%r, %i] : memref<100x16xf32>
      memref.store %0, %own[%i] : memref<16xf32>
    }
    scf.for %i = %zero to %n step %one {
      %0 = memref.load %own[%zero] : memref<16xf32>
      memref.store %0, %y[%i, %r] : memref<1000x100xf32>
    } {graph.parallel}
  } {graph.parallel, graph.inside = true}
  return
}

// Three steps divide badly, but not the loop in each of them, which may be shared.
// CHECK-LABEL: func.func @three_of_many(
// CHECK-NOT: gradusBarrier
// CHECK: scf.for %{{.*}} = %{{.*}} to %c3
// CHECK: arith.divui
// CHECK: scf.for
// CHECK: {graph.parallel, graph.split}
// CHECK: {graph.inside = false, graph.parallel, graph.split}
// CHECK: return
func.func @three_of_many(%x: memref<3x100000xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %n = arith.constant 100000 : index
  %c = arith.constant 1.0 : f32
  scf.for %i = %zero to %c3 step %one {
    scf.for %j = %zero to %n step %one {
      memref.store %c, %x[%i, %j] : memref<3x100000xf32>
    } {graph.parallel}
  } {graph.parallel, graph.inside = false}
  return
}

// It may not where a step might read what another op of it has written.
// CHECK-LABEL: func.func @three_alone(%{{.*}}: memref<3x100000xf32>) {
// CHECK-NOT: graph.split
// CHECK: return
func.func @three_alone(%x: memref<3x100000xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %n = arith.constant 100000 : index
  %c = arith.constant 1.0 : f32
  scf.for %i = %zero to %c3 step %one {
    scf.for %j = %zero to %n step %one {
      memref.store %c, %x[%i, %j] : memref<3x100000xf32>
    } {graph.parallel}
  } {graph.parallel}
  return
}

// A buffer that all fill for the first worker to read is no buffer of each one's
// own, though it was while both were a step of a loop.
// CHECK-LABEL: func.func @handed_on(
// CHECK: memref.alloc() : memref<100000xf32>
// CHECK: {graph.parallel, graph.split}
// CHECK: call @gradusBarrier
// CHECK: scf.if
// CHECK: return
func.func @handed_on(%x: memref<100000xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %few = arith.constant 10 : index
  %n = arith.constant 100000 : index
  %c = arith.constant 1.0 : f32
  %rows = memref.alloc() {graph.private} : memref<100000xf32>
  scf.for %i = %zero to %n step %one {
    memref.store %c, %rows[%i] : memref<100000xf32>
  } {graph.parallel}
  scf.for %i = %zero to %few step %one {
    %0 = memref.load %rows[%i] : memref<100000xf32>
    memref.store %0, %x[%i] : memref<100000xf32>
  } {graph.parallel}
  return
}

// What each step works in stays each one's own, also where the first worker does
// the rows that are left over.
// CHECK-LABEL: func.func @left_over(
// CHECK: memref.alloc() {graph.private} : memref<8xf32>
func.func @left_over(%x: memref<100001xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 100000 : index
  %c = arith.constant 1.0 : f32
  %own = memref.alloc() {graph.private} : memref<8xf32>
  scf.for %i = %zero to %n step %one {
    memref.store %c, %own[%zero] : memref<8xf32>
    %0 = memref.load %own[%zero] : memref<8xf32>
    memref.store %0, %x[%i] : memref<100001xf32>
  } {graph.parallel}
  memref.store %c, %own[%zero] : memref<8xf32>
  %1 = memref.load %own[%zero] : memref<8xf32>
  memref.store %1, %x[%n] : memref<100001xf32>
  return
}
