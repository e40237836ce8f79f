// RUN: gradus-opt %s -graph-tile-rows -split-input-file | FileCheck %s

#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#column = affine_map<(i, j) -> (j)>
#none = affine_map<(i, j) -> ()>
#one = affine_map<(i) -> (i)>
#start = affine_map<(i) -> ()>

// A row of %x and %y is 1 KiB: six parts of a block of 15 rows, then 10 rows. The
// sum over all rows is started before the loop; each part has a sum of its own,
// which is added behind the loop, and then the mean is computed. What is the
// kernel's own shrinks to a block; a counted row starts where the block does.
// CHECK-LABEL: func.func @chain
// CHECK: linalg.generic {{.*}} outs(%[[TOTAL:.*]] : memref<f32>)
// CHECK: %[[SUMS:.*]] = memref.alloc() {{.*}} : memref<15xf32>
// CHECK: %[[PARTS:.*]] = memref.alloc() {{.*}} : memref<6xf32>
// CHECK: scf.for %[[PART:.*]] = {{.*}} {
// CHECK: %[[OWN:.*]] = memref.subview %[[PARTS]][%[[PART]]] [1] [1]
// CHECK: linalg.fill ins(%{{.*}} : f32) outs(%[[OWN]]
// CHECK: %[[FIRST:.*]] = arith.muli %[[PART]]
// CHECK: scf.for %[[STEP:.*]] = {{.*}} {
// CHECK: %[[I:.*]] = arith.addi %[[FIRST]], %[[STEP]]
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : f32) outs(%[[SUMS]]
// CHECK: memref.subview %arg0[%[[I]], 0]
// CHECK: linalg.generic {{.*}} outs(%[[SUMS]]
// CHECK: linalg.index 0
// CHECK-NEXT: arith.addi %{{.*}}, %[[I]]
// CHECK: linalg.generic {{.*}} outs(%[[OWN]]
// CHECK: graph.parallel
// CHECK: linalg.reduce ins(%[[PARTS]] : memref<6xf32>) outs(%[[TOTAL]] : memref<f32>) dimensions = [0]
// CHECK: memref.subview %arg0[90, 0] [10, 128]
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

// What needs the sum of all rows for any of them comes in a loop of its own. The
// roots are needed before the sum is known only: a block of them is enough. What
// is written are rows of a part of a buffer.
// CHECK-LABEL: func.func @centred
// CHECK-DAG: %[[SUMS:.*]] = memref.alloc() : memref<128xf32>
// CHECK-DAG: %[[INNER:.*]] = memref.subview %arg1[1, 0] [96, 128] [1, 1]
// CHECK: memref.alloc() {{.*}} : memref<16x128xf32>
// CHECK: scf.for
// CHECK: scf.for
// CHECK: math.sqrt
// CHECK: arith.addf
// CHECK: linalg.reduce ins(%{{.*}} : memref<6x128xf32>) outs(%[[SUMS]] : memref<128xf32>) dimensions = [0]
// CHECK: scf.for %[[I:.*]] =
// CHECK-DAG: memref.subview %arg0[%[[I]], 0]
// CHECK-DAG: memref.subview %[[INNER]][%[[I]], 0]
// CHECK: linalg.generic
// CHECK: graph.parallel
// CHECK: return
func.func @centred(%x: memref<96x128xf32>, %y: memref<98x128xf32>) {
  %sums = memref.alloc() : memref<128xf32>
  %roots = memref.alloc() : memref<96x128xf32>
  linalg.generic {indexing_maps = [#rows, #rows],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<96x128xf32>) outs(%roots : memref<96x128xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = math.sqrt %a : f32
      linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#rows, affine_map<(i, j) -> (j)>],
                  iterator_types = ["reduction", "parallel"]}
      ins(%roots : memref<96x128xf32>) outs(%sums : memref<128xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %a, %o : f32
      linalg.yield %0 : f32
  }
  %inner = memref.subview %y[1, 0] [96, 128] [1, 1] : memref<98x128xf32>
      to memref<96x128xf32, strided<[128, 1], offset: 128>>
  linalg.generic {indexing_maps = [#rows, affine_map<(i, j) -> (j)>, #rows],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x, %sums : memref<96x128xf32>, memref<128xf32>)
      outs(%inner : memref<96x128xf32, strided<[128, 1], offset: 128>>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.subf %a, %b : f32
      linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#rows, #rows],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<96x128xf32>)
      outs(%inner : memref<96x128xf32, strided<[128, 1], offset: 128>>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.mulf %a, %o : f32
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

// -----

// One sum of many bytes: 30 parts of two images each, and the last image by
// itself.
// CHECK-LABEL: func.func @images
// CHECK: linalg.generic {{.*}} outs(%arg1 : memref<32xf32>)
// CHECK: %[[PARTS:.*]] = memref.alloc() {{.*}} : memref<30x32xf32>
// CHECK: scf.for %[[PART:.*]] = {{.*}} {
// CHECK: %[[OWN:.*]] = memref.subview %[[PARTS]][%[[PART]], 0] [1, 32]
// CHECK: linalg.fill {{.*}} outs(%[[OWN]]
// CHECK: memref.subview %arg0[%{{.*}}, 0, 0, 0] [2, 14, 14, 32]
// CHECK: linalg.generic {{.*}} outs(%[[OWN]]
// CHECK: graph.parallel
// CHECK: linalg.reduce ins(%[[PARTS]] : memref<30x32xf32>) outs(%arg1 : memref<32xf32>) dimensions = [0]
// CHECK: memref.subview %arg0[60, 0, 0, 0] [1, 14, 14, 32]
// CHECK: linalg.generic {{.*}} outs(%arg1
// CHECK: return
func.func @images(%x: memref<61x14x14x32xf32>, %sum: memref<32xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.generic {indexing_maps = [affine_map<(i) -> ()>, affine_map<(i) -> (i)>],
                  iterator_types = ["parallel"]}
      ins(%zero : f32) outs(%sum : memref<32xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [affine_map<(b, i, j, c) -> (b, i, j, c)>,
                                   affine_map<(b, i, j, c) -> (c)>],
                  iterator_types = ["reduction", "reduction", "reduction",
                                    "parallel"]}
      ins(%x : memref<61x14x14x32xf32>) outs(%sum : memref<32xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %a, %o : f32
      linalg.yield %0 : f32
  }
  return
}

// -----

// Sums of few bytes, or of few rows with many columns, stay as they are.
// CHECK-LABEL: func.func @few
// CHECK-NOT: scf.for
// CHECK: return
func.func @few(%x: memref<256x32xf32>, %sum: memref<32xf32>,
               %wide: memref<8x8192xf32>, %sums: memref<8192xf32>) {
  linalg.generic {indexing_maps = [affine_map<(b, c) -> (b, c)>,
                                   affine_map<(b, c) -> (c)>],
                  iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<256x32xf32>) outs(%sum : memref<32xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %a, %o : f32
      linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [affine_map<(b, c) -> (b, c)>,
                                   affine_map<(b, c) -> (c)>],
                  iterator_types = ["reduction", "parallel"]}
      ins(%wide : memref<8x8192xf32>) outs(%sums : memref<8192xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %a, %o : f32
      linalg.yield %0 : f32
  }
  return
}
