// The table of derivatives: for each differentiable op its pullback, the
// cotangents of its real operands from the cotangent dy of its result. One line
// an op; applied by compiler/differentiate/ApplyDerivatives.cpp.
//
// A cotangent meets a local derivative through `strong_mul`, in which zero wins:
// a branch that was not taken contributes nothing even where its derivative is
// infinite. Where dy does not come from a mask, the strong_mul becomes a plain
// mul as soon as the rule is applied.
//
// Closure: an op on a right-hand side has a rule here, implements
// `Differentiable`, or has the trait `ZeroDerivative`, or its operands are not
// real. tools/docs/derivatives.py checks this and prints the table.
#ifndef GRADUS_DIALECT_DERIVATIVES_TD
#define GRADUS_DIALECT_DERIVATIVES_TD

include "dialect/GraphOps.td"
include "mlir/IR/PatternBase.td"

defvar Pullbacks = [Pullback1Op, Pullback2Op, Pullback3Op];

/// The pullback of `forward` has the given results, one for each real operand.
class Vjp<dag forward, list<dag> gradients>
    : Pattern<!setdagop((Pullback1Op $dy, forward),
                        Pullbacks[!sub(!size(gradients), 1)]),
              gradients>;

//===-- What the table calls by name (dialect/Duals.cpp) ------------------===//

/// A splat constant of the type of the argument.
class Fill<string value>
    : NativeCodeCall<"fillLike($_builder, $_loc, $0, " # value # ")">;

def Inverse : NativeCodeCall<"inversePermutation($_builder, $0)">;
def WrtA : NativeCodeCall<"einsumWrtA($_builder, $0)">;
def WrtB : NativeCodeCall<"einsumWrtB($_builder, $0)">;
def SizesAlong : NativeCodeCall<"sizesAlong($_builder, $0, $1)">;
def ShapeOf : NativeCodeCall<"shapeOf($_builder, $0)">;
def ElementOf : NativeCodeCall<"elementOf($0)">;
def TapsOf : NativeCodeCall<"tapsOf($_builder, $0, $1)">;
def RowsOf : NativeCodeCall<"rowsOf($_builder, $0)">;
/// A contraction of matrices over the last axes, the leading ones in common.
class Matrices<string spec>
    : NativeCodeCall<"matrixSpec($_builder, $0, \"" # spec # "\")">;
def SwapLast : NativeCodeCall<"swapLastAxes($_builder, $0)">;
def HalfLower : NativeCodeCall<"halfLower($_builder, $_loc, $0)">;
def RoomAfter : NativeCodeCall<"roomAfter($_builder, $0, $1, $2)">;

defvar Exceeds = ConstantEnumCase<Graph_Predicate, "gt">;
defvar Equals = ConstantEnumCase<Graph_Predicate, "eq">;

//===-- Section 1: pointwise ----------------------------------------------===//

def : Vjp<(NegOp $x), [(NegOp $dy)]>;
def : Vjp<(ExpOp:$y $x), [(StrongMulOp $dy, $y)]>;
def : Vjp<(Expm1Op:$y $x), [(StrongMulOp $dy, (AddOp $y, (Fill<"1"> $x)))]>;
def : Vjp<(LogOp $x), [(StrongMulOp $dy, (DivOp (Fill<"1"> $x), $x))]>;
def : Vjp<(Log1pOp $x),
          [(StrongMulOp $dy, (DivOp (Fill<"1"> $x), (AddOp (Fill<"1"> $x), $x)))]>;
def : Vjp<(TanhOp:$y $x),
          [(StrongMulOp $dy, (SubOp (Fill<"1"> $x), (MulOp $y, $y)))]>;
def : Vjp<(ErfOp $x),
          [(StrongMulOp $dy, (MulOp (Fill<"1.1283791670955125739"> $x),
                                    (ExpOp (NegOp (MulOp $x, $x)))))]>;
def : Vjp<(SqrtOp:$y $x), [(StrongMulOp $dy, (DivOp (Fill<"0.5"> $x), $y))]>;
def : Vjp<(SinOp $x), [(StrongMulOp $dy, (CosOp $x))]>;
def : Vjp<(CosOp $x), [(StrongMulOp $dy, (NegOp (SinOp $x)))]>;
def : Vjp<(AtanOp $x),
          [(StrongMulOp $dy, (DivOp (Fill<"1"> $x),
                                    (AddOp (Fill<"1"> $x), (MulOp $x, $x))))]>;
def : Vjp<(AbsOp $x), [(StrongMulOp $dy, (SignOp $x))]>;

def : Vjp<(AddOp $a, $b), [(replaceWithValue $dy), (replaceWithValue $dy)]>;
def : Vjp<(SubOp $a, $b), [(replaceWithValue $dy), (NegOp $dy)]>;
def : Vjp<(MulOp $a, $b), [(StrongMulOp $dy, $b), (StrongMulOp $dy, $a)]>;
def : Vjp<(DivOp:$y $a, $b),
          [(StrongMulOp $dy, (DivOp (Fill<"1"> $b), $b)),
           (NegOp (StrongMulOp $dy, (DivOp $y, $b)))]>;
