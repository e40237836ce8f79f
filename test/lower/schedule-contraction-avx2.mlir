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
// CHECK: scf.for %{{.*}} = %c0 to %c128 step %c4 iter_args
// CHECK-COUNT-48: math.fma
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

// The rows of a tile are short and far from the caches: while a tile is
// computed, the next cache is asked for those of the next one, behind the last
// for the first. Two lines in four steps of 24 bytes each.
// CHECK-LABEL: func.func @short_rows
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c1020 step %c6 {
// CHECK: %[[NEXT:.*]] = arith.addi %[[ROW]], %c6 : index
// CHECK: %[[LAST:.*]] = arith.cmpi eq, %[[NEXT]], %c1020 : index
// CHECK: %[[BEGIN:.*]] = arith.select %[[LAST]], %c0, %[[NEXT]] : index
// CHECK: %[[FROM:.*]] = arith.muli %[[BEGIN]], %c128
// CHECK: scf.for %[[STEP:.*]] = %c0 to %c128 step %c4 iter_args
// CHECK: %[[AHEAD:.*]] = arith.muli %[[STEP]], %c6
// CHECK: %[[PLACE:.*]] = arith.addi %[[FROM]], %[[AHEAD]]
// CHECK: memref.prefetch %{{.*}}[%[[PLACE]]], read, locality<2>, data : memref<131072xf32>
// CHECK-COUNT-36: math.fma
// CHECK: memref.prefetch %{{.*}}, read, locality<2>, data : memref<131072xf32>
// CHECK-COUNT-12: math.fma
// CHECK: scf.yield
// CHECK-NOT: memref.prefetch
// CHECK: return
func.func @short_rows(%a: tensor<1024x128xf32>, %b: tensor<128x128xf32>)
    -> tensor<1024x128xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1024x128xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1024x128xf32>)
      -> tensor<1024x128xf32>
  %c = linalg.matmul ins(%a, %b : tensor<1024x128xf32>, tensor<128x128xf32>)
      outs(%f : tensor<1024x128xf32>) -> tensor<1024x128xf32>
  return %c : tensor<1024x128xf32>
}

// Rows longer than 2 KiB a processor finds by itself. Of 1,030 steps, which go
// by blocks of 512, six are left, which go one by one.
// CHECK-LABEL: func.func @long_rows
// CHECK: scf.for %{{.*}} = %c0 to %c1024 step %c512 iter_args
// CHECK-NOT: memref.prefetch
// CHECK: scf.for %{{.*}} = %c0 to %c512 step %c4 iter_args
// CHECK-COUNT-48: math.fma
// CHECK: scf.for %{{.*}} = %c0 to %c6 step %c1 iter_args
// CHECK: return
func.func @long_rows(%a: tensor<96x1030xf32>, %b: tensor<1030x64xf32>)
    -> tensor<96x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<96x64xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<96x64xf32>)
      -> tensor<96x64xf32>
  %c = linalg.matmul ins(%a, %b : tensor<96x1030xf32>, tensor<1030x64xf32>)
      outs(%f : tensor<96x64xf32>) -> tensor<96x64xf32>
  return %c : tensor<96x64xf32>
}

// Of 66 steps two are left behind the last four.
// CHECK-LABEL: func.func @left_over
// CHECK: scf.for %{{.*}} = %c0 to %c64 step %c4 iter_args
// CHECK-COUNT-48: math.fma
// CHECK: scf.yield
// CHECK-COUNT-24: math.fma
// CHECK: return
func.func @left_over(%a: tensor<252x66xf32>, %b: tensor<66x64xf32>)
    -> tensor<252x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<252x64xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<252x64xf32>)
      -> tensor<252x64xf32>
  %c = linalg.matmul ins(%a, %b : tensor<252x66xf32>, tensor<66x64xf32>)
      outs(%f : tensor<252x64xf32>) -> tensor<252x64xf32>
  return %c : tensor<252x64xf32>
}

// What is soon done takes its steps one by one: there is less to compile.
// CHECK-LABEL: func.func @small
// CHECK: scf.for %{{.*}} = %c0 to %c66 step %c1 iter_args
// CHECK-COUNT-12: math.fma
// CHECK: scf.yield
func.func @small(%a: tensor<48x66xf32>, %b: tensor<66x64xf32>)
    -> tensor<48x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<48x64xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<48x64xf32>)
      -> tensor<48x64xf32>
  %c = linalg.matmul ins(%a, %b : tensor<48x66xf32>, tensor<66x64xf32>)
      outs(%f : tensor<48x64xf32>) -> tensor<48x64xf32>
  return %c : tensor<48x64xf32>
}
