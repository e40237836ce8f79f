// The passes of the stage `lower`, in pipeline order.
#ifndef GRADUS_COMPILER_LOWER_PASSES_TD
#define GRADUS_COMPILER_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

def GraphToLinalg : Pass<"graph-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "a kernel of graph ops as linalg on tensors";
  let description = [{
    Every op of `graph` becomes `linalg.generic`, a tensor movement, a loop over
    rows, an `arith.constant` or a `graph.native_call`. Broadcasts and transpositions are maps, so that they fuse
    into what reads them; a splat constant becomes a scalar inside the body.
    Booleans and bytes are `i8` from here on: one byte an element, as in the
    buffers of the runtime, whatever is done with vectors later.

    Derivatives must have been taken: `graph.gradient`, the pullbacks and
    `graph.custom` are refused.

    Tests: `test/lower/graph-to-linalg-*.mlir`,
    `test/lower/graph-to-linalg-errors.mlir`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def RepeatProducers : Pass<"graph-repeat-producers", "::mlir::func::FuncOp"> {
  let summary = "compute again what is read on both sides of a total";
  let description = [{
    A kernel that needs totals of its rows in those rows (a batch normalization
    and its gradient) walks them once up to each total. What cheap element-wise
    ops compute in an earlier walk is computed again in a later one, unless that
    reads more than it would take to store it. Test:
    test/lower/repeat-producers.mlir.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def FuseElementwise : Pass<"graph-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "merge element-wise ops into their first reader";
  let description = [{
    What one element-wise op computes and another reads is not stored. The
    producer goes into its first reader; if others read it too, the merged op
    gives both results. Upstream's patterns would compute it twice, and an
    optimizer's slot would be read after it was written over. Contractions take
    in transpositions only. Test: test/lower/fuse-elementwise.mlir.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def KernelsToDestinations
    : Pass<"graph-kernels-to-destinations", "::mlir::func::FuncOp"> {
  let summary = "pass the results of a kernel as buffers to write";
  let description = [{
    `(tensor arguments) -> (tensor results)` becomes `(buffers) -> ()`: the
    arguments in order, then one buffer per result. A result with the attribute
    `graph.updates = i : i32` gets no buffer of its own: it is written over
    argument i, in place where the last operation permits it and else by a copy
    at the end, after every read. Bufferization of a kernel therefore never
    looks beyond the kernel. Test: test/lower/kernels-to-destinations.mlir.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect"];
}

def CopiesToLinalg : Pass<"graph-copies-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "turn copies of buffers into linalg";
  let description = [{
    `memref.copy` of a strided buffer would become a call into a library that
    kernels do not have. As a `linalg.generic` it is scheduled like any other
    loop nest. Test: test/lower/copies-to-linalg.mlir.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def TileRows : Pass<"graph-tile-rows", "::mlir::func::FuncOp"> {
  let summary = "one loop over blocks of rows around all ops of a kernel";
  let description = [{
    Ops on buffers that all walk the same outer axes (a softmax, a layer
    normalization and its gradient, the heads of an attention) run block by block
    inside one loop over these axes. A block is as many rows as fit the nearest
    cache, at least one, and depends on the shape only. Buffers inside the kernel
    shrink to a block. Sums over all rows are added to in the loop, in up to 32
    parts that may run at once; what needs no row comes before or behind. Where
    rows need such sums, there is one loop up to each of them. A contraction is never split:
    it is inside only if all its operands have the rows.
    Test: test/lower/tile-rows.mlir.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def ScheduleKernels : Pass<"graph-schedule-kernels", "::mlir::func::FuncOp"> {
  let summary = "linalg on buffers as loops of vectors";
  let description = [{
    Each op gets the first schedule that fits: a contraction becomes register
    tiles over packed panels, with an element-wise reader of its result
    evaluated in registers; a reduction becomes a tree that depends on the shape
    only; an element-wise op becomes rows of vectors. The last vector of a row
    is masked, so every width takes the same path. Lanes of f32 divided by the
    same number are multiplied by its reciprocal: one more rounding, a tenth of
    the time. Sums of products are
    contracted to `math.fma` here and nowhere later (`vector.fma` would become
    `fmuladd`, which leaves the choice to LLVM). What no schedule fits becomes
    scalar loops. Tiles, and the width of vectors but in reductions, are those of
    the vector unit. Tests: test/lower/schedule-*.mlir.
  }];
  let options = [Option<"vectors", "vectors", "::gradus::lower::Vectors",
                        "::gradus::lower::Vectors::Avx512",
                        "the vector unit", "::gradus::lower::vectorsValues()">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def VectorMath : Pass<"graph-vector-math", "::mlir::func::FuncOp"> {
  let summary = "polynomials for exp, log, log1p, tanh and erf of f32";
  let description = [{
    A vector of f32 would be taken apart into calls of the C library; upstream's
    polynomials keep to a few units in the last place, but for results of exp
    below the smallest normal number, which are 0. f64 keeps the library: it is
    what checks derivatives. Test: test/lower/vector-math.mlir.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def SplitKernels : Pass<"graph-split-kernels", "::mlir::ModuleOp"> {
  let summary = "let several workers run a kernel together";
  let description = [{
    A kernel with a loop that is marked parallel, at the top of its body and with
    enough to do, gets the number of a worker, the number of workers and what
    `gradusBarrier` takes as further arguments, and the attribute `graph.split`.
    Each worker runs its part of the steps of such loops; or all steps, and its
    part of the parallel loops inside, where `graph.inside` says that this is
    better, or allows it and there are few steps. What else writes memory is left
    to the first one. Kernels with less to do stay as they are.
    Test: test/lower/split-kernels.mlir.
  }];
  let options = [Option<"worth", "worth", "int64_t", "64 * 1024",
                        "operations, a vector's counting as one, below which a "
                        "loop is not split">,
                 Option<"count", "workers", "int64_t", "2",
                        "how many run a kernel">];
  let dependentDialects = ["::mlir::scf::SCFDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::arith::ArithDialect"];
}

def PlaceScratch : Pass<"graph-place-scratch", "::mlir::func::FuncOp"> {
  let summary = "give every buffer inside a kernel its place";
  let description = [{
    A kernel allocates nothing. Buffers of at most 16 KiB together lie on the
    stack; else the kernel gets one more argument, a block of bytes whose size
    stands in its attribute `graph.scratch`, and each buffer a fixed offset in
    it. Buffers that are never alive together share bytes. In a kernel that is
    split among workers only those of which each has its own lie on the stack,
    and in the block there are as many of them as `workers`.
    Test: test/lower/place-scratch.mlir.
  }];
  let options = [Option<"workers", "workers", "int64_t", "1",
                        "how many may run a kernel at once">];
  let dependentDialects = ["::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect"];
}

def LoopsToLLVM : Pass<"graph-loops-to-llvm-dialect", "::mlir::ModuleOp"> {
  let summary = "kernels on buffers in LLVM dialect, a pointer per buffer";
  let description = [{
    The conversions of func, arith, math, memref, vector, cf, index and ub as
    one. Functions without an intrinsic become calls of the C library.
    Test: test/lower/loops-to-llvm.mlir.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def EntryPoints : Pass<"graph-entry-points", "::mlir::ModuleOp"> {
  let summary = "give each kernel the entry point the runtime calls";
  let description = [{
    `name(pointer, pointer, ...)` becomes the private `name.body`, and `name`
    takes one array of pointers (`KernelEntry` in runtime/Abi.h), so that the
    runtime calls every kernel alike. Test: test/lower/entry-points.mlir.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def VerifyKernels : Pass<"graph-verify-kernels", "::mlir::ModuleOp"> {
  let summary = "check that nothing in a kernel needs more than the processor";
  let description = [{
    A lowered kernel holds only LLVM dialect, no cast between type systems, and
    calls no function but those of native/Symbols.def: neither `malloc` nor any
    other source of memory. Nor is the choice left to LLVM whether a product is
    rounded (`fmuladd`). What breaks this is an error at the source location
    that the operation came from. Test: test/lower/verify-kernels-errors.mlir.
  }];
}

#endif
