// Derivatives before they are taken, what stops them, and functions that bring
// their own. Part of GraphOps.td.
#ifndef GRADUS_DIALECT_CALCULUSOPS_TD
#define GRADUS_DIALECT_CALCULUSOPS_TD

/// An op that stands for a derivative until differentiate replaces it; it has
/// no value of its own.
class Graph_CalculusOp<string mnemonic, list<Trait> traits = []>
    : Op<GraphDialect, mnemonic, !listconcat([Pure], traits)>;

/// A derivative of `ys` by the values `wrt`: `graph-expand-gradients` replaces
/// it.
class Graph_DerivativeOp<string mnemonic, list<Trait> traits = []>
    : Graph_CalculusOp<mnemonic, !listconcat(traits,
        [InferTypeOpAdaptor, Derivative])>;

def GradientOp : Graph_DerivativeOp<"gradient"> {
  let summary = "the derivative of a scalar with respect to values";
  let description = [{
    One result for each value after `wrt`, of its type: the total derivative of
    `y` along every path from that value to `y`, the value itself taken as
    independent. Dissolved by `graph-expand-gradients`.

    ```mlir
    func.func @gradient(%x: tensor<f32>) -> tensor<f32> {
      %y = graph.mul %x, %x : tensor<f32>
      %dx = graph.gradient %y wrt %x : tensor<f32>, tensor<f32>
      return %dx : tensor<f32>
    }
    ```
  }];
  let arguments = (ins Graph_Scalar:$y, Variadic<Graph_Real>:$wrt);
  let results = (outs Variadic<Graph_Real>:$gradients);
  let assemblyFormat =
      "$y `wrt` $wrt attr-dict `:` type($y) `,` type($wrt)";
  let extraClassDeclaration = [{
    ::mlir::ValueRange getYs() { return getOperands().take_front(); }
  }];
}

