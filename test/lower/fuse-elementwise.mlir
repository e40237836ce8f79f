// RUN: gradus-opt %s -split-input-file -graph-fuse-elementwise | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>

// A value with two readers is computed once and given as a second result.
// CHECK-LABEL: func.func @slot
// CHECK: %[[Y:.*]]:2 = linalg.generic
// CHECK: math.sqrt
// CHECK: arith.negf
// CHECK: linalg.yield
// CHECK-NOT: linalg.generic
// CHECK: return %[[Y]]#{{[01]}}, %[[Y]]#{{[01]}}
func.func @slot(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %e = tensor.empty() : tensor<4x8xf32>
  %a = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%p: f32, %o: f32):
      %0 = math.sqrt %p : f32
      linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %b = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%p: f32, %o: f32):
      %0 = arith.negf %p : f32
      linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  return %a, %b : tensor<4x8xf32>, tensor<4x8xf32>
}

// A costly value is not computed again for every row.
// CHECK-LABEL: func.func @broadcast
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK: arith.addf
func.func @broadcast(%x: tensor<8xf32>, %y: tensor<4x8xf32>)
    -> tensor<4x8xf32> {
  %e0 = tensor.empty() : tensor<8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>,
                                        affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%e0 : tensor<8xf32>) {
    ^bb0(%p: f32, %o: f32):
      %0 = math.exp %p : f32
      linalg.yield %0 : f32
  } -> tensor<8xf32>
  %b = linalg.generic {indexing_maps = [#row, #id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a, %y : tensor<8xf32>, tensor<4x8xf32>)
      outs(%e : tensor<4x8xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.addf %p, %q : f32
      linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  return %b : tensor<4x8xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#t = affine_map<(i, j) -> (j, i)>

// A contraction takes in a transposition and nothing else.
// CHECK-DAG: #[[KM:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-LABEL: func.func @contraction
// CHECK: linalg.generic
// CHECK: math.tanh
// CHECK: linalg.generic {indexing_maps = [#[[KM]],
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK-NEXT: linalg.yield
func.func @contraction(%x: tensor<8x4xf32>, %y: tensor<8x16xf32>)
    -> tensor<4x16xf32> {
  %e0 = tensor.empty() : tensor<4x8xf32>
  %e1 = tensor.empty() : tensor<8x16xf32>
  %e2 = tensor.empty() : tensor<4x16xf32>
  %z = arith.constant 0.0 : f32
  %a = linalg.generic {indexing_maps = [#t, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x4xf32>) outs(%e0 : tensor<4x8xf32>) {
    ^bb0(%p: f32, %o: f32):
      linalg.yield %p : f32
  } -> tensor<4x8xf32>
  %b = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<8x16xf32>) outs(%e1 : tensor<8x16xf32>) {
    ^bb0(%p: f32, %o: f32):
      %0 = math.tanh %p : f32
      linalg.yield %0 : f32
  } -> tensor<8x16xf32>
  %f = linalg.fill ins(%z : f32) outs(%e2 : tensor<4x16xf32>)
      -> tensor<4x16xf32>
  %c = linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                       affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<4x8xf32>, tensor<8x16xf32>)
      outs(%f : tensor<4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  } -> tensor<4x16xf32>
  return %c : tensor<4x16xf32>
}

// A value read twice is merged through both operands.
// CHECK-LABEL: func.func @square
// CHECK: %[[Y:.*]] = linalg.generic
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
// CHECK: return %[[Y]]
func.func @square(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>,
                                        affine_map<(i) -> (i)>,
                                        affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.subf %p, %q : f32
      linalg.yield %0 : f32
  } -> tensor<4xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>,
                                        affine_map<(i) -> (i)>,
                                        affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
      ins(%a, %a : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %b : tensor<4xf32>
}

// -----

#id = affine_map<(i) -> (i)>

// A chain of values that are each read twice by the next stays a chain: x^16 is
// four products.
// CHECK-LABEL: func.func @chain
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{[a-z0-9]*}} : tensor<8xf32>)
// CHECK-COUNT-4: arith.mulf
// CHECK-NOT: arith.mulf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @chain(%x: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %a = linalg.generic {indexing_maps = [#id, #id, #id],
                       iterator_types = ["parallel"]}
      ins(%x, %x : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      linalg.yield %0 : f32
  } -> tensor<8xf32>
  %b = linalg.generic {indexing_maps = [#id, #id, #id],
                       iterator_types = ["parallel"]}
      ins(%a, %a : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      linalg.yield %0 : f32
  } -> tensor<8xf32>
  %c = linalg.generic {indexing_maps = [#id, #id, #id],
                       iterator_types = ["parallel"]}
      ins(%b, %b : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      linalg.yield %0 : f32
  } -> tensor<8xf32>
  %d = linalg.generic {indexing_maps = [#id, #id, #id],
                       iterator_types = ["parallel"]}
      ins(%c, %c : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      linalg.yield %0 : f32
  } -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// -----

// How many elements of each window are its largest: windows fuse into the sum
// over their taps, which an operand bounds that nobody reads.
// CHECK-LABEL: func.func @ties
// CHECK: %[[Y:.*]] = linalg.fill
// CHECK: %[[TAPS:.*]] = tensor.empty() : tensor<2xf32>
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "reduction"]
// CHECK-SAME: ins(%arg0, %arg1, %[[TAPS]] :
// CHECK: arith.cmpf
// CHECK: arith.addf
// CHECK-NOT: linalg.generic
func.func @ties(%x: tensor<8xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %t = tensor.empty() : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %u = linalg.generic {
      indexing_maps = [affine_map<(p, i) -> (2 * p + i)>,
                       affine_map<(p, i) -> (i)>, affine_map<(p, i) -> (p, i)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%x, %t : tensor<8xf32>, tensor<2xf32>) outs(%e : tensor<4x2xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      linalg.yield %a : f32
  } -> tensor<4x2xf32>
  %m = linalg.generic {
      indexing_maps = [affine_map<(p, i) -> (p, i)>, affine_map<(p, i) -> (p)>,
                       affine_map<(p, i) -> (p, i)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%u, %y : tensor<4x2xf32>, tensor<4xf32>) outs(%e : tensor<4x2xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %0 = arith.cmpf oeq, %a, %b : f32
      %1 = arith.uitofp %0 : i1 to f32
      linalg.yield %1 : f32
  } -> tensor<4x2xf32>
  %z = arith.constant 0.0 : f32
  %f = tensor.empty() : tensor<4xf32>
  %s = linalg.fill ins(%z : f32) outs(%f : tensor<4xf32>) -> tensor<4xf32>
  %n = linalg.generic {
      indexing_maps = [affine_map<(p, i) -> (p, i)>, affine_map<(p, i) -> (p)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%m : tensor<4x2xf32>) outs(%s : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %o, %a : f32
      linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %n : tensor<4xf32>
}
