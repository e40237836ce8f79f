// The passes of the stage `lower`, in pipeline order.
#ifndef GRADUS_COMPILER_LOWER_PASSES_TD
#define GRADUS_COMPILER_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

def GraphToLinalg : Pass<"graph-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "a kernel of graph ops as linalg on tensors";
  let description = [{
    Every op of `graph` becomes `linalg.generic`, a tensor movement or an
    `arith.constant`. Broadcasts and transpositions are maps, so that they fuse
    into what reads them; a splat constant becomes a scalar inside the body.
    Booleans and bytes are `i8` from here on: one byte an element, as in the
    buffers of the runtime, whatever is done with vectors later.

    Derivatives must have been taken: `graph.gradient`, the pullbacks and
    `graph.custom` are refused.

    Tests: `test/lower/graph-to-linalg-*.mlir`,
    `test/lower/graph-to-linalg-errors.mlir`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"
  ];
}

#endif
