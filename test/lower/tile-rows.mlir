// RUN: gradus-opt %s -graph-tile-rows -split-input-file | FileCheck %s

#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#column = affine_map<(i, j) -> (j)>
#none = affine_map<(i, j) -> ()>
#one = affine_map<(i) -> (i)>
#start = affine_map<(i) -> ()>

// A row of %x and %y is 1 KiB: blocks of 15 rows, then 10. The sum over all rows
// is started before the loop, its mean is computed behind it. What is the
// kernel's own shrinks to a block; a counted row starts where the block does.
// CHECK-LABEL: func.func @chain
// CHECK: linalg.generic {{.*}} outs(%[[TOTAL:.*]] : memref<f32>)
// CHECK: %[[SUMS:.*]] = memref.alloc() {{.*}} : memref<15xf32>
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %[[END:.*]] step %[[STEP:.*]] {
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : f32) outs(%[[SUMS]]
// CHECK: memref.subview %arg0[%[[I]], 0]
// CHECK: linalg.generic {{.*}} outs(%[[SUMS]]
// CHECK: linalg.index 0
// CHECK-NEXT: arith.addi %{{.*}}, %[[I]]
// CHECK: linalg.generic {{.*}} outs(%[[TOTAL]] : memref<f32>)
// CHECK: }
// CHECK: linalg.generic {{.*}}ins(%[[TOTAL]] : memref<f32>) outs(%arg2 : memref<f32>)
// CHECK: return
func.func @chain(%x: memref<100x128xf32>, %y: memref<100x128xf32>,
                 %mean: memref<f32>) {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 100.0 : f32
  %sums = memref.alloc() : memref<100xf32>
  %total = memref.alloc() : memref<f32>
  linalg.generic {indexing_maps = [#start, #one], iterator_types = ["parallel"]}
      ins(%zero : f32) outs(%sums : memref<100xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [#rows, #row],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<100x128xf32>) outs(%sums : memref<100xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %a, %o : f32
      linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#rows, #row, #rows],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x, %sums : memref<100x128xf32>, memref<100xf32>)
      outs(%y : memref<100x128xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = linalg.index 0 : index
      %1 = arith.index_cast %0 : index to i32
      %2 = arith.sitofp %1 : i32 to f32
      %3 = arith.mulf %a, %b : f32
      %4 = arith.mulf %3, %2 : f32
      linalg.yield %4 : f32
  }
  linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>],
                  iterator_types = []}
      ins(%zero : f32) outs(%total : memref<f32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [#one, #start], iterator_types = ["reduction"]}
      ins(%sums : memref<100xf32>) outs(%total : memref<f32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %a, %o : f32
      linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>],
                  iterator_types = []}
      ins(%total : memref<f32>) outs(%mean : memref<f32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.divf %a, %n : f32
      linalg.yield %0 : f32
  }
  return
}

// -----

#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// What needs the sum of all rows for any of them cannot share their loop.
// CHECK-LABEL: func.func @centred
// CHECK-NOT: scf.for
// CHECK: return
func.func @centred(%x: memref<100x128xf32>, %y: memref<100x128xf32>) {
  %sums = memref.alloc() : memref<128xf32>
  linalg.generic {indexing_maps = [#rows, affine_map<(i, j) -> (j)>],
                  iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<100x128xf32>) outs(%sums : memref<128xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %a, %o : f32
      linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#rows, affine_map<(i, j) -> (j)>, #rows],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x, %sums : memref<100x128xf32>, memref<128xf32>)
      outs(%y : memref<100x128xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.subf %a, %b : f32
      linalg.yield %0 : f32
  }
  return
}

// -----

#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// Ten examples of ten classes are in the cache as they are.
// CHECK-LABEL: func.func @small
// CHECK-NOT: scf.for
// CHECK: return
func.func @small(%x: memref<10x10xf32>, %y: memref<10x10xf32>,
                 %sums: memref<10xf32>) {
  linalg.generic {indexing_maps = [#rows, #row],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<10x10xf32>) outs(%sums : memref<10xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %a, %o : f32
      linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#rows, #row, #rows],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x, %sums : memref<10x10xf32>, memref<10xf32>)
      outs(%y : memref<10x10xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.mulf %a, %b : f32
      linalg.yield %0 : f32
  }
  return
}

// -----

// Scores of two heads, their squares and their product with the values: one
// loop over the examples, one over the heads, which the result has behind the
// positions. The scores of one head are all that is stored.
// CHECK-LABEL: func.func @heads
// CHECK: memref.alloc() {{.*}} : memref<1x1x64x64xf32>
// CHECK: scf.for %[[B:.*]] =
// CHECK: scf.for %[[H:.*]] =
// CHECK: memref.subview %arg3[%[[B]], 0, %[[H]], 0] [1, 64, 1, 8]
func.func @heads(%q: memref<4x2x64x8xf32>, %k: memref<4x2x64x8xf32>,
                 %v: memref<4x2x64x8xf32>, %y: memref<4x64x2x8xf32>) {
  %s = memref.alloc() : memref<4x2x64x64xf32>
  linalg.generic {
      indexing_maps = [affine_map<(b, h, i, j, c) -> (b, h, i, c)>,
                       affine_map<(b, h, i, j, c) -> (b, h, j, c)>,
                       affine_map<(b, h, i, j, c) -> (b, h, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction"]}
      ins(%q, %k : memref<4x2x64x8xf32>, memref<4x2x64x8xf32>)
      outs(%s : memref<4x2x64x64xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.mulf %a, %b : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  }
  linalg.generic {
      indexing_maps = [affine_map<(b, i, h, c, j) -> (b, h, i, j)>,
                       affine_map<(b, i, h, c, j) -> (b, h, j, c)>,
                       affine_map<(b, i, h, c, j) -> (b, i, h, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction"]}
      ins(%s, %v : memref<4x2x64x64xf32>, memref<4x2x64x8xf32>)
      outs(%y : memref<4x64x2x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.mulf %a, %b : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  }
  return
}

// -----

#rows = affine_map<(j, i) -> (i, j)>
#row = affine_map<(j, i) -> (i)>
#column = affine_map<(j, i) -> (j)>
#one = affine_map<(j) -> (j)>

// A product of a vector with a matrix, updating another vector: what is shared is
// the axis along which the matrix lies in memory. A few columns at a time would
// read it many times.
// CHECK-LABEL: func.func @columns
// CHECK-NOT: scf.for
// CHECK: return
func.func @columns(%r: memref<1000xf32>, %x: memref<1000x50xf32>,
                   %w: memref<50xf32>) {
  %sums = memref.alloc() : memref<50xf32>
  linalg.generic {indexing_maps = [#row, #rows, #column],
                  iterator_types = ["parallel", "reduction"]}
      ins(%r, %x : memref<1000xf32>, memref<1000x50xf32>)
      outs(%sums : memref<50xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.mulf %a, %b : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%sums : memref<50xf32>) outs(%w : memref<50xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.subf %o, %a : f32
      linalg.yield %0 : f32
  }
  memref.dealloc %sums : memref<50xf32>
  return
}
