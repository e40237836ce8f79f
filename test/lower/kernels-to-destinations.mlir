// RUN: gradus-opt %s -split-input-file \
// RUN:   -graph-kernels-to-destinations | FileCheck %s

// Arguments and results become buffers; the update of %w is computed over it.
// CHECK-LABEL: func.func @sgd(
// CHECK-SAME: %[[W:[^:]*]]: memref<8xf32> {llvm.noalias, llvm.nonnull},
// CHECK-SAME: %[[G:[^:]*]]: memref<8xf32>
// CHECK-SAME: %[[H:[^:]*]]: memref<8xf32>
// CHECK-SAME: ) {
// CHECK-DAG: %[[OLD:.*]] = bufferization.to_tensor %[[W]] restrict writable
// CHECK-DAG: bufferization.to_tensor %[[G]] restrict :
// CHECK: %[[NEW:.*]]:2 = linalg.generic
// CHECK-SAME: outs(%[[OLD]], %{{.*}} : tensor<8xf32>, tensor<8xf32>)
// CHECK-NEXT: ^bb0(%{{.*}}: f32, %[[Q:.*]]: f32, %[[P:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT: arith.subf %[[P]], %[[Q]]
// CHECK: bufferization.materialize_in_destination %[[NEW]]#0 in writable %[[W]]
// CHECK: bufferization.materialize_in_destination %[[NEW]]#1 in restrict writable %[[H]]
// CHECK: return{{$}}
#id = affine_map<(i) -> (i)>
func.func @sgd(%w: tensor<8xf32>, %g: tensor<8xf32>)
    -> (tensor<8xf32> {graph.updates = 0 : i32}, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %y:2 = linalg.generic {indexing_maps = [#id, #id, #id, #id],
                         iterator_types = ["parallel"]}
      ins(%w, %g : tensor<8xf32>, tensor<8xf32>)
      outs(%e, %e : tensor<8xf32>, tensor<8xf32>) {
    ^bb0(%p: f32, %q: f32, %o0: f32, %o1: f32):
      %s = arith.subf %p, %q : f32
      linalg.yield %s, %q : f32, f32
  } -> (tensor<8xf32>, tensor<8xf32>)
  return %y#0, %y#1 : tensor<8xf32>, tensor<8xf32>
}

// -----

// A transposed read of the old value: not computed in place.
// CHECK-LABEL: func.func @transposed
// CHECK: linalg.generic
// CHECK-SAME: outs(%{{.*}} : tensor<4x4xf32>)
// CHECK: ^bb0(%[[P:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT: linalg.yield %[[P]]
func.func @transposed(%w: tensor<4x4xf32>)
    -> (tensor<4x4xf32> {graph.updates = 0 : i32}) {
  %e = tensor.empty() : tensor<4x4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
    ^bb0(%p: f32, %o: f32):
      linalg.yield %p : f32
  } -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

// The old values are kept aside before either is overwritten.
// CHECK-LABEL: func.func @swap
// CHECK-COUNT-2: bufferization.alloc_tensor() copy
// CHECK-COUNT-2: bufferization.materialize_in_destination
func.func @swap(%a: tensor<4xf32>, %b: tensor<4xf32>)
    -> (tensor<4xf32> {graph.updates = 0 : i32},
        tensor<4xf32> {graph.updates = 1 : i32}) {
  return %b, %a : tensor<4xf32>, tensor<4xf32>
}
