// A loop that stays one, and what belongs to it: its terminator and its form as
// a list of kernels. Part of GraphOps.td.
#ifndef GRADUS_DIALECT_LOOPOPS_TD
#define GRADUS_DIALECT_LOOPOPS_TD

/// What `loop` and `rounds` have in common. Operands: values that each round
/// takes from the one before (`carried`), tensors of which round i reads row i
/// (`over`), values that all rounds read (`with`), and a truth value (`when`).
/// Results: the last `carried`, then what the rounds yielded, stacked on a new
/// first axis. If `when` is false no round runs: `carried` are the results, and
/// stacks hold nothing, which only loops may read that do not run then either.
class Graph_RoundsOp<string mnemonic, list<Trait> traits = []>
    : Op<GraphDialect, mnemonic, !listconcat(traits, [Pure,
        AttrSizedOperandSegments])> {
  dag common = (ins I64Attr:$rounds, UnitAttr:$reverse,
                Variadic<Graph_Tensor>:$carried, Variadic<Graph_Tensor>:$over,
                Variadic<Graph_Tensor>:$with, Optional<Graph_Tensor>:$when);
  let results = (outs Variadic<Graph_Tensor>:$values);
  string operandsFormat = [{
    $rounds (`reverse` $reverse^)? `carried` `(` $carried `)`
    `over` `(` $over `)` `with` `(` $with `)` (`when` `(` $when^ `)`)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def LoopOp : Graph_RoundsOp<"loop", [IsolatedFromAbove,
    SingleBlock,
    DeclareOpInterfaceMethods<Evaluable>,
    DeclareOpInterfaceMethods<Differentiable, ["masksCotangents"]>]> {
  let summary = "the same computation in each of many rounds";
  let description = [{
    Round i, for i from 0 up to `rounds` or, with `reverse`, down to 0, runs the
    body on: i, the values carried from the round before (in the first round the
    operands), row i of each tensor of `over`, and the operands of `with`. The
    body yields the values to carry on, then one value for row i of each stacked
    result. Its pullback is a loop in the other direction, under the same
    condition.

    ```mlir
    func.func @loop(%h: tensor<4xf32>, %x: tensor<9x4xf32>, %w: tensor<4xf32>)
        -> (tensor<4xf32>, tensor<9x4xf32>) {
      %last, %all = graph.loop 9 carried(%h) over(%x) with(%w)
          : (tensor<4xf32>, tensor<9x4xf32>, tensor<4xf32>)
            -> (tensor<4xf32>, tensor<9x4xf32>) {
      ^bb0(%i: tensor<i32>, %before: tensor<4xf32>, %row: tensor<4xf32>,
           %factor: tensor<4xf32>):
        %0 = graph.mul %before, %factor : tensor<4xf32>
        %next = graph.add %0, %row : tensor<4xf32>
        graph.yield %next, %next : tensor<4xf32>, tensor<4xf32>
      }
      return %last, %all : tensor<4xf32>, tensor<9x4xf32>
    }
    ```
  }];
  let arguments = common;
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = operandsFormat # " $body";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// Arguments of the body.
    ::mlir::BlockArgument counter();
    ::llvm::ArrayRef<::mlir::BlockArgument> carriedArguments();
    ::llvm::ArrayRef<::mlir::BlockArgument> overArguments();
    ::llvm::ArrayRef<::mlir::BlockArgument> withArguments();
    /// What the body yields: to carry on, and to stack.
    ::mlir::ValueRange carriedOn();
    ::mlir::ValueRange stacked();
    /// The results that are stacked.
    ::mlir::ResultRange stacks();
  }];
}

def YieldOp : Op<GraphDialect, "yield", [Pure, Terminator,
                                         HasParent<"LoopOp">]> {
  let summary = "what a round gives: the values to carry on, then its rows";
  let description = [{ See `graph.loop`. }];
  let arguments = (ins Variadic<Graph_Tensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def RoundsOp : Graph_RoundsOp<"rounds"> {
  let summary = "a loop whose body has become a list of kernel calls";
  let description = [{
    As `graph.loop`, with the body in a function of its own that takes the
    arguments of the body and returns what it yields. Lives only between
    `graph-form-kernels` and the plan that the runtime executes.
  }];
  let arguments = !con((ins FlatSymbolRefAttr:$body), common);
  let assemblyFormat = "$body " # operandsFormat;
}

#endif
