// Rows taken out of tables and added into them: a pair closed under
// transposition. Part of GraphOps.td.
#ifndef GRADUS_DIALECT_ROWOPS_TD
#define GRADUS_DIALECT_ROWOPS_TD

def GatherOp : Graph_InferredOp<"gather"> {
  let summary = "rows of a table";
  let description = [{
    `y[i..., c...] = x[index[i...], c...]`; every index lies within the first
    axis of x. Transpose of `scatter_add`.

    ```mlir
    func.func @gather(%x: tensor<10x3xf32>, %index: tensor<4xi32>)
        -> tensor<4x3xf32> {
      %y = graph.gather %x at %index : tensor<10x3xf32>, tensor<4xi32>
      return %y : tensor<4x3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Tensor:$x, Graph_Index:$index);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat =
      "$x `at` $index attr-dict `:` type($x) `,` type($index)";
}

def ScatterAddOp : Graph_InferredOp<"scatter_add"> {
  let summary = "rows added into a table of zeros";
  let description = [{
    `y[r, c...] = sum of x[i..., c...] over all i with index[i...] = r`, added
    in the order of i; every index lies below `rows`. Transpose of `gather`.

    ```mlir
    func.func @scatter_add(%x: tensor<4x3xf32>, %index: tensor<4xi32>)
        -> tensor<10x3xf32> {
      %y = graph.scatter_add %x at %index rows 10
          : tensor<4x3xf32>, tensor<4xi32>
      return %y : tensor<10x3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$x, Graph_Index:$index, I64Attr:$rows);
  let results = (outs Graph_Real:$y);
  let assemblyFormat =
      "$x `at` $index `rows` $rows attr-dict `:` type($x) `,` type($index)";
}

#endif
