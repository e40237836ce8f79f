// RUN: gradus-opt %s -graph-scheduled-loops -split-input-file | FileCheck %s

// Ten classes: one masked vector a row; what depends on the row only is
// computed once a row.
// CHECK-LABEL: func.func @ten
// CHECK: scf.for
// CHECK-DAG: arith.divf %{{.*}} : f32
// CHECK-DAG: vector.maskedload
// CHECK: vector.maskedstore
// CHECK-NOT: linalg.
func.func @ten(%x: tensor<128x10xf32>, %s: tensor<128xf32>)
    -> tensor<128x10xf32> {
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<128x10xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                        affine_map<(i, j) -> (i)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<128x10xf32>, tensor<128xf32>)
      outs(%e : tensor<128x10xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.divf %one, %q : f32
      %1 = arith.mulf %p, %0 : f32
      linalg.yield %1 : f32
  } -> tensor<128x10xf32>
  return %y : tensor<128x10xf32>
}

// -----

// Rows that lie one behind the other are one row.
// CHECK-LABEL: func.func @flat
// CHECK: scf.for
// CHECK: vector.load
// CHECK-NOT: scf.for
// CHECK-NOT: mask
// CHECK: return
func.func @flat(%x: tensor<8x10xf32>) -> tensor<8x10xf32> {
  %e = tensor.empty() : tensor<8x10xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x10xf32>) outs(%e : tensor<8x10xf32>) {
    ^bb0(%p: f32, %o: f32):
      %0 = arith.mulf %p, %p : f32
      linalg.yield %0 : f32
  } -> tensor<8x10xf32>
  return %y : tensor<8x10xf32>
}

// -----

// What is compared once a row is compared as vectors: there is no way from one
// bit to a mask but through memory or a long detour.
// CHECK-LABEL: func.func @masked_rows
// CHECK: scf.for
// CHECK: %[[S:.*]] = vector.broadcast %{{.*}} : f32 to vector<16xf32>
// CHECK: %[[M:.*]] = arith.cmpf oeq, %[[S]], %{{.*}} : vector<16xf32>
// CHECK-NOT: i1 to vector
// CHECK: scf.for
// CHECK: arith.ori %{{.*}}, %[[M]] : vector<16xi1>
func.func @masked_rows(%x: tensor<128x64xf32>, %s: tensor<128xf32>)
    -> tensor<128x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<128x64xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                        affine_map<(i, j) -> (i)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<128x64xf32>, tensor<128xf32>)
      outs(%e : tensor<128x64xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.cmpf oeq, %p, %zero : f32
      %1 = arith.cmpf oeq, %q, %zero : f32
      %2 = arith.ori %0, %1 : i1
      %3 = arith.mulf %p, %q : f32
      %4 = arith.select %2, %zero, %3 : f32
      linalg.yield %4 : f32
  } -> tensor<128x64xf32>
  return %y : tensor<128x64xf32>
}
