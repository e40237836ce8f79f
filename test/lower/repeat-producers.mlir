// RUN: gradus-opt %s -graph-repeat-producers -split-input-file | FileCheck %s

#rows = affine_map<(i, j) -> (i, j)>
#column = affine_map<(i, j) -> (j)>

// The centred numbers are needed for their sum and, when it is known, again:
// each side computes its own. What only the second side reads is left alone.
// CHECK-LABEL: func.func @centred
// CHECK: %[[C:.*]] = linalg.generic {{.*}} ins(%arg0, %arg1
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[C]] :
// CHECK: %[[AGAIN:.*]] = linalg.generic {{.*}} ins(%arg0, %arg1
// CHECK: linalg.generic {{.*}} ins(%[[AGAIN]], %[[SUM]] :
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @centred(%x: tensor<64x8xf32>, %m: tensor<8xf32>)
    -> tensor<64x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<8xf32>
  %none = tensor.empty() : tensor<64x8xf32>
  %c = linalg.generic {indexing_maps = [#rows, #column, #rows],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<64x8xf32>, tensor<8xf32>)
      outs(%none : tensor<64x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.subf %a, %b : f32
      linalg.yield %0 : f32
  } -> tensor<64x8xf32>
  %sum = linalg.generic {indexing_maps = [#rows, #column],
                         iterator_types = ["reduction", "parallel"]}
      ins(%c : tensor<64x8xf32>) outs(%zero : tensor<8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %o, %a : f32
      linalg.yield %0 : f32
  } -> tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#rows, #column, #rows],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c, %sum : tensor<64x8xf32>, tensor<8xf32>)
      outs(%none : tensor<64x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.mulf %a, %b : f32
      linalg.yield %0 : f32
  } -> tensor<64x8xf32>
  return %y : tensor<64x8xf32>
}

// -----

#rows = affine_map<(i, j) -> (i, j)>
#column = affine_map<(i, j) -> (j)>

// A root takes longer than to store it.
// CHECK-LABEL: func.func @dear
// CHECK-COUNT-1: math.sqrt
// CHECK-NOT: math.sqrt
// CHECK: return
func.func @dear(%x: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<8xf32>
  %none = tensor.empty() : tensor<64x8xf32>
  %c = linalg.generic {indexing_maps = [#rows, #rows],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<64x8xf32>) outs(%none : tensor<64x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = math.sqrt %a : f32
      linalg.yield %0 : f32
  } -> tensor<64x8xf32>
  %sum = linalg.generic {indexing_maps = [#rows, #column],
                         iterator_types = ["reduction", "parallel"]}
      ins(%c : tensor<64x8xf32>) outs(%zero : tensor<8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %o, %a : f32
      linalg.yield %0 : f32
  } -> tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#rows, #column, #rows],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c, %sum : tensor<64x8xf32>, tensor<8xf32>)
      outs(%none : tensor<64x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.mulf %a, %b : f32
      linalg.yield %0 : f32
  } -> tensor<64x8xf32>
  return %y : tensor<64x8xf32>
}

// -----

#rows = affine_map<(i, j) -> (i, j)>
#column = affine_map<(i, j) -> (j)>

// The result is stored in any case, and to compute it again would read four
// arrays instead of it.
// CHECK-LABEL: func.func @stored
// CHECK-COUNT-3: linalg.generic
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @stored(%x: tensor<64x8xf32>, %u: tensor<64x8xf32>,
                  %v: tensor<64x8xf32>, %w: tensor<64x8xf32>)
    -> (tensor<64x8xf32>, tensor<64x8xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8xf32>
  %none = tensor.empty() : tensor<64x8xf32>
  %c = linalg.generic {indexing_maps = [#rows, #rows, #rows, #rows, #rows],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %u, %v, %w : tensor<64x8xf32>, tensor<64x8xf32>,
          tensor<64x8xf32>, tensor<64x8xf32>)
      outs(%none : tensor<64x8xf32>) {
    ^bb0(%a: f32, %b: f32, %d: f32, %e: f32, %o: f32):
      %0 = arith.addf %a, %b : f32
      %1 = arith.addf %d, %e : f32
      %2 = arith.addf %0, %1 : f32
      linalg.yield %2 : f32
  } -> tensor<64x8xf32>
  %sum = linalg.generic {indexing_maps = [#rows, #column],
                         iterator_types = ["reduction", "parallel"]}
      ins(%c : tensor<64x8xf32>) outs(%zero : tensor<8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %o, %a : f32
      linalg.yield %0 : f32
  } -> tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#rows, #column, #rows],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c, %sum : tensor<64x8xf32>, tensor<8xf32>)
      outs(%none : tensor<64x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.mulf %a, %b : f32
      linalg.yield %0 : f32
  } -> tensor<64x8xf32>
  return %c, %y : tensor<64x8xf32>, tensor<64x8xf32>
}
