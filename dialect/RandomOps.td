// Random numbers. Part of GraphOps.td.
#ifndef GRADUS_DIALECT_RANDOMOPS_TD
#define GRADUS_DIALECT_RANDOMOPS_TD

def Law_uniform : I32EnumAttrCase<"uniform", 0>;
def Law_normal : I32EnumAttrCase<"normal", 1>;
def Graph_Law : I32EnumAttr<"Law", "how numbers are distributed", [
    Law_uniform, Law_normal]> {
  let cppNamespace = "::gradus::graph";
}

class Graph_WholeTensor<string shape, string type>
    : Type<CPred<"$_self == ::mlir::RankedTensorType::get({" # shape
                 # "}, ::mlir::IntegerType::get($_self.getContext(), 32))">,
           type>,
      BuildableType<"::mlir::RankedTensorType::get({" # shape
                    # "}, $_builder.getI32Type())">;
def Graph_DrawKey : Graph_WholeTensor<"3", "tensor<3xi32>">;
def Graph_Round : Graph_WholeTensor<"", "tensor<i32>">;

def RandomOp : Graph_InferredOp<"random"> {
  let summary = "random numbers, a pure function of the key";
  let description = [{
    Each element is a function of `key`, `round` and its place in the shape,
    and of nothing else: it is the same wherever and however often it is
    computed. The first two numbers of the key are that of Philox4x32-10; the
    third plus `round` tells the rounds of a loop apart. runtime/Philox.h says
    which words belong to an element.

    `uniform`: the upper 24 bits of a word w as a number in [0, 1).
    `normal`: sqrt(-2 log u) cos(2 pi v) of two words, by Box and Muller (1958).
    u is the single-precision number next to (w | 1) / 2^32, so that tails are
    true up to 6.66 standard deviations, beyond which lies 3e-11 of all;
    v is the upper 24 bits of the other word as a number in [-1/2, 1/2).

    Mean, deviation and bounds are arithmetic on these, so that derivatives flow
    to them. The numbers themselves have none.

    ```mlir
    func.func @random(%key: tensor<3xi32>, %i: tensor<i32>)
        -> tensor<4x10xf32> {
      %u = graph.random uniform %key shape [4, 10] of f32
      %z = graph.random normal %key round %i shape [4, 10] of f32
      %y = graph.mul %u, %z : tensor<4x10xf32>
      return %y : tensor<4x10xf32>
    }
    ```
  }];
  let arguments = (ins Graph_Law:$law, Graph_DrawKey:$key,
                   Optional<Graph_Round>:$round, DenseI64ArrayAttr:$shape,
                   TypeAttr:$element);
  let results = (outs Graph_Real:$y);
  let assemblyFormat =
      "$law $key (`round` $round^)? `shape` $shape `of` $element attr-dict";
}

#endif
