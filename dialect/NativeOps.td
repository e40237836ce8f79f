// Calls of C functions: of the user's, and what they and the runtime's become in
// kernels. Part of GraphOps.td.
#ifndef GRADUS_DIALECT_NATIVEOPS_TD
#define GRADUS_DIALECT_NATIVEOPS_TD

def ExternOp : Op<GraphDialect, "extern", [Pure]> {
  let summary = "a call of a C function of the user's";
  let description = [{
    `symbol` of `library` gets the address of each operand, whose elements lie
    dense and in row-major order, the address of its result, and `sizes`. It must
    be a pure function: it may be called any number of times, on any thread. Its
    derivative is not known, and taking it is refused; nor does the interpreter
    know its value.

    `axes` says for each axis of each operand which axis of the result it is, or
    -1: along these the function gives each element from the same ones of its
    operands.

    ```mlir
    func.func @extern(%x: tensor<8x3xf32>) -> tensor<8xf32> {
      %y = graph.extern "lengthsf" from "libfast.so"(%x) sizes [8, 3]
          axes [array<i64: 0, -1>] : (tensor<8x3xf32>) -> tensor<8xf32>
      return %y : tensor<8xf32>
    }
    ```
  }];
  let arguments = (ins StrAttr:$symbol, StrAttr:$library,
                   Variadic<Graph_Tensor>:$operands,
                   DenseI64ArrayAttr:$sizes,
                   TypedArrayAttrBase<DenseI64ArrayAttr, "lists of axes">:$axes);
  let results = (outs Graph_Real:$y);
  let assemblyFormat = [{
    $symbol `from` $library `(` $operands `)` `sizes` $sizes `axes` $axes
    attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// What compiled code calls: `LIBRARY:SYMBOL`.
    std::string getCallee();
  }];
  let hasVerifier = 1;
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
