// RUN: gradus-opt %s -graph-expand-gradients | FileCheck %s
// RUN: gradus-opt %s -graph-differentiate -canonicalize -cse | FileCheck %s --check-prefix=PLAIN

// The cotangent of a branch meets its derivative strongly; the one in front of
// the select does not.
// CHECK-LABEL: @branch
// CHECK: graph.pullback1 {{.*}} : (tensor<f32>, tensor<f32>)
// CHECK: graph.pullback2 {{.*}} : (tensor<f32>, tensor<f32>)
// CHECK: graph.pullback1 {{.*}} {graph.masked} : (tensor<f32>, tensor<f32>)

// PLAIN-LABEL: @branch
// PLAIN: graph.strong_mul
// PLAIN-NOT: graph.strong_mul
// PLAIN: return
func.func @branch(%c: tensor<i1>, %x: tensor<f32>) -> tensor<f32> {
  %l = graph.log %x : tensor<f32>
  %s = graph.select %c, %l, %x : tensor<f32>
  %y = graph.exp %s : tensor<f32>
  %dx = graph.gradient %y wrt %x : tensor<f32>, tensor<f32>
  return %dx : tensor<f32>
}
