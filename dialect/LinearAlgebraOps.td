// Ops on whole matrices that no loop nest of ours computes: functions of the
// runtime do (runtime/Matrices.h), called as `native_call`. Part of GraphOps.td.
#ifndef GRADUS_DIALECT_LINEARALGEBRAOPS_TD
#define GRADUS_DIALECT_LINEARALGEBRAOPS_TD

def SolveOp : Graph_InferredOp<"solve"> {
  let summary = "the solution of systems of linear equations";
  let description = [{
    `a[l..., :, :] x[l..., :, :] = b[l..., :, :]` for square matrices a; each
    column of b is a right-hand side of its own. x is NaN where a matrix is
    singular: where elimination meets a pivot that is zero or not finite.

    ```mlir
    func.func @solve(%a: tensor<3x3xf32>, %b: tensor<3x2xf32>)
        -> tensor<3x2xf32> {
      %x = graph.solve %a, %b : tensor<3x3xf32>, tensor<3x2xf32>
      return %x : tensor<3x2xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$a, Graph_Real:$b);
  let results = (outs Graph_Real:$x);
  let assemblyFormat = "$a `,` $b attr-dict `:` type($a) `,` type($b)";
}

def CholeskyOp : Graph_InferredOp<"cholesky"> {
  let summary = "the lower factors of symmetric positive definite matrices";
  let description = [{
    The lower triangular l, zero above its diagonal, with
    `l[k..., :, :] l[k..., :, :]^T = (a + a^T) / 2`: of a its symmetric part
    counts. l is NaN on and below the diagonal where that part is not positive
    definite.

    ```mlir
    func.func @cholesky(%a: tensor<3x3xf32>) -> tensor<3x3xf32> {
      %l = graph.cholesky %a : tensor<3x3xf32>
      return %l : tensor<3x3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$a);
  let results = (outs Graph_Real:$l);
  let assemblyFormat = "$a attr-dict `:` type($a)";
}

def NativeCallOp : Op<GraphDialect, "native_call",
                      [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a C function called on the buffers of a kernel";
  let description = [{
    What such an op becomes when its kernel is lowered: a call of `callee` with
    the address of each buffer, whose elements lie dense and in row-major order,
    then each of `sizes` as a 64-bit number. It exists only between graph and
    LLVM.

    ```mlir
    func.func @native_call(%l: memref<3x3xf32>) {
      graph.native_call "gradusCholeskyf"(%l) sizes [1, 3] : memref<3x3xf32>
      return
    }
    ```
  }];
  let arguments = (ins StrAttr:$callee,
                   Variadic<StaticShapeMemRefOf<[F32, F64, I8, I32, I64]>>
                       :$buffers,
                   DenseI64ArrayAttr:$sizes);
  let assemblyFormat = [{
    $callee `(` $buffers `)` `sizes` $sizes attr-dict `:` type($buffers)
  }];
}

#endif
