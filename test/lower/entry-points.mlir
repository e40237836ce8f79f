// RUN: gradus-opt %s -graph-entry-points | FileCheck %s

// CHECK: llvm.func @copy(%[[ALL:.*]]: !llvm.ptr) attributes {graph.scratch = 64 : i64}
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
