// RUN: gradus-opt %s -split-input-file -graph-form-kernels | FileCheck %s

// Reductions over the last axis, what is made of them and the mean over the
// rows share one loop over the rows.
// CHECK-LABEL: func.func @loss
// CHECK-NEXT: call @reduce_max_sub_exp_etc(%arg0)
// CHECK-NEXT: return
// CHECK: graph.kernel = "rows"
func.func @loss(%z: tensor<8x3xf32>) -> (tensor<f32>, tensor<8x3xf32>) {
  %top = graph.reduce_max %z over [1] : tensor<8x3xf32>
  %tops = graph.broadcast %top along [1] sizes [3] : tensor<8xf32>
  %s = graph.sub %z, %tops : tensor<8x3xf32>
  %e = graph.exp %s : tensor<8x3xf32>
  %total = graph.sum %e over [1] : tensor<8x3xf32>
  %totals = graph.broadcast %total along [1] sizes [3] : tensor<8xf32>
  %p = graph.div %e, %totals : tensor<8x3xf32>
  %log = graph.log %total : tensor<8xf32>
  %sum = graph.sum %log over [0] : tensor<8xf32>
  %8 = graph.constant dense<8.0> : tensor<f32>
  %mean = graph.div %sum, %8 : tensor<f32>
  return %mean, %p : tensor<f32>, tensor<8x3xf32>
}

// -----

// What needs all rows before any row goes into a kernel of its own.
// CHECK-LABEL: func.func @centred
// CHECK-NEXT: %[[M:.*]] = call @sum_div(%arg0)
// CHECK-NEXT: %[[Y:.*]] = call @kernel_sub(%[[M]], %arg0)
// CHECK-NEXT: return %[[Y]]
func.func @centred(%x: tensor<8xf32>) -> tensor<8xf32> {
  %sum = graph.sum %x over [0] : tensor<8xf32>
  %8 = graph.constant dense<8.0> : tensor<f32>
  %mean = graph.div %sum, %8 : tensor<f32>
  %means = graph.broadcast %mean along [0] sizes [8] : tensor<f32>
  %y = graph.sub %x, %means : tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

// A sum over the leading axis, what is summed and the update of a bias share
// one loop over the columns.
// CHECK-LABEL: func.func @bias
// CHECK-NEXT: call @b_mul_update(%arg0, %arg1, %arg2)
// CHECK-NEXT: return
// CHECK: graph.kernel = "columns"
func.func @bias(%dy: tensor<8x3xf32>, %x: tensor<8x3xf32>,
                %b: tensor<3xf32> {graph.name = "param/b"})
    -> (tensor<3xf32> {graph.updates = 2 : i64}) {
  %p = graph.mul %dy, %x : tensor<8x3xf32>
  %g = graph.sum %p over [0] : tensor<8x3xf32>
  %b1 = graph.sub %b, %g : tensor<3xf32>
  return %b1 : tensor<3xf32>
}

// -----

// Axes that cross each other share no loop.
// CHECK-LABEL: func.func @crossed
// CHECK-NEXT: %[[E:.*]] = call @kernel_exp
// CHECK-NEXT: call @transpose_argmax(%[[E]])
// CHECK-NEXT: return
func.func @crossed(%x: tensor<8x3xf32>) -> (tensor<3xi32>, tensor<8x3xf32>) {
  %e = graph.exp %x : tensor<8x3xf32>
  %t = graph.transpose %e by [1, 0] : tensor<8x3xf32>
  %y = graph.argmax %t over 1 : tensor<3x8xf32>
  return %y, %e : tensor<3xi32>, tensor<8x3xf32>
}

// -----

// Numbers that depend on the step only are computed once, in one kernel.
// CHECK-LABEL: func.func @numbers
// CHECK-NEXT: %[[K:.*]]:2 = call @pow_mul(%arg0)
// CHECK-NEXT: call @kernel_mul(%[[K]]#0, %arg1)
// CHECK-NEXT: call @kernel_mul(%[[K]]#1, %arg1)
// CHECK-NEXT: return
// CHECK: graph.kernel = "scalars"
func.func @numbers(%t: tensor<f32>, %x: tensor<8xf32>)
    -> (tensor<8xf32>, tensor<8xf32>) {
  %beta = graph.constant dense<0.9> : tensor<f32>
  %a = graph.pow %beta, %t : tensor<f32>
  %b = graph.mul %t, %t : tensor<f32>
  %as = graph.broadcast %a along [0] sizes [8] : tensor<f32>
  %bs = graph.broadcast %b along [0] sizes [8] : tensor<f32>
  %y = graph.mul %x, %as : tensor<8xf32>
  %z = graph.mul %x, %bs : tensor<8xf32>
  return %y, %z : tensor<8xf32>, tensor<8xf32>
}

// -----

// A reshape is no work: it stays between the kernels as another name.
// CHECK-LABEL: func.func @flat
// CHECK-NEXT: %[[E:.*]] = call @kernel_exp(%arg0)
// CHECK-NEXT: %[[F:.*]] = graph.reshape %[[E]] to [12]
// CHECK-NEXT: call @kernel_sum(%[[F]])
// CHECK-NEXT: return
func.func @flat(%x: tensor<4x3xf32>) -> tensor<f32> {
  %e = graph.exp %x : tensor<4x3xf32>
  %f = graph.reshape %e to [12] : tensor<4x3xf32>
  %y = graph.sum %f over [0] : tensor<12xf32>
  return %y : tensor<f32>
}
