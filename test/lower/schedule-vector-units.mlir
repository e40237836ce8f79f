// RUN: gradus-opt %s -graph-scheduled-loops=vectors=avx512 | FileCheck %s --check-prefix=AVX512
// RUN: gradus-opt %s -graph-scheduled-loops=vectors=avx2 | FileCheck %s --check-prefix=AVX2
// RUN: gradus-opt %s -graph-scheduled-loops=vectors=neon | FileCheck %s --check-prefix=NEON
// RUN: not gradus-opt %s -graph-scheduled-loops=vectors=mmx 2>&1 | FileCheck %s --check-prefix=MMX
// MMX: Cannot find option named 'mmx'

// Accumulators, a row of B and a broadcast element fit the registers: 8 x 2 of
// 16 lanes, 6 x 2 of 8 lanes, 6 x 4 of 4 lanes. Ten columns are one vector with
// a mask, or two and a part of which is stored, or two and a half.
// AVX512-LABEL: func.func @tile
// AVX512: scf.for {{.*}} iter_args
// AVX512-COUNT-16: math.fma {{.*}} : vector<16xf32>
// AVX512-NOT: math.fma
// AVX512: scf.yield
// AVX2-LABEL: func.func @tile
// AVX2: scf.for {{.*}} iter_args
// AVX2-COUNT-12: math.fma {{.*}} : vector<8xf32>
// AVX2-NOT: math.fma
// AVX2: scf.yield
// NEON-LABEL: func.func @tile
// NEON: scf.for {{.*}} iter_args
// NEON-COUNT-24: math.fma {{.*}} : vector<4xf32>
// NEON-NOT: math.fma
// NEON: scf.yield
func.func @tile(%a: tensor<16x24xf32>, %b: tensor<24x64xf32>)
    -> tensor<16x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x64xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<16x64xf32>)
      -> tensor<16x64xf32>
  %c = linalg.matmul ins(%a, %b : tensor<16x24xf32>, tensor<24x64xf32>)
      outs(%f : tensor<16x64xf32>) -> tensor<16x64xf32>
  return %c : tensor<16x64xf32>
}

// Two rows leave registers for four vectors, in every unit.
// AVX512-LABEL: func.func @two_rows
// AVX512-COUNT-8: math.fma {{.*}} : vector<16xf32>
// AVX512-NOT: math.fma
// AVX2-LABEL: func.func @two_rows
// AVX2: scf.for {{.*}} iter_args
// AVX2-COUNT-8: math.fma {{.*}} : vector<8xf32>
// AVX2-NOT: math.fma
// AVX2: scf.yield
// NEON-LABEL: func.func @two_rows
// NEON: scf.for {{.*}} iter_args
// NEON-COUNT-8: math.fma {{.*}} : vector<4xf32>
// NEON-NOT: math.fma
// NEON: scf.yield
func.func @two_rows(%a: tensor<2x24xf32>, %b: tensor<24x64xf32>)
    -> tensor<2x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x64xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<2x64xf32>)
      -> tensor<2x64xf32>
  %c = linalg.matmul ins(%a, %b : tensor<2x24xf32>, tensor<24x64xf32>)
      outs(%f : tensor<2x64xf32>) -> tensor<2x64xf32>
  return %c : tensor<2x64xf32>
}

// Of rows of seven AVX-512 moves one vector with a mask. AVX2 has a fast load
// with a mask but no such store, and NEON neither: parts of 4, 2 and 1.
// AVX512-LABEL: func.func @seven
// AVX512: vector.maskedload
// AVX512: vector.maskedstore
// AVX2-LABEL: func.func @seven
// AVX2: vector.maskedload {{.*}} into vector<8xf32>
// AVX2-DAG: vector.store {{.*}} vector<4xf32>
// AVX2-DAG: vector.store {{.*}} vector<2xf32>
// AVX2-DAG: vector.store {{.*}} vector<1xf32>
// NEON-LABEL: func.func @seven
// NEON: vector.load {{.*}} vector<4xf32>
// NEON: vector.store {{.*}} vector<4xf32>
// NEON: vector.load {{.*}} vector<2xf32>
// NEON: vector.load {{.*}} vector<1xf32>
// NEON-DAG: vector.store {{.*}} vector<2xf32>
// NEON-DAG: vector.store {{.*}} vector<1xf32>
func.func @seven(%x: tensor<32x7xf32>, %s: tensor<32xf32>)
    -> tensor<32x7xf32> {
  %e = tensor.empty() : tensor<32x7xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                        affine_map<(i, j) -> (i)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<32x7xf32>, tensor<32xf32>)
      outs(%e : tensor<32x7xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      linalg.yield %0 : f32
  } -> tensor<32x7xf32>
  return %y : tensor<32x7xf32>
}

// A sum has the same tree whatever the unit: its bits do not depend on it.
// AVX512-LABEL: func.func @sum
// AVX512: arith.addf {{.*}} : vector<16xf32>
// AVX2-LABEL: func.func @sum
// AVX2: arith.addf {{.*}} : vector<16xf32>
// NEON-LABEL: func.func @sum
// NEON: arith.addf {{.*}} : vector<16xf32>
func.func @sum(%x: tensor<32x100xf32>) -> tensor<32xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<32xf32>) -> tensor<32xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                        affine_map<(i, j) -> (i)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<32x100xf32>) outs(%f : tensor<32xf32>) {
    ^bb0(%p: f32, %o: f32):
      %0 = arith.addf %o, %p : f32
      linalg.yield %0 : f32
  } -> tensor<32xf32>
  return %y : tensor<32xf32>
}
