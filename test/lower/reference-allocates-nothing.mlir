// RUN: gradus-opt %s -graph-reference-loops -graph-loops-to-llvm | FileCheck %s

// Values between the ops, 28 KiB: one block of scratch, no other memory.
// CHECK-NOT: llvm.func @malloc
// CHECK: llvm.func @k(%{{.*}}: !llvm.ptr) attributes {graph.scratch = 28672 : i64}
// CHECK: llvm.call @k.body
// CHECK: llvm.func internal @k.body({{.*}}{llvm.noalias, llvm.nonnull}
// CHECK-NOT: llvm.call
#id = affine_map<(i, j) -> (i, j)>
#t = affine_map<(i, j) -> (j, i)>
func.func @k(%a: tensor<128x56xf32>) -> tensor<56x128xf32> {
  %e = tensor.empty() : tensor<128x56xf32>
  %b = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<128x56xf32>) outs(%e : tensor<128x56xf32>) {
    ^bb0(%p: f32, %o: f32):
      %q = arith.mulf %p, %p : f32
      linalg.yield %q : f32
  } -> tensor<128x56xf32>
  %c = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%b : tensor<128x56xf32>) outs(%e : tensor<128x56xf32>) {
    ^bb0(%p: f32, %o: f32):
      %q = arith.addf %p, %p : f32
      linalg.yield %q : f32
  } -> tensor<128x56xf32>
  %e1 = tensor.empty() : tensor<56x128xf32>
  %d = linalg.generic {indexing_maps = [#t, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c : tensor<128x56xf32>) outs(%e1 : tensor<56x128xf32>) {
    ^bb0(%p: f32, %o: f32):
      linalg.yield %p : f32
  } -> tensor<56x128xf32>
  return %d : tensor<56x128xf32>
}
