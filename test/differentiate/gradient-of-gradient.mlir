// RUN: gradus-opt %s -graph-expand-gradients | FileCheck %s
// RUN: gradus-opt %s -graph-differentiate -canonicalize -cse | FileCheck %s --check-prefix=PLAIN

// The second gradient waits until the pullbacks of the first are dissolved.
// CHECK-LABEL: @second_order
// CHECK: graph.pullback2
// CHECK: graph.gradient

// x * exp(x) differentiated twice is (x + 2) * exp(x): nothing but exp, mul and
// add is left.
// PLAIN-LABEL: @second_order
// PLAIN: graph.exp
// PLAIN-NOT: graph.{{(gradient|pullback|strong_mul|exp)}}
// PLAIN: return
func.func @second_order(%x: tensor<f64>) -> tensor<f64> {
  %e = graph.exp %x : tensor<f64>
  %y = graph.mul %x, %e : tensor<f64>
  %dx = graph.gradient %y wrt %x : tensor<f64>, tensor<f64>
  %ddx = graph.gradient %dx wrt %x : tensor<f64>, tensor<f64>
  return %ddx : tensor<f64>
}