def VjpOp : Graph_DerivativeOp<"vjp", [AttrSizedOperandSegments]> {
  let summary = "cotangents of values, from those of what depends on them";
  let description = [{
    As `graph.gradient`, of any number of values `ys` with cotangents `seeds`:
    one result for each value after `wrt`, of its type, zero where no path leads
    from it to a value of `ys`.

    ```mlir
    func.func @vjp(%x: tensor<3xf32>, %dy: tensor<3xf32>) -> tensor<3xf32> {
      %y = graph.mul %x, %x : tensor<3xf32>
      %dx = graph.vjp %y seeds %dy wrt %x
          : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
      return %dx : tensor<3xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Graph_Real>:$ys, Variadic<Graph_Real>:$seeds,
                   Variadic<Graph_Real>:$wrt);
  let results = (outs Variadic<Graph_Real>:$cotangents);
  let assemblyFormat = [{
    $ys `seeds` $seeds `wrt` $wrt attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def JvpOp : Graph_DerivativeOp<"jvp", [AttrSizedOperandSegments]> {
  let summary = "how values change as others move along a direction";
  let description = [{
    One result for each value of `ys`, of its type: the derivatives of it by the
    values after `wrt`, each times its direction, added up. A `vjp` is linear in
    its seeds, so this is the `vjp` of a `vjp` by seeds that nothing is read of;
    what only they need is dead then.

    ```mlir
    func.func @jvp(%x: tensor<3xf32>, %dx: tensor<3xf32>) -> tensor<3xf32> {
      %y = graph.mul %x, %x : tensor<3xf32>
      %dy = graph.jvp %y wrt %x along %dx
          : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
      return %dy : tensor<3xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Graph_Real>:$ys, Variadic<Graph_Real>:$wrt,
                   Variadic<Graph_Real>:$directions);
  let results = (outs Variadic<Graph_Real>:$tangents);
  let assemblyFormat = [{
    $ys `wrt` $wrt `along` $directions attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def JacobianOp : Graph_DerivativeOp<"jacobian"> {
  let summary = "all derivatives of the elements of one value by others";
  let description = [{
    One result for each value after `wrt`: its axes are those of `y`, then those
    of the value.

    ```mlir
    func.func @jacobian(%x: tensor<3xf32>) -> tensor<3x3xf32> {
      %y = graph.mul %x, %x : tensor<3xf32>
      %J = graph.jacobian %y wrt %x : tensor<3xf32>, tensor<3xf32>
      return %J : tensor<3x3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$y, Variadic<Graph_Real>:$wrt);
  let results = (outs Variadic<Graph_Real>:$jacobians);
  let assemblyFormat =
      "$y `wrt` $wrt attr-dict `:` type($y) `,` type($wrt)";
  let extraClassDeclaration = [{
    ::mlir::ValueRange getYs() { return getOperands().take_front(); }
  }];
}

foreach n = [1, 2, 3] in
def "Pullback" # n # "Op" : Graph_CalculusOp<"pullback" # n> {
  let summary = "the cotangents of the operands of the op that gave y";
  let description = [{
    Stands for the pullback of the op that defines `y`: from the cotangent of
    its result to those of its real operands, in order. Lives only between
    `graph-expand-gradients`, which writes it, and `graph-apply-derivatives`,
    which replaces it by the formula in `Derivatives.td`. The number of results
    is part of the name because a rewrite rule needs a fixed one.
  }];
  let arguments = (ins Graph_Real:$dy, Graph_Real:$y);
  let results = !dag(outs, !listsplat(Graph_Real, n),
                     !foreach(i, !range(n), "dx" # i));
  let assemblyFormat =
      "$dy `,` $y attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===-- Many rows at once -------------------------------------------------===//

def SeedOp : Graph_CalculusOp<"seed"> {
  let summary = "zeros but for one element, which is 1";
  let description = [{
    Which element that is stays open: `graph.rows` computes for each of them
    what depends on this one. Written and dissolved while derivatives are taken.

    ```mlir
    func.func @seed() -> tensor<3xf32> {
      %y = graph.seed : tensor<3xf32>
      return %y : tensor<3xf32>
    }
    ```
  }];
  let results = (outs Graph_Real:$y);
  let assemblyFormat = "attr-dict `:` type($y)";
}

def RowsOp : Graph_CalculusOp<"rows", [InferTypeOpAdaptor]> {
  let summary = "values for every place that the 1 of a seed can have";
  let description = [{
    One result for each of `values`, which are functions of `seed`: its axes are
    those of the seed, which say where the 1 is, then those of the value.
    Dissolved by `graph-batch`.

    ```mlir
    func.func @rows(%x: tensor<3xf32>) -> tensor<3x3xf32> {
      %e = graph.seed : tensor<3xf32>
      %y = graph.mul %x, %e : tensor<3xf32>
      %diagonal = graph.rows %y of %e : tensor<3xf32>, tensor<3xf32>
      return %diagonal : tensor<3x3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$seed, Variadic<Graph_Real>:$values);
  let results = (outs Variadic<Graph_Real>:$all);
  let assemblyFormat =
      "$values `of` $seed attr-dict `:` type($seed) `,` type($values)";
}

def EachOp : Graph_CalculusOp<"each", [InferTypeOpAdaptor]> {
  let summary = "a row of x, whichever";
  let description = [{
    Row p of x, its value at index p of the first axis, for a p that stays open.
    The rules of `Batching.td` move it behind what is computed of it.

    ```mlir
    func.func @each(%x: tensor<4x3xf32>) -> tensor<3xf32> {
      %y = graph.each %x : tensor<4x3xf32>
      return %y : tensor<3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Tensor:$x);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

def DiagonalOp : Graph_CalculusOp<"diagonal", [SameOperandsAndResultType]> {
  let summary = "x with zeros but at one index of an axis, whichever";
  let description = [{
    Row p, for a p that stays open, of `rows` = [first, count]: what x has at
    index `p - first` of `axis`, and zeros at all other indices of it. Nothing
    but what may differ from zero is there.

    ```mlir
    func.func @diagonal(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
      %y = graph.diagonal %x along 0 rows [2, 6] : tensor<4x3xf32>
      return %y : tensor<4x3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$x, I64Attr:$axis, DenseI64ArrayAttr:$rows);
  let results = (outs Graph_Real:$y);
  let assemblyFormat = "$x `along` $axis `rows` $rows attr-dict `:` type($x)";
}

//===-- What derivatives stop at ------------------------------------------===//

def StopOp : Graph_UnaryOp<"stop", "x, taken as a constant by derivatives",
                           [ZeroDerivative]>;

def CustomOp : Graph_Op<"custom", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<Differentiable, ["masksCotangents"]>]> {
  let summary = "a call of a function that brings its own derivative";
  let description = [{
    `forward` takes the operands and gives one value. `backward` takes the
    operands, the value and its cotangent, and gives one cotangent for each real
    operand; being ordinary graph, it is differentiated again for higher orders.
    The call is opaque until all derivatives are taken and is inlined then.

    ```mlir
    func.func private @relu(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = graph.constant dense<0.0> : tensor<4xf32>
      %y = graph.max %x, %0 : tensor<4xf32>
      return %y : tensor<4xf32>
    }
    func.func private @relu_backward(%x: tensor<4xf32>, %y: tensor<4xf32>,
                                     %dy: tensor<4xf32>) -> tensor<4xf32> {
      %0 = graph.constant dense<0.0> : tensor<4xf32>
      %taken = graph.compare gt %x, %0 : tensor<4xf32>
      %dx = graph.select %taken, %dy, %0 : tensor<4xf32>
      return %dx : tensor<4xf32>
    }
    func.func @custom(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = graph.custom @relu(%x) backward @relu_backward
          : (tensor<4xf32>) -> tensor<4xf32>
      return %y : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$forward,
                   Variadic<Graph_Tensor>:$operands,
                   FlatSymbolRefAttr:$backward);
  let results = (outs Graph_Real:$y);
  let assemblyFormat = [{
    $forward `(` $operands `)` `backward` $backward attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif
