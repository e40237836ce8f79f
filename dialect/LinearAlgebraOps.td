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

#endif
