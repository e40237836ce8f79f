// Two reductions that start from the same zeros compute into buffers of their
// own: what starts a result becomes the buffer of that result.
// RUN: gradus-opt %s --graph-scheduled-loops \
// RUN:   --mlir-print-ir-after=one-shot-bufferize -o /dev/null 2>&1 \
// RUN:   | FileCheck %s

// CHECK: func.func @k(%{{.*}}: memref<4x3xf64> {{.*}}, %[[A:.*]]: memref<3xf64> {{{.*}}}, %[[B:[a-z0-9]*]]: memref<3xf64>
// CHECK: ["reduction", "parallel"]{{.*}} outs(%[[A]] : memref<3xf64>)
// CHECK: ["reduction", "parallel"]{{.*}} outs(%[[B]] : memref<3xf64>)
#all = affine_map<(i, j) -> (i, j)>
#columns = affine_map<(i, j) -> (j)>
func.func @k(%x: tensor<4x3xf64>) -> (tensor<3xf64>, tensor<3xf64>)
    attributes {graph.kernel = "columns"} {
  %zero = arith.constant 0.0 : f64
  %empty = tensor.empty() : tensor<3xf64>
  %zeros = linalg.fill ins(%zero : f64) outs(%empty : tensor<3xf64>)
      -> tensor<3xf64>
  %a = linalg.generic {
      indexing_maps = [#all, #columns],
      iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<4x3xf64>) outs(%zeros : tensor<3xf64>) {
  ^bb0(%in: f64, %out: f64):
    %0 = arith.addf %in, %out : f64
    linalg.yield %0 : f64
  } -> tensor<3xf64>
  %b = linalg.generic {
      indexing_maps = [#all, #columns],
      iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<4x3xf64>) outs(%zeros : tensor<3xf64>) {
  ^bb0(%in: f64, %out: f64):
    %0 = arith.mulf %in, %in : f64
    %1 = arith.addf %0, %out : f64
    linalg.yield %1 : f64
  } -> tensor<3xf64>
  return %a, %b : tensor<3xf64>, tensor<3xf64>
}
