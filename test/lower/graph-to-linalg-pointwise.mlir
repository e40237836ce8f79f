// RUN: gradus-opt %s -split-input-file -graph-to-linalg | FileCheck %s

// A pointwise op is one scalar formula over identity maps; a splat constant is
// a scalar of the body, not an input.
// CHECK: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func.func @doubled
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[ID]]]
// CHECK-SAME: ins(%[[X]] : tensor<2x3xf32>)
// CHECK: %[[TWO:.*]] = arith.constant 2
// CHECK: arith.mulf %{{.*}}, %[[TWO]]
// CHECK: return %[[Y]]
func.func @doubled(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %two = graph.constant dense<2.0> : tensor<2x3xf32>
  %y = graph.mul %x, %two : tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

// Booleans and bytes are i8 in memory, also in signatures; attributes of
// arguments stay.
// CHECK-LABEL: func.func @bytes
// CHECK-SAME: %[[X:.*]]: tensor<4xi8> {graph.name = "field/image"}
// CHECK-SAME: %[[C:.*]]: tensor<4xi8>
// CHECK-SAME: -> (tensor<4xf32>, tensor<4xi8>, tensor<4xi8>)
// CHECK: arith.uitofp %{{.*}} : i8 to f32
// CHECK: arith.cmpi ult
// CHECK: arith.extui %{{.*}} : i1 to i8
// CHECK: arith.trunci %{{.*}} : i8 to i1
// CHECK: arith.select
func.func @bytes(%x: tensor<4xui8> {graph.name = "field/image"},
                 %c: tensor<4xi1>)
    -> (tensor<4xf32>, tensor<4xi1>, tensor<4xui8>) {
  %limit = graph.constant dense<200> : tensor<4xui8>
  %real = graph.convert %x to f32 : tensor<4xui8>
  %less = graph.compare lt %x, %limit : tensor<4xui8>
  %y = graph.select %c, %x, %limit : tensor<4xui8>
  return %real, %less, %y : tensor<4xf32>, tensor<4xi1>, tensor<4xui8>
}

// -----

// CHECK-LABEL: func.func @constants
// CHECK: arith.constant dense<[1, 0, 1]> : tensor<3xi8>
// CHECK: arith.constant dense<[7, -1]> : tensor<2xi8>
// CHECK: arith.constant dense<[1, 2]> : tensor<2xi32>
func.func @constants() -> (tensor<3xi1>, tensor<2xui8>, tensor<2xi32>) {
  %0 = graph.constant dense<[true, false, true]> : tensor<3xi1>
  %1 = graph.constant dense<[7, 255]> : tensor<2xui8>
  %2 = graph.constant dense<[1, 2]> : tensor<2xi32>
  return %0, %1, %2 : tensor<3xi1>, tensor<2xui8>, tensor<2xi32>
}

// -----

// stop is the identity once derivatives are taken.
// CHECK-LABEL: func.func @stop
// CHECK-NEXT: return %{{.*}} : tensor<2xf32>
func.func @stop(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = graph.stop %x : tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// CHECK-LABEL: func.func @iota
// CHECK: linalg.index 0
// CHECK: arith.index_cast %{{.*}} : index to i32
func.func @iota() -> tensor<5xi32> {
  %y = graph.iota 5 of i32
  return %y : tensor<5xi32>
}
