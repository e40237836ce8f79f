// RUN: gradus-opt %s -graph-scheduled-loops -split-input-file | FileCheck %s

// The lanes of a row are added pairwise, in an order that is written here.
// CHECK-LABEL: func.func @rows
// CHECK: scf.for {{.*}} iter_args
// CHECK: vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 6, 7]
// CHECK: vector.shuffle {{.*}} [8, 9, 10, 11, 12, 13, 14, 15]
// CHECK: arith.addf %{{.*}} : vector<8xf32>
// CHECK: arith.addf %{{.*}} : vector<4xf32>
// CHECK: arith.addf %{{.*}} : vector<2xf32>
// CHECK: arith.addf %{{.*}} : vector<1xf32>
// CHECK-NOT: vector.reduction
// CHECK-NOT: linalg.
func.func @rows(%x: tensor<4x256xf32>) -> tensor<4xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                        affine_map<(i, j) -> (i)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x256xf32>) outs(%f : tensor<4xf32>) {
    ^bb0(%p: f32, %o: f32):
      %0 = arith.addf %o, %p : f32
      linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Column sums: four vectors of columns, two rows at a time.
// CHECK-LABEL: func.func @columns
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-8: vector.load
// CHECK: scf.yield
// CHECK-NOT: vector.shuffle
// CHECK-COUNT-4: vector.store
func.func @columns(%x: tensor<256x64xf32>) -> tensor<64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<64xf32>) -> tensor<64xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>,
                                        affine_map<(i, j) -> (i)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<256x64xf32>) outs(%f : tensor<64xf32>) {
    ^bb0(%p: f32, %o: f32):
      %0 = arith.addf %o, %p : f32
      linalg.yield %0 : f32
  } -> tensor<64xf32>
  return %y : tensor<64xf32>
}
