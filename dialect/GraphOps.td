// The operations of `graph`, in the order: leaves, pointwise, linear,
// reductions, calculus.
#ifndef GRADUS_DIALECT_GRAPHOPS_TD
#define GRADUS_DIALECT_GRAPHOPS_TD

include "dialect/GraphDialect.td"
include "dialect/GraphInterfaces.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===-- Types ------------------------------------------------------------===//

def Graph_Real : StaticShapeTensorOf<[F32, F64]>;
def Graph_Bool : StaticShapeTensorOf<[I1]>;
def Graph_Tensor : StaticShapeTensorOf<[F32, F64, I1, I32, I64, UI8]>;
def Graph_Whole : StaticShapeTensorOf<[I32, I64]>;
def Graph_Scalar : 0DTensorOf<[F32, F64]>;
def Graph_Index : StaticShapeTensorOf<[I32]>;

//===-- Base classes -----------------------------------------------------===//

class Graph_Op<string mnemonic, list<Trait> traits = []>
    : Op<GraphDialect, mnemonic, !listconcat(
        [Pure, DeclareOpInterfaceMethods<Evaluable>], traits)>;

/// An op that infers its type from operands and attributes by `inferType`.
class Graph_InferredOp<string mnemonic, list<Trait> traits = []>
    : Graph_Op<mnemonic, !listconcat(traits,
        [InferTypeOpAdaptor])>;

