// The passes of the stage `fuse`, in pipeline order.
#ifndef GRADUS_COMPILER_FUSE_PASSES_TD
#define GRADUS_COMPILER_FUSE_PASSES_TD

include "mlir/Pass/PassBase.td"

def StoreResiduals : Pass<"graph-store-residuals", "::mlir::ModuleOp"> {
  let summary = "rounds that read what earlier rounds computed"
                ", where that is cheaper than computing it again";
  let description = [{
    A pullback's loop computes each round of the forward loop again, from the
    carried values that were saved. What took contractions is stacked by the
    forward loop and read instead: the fewest bytes that spare them all, as long
    as `budget` bytes are not exceeded by all stacks of the module.

    Tests: `test/fuse/store-residuals.mlir`; a minimum cut: `test/unit/fuse`.
  }];
  let options = [
    Option<"budget", "budget", "int64_t", "graph::defaultBudget",
           "bytes that loops may keep for later ones">
  ];
  let dependentDialects = ["::gradus::graph::GraphDialect"];
}

def HoistFromLoops : Pass<"graph-hoist-from-loops", "::mlir::ModuleOp"> {
  let summary = "work that rounds need not do, before and behind the loop";
  let description = [{
    What no round changes is computed before the loop. A product of each round
    with a matrix larger than its rows is one product for all rounds: of rows that
    the loop reads, before it; of rows that it stacks, or summed over rounds (the
    gradient of a recurrent weight), behind it. What has to be stacked for that
    counts against `budget`.

    Tests: `test/fuse/hoist-from-loops.mlir`.
  }];
  let options = [
    Option<"budget", "budget", "int64_t", "graph::defaultBudget",
           "bytes that loops may keep">
  ];
  let dependentDialects = ["::gradus::graph::GraphDialect"];
}

def FormKernels : Pass<"graph-form-kernels", "::mlir::ModuleOp"> {
  let summary = "a straight line of graph ops as a list of kernel calls";
  let description = [{
    Every public function of the module becomes a list of calls of kernels:
    private functions of graph ops with the attribute `graph.kernel`, whose
    value is the kind of loops it needs (`contraction`, `rows`, `columns`,
    `scalars`; one kernel `whole` with `fuse=false`). Equal kernels are one function. Between
    kernels only `graph.reshape` remains: it renames bytes and costs nothing.

    Which ops share a kernel is decided in `Clusters.h`; what is rewritten before
    stands in `CheaperForms.h`.

    Tests: `test/fuse/form-kernels-*.mlir`, `test/fuse/cheaper-forms.mlir`, for a
    whole step `test/fuse/mlp-step.mlir`; fused against unfused on random
    programs in `test/unit/fuse`.
  }];
  let options = [
    Option<"fuse", "fuse", "bool", "true",
           "false: one kernel for each function, the reference path">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def UpdateInPlace : Pass<"graph-update-in-place", "::mlir::ModuleOp"> {
  let summary = "results written where the arguments they replace lie";
  let description = [{
    A result with `graph.updates = i` is written over argument `i`. Kernel calls
    are reordered so that whatever reads the old value comes before; where that
    is impossible, the new value is computed aside and copied at the end. A
    kernel that reads what it replaces gets `graph.updates` on its result, in a
    copy of its own if it is shared with calls that do not.

    Tests: `test/fuse/update-in-place.mlir`.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def PlanMemory : Pass<"graph-plan-memory", "::mlir::ModuleOp"> {
  let summary = "a place for every value that crosses a kernel boundary";
  let description = [{
    Gives each call `graph.operands`: where its arguments, its results and its
    scratch (`graph.scratch` on the kernel: bytes) lie, as `"buffer 3"` (the
    caller's, see `Plan.h` for the numbers) or `"arena 640"` (bytes from the
    start of the arena, a multiple of 64), and each function
    `graph.arena_bytes`. Values whose lifetimes overlap never share bytes.

    Tests: `test/fuse/plan-memory.mlir`, `test/fuse/plan-memory-errors.mlir`.
  }];
}

def VerifyPlan : Pass<"graph-verify-plan", "::mlir::ModuleOp"> {
  let summary = "refuse a plan that would read bytes that are not there";
  let description = [{
    Follows what every byte holds through the finished list of calls, from the
    printed plan alone: an operand must hold the value that the program means,
    writes must not meet reads of the same call, everything lies in bounds and
    aligned, and at the end every result lies in its buffer. Runs in release
    builds too.

    Tests: `test/fuse/verify-plan-errors.mlir`.
  }];
}

#endif
