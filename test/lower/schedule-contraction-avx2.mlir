// RUN: gradus-opt %s -graph-scheduled-loops=vectors=avx2 | FileCheck %s

// The gradient of the weights of four heads, over 1,024 positions: rows lie side
// by side in steps of two loops, so they are not copied; one example after the
// other is summed up and added to the result.
// CHECK-LABEL: func.func @across
// CHECK: memref.alloc() {{.*}} : memref<2048xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c8 step %c1 {
// CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1 {
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c16 {
// CHECK: scf.for %{{.*}} = %c0 to %c60 step %c6 {
// CHECK: scf.for %{{.*}} = %c0 to %c128 step %c1 iter_args
// CHECK-COUNT-12: math.fma
// CHECK: graph.adds
// CHECK: return
func.func @across(%x: tensor<8x128x64xf32>, %dy: tensor<8x4x128x32xf32>)
    -> tensor<64x4x32xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x4x32xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<64x4x32xf32>)
      -> tensor<64x4x32xf32>
  %c = linalg.generic {
      indexing_maps = [affine_map<(m, h, k, b, s) -> (b, s, m)>,
                       affine_map<(m, h, k, b, s) -> (b, h, s, k)>,
                       affine_map<(m, h, k, b, s) -> (m, h, k)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction",
                        "reduction"]}
      ins(%x, %dy : tensor<8x128x64xf32>, tensor<8x4x128x32xf32>)
      outs(%f : tensor<64x4x32xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  } -> tensor<64x4x32xf32>
  return %c : tensor<64x4x32xf32>
}