/// y = f(x), element by element.
class Graph_UnaryOp<string mnemonic, string formula, list<Trait> traits = []>
    : Graph_Op<mnemonic, !listconcat(traits,
        [Elementwise, SameOperandsAndResultType])> {
  let summary = formula # ", element by element";
  let description = "`y[i] = " # formula # "`\n\n```mlir\n"
    # "func.func @" # mnemonic # "(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {\n"
    # "  %y = graph." # mnemonic # " %x : tensor<2x3xf32>\n"
    # "  return %y : tensor<2x3xf32>\n}\n```";
  let arguments = (ins Graph_Real:$x);
  let results = (outs Graph_Real:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
  let hasFolder = 1;
}

/// y = f(a, b), element by element, on operands of one type.
class Graph_BinaryOp<string mnemonic, string formula, list<Trait> traits = []>
    : Graph_Op<mnemonic, !listconcat(traits,
        [Elementwise, SameOperandsAndResultType])> {
  let summary = formula # ", element by element";
  let description = "`y[i] = " # formula # "`\n\n```mlir\n"
    # "func.func @" # mnemonic
    # "(%a: tensor<2x3xf32>, %b: tensor<2x3xf32>) -> tensor<2x3xf32> {\n"
    # "  %y = graph." # mnemonic # " %a, %b : tensor<2x3xf32>\n"
    # "  return %y : tensor<2x3xf32>\n}\n```";
  let arguments = (ins Graph_Real:$a, Graph_Real:$b);
  let results = (outs Graph_Real:$y);
  let assemblyFormat = "$a `,` $b attr-dict `:` type($y)";
  let hasFolder = 1;
}

/// Real in, real out, derivative zero everywhere it exists: the cotangent ends.
def ZeroDerivative : NativeOpTrait<"ZeroDerivative"> {
  let cppNamespace = "::gradus::graph";
}

/// Its derivative switches operands on and off: cotangents that come out of its
/// pullback are masked (see GraphDialect::maskedAttrName).
def Masking : NativeOpTrait<"Masking"> {
  let cppNamespace = "::gradus::graph";
}

//===-- Leaves -----------------------------------------------------------===//

def ConstantOp : Graph_Op<"constant", [ConstantLike,
    AllTypesMatch<["value", "y"]>]> {
  let summary = "a tensor known when compiling";
  let description = [{
    ```mlir
    func.func @constant() -> tensor<2x3xf32> {
      %y = graph.constant dense<1.0> : tensor<2x3xf32>
      return %y : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def IotaOp : Graph_InferredOp<"iota"> {
  let summary = "0, 1, 2, ...";
  let description = [{
    `y[i] = i`, one axis of `size` elements of type `element`.

    ```mlir
    func.func @iota() -> tensor<10xi32> {
      %y = graph.iota 10 of i32
      return %y : tensor<10xi32>
    }
    ```
  }];
  let arguments = (ins I64Attr:$size, TypeAttr:$element);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$size `of` $element attr-dict";
}

//===-- Pointwise --------------------------------------------------------===//

def NegOp : Graph_UnaryOp<"neg", "-x"> {
  let hasCanonicalizer = 1;
}
def ExpOp : Graph_UnaryOp<"exp", "e^x">;
def Expm1Op : Graph_UnaryOp<"expm1", "e^x - 1, accurate near 0">;
def LogOp : Graph_UnaryOp<"log", "the natural logarithm of x">;
def Log1pOp : Graph_UnaryOp<"log1p", "log(1 + x), accurate near 0">;
def TanhOp : Graph_UnaryOp<"tanh", "tanh(x)">;
def ErfOp : Graph_UnaryOp<"erf", "2/sqrt(pi) * integral of e^(-t^2) from 0 to x">;
def SqrtOp : Graph_UnaryOp<"sqrt", "the square root of x">;
def SinOp : Graph_UnaryOp<"sin", "sin(x)">;
def CosOp : Graph_UnaryOp<"cos", "cos(x)">;
def AtanOp : Graph_UnaryOp<"atan", "the angle whose tangent is x">;
def AbsOp : Graph_UnaryOp<"abs", "|x|; derivative 0 at 0">;
def SignOp : Graph_UnaryOp<"sign", "-1, 0 or 1; NaN stays NaN",
                           [ZeroDerivative]>;
def FloorOp : Graph_UnaryOp<"floor", "the largest whole number <= x",
                            [ZeroDerivative]>;

def AddOp : Graph_BinaryOp<"add", "a + b", [Commutative]> {
  let hasCanonicalizer = 1;
}
def SubOp : Graph_BinaryOp<"sub", "a - b"> {
  let hasCanonicalizer = 1;
}
def MulOp : Graph_BinaryOp<"mul", "a * b", [Commutative]> {
  let hasCanonicalizer = 1;
}
def DivOp : Graph_BinaryOp<"div", "a / b">;
def PowOp : Graph_BinaryOp<"pow", "a^b">;
def MaxOp : Graph_BinaryOp<"max", "the larger of a and b; NaN if either is; "
                           "ties share the derivative", [Commutative, Masking]>;
def MinOp : Graph_BinaryOp<"min", "the smaller of a and b; NaN if either is; "
                           "ties share the derivative", [Commutative, Masking]>;
def StrongMulOp : Graph_BinaryOp<"strong_mul",
    "0 if a or b is 0 (even if the other is infinite or NaN), else a * b",
    [Commutative, Masking]> {
  let hasCanonicalizer = 1;
}

def Predicate_eq : I32EnumAttrCase<"eq", 0>;
def Predicate_ne : I32EnumAttrCase<"ne", 1>;
def Predicate_lt : I32EnumAttrCase<"lt", 2>;
def Predicate_le : I32EnumAttrCase<"le", 3>;
def Predicate_gt : I32EnumAttrCase<"gt", 4>;
def Predicate_ge : I32EnumAttrCase<"ge", 5>;
def Graph_Predicate : I32EnumAttr<"Predicate", "how `compare` compares", [
    Predicate_eq, Predicate_ne, Predicate_lt, Predicate_le, Predicate_gt,
    Predicate_ge]> {
  let cppNamespace = "::gradus::graph";
}

def CompareOp : Graph_InferredOp<"compare", [Elementwise,
    SameTypeOperands, SameOperandsAndResultShape]> {
  let summary = "element-wise comparison";
  let description = [{
    `y[i] = a[i] <predicate> b[i]`; with NaN only `ne` holds.

    ```mlir
    func.func @compare(%a: tensor<3xf32>, %b: tensor<3xf32>) -> tensor<3xi1> {
      %y = graph.compare gt %a, %b : tensor<3xf32>
      return %y : tensor<3xi1>
    }
    ```
  }];
  let arguments = (ins Graph_Predicate:$predicate, Graph_Tensor:$a,
                   Graph_Tensor:$b);
  let results = (outs Graph_Bool:$y);
  let assemblyFormat = "$predicate $a `,` $b attr-dict `:` type($a)";
  let hasFolder = 1;
}

def SelectOp : Graph_Op<"select", [Elementwise, Masking,
    AllTypesMatch<["a", "b", "y"]>,
    TypesMatchWith<"the condition has the shape of the operands", "y",
                   "condition", "maskTypeOf($_self)">]> {
  let summary = "a where the condition holds, else b";
  let description = [{
    `y[i] = condition[i] ? a[i] : b[i]`. The derivative of the operand that was
    not taken is zero, whatever its value.

    ```mlir
    func.func @select(%c: tensor<3xi1>, %a: tensor<3xf32>, %b: tensor<3xf32>)
        -> tensor<3xf32> {
      %y = graph.select %c, %a, %b : tensor<3xf32>
      return %y : tensor<3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Bool:$condition, Graph_Tensor:$a, Graph_Tensor:$b);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$condition `,` $a `,` $b attr-dict `:` type($y)";
  let hasFolder = 1;
}

def Arithmetic_add : I32EnumAttrCase<"add", 0>;
def Arithmetic_sub : I32EnumAttrCase<"sub", 1>;
def Arithmetic_mul : I32EnumAttrCase<"mul", 2>;
def Arithmetic_floor_div : I32EnumAttrCase<"floor_div", 3>;
def Arithmetic_remainder : I32EnumAttrCase<"remainder", 4>;
def Arithmetic_max : I32EnumAttrCase<"max", 5>;
def Arithmetic_min : I32EnumAttrCase<"min", 6>;
def Graph_Arithmetic : I32EnumAttr<"Arithmetic", "what `whole` computes", [
    Arithmetic_add, Arithmetic_sub, Arithmetic_mul, Arithmetic_floor_div,
    Arithmetic_remainder, Arithmetic_max, Arithmetic_min]> {
  let cppNamespace = "::gradus::graph";
}

def WholeOp : Graph_Op<"whole", [Elementwise, SameOperandsAndResultType]> {
  let summary = "arithmetic of whole numbers, element by element";
  let description = [{
    `y[i] = a[i] <formula> b[i]` modulo the size of the type. `floor_div` rounds
    down and `remainder` has the sign of b, so that a is
    `floor_div(a, b) * b + remainder(a, b)`; by 0 the one is 0, the other a.

    ```mlir
    func.func @whole(%a: tensor<3xi32>, %b: tensor<3xi32>) -> tensor<3xi32> {
      %y = graph.whole floor_div %a, %b : tensor<3xi32>
      return %y : tensor<3xi32>
    }
    ```
  }];
  let arguments = (ins Graph_Arithmetic:$formula, Graph_Whole:$a,
                   Graph_Whole:$b);
  let results = (outs Graph_Whole:$y);
  let assemblyFormat = "$formula $a `,` $b attr-dict `:` type($y)";
}

def ConvertOp : Graph_InferredOp<"convert", [Elementwise]> {
  let summary = "to another element type";
  let description = [{
    Whole numbers and booleans (0 or 1) to reals and back; real to whole rounds
    towards zero, beyond the range of the type to its nearest end, NaN to 0;
    whole to whole is modulo the size of the type; to boolean asks whether it is
    not 0.

    ```mlir
    func.func @convert(%x: tensor<28x28xui8>) -> tensor<28x28xf32> {
      %y = graph.convert %x to f32 : tensor<28x28xui8>
      return %y : tensor<28x28xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Tensor:$x, TypeAttr:$element);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x `to` $element attr-dict `:` type($x)";
  let hasFolder = 1;
}

//===-- Linear -----------------------------------------------------------===//

def EinsumOp : Graph_InferredOp<"einsum"> {
  let summary = "product of two tensors summed over shared indices";
  let description = [{
    `y[result indices] = sum over the others (a[...] * b[...])`, one letter an
    index. **Every index occurs in at least two of {a, b, y}**, and no tensor
    has an index twice; the law is symmetric in the three, so the transpose of
    an einsum is an einsum with two of the three index lists swapped.

    ```mlir
    func.func @einsum(%a: tensor<4x3xf32>, %b: tensor<3x2xf32>)
        -> tensor<4x2xf32> {
      %y = graph.einsum "ij,jk->ik" %a, %b : tensor<4x3xf32>, tensor<3x2xf32>
      return %y : tensor<4x2xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$a, Graph_Real:$b, StrAttr:$spec);
  let results = (outs Graph_Real:$y);
  let hasCanonicalizer = 1;
  let assemblyFormat = "$spec $a `,` $b attr-dict `:` type($a) `,` type($b)";
}

def SumOp : Graph_InferredOp<"sum"> {
  let summary = "sum over axes";
  let description = [{
    The axes `dims` (ascending) are summed and dropped. Transpose of
    `broadcast`.

    ```mlir
    func.func @sum(%x: tensor<4x3x2xf32>) -> tensor<3xf32> {
      %y = graph.sum %x over [0, 2] : tensor<4x3x2xf32>
      return %y : tensor<3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$x, DenseI64ArrayAttr:$dims);
  let results = (outs Graph_Real:$y);
  let assemblyFormat = "$x `over` $dims attr-dict `:` type($x)";
  let hasFolder = 1;
}

def BroadcastOp : Graph_InferredOp<"broadcast"> {
  let summary = "new axes along which the value repeats";
  let description = [{
    The result has new axes at the positions `dims` (ascending, counted in the
    result) of the given `sizes`. Transpose of `sum`.

    ```mlir
    func.func @broadcast(%x: tensor<3xf32>) -> tensor<4x3xf32> {
      %y = graph.broadcast %x along [0] sizes [4] : tensor<3xf32>
      return %y : tensor<4x3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Tensor:$x, DenseI64ArrayAttr:$dims,
                   DenseI64ArrayAttr:$sizes);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x `along` $dims `sizes` $sizes attr-dict `:` type($x)";
  let hasFolder = 1;
}

def TransposeOp : Graph_InferredOp<"transpose"> {
  let summary = "axes in another order";
  let description = [{
    Axis `i` of the result is axis `permutation[i]` of `x`. Its transpose is the
    inverse permutation.

    ```mlir
    func.func @transpose(%x: tensor<4x3xf32>) -> tensor<3x4xf32> {
      %y = graph.transpose %x by [1, 0] : tensor<4x3xf32>
      return %y : tensor<3x4xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Tensor:$x, DenseI64ArrayAttr:$permutation);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x `by` $permutation attr-dict `:` type($x)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def ReshapeOp : Graph_InferredOp<"reshape"> {
  let summary = "the same elements, in row-major order, under another shape";
  let description = [{
    ```mlir
    func.func @reshape(%x: tensor<4x28x28xf32>) -> tensor<4x784xf32> {
      %y = graph.reshape %x to [4, 784] : tensor<4x28x28xf32>
      return %y : tensor<4x784xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Tensor:$x, DenseI64ArrayAttr:$shape);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x `to` $shape attr-dict `:` type($x)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def SliceOp : Graph_InferredOp<"slice"> {
  let summary = "a box out of a tensor";
  let description = [{
    `y[i] = x[offsets + i]` for `i` below `sizes`. Transpose of `pad`.

    ```mlir
    func.func @slice(%x: tensor<4x3xf32>) -> tensor<2x3xf32> {
      %y = graph.slice %x from [1, 0] sizes [2, 3] : tensor<4x3xf32>
      return %y : tensor<2x3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Tensor:$x, DenseI64ArrayAttr:$offsets,
                   DenseI64ArrayAttr:$sizes);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat =
      "$x `from` $offsets `sizes` $sizes attr-dict `:` type($x)";
  let hasFolder = 1;
}

def PadOp : Graph_InferredOp<"pad"> {
  let summary = "zeros around a tensor";
  let description = [{
    `low` zeros before and `high` zeros after each axis. Transpose of `slice`.

    ```mlir
    func.func @pad(%x: tensor<2x3xf32>) -> tensor<4x3xf32> {
      %y = graph.pad %x low [1, 0] high [1, 0] : tensor<2x3xf32>
      return %y : tensor<4x3xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$x, DenseI64ArrayAttr:$low,
                   DenseI64ArrayAttr:$high);
  let results = (outs Graph_Real:$y);
  let assemblyFormat = "$x `low` $low `high` $high attr-dict `:` type($x)";
  let hasFolder = 1;
}

def ConcatOp : Graph_InferredOp<"concat",
    [DeclareOpInterfaceMethods<Differentiable>]> {
  let summary = "tensors one after another along an axis";
  let description = [{
    Operands agree on all axes but `dim`. Its transpose is a `slice` for each
    operand.

    ```mlir
    func.func @concat(%a: tensor<2x3xf32>, %b: tensor<1x3xf32>)
        -> tensor<3x3xf32> {
      %y = graph.concat %a, %b along 0 : tensor<2x3xf32>, tensor<1x3xf32>
      return %y : tensor<3x3xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Graph_Tensor>:$operands, I64Attr:$dim);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$operands `along` $dim attr-dict `:` type($operands)";
}

include "dialect/LinearAlgebraOps.td"
include "dialect/NativeOps.td"
include "dialect/RandomOps.td"
include "dialect/RowOps.td"
include "dialect/WindowOps.td"

//===-- Reductions -------------------------------------------------------===//

def ReduceMaxOp : Graph_InferredOp<"reduce_max", [Masking]> {
  let summary = "the largest element along axes";
  let description = [{
    The axes `dims` (ascending) are dropped. NaN if one of the elements is NaN.
    Elements that tie for the maximum share its derivative evenly.

    ```mlir
    func.func @reduce_max(%x: tensor<4x3xf32>) -> tensor<4xf32> {
      %y = graph.reduce_max %x over [1] : tensor<4x3xf32>
      return %y : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$x, DenseI64ArrayAttr:$dims);
  let results = (outs Graph_Real:$y);
  let assemblyFormat = "$x `over` $dims attr-dict `:` type($x)";
}

def WholeReduceOp : Graph_InferredOp<"whole_reduce"> {
  let summary = "whole numbers combined along axes";
  let description = [{
    The axes `dims` (ascending) are dropped; `formula` is `add`, `mul`, `max` or
    `min`.

    ```mlir
    func.func @whole_reduce(%x: tensor<4x3xi32>) -> tensor<4xi32> {
      %y = graph.whole_reduce add %x over [1] : tensor<4x3xi32>
      return %y : tensor<4xi32>
    }
    ```
  }];
  let arguments = (ins Graph_Arithmetic:$formula, Graph_Whole:$x,
                   DenseI64ArrayAttr:$dims);
  let results = (outs Graph_Whole:$y);
  let assemblyFormat = "$formula $x `over` $dims attr-dict `:` type($x)";
}

def ArgmaxOp : Graph_InferredOp<"argmax"> {
  let summary = "the index of the first largest element along an axis";
  let description = [{
    NaN counts as the largest.

    ```mlir
    func.func @argmax(%x: tensor<4x10xf32>) -> tensor<4xi32> {
      %y = graph.argmax %x over 1 : tensor<4x10xf32>
      return %y : tensor<4xi32>
    }
    ```
  }];
  let arguments = (ins Graph_Real:$x, I64Attr:$dim);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x `over` $dim attr-dict `:` type($x)";
}

include "dialect/LoopOps.td"
include "dialect/CalculusOps.td"

#endif
