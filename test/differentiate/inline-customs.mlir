// RUN: gradus-opt %s -graph-expand-gradients | FileCheck %s
// RUN: gradus-opt %s -graph-differentiate | FileCheck %s --check-prefix=PLAIN

// The backward of a custom function takes the place of its pullback while the
// call itself stays opaque; bodies are inlined last, calls within them too.
// CHECK-LABEL: func.func @custom
// CHECK: graph.custom @twice_relu
// CHECK: graph.select
// CHECK-NOT: graph.max

// PLAIN-NOT: @relu
// PLAIN-LABEL: func.func @custom
// PLAIN-NOT: graph.custom
// PLAIN: graph.max
// PLAIN: return
func.func private @relu(%x: tensor<f32>) -> tensor<f32> {
  %0 = graph.constant dense<0.0> : tensor<f32>
  %y = graph.max %x, %0 : tensor<f32>
  return %y : tensor<f32>
}
func.func private @relu_backward(%x: tensor<f32>, %y: tensor<f32>,
                                 %dy: tensor<f32>) -> tensor<f32> {
  %0 = graph.constant dense<0.0> : tensor<f32>
  %taken = graph.compare gt %x, %0 : tensor<f32>
  %dx = graph.select %taken, %dy, %0 : tensor<f32>
  return %dx : tensor<f32>
}
func.func private @twice_relu(%x: tensor<f32>) -> tensor<f32> {
  %y = graph.custom @relu(%x) backward @relu_backward
      : (tensor<f32>) -> tensor<f32>
  %z = graph.add %y, %y : tensor<f32>
  return %z : tensor<f32>
}
func.func private @twice_relu_backward(%x: tensor<f32>, %y: tensor<f32>,
                                       %dy: tensor<f32>) -> tensor<f32> {
  %0 = graph.constant dense<0.0> : tensor<f32>
  %taken = graph.compare gt %x, %0 : tensor<f32>
  %twice = graph.add %dy, %dy : tensor<f32>
  %dx = graph.select %taken, %twice, %0 : tensor<f32>
  return %dx : tensor<f32>
}
func.func @custom(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %y = graph.custom @twice_relu(%x) backward @twice_relu_backward
      : (tensor<f32>) -> tensor<f32>
  %dx = graph.gradient %y wrt %x : tensor<f32>, tensor<f32>
  return %y, %dx : tensor<f32>, tensor<f32>
}
