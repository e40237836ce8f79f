// The passes of this stage, in pipeline order.
#ifndef GRADUS_COMPILER_DIFFERENTIATE_PASSES_TD
#define GRADUS_COMPILER_DIFFERENTIATE_PASSES_TD

include "mlir/Pass/PassBase.td"

def Budget : Option<"budget", "budget", "int64_t", "graph::defaultBudget",
                    "bytes that derivatives may keep">;

def ExpandGradients : Pass<"graph-expand-gradients", "::mlir::ModuleOp"> {
  let summary = "Write the reverse walk of each gradient with pullbacks";
  let description = [{
    Replaces each `graph.gradient` and `graph.vjp` whose slice is plain graph by
    the reverse walk over that slice: one `graph.pullbackN` an op and `graph.add`
    where a value is used more than once. It knows no op by name. A gradient that depends on
    another one's pullbacks waits for the next round
    (test/differentiate/gradient-of-gradient.mlir).
    A cotangent that descends from a mask makes its pullback `graph.masked`
    (test/differentiate/masked-cotangents.mlir).
    A `graph.jvp` becomes the vjp of a vjp by its seeds
    (test/differentiate/jvp.mlir), a `graph.jacobian` the vjp or jvp of a seed
    (test/differentiate/jacobian.mlir).
    Loops whose pullbacks would keep more than `budget` bytes of carried values
    become loops over segments first (test/differentiate/checkpoint.mlir).
  }];
  let options = [Budget];
  let dependentDialects = ["::gradus::graph::GraphDialect"];
}

def ApplyDerivatives : Pass<"graph-apply-derivatives", "::mlir::ModuleOp"> {
  let summary = "Replace pullbacks by the formulas of the derivative table";
  let description = [{
    Applies the rewrite rules generated from `dialect/Derivatives.td`. The
    `strong_mul` in which a formula meets an unmasked cotangent becomes a plain
    `mul`. A pullback without a rule is an error at its source line
    (test/differentiate/errors.mlir).
  }];
  let dependentDialects = ["::gradus::graph::GraphDialect"];
}

def BatchRows : Pass<"graph-batch", "::mlir::ModuleOp"> {
  let summary = "Compute all rows of a Jacobian at once";
  let description = [{
    Replaces each `graph.rows` of values that are plain graph by ops on all rows,
    by the rewrite rules generated from `dialect/Batching.td`, or by a loop over
    blocks of rows if that takes more than `budget` bytes
    (test/differentiate/batch.mlir).
  }];
  let options = [Budget];
  let dependentDialects = ["::gradus::graph::GraphDialect"];
}

def Differentiate : Pass<"graph-differentiate", "::mlir::ModuleOp"> {
  let summary = "Take all derivatives, of any order";
  let description = [{
    Alternates the three passes above, innermost gradients first, until no
    gradient is left, then puts the bodies of custom functions in the place of
    their calls (test/differentiate/inline-customs.mlir).
  }];
  let options = [Budget];
  let dependentDialects = ["::gradus::graph::GraphDialect"];
}

#endif
