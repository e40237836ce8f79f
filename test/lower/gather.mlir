// Rows are copied and added by vectors, in the order of the indices; a row of
// one number by scalars.
// RUN: gradus-opt %s --graph-to-linalg | FileCheck %s --check-prefix=LINALG
// RUN: gradus-opt %s --graph-to-linalg --graph-scheduled-loops | FileCheck %s --check-prefix=LOOPS

// LINALG-LABEL: func.func @gather
// LINALG: scf.for
// LINALG: scf.for
// LINALG: tensor.extract %{{.*}} : tensor<2x4xi32>
// LINALG: tensor.extract_slice {{.*}} [1, 6, 8]
// LINALG: tensor.insert_slice
// The result is written where it belongs.
// LOOPS-LABEL: func.func @gather
// LOOPS-NOT: memref.alloc
// LOOPS: scf.for
// LOOPS: vector.load {{.*}} vector<16xf32>
// LOOPS: vector.store {{.*}} vector<16xf32>
// LOOPS-NOT: memref.copy
func.func @gather(%x: tensor<10x6x8xf32>, %i: tensor<2x4xi32>)
    -> tensor<2x4x6x8xf32> {
  %y = graph.gather %x at %i : tensor<10x6x8xf32>, tensor<2x4xi32>
  return %y : tensor<2x4x6x8xf32>
}

// LOOPS-LABEL: func.func @numbers
// LOOPS-NOT: memref.alloc
// LOOPS: scf.for
// LOOPS: memref.load
// LOOPS: memref.store
func.func @numbers(%x: tensor<10xi1>, %i: tensor<7xi32>) -> tensor<7xi1> {
  %y = graph.gather %x at %i : tensor<10xi1>, tensor<7xi32>
  return %y : tensor<7xi1>
}

// LINALG-LABEL: func.func @scatter_add
// LINALG: linalg.fill
// LINALG: scf.for
// LINALG: linalg.generic
// LINALG: arith.addf
// LOOPS-LABEL: func.func @scatter_add
// LOOPS-NOT: memref.alloc
// LOOPS: scf.for
// LOOPS: arith.addf {{.*}} vector<16xf32>
// LOOPS-NOT: memref.copy
func.func @scatter_add(%x: tensor<2x4x48xf32>, %i: tensor<2x4xi32>)
    -> tensor<10x48xf32> {
  %y = graph.scatter_add %x at %i rows 10
      : tensor<2x4x48xf32>, tensor<2x4xi32>
  return %y : tensor<10x48xf32>
}

// LOOPS-LABEL: func.func @one
func.func @one(%x: tensor<f32>, %i: tensor<i32>) -> tensor<3xf32> {
  %y = graph.scatter_add %x at %i rows 3 : tensor<f32>, tensor<i32>
  return %y : tensor<3xf32>
}
