// The dialect itself; its description is the page a newcomer reads first.
#ifndef GRADUS_DIALECT_GRAPHDIALECT_TD
#define GRADUS_DIALECT_GRAPHDIALECT_TD

include "mlir/IR/OpBase.td"

def GraphDialect : Dialect {
  let name = "graph";
  let cppNamespace = "::gradus::graph";
  let summary = "computation graphs of training steps, closed under "
                "differentiation";
  let description = [{
    A `graph` program is a straight line of operations on tensors of static
    shape: pure values, no memory, no loops over elements (`graph.loop` repeats a
    straight line of its own). It is what a model file means once its dims are numbers, and it is the only level at which
    derivatives are taken.

    Three laws hold:

    - **Nothing implicit.** Operands of a pointwise op have one type; a
      broadcast, a conversion or a transposition is an op of its own.
    - **Every op infers its result type**, so that rewrites written as formulas
      (`Derivatives.td`, `Identities.td`) need no types.
    - **The set is small and closed.** Linear ops come in pairs that are each
      other's transpose (`sum`/`broadcast`, `slice`/`pad`, `einsum`/`einsum`,
      `transpose`, `reshape`); the derivative of an op is written with ops of
      the dialect and can be differentiated again, to any order.

    Real tensors (`f32`, `f64`) carry derivatives; `i1`, `i32`, `i64` and `ui8`
    tensors do not. A scalar is a tensor of rank 0.
  }];
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    /// The unit attribute on a pullback whose cotangent comes from a mask (a
    /// branch of `select`, a tie of `max`): a zero in it means "not taken", and
    /// must win against an infinite or undefined local derivative.
    static constexpr ::llvm::StringLiteral maskedAttrName = "graph.masked";
    /// On the ops of a `backward` body that is not linear in its cotangent: the
    /// name of the function; differentiating them again is refused.
    static constexpr ::llvm::StringLiteral nonlinearAttrName =
        "graph.nonlinear_backward";
    /// On a derivative: what the user calls y and each value it is taken by.
    /// Values of one name are one value to the user; if the derivative by all
    /// of them is zero, it is refused.
    static constexpr ::llvm::StringLiteral namesAttrName = "graph.names";
  }];
}

#endif
