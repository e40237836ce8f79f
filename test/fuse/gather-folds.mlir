// RUN: gradus-opt %s -split-input-file -graph-form-kernels | FileCheck %s

// The gradient of a convolution by its input gathers, with the windows walked
// backwards, only what the padding of the convolution leaves.
// CHECK-LABEL: func.func @input_gradient
// CHECK-NEXT: %[[P:.*]] = call @kernel_pad(%arg0)
// CHECK-NEXT: %[[Y:.*]] = call @[[K:.*]](%[[P]], %arg1)
// CHECK-NEXT: return %[[Y]]
// CHECK: func.func private @kernel_pad
// CHECK-NEXT: graph.pad {{.*}} low [0, 1, 1, 0] high [0, 1, 1, 0]
// CHECK: func.func private @[[K]]
// CHECK-NEXT: %[[U:.*]] = graph.unfold %arg0 along [1, 2] sizes [3, 3] strides [1, 1] dilations [-1, -1]
// CHECK-NEXT: graph.einsum "bpqoij,ocij->bpqc" %[[U]], %arg1
func.func @input_gradient(%dy: tensor<2x8x8x32xf32>, %w: tensor<32x16x3x3xf32>)
    -> tensor<2x8x8x16xf32> {
  %p = graph.einsum "bpqo,ocij->bpqcij" %dy, %w
      : tensor<2x8x8x32xf32>, tensor<32x16x3x3xf32>
  %f = graph.fold %p along [1, 2] extents [10, 10] strides [1, 1] dilations [1, 1]
      : tensor<2x8x8x16x3x3xf32>
  %y = graph.slice %f from [0, 1, 1, 0] sizes [2, 8, 8, 16]
      : tensor<2x10x10x16xf32>
  return %y : tensor<2x8x8x16xf32>
}

// -----

// A stride of 2 gives two phases along each axis, which the taps 0, 2 and the
// tap 1 meet: four einsums, none with more taps than needed.
// CHECK-LABEL: func.func @strided
// CHECK-COUNT-3: call @kernel_concat
// CHECK: graph.einsum "bpqoij,ocij->bpqc" {{.*}} : tensor<2x5x5x32x2x2xf32>
// CHECK: graph.einsum "bpqoij,ocij->bpqc" {{.*}} : tensor<2x5x5x32x2x1xf32>
// CHECK: graph.einsum "bpqoij,ocij->bpqc" {{.*}} : tensor<2x5x5x32x1x2xf32>
// CHECK: graph.einsum "bpqoij,ocij->bpqc" {{.*}} : tensor<2x5x5x32x1x1xf32>
func.func @strided(%dy: tensor<2x4x4x32xf32>, %w: tensor<32x16x9xf32>)
    -> tensor<2x9x9x16xf32> {
  %v = graph.reshape %w to [32, 16, 3, 3] : tensor<32x16x9xf32>
  %p = graph.einsum "bpqo,ocij->bpqcij" %dy, %v
      : tensor<2x4x4x32xf32>, tensor<32x16x3x3xf32>
  %y = graph.fold %p along [1, 2] extents [9, 9] strides [2, 2] dilations [1, 1]
      : tensor<2x4x4x16x3x3xf32>
  return %y : tensor<2x9x9x16xf32>
}

// -----

// Of every phase only what a padding leaves is computed, the phase of the first
// element that is left first: nothing is cut off behind.
// CHECK-LABEL: func.func @strided_and_padded
// CHECK-NOT: graph.slice %{{.*}} sizes [2, 8
// CHECK: graph.einsum "bpqoij,ocij->bpqc" {{.*}} : tensor<2x4x4x32x1x1xf32>
// CHECK-NOT: graph.slice %{{.*}} sizes [2, 8
// CHECK: graph.einsum "bpqoij,ocij->bpqc" {{.*}} : tensor<2x4x4x32x1x2xf32>
// CHECK-NOT: graph.slice %{{.*}} sizes [2, 8
// CHECK: graph.einsum "bpqoij,ocij->bpqc" {{.*}} : tensor<2x4x4x32x2x1xf32>
// CHECK-NOT: graph.slice %{{.*}} sizes [2, 8
// CHECK: graph.einsum "bpqoij,ocij->bpqc" {{.*}} : tensor<2x4x4x32x2x2xf32>
// CHECK-NOT: graph.slice %{{.*}} sizes [2, 8
func.func @strided_and_padded(%dy: tensor<2x4x4x32xf32>,
                              %w: tensor<32x16x9xf32>)
    -> tensor<2x8x8x16xf32> {
  %v = graph.reshape %w to [32, 16, 3, 3] : tensor<32x16x9xf32>
  %p = graph.einsum "bpqo,ocij->bpqcij" %dy, %v
      : tensor<2x4x4x32xf32>, tensor<32x16x3x3xf32>
  %f = graph.fold %p along [1, 2] extents [10, 10] strides [2, 2] dilations [1, 1]
      : tensor<2x4x4x16x3x3xf32>
  %y = graph.slice %f from [0, 1, 1, 0] sizes [2, 8, 8, 16]
      : tensor<2x10x10x16xf32>
  return %y : tensor<2x8x8x16xf32>
}

// -----

// Windows that tile an axis move; what they do not reach is zero.
// CHECK-LABEL: func.func @pooling_gradient
// CHECK-NOT: graph.fold
// CHECK: graph.transpose {{.*}} by [0, 1, 3, 2]
func.func @pooling_gradient(%dy: tensor<2x4x16x2xf32>) -> tensor<2x9x16xf32> {
  %y = graph.fold %dy along [1] extents [9] strides [2] dilations [1]
      : tensor<2x4x16x2xf32>
  return %y : tensor<2x9x16xf32>
}

// -----

// Other folds stay.
// CHECK-LABEL: func.func @overlapping
// CHECK: graph.fold
func.func @overlapping(%dy: tensor<2x4x16x3xf32>) -> tensor<2x9x16xf32> {
  %y = graph.fold %dy along [1] extents [9] strides [2] dilations [1]
      : tensor<2x4x16x3xf32>
  return %y : tensor<2x9x16xf32>
}
