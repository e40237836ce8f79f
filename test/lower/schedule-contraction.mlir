// RUN: gradus-opt %s -graph-scheduled-loops | FileCheck %s

// A tile of 8 rows and two vectors of columns: 16 accumulators are carried
// through the contracted loop, bias and maximum follow in registers, and
// nothing but the result and the packed panel is stored.
// CHECK-LABEL: func.func @bias_relu
// CHECK: %[[PANEL:.*]] = memref.alloc() {{.*}} : memref<768xf32>
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-2: vector.store %{{.*}}, %[[PANEL]]
// CHECK: scf.for
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-16: math.fma
// CHECK: scf.yield
// CHECK-COUNT-16: arith.maximumf
// CHECK-NOT: linalg.
// CHECK: return
#id = affine_map<(i, j) -> (i, j)>
func.func @bias_relu(%a: tensor<64x24xf32>, %b: tensor<24x64xf32>,
                     %bias: tensor<64xf32>) -> tensor<64x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x64xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<64x64xf32>)
      -> tensor<64x64xf32>
  %c = linalg.matmul ins(%a, %b : tensor<64x24xf32>, tensor<24x64xf32>)
      outs(%f : tensor<64x64xf32>) -> tensor<64x64xf32>
  %y = linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (j)>, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c, %bias : tensor<64x64xf32>, tensor<64xf32>)
      outs(%e : tensor<64x64xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.addf %p, %q : f32
      %1 = arith.maximumf %0, %z : f32
      linalg.yield %1 : f32
  } -> tensor<64x64xf32>
  return %y : tensor<64x64xf32>
}

// Of a long sum 512 steps are packed and summed up at once, panel by panel; the
// results are added to in memory.
// CHECK-LABEL: func.func @long_sum
// CHECK: memref.alloc() {{.*}} : memref<16384xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c64 step %c32
// CHECK: scf.for %{{.*}} = %c0 to %c8 step %c1
func.func @long_sum(%a: tensor<4096x64xf32>, %b: tensor<4096x64xf32>)
    -> tensor<64x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x64xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<64x64xf32>)
      -> tensor<64x64xf32>
  %c = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                        affine_map<(m, n, k) -> (k, n)>,
                                        affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<4096x64xf32>, tensor<4096x64xf32>)
      outs(%f : tensor<64x64xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  } -> tensor<64x64xf32>
  return %c : tensor<64x64xf32>
}

// A matrix times a vector: columns of B are read where they lie, each is summed
// up in a vector, and a tree of halves gives the vector that is stored. Nothing
// is packed.
// CHECK-LABEL: func.func @matrix_vector
// CHECK-NOT: memref.alloc
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c16
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-16: math.fma
// CHECK: scf.yield
// CHECK: vector.maskedload
// CHECK-COUNT-16: math.fma
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// CHECK-NEXT: vector.shuffle
// CHECK-NEXT: arith.addf
// CHECK: vector.store
// CHECK: return
func.func @matrix_vector(%a: tensor<32x50xf32>, %x: tensor<50xf32>)
    -> tensor<32xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<32xf32>) -> tensor<32xf32>
  %y = linalg.matvec ins(%a, %x : tensor<32x50xf32>, tensor<50xf32>)
      outs(%f : tensor<32xf32>) -> tensor<32xf32>
  return %y : tensor<32xf32>
}

// A weight gradient sums over examples and positions, which lie behind each
// other: one loop, also where an update follows on the registers.
// CHECK-LABEL: func.func @examples_and_positions
// CHECK: scf.for %{{.*}} = %c0 to %c64 step %c32
// CHECK: scf.for %{{.*}} = %c0 to %c192 step %c1
// CHECK: scf.for %{{.*}} = %c0 to %c52 step %c13
// CHECK: scf.for %{{.*}} = %c0 to %c192 step %c4 iter_args
// CHECK-COUNT-104: math.fma
// CHECK: scf.yield
// CHECK-COUNT-26: arith.subf
func.func @examples_and_positions(%x: tensor<8x24x64xf32>,
    %g: tensor<8x24x64xf32>, %w: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x64xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<64x64xf32>)
      -> tensor<64x64xf32>
  %c = linalg.generic {indexing_maps = [affine_map<(m, n, b, t) -> (b, t, m)>,
                                        affine_map<(m, n, b, t) -> (b, t, n)>,
                                        affine_map<(m, n, b, t) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction",
                                         "reduction"]}
      ins(%x, %g : tensor<8x24x64xf32>, tensor<8x24x64xf32>)
      outs(%f : tensor<64x64xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  } -> tensor<64x64xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%w, %c : tensor<64x64xf32>, tensor<64x64xf32>)
      outs(%e : tensor<64x64xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.subf %p, %q : f32
      linalg.yield %0 : f32
  } -> tensor<64x64xf32>
  return %y : tensor<64x64xf32>
}

// What is updated in place is asked for once, to be written.
// CHECK-LABEL: func.func @in_place
// CHECK: scf.for {{.*}} step %c13
// CHECK-COUNT-26: memref.prefetch {{.*}}, write, {{.*}} : memref<32768xf32>
// CHECK-NOT: memref<32768xf32>
// CHECK: scf.for {{.*}} iter_args
// CHECK: memref.prefetch {{.*}}, read, {{.*}} : memref<8192xf32>
// CHECK-NOT: graph.inside = true
// CHECK: return
func.func @in_place(%x: tensor<32x256xf32>, %g: tensor<32x128xf32>,
    %w: tensor<256x128xf32>)
    -> (tensor<256x128xf32> {graph.updates = 2 : i32}) {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x128xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<256x128xf32>)
      -> tensor<256x128xf32>
  %c = linalg.generic {indexing_maps = [affine_map<(m, n, b) -> (b, m)>,
                                        affine_map<(m, n, b) -> (b, n)>,
                                        affine_map<(m, n, b) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %g : tensor<32x256xf32>, tensor<32x128xf32>)
      outs(%f : tensor<256x128xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  } -> tensor<256x128xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%w, %c : tensor<256x128xf32>, tensor<256x128xf32>)
      outs(%e : tensor<256x128xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.subf %p, %q : f32
      linalg.yield %0 : f32
  } -> tensor<256x128xf32>
  return %y : tensor<256x128xf32>
}

// More rows than columns: workers had better share the rows of each panel, so
// that none reads all rows.
// CHECK-LABEL: func.func @tall
// CHECK: scf.for %{{.*}} = %c0 to %c64 step %c32
// CHECK: scf.for {{.*}} iter_args
// CHECK: } {graph.parallel}
// CHECK: } {graph.inside = true, graph.parallel}
// CHECK: return
func.func @tall(%a: tensor<128x24xf32>, %b: tensor<24x64xf32>)
    -> tensor<128x64xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<128x64xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<128x64xf32>)
      -> tensor<128x64xf32>
  %c = linalg.matmul ins(%a, %b : tensor<128x24xf32>, tensor<24x64xf32>)
      outs(%f : tensor<128x64xf32>) -> tensor<128x64xf32>
  return %c : tensor<128x64xf32>
}