// The factors b and y are strong, too: at a = 0 a power of a or its logarithm may
// be infinite where they are exactly zero.
def : Vjp<(PowOp:$y $a, $b),
          [(StrongMulOp $dy, (StrongMulOp $b,
                                (PowOp $a, (SubOp $b, (Fill<"1"> $b))))),
           (StrongMulOp $dy, (StrongMulOp $y, (LogOp $a)))]>;
def : Vjp<(StrongMulOp $a, $b), [(StrongMulOp $dy, $b), (StrongMulOp $dy, $a)]>;

// 1 where the one exceeds the other, 1/2 where they tie, 0 elsewhere.
defvar AExceeds = (SelectOp (CompareOp Exceeds, $a, $b), (Fill<"1"> $a),
    (SelectOp (CompareOp Exceeds, $b, $a), (Fill<"0"> $a), (Fill<"0.5"> $a)));
defvar BExceeds = (SelectOp (CompareOp Exceeds, $b, $a), (Fill<"1"> $a),
    (SelectOp (CompareOp Exceeds, $a, $b), (Fill<"0"> $a), (Fill<"0.5"> $a)));
def : Vjp<(MaxOp $a, $b), [(StrongMulOp $dy, AExceeds), (StrongMulOp $dy, BExceeds)]>;
def : Vjp<(MinOp $a, $b), [(StrongMulOp $dy, BExceeds), (StrongMulOp $dy, AExceeds)]>;
def : Vjp<(SelectOp $condition, $a, $b),
          [(SelectOp $condition, $dy, (Fill<"0"> $dy)),
           (SelectOp $condition, (Fill<"0"> $dy), $dy)]>;
def : Vjp<(ConvertOp $x, $element), [(ConvertOp $dy, (ElementOf $x))]>;

//===-- Section 2: linear pairs -------------------------------------------===//

def : Vjp<(EinsumOp $a, $b, $spec),
          [(EinsumOp $dy, $b, (WrtA $spec)), (EinsumOp $dy, $a, (WrtB $spec))]>;
def : Vjp<(SumOp $x, $dims), [(BroadcastOp $dy, $dims, (SizesAlong $x, $dims))]>;
def : Vjp<(BroadcastOp $x, $dims, $sizes), [(SumOp $dy, $dims)]>;
def : Vjp<(TransposeOp $x, $permutation),
          [(TransposeOp $dy, (Inverse $permutation))]>;
def : Vjp<(ReshapeOp $x, $shape), [(ReshapeOp $dy, (ShapeOf $x))]>;
def : Vjp<(SliceOp $x, $offsets, $sizes),
          [(PadOp $dy, $offsets, (RoomAfter $x, $offsets, $sizes))]>;
def : Vjp<(PadOp $x, $low, $high), [(SliceOp $dy, $low, (ShapeOf $x))]>;
def : Vjp<(GatherOp $x, $index), [(ScatterAddOp $dy, $index, (RowsOf $x))]>;
def : Vjp<(ScatterAddOp $x, $index, $rows), [(GatherOp $dy, $index)]>;

def : Vjp<(UnfoldOp $x, $dims, $sizes, $strides, $dilations),
          [(FoldOp $dy, $dims, (SizesAlong $x, $dims), $strides, $dilations)]>;
def : Vjp<(FoldOp $x, $dims, $extents, $strides, $dilations),
          [(UnfoldOp $dy, $dims, (TapsOf $x, $dims), $strides, $dilations)]>;

//===-- Section 3: matrices -----------------------------------------------===//

// Giles: Collected matrix derivative results for forward and reverse mode
// algorithmic differentiation, 2008: db = a^-T dy, da = -db x^T.
def : Vjp<(SolveOp:$x $a, $b),
          [(NegOp (EinsumOp
              (SolveOp:$db (TransposeOp $a, (SwapLast $a)), $dy), $x,
              (Matrices<"ik,jk->ij"> $a))),
           (replaceWithValue $db)]>;

// Murray: Differentiation of the Cholesky decomposition, 2016: da is the
// symmetric part of l^-T p l^-1, where p is the lower half of l^T dy, its
// diagonal halved.
defvar P = (MulOp (HalfLower $l),
                  (EinsumOp $l, $dy, (Matrices<"ki,kj->ij"> $l)));
defvar LT = (TransposeOp $l, (SwapLast $l));
def : Vjp<(CholeskyOp:$l $a),
          [(SolveOp LT,
              (TransposeOp
                 (SolveOp LT,
                    (MulOp (Fill<"0.5"> $l),
                           (AddOp P, (TransposeOp P, (SwapLast $l))))),
                 (SwapLast $l)))]>;

//===-- Section 4: reductions ---------------------------------------------===//

// 1 where x is the maximum, else 0.
defvar IsMaximum = (ConvertOp
    (CompareOp Equals, $x, (BroadcastOp $y, $dims, (SizesAlong $x, $dims))),
    (ElementOf $x));
def : Vjp<(ReduceMaxOp:$y $x, $dims),
          [(StrongMulOp
              (BroadcastOp (DivOp $dy, (SumOp IsMaximum, $dims)),
                           $dims, (SizesAlong $x, $dims)),
              IsMaximum)]>;

#endif
