// RUN: gradus-opt %s -graph-differentiate -split-input-file -verify-diagnostics

func.func @unrelated(%x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{the derivative of `y` with respect to `x` is always zero}}
  %dx = graph.gradient %y wrt %x : tensor<f32>, tensor<f32>
  return %dx : tensor<f32>
}

// -----

// The report points at what ends the derivative.
func.func @blocked(%x: tensor<f32>) -> tensor<f32> {
  // expected-note @+1 {{`floor` has derivative zero}}
  %f = graph.floor %x : tensor<f32>
  %y = graph.exp %f : tensor<f32>
  // expected-error @+1 {{the derivative of `y` with respect to `x` is always zero}}
  %dx = graph.gradient %y wrt %x : tensor<f32>, tensor<f32>
  return %dx : tensor<f32>
}

// -----

// A backward that is not linear in its cotangent has no derivative of its own.
func.func @nonlinear(%x: tensor<f32>) -> tensor<f32> {
  // expected-note @+1 {{this is not linear in the cotangent}}
  %y = graph.exp %x {graph.nonlinear_backward = "clip"} : tensor<f32>
  // expected-error @+1 {{the `backward` of `clip` cannot be differentiated again}}
  %dx = graph.gradient %y wrt %x : tensor<f32>, tensor<f32>
  return %dx : tensor<f32>
}
