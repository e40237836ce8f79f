// RUN: gradus-opt %s -graph-entry-points | FileCheck %s

// CHECK: llvm.func @copy(%[[ALL:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr) attributes {graph.scratch = 64 : i64}
// CHECK: %[[A:.*]] = llvm.getelementptr %[[ALL]][0] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK: %[[X:.*]] = llvm.load %[[A]]
// CHECK: %[[B:.*]] = llvm.getelementptr %[[ALL]][1]
// CHECK: %[[Y:.*]] = llvm.load %[[B]]
// CHECK: llvm.call @copy.body(%[[X]], %[[Y]])
// CHECK: llvm.func internal @copy.body(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr)
// CHECK-SAME: attributes {sym_visibility = "private"}
llvm.func @copy(%x: !llvm.ptr, %y: !llvm.ptr)
    attributes {graph.scratch = 64 : i64} {
  %0 = llvm.load %x : !llvm.ptr -> f32
  llvm.store %0, %y : f32, !llvm.ptr
  llvm.return
}

// A kernel that is split is told which worker runs it, of how many, and at what
// address that stands.
// CHECK: llvm.func @split(%[[BUFFERS:.*]]: !llvm.ptr, %[[WORKER:.*]]: !llvm.ptr) attributes {graph.split}
// CHECK: llvm.getelementptr %[[BUFFERS]][0]
// CHECK: %[[A:.*]] = llvm.getelementptr %[[WORKER]][0] : (!llvm.ptr) -> !llvm.ptr, i64
// CHECK: %[[NUMBER:.*]] = llvm.load %[[A]] : !llvm.ptr -> i64
// CHECK: %[[B:.*]] = llvm.getelementptr %[[WORKER]][1]
// CHECK: %[[COUNT:.*]] = llvm.load %[[B]]
// CHECK: %[[ADDRESS:.*]] = llvm.ptrtoint %[[WORKER]] : !llvm.ptr to i64
// CHECK: llvm.getelementptr %[[BUFFERS]][1]
// CHECK: llvm.call @split.body(%{{.*}}, %[[NUMBER]], %[[COUNT]], %[[ADDRESS]], %{{.*}})
llvm.func @split(%x: !llvm.ptr, %number: i64, %count: i64, %meeting: i64,
                 %scratch: !llvm.ptr) attributes {graph.split} {
  llvm.store %number, %x : i64, !llvm.ptr
  llvm.return
}
