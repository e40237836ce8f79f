// The pair that convolutions and pooling are made of: windows that slide along
// axes, and their transpose. Included by GraphOps.td. Where a tap lies is said
// once, in Windows.h.
#ifndef GRADUS_DIALECT_WINDOWOPS_TD
#define GRADUS_DIALECT_WINDOWOPS_TD

def UnfoldOp : Graph_InferredOp<"unfold"> {
  let summary = "windows that slide along axes";
  let description = [{
    A window of `sizes[n]` taps slides along axis `dims[n]` (ascending). The axis
    becomes the positions of the window, its taps a new axis at the end:

    `y[..., p, ..., i] = x[..., strides[n] * p + dilations[n] * i, ...]`

    A negative dilation walks the window backwards: tap `i` is tap
    `sizes[n] - 1 - i` of the window with the positive one. A convolution is an
    einsum with an unfold, pooling a reduction of one; it is an index map there
    and never stored. Transpose of `fold`.

    ```mlir
    func.func @unfold(%x: tensor<3x8xf32>) -> tensor<3x3x4xf32> {
      %y = graph.unfold %x along [1] sizes [4] strides [2] dilations [1]
          : tensor<3x8xf32>
      return %y : tensor<3x3x4xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Tensor:$x, DenseI64ArrayAttr:$dims,
                   DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$strides,
                   DenseI64ArrayAttr:$dilations);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = [{
    $x `along` $dims `sizes` $sizes `strides` $strides `dilations` $dilations
    attr-dict `:` type($x)
  }];
  let hasFolder = 1;
}

def FoldOp : Graph_InferredOp<"fold"> {
  let summary = "sums what windows along axes hold where their taps lie";
  let description = [{
    The transpose of `unfold`: `y` has `extents[n]` elements along `dims[n]`, and
    every `x[..., p, ..., i]` is added to
    `y[..., strides[n] * p + dilations[n] * i, ...]`. The taps are the last axes of
    `x`, one for each of `dims`.

    ```mlir
    func.func @fold(%x: tensor<3x3x4xf32>) -> tensor<3x8xf32> {
      %y = graph.fold %x along [1] extents [8] strides [2] dilations [1]
          : tensor<3x3x4xf32>
      return %y : tensor<3x8xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$x, DenseI64ArrayAttr:$dims,
                   DenseI64ArrayAttr:$extents, DenseI64ArrayAttr:$strides,
                   DenseI64ArrayAttr:$dilations);
  let results = (outs Graph_Real:$y);
  let assemblyFormat = [{
    $x `along` $dims `extents` $extents `strides` $strides
    `dilations` $dilations attr-dict `:` type($x)
  }];
  let hasFolder = 1;
}

#endif
