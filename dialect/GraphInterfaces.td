// What every op says of itself: the value it computes. The exception beside the
// table of derivatives: an op whose rule no fixed pattern expresses (any number
// of operands, a rule given by the user). And what derivatives are taken of.
#ifndef GRADUS_DIALECT_GRAPHINTERFACES_TD
#define GRADUS_DIALECT_GRAPHINTERFACES_TD

include "mlir/IR/OpBase.td"

def Evaluable : OpInterface<"Evaluable"> {
  let cppNamespace = "::gradus::graph";
  let description = [{
    What an op means, as the interpreter computes it (`Interpreter.h`): real
    numbers in double precision, everything else exactly. What is compiled is
    tested against it.
  }];
  let methods = [
    InterfaceMethod<[{
      The results for operands of these values.
    }], "::llvm::SmallVector<::gradus::graph::Array>", "evaluate",
    (ins "::llvm::ArrayRef<::gradus::graph::Array>":$x)>
  ];
}

def Differentiable : OpInterface<"Differentiable"> {
  let cppNamespace = "::gradus::graph";
  let description = [{
    Implemented by an op that has no row in `Derivatives.td`.
  }];
  let methods = [
    InterfaceMethod<[{
      Writes at the builder's place the cotangents of the operands, given those
      of the results, `dy`, null for a result that has none: one entry an
      operand, null for an operand that is not real. `masked`: a part of them
      comes from a mask (see `GraphDialect::maskedAttrName`).
    }], "::llvm::SmallVector<::mlir::Value>", "pullback",
    (ins "::mlir::OpBuilder &":$builder, "::llvm::ArrayRef<::mlir::Value>":$dy,
         "bool":$masked)>,
    InterfaceMethod<[{
      Whether the rule switches operands on and off (see `Masking`).
    }], "bool", "masksCotangents", (ins), [{}], [{ return false; }]>
  ];
}

def Derivative : OpInterface<"Derivative"> {
  let cppNamespace = "::gradus::graph";
  let description = [{
    Implemented by the ops that stand for derivatives until they are taken.
  }];
  let methods = [
    InterfaceMethod<[{
      What is differentiated.
    }], "::mlir::ValueRange", "getYs">,
    InterfaceMethod<[{
      The values it is differentiated by.
    }], "::mlir::ValueRange", "getWrt">
  ];
}

#endif
