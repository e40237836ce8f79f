// The table of batching: what an op makes of a row, it makes of all rows at
// once. A row is `each` row of a tensor or a `diagonal` of one, and so is the
// result. Applied by compiler/differentiate/Batch.cpp to what depends on a
// seed, which is linear in it. The rule for all pointwise ops stands in
// Batching.cpp.
//
// Closure: an op with a real operand is pointwise, has a rule for `each` row
// here or in code, or is declared to be run row by row;
// tools/docs/derivatives.py checks this. A diagonal that no rule keeps is
// written out as rows.
#ifndef GRADUS_DIALECT_BATCHING_TD
#define GRADUS_DIALECT_BATCHING_TD

include "dialect/GraphOps.td"
include "mlir/IR/PatternBase.td"

/// What `op` gives for a row.
class Batch<dag op, dag rows, list<dag> conditions = []>
    : Pat<op, rows, conditions>;

/// A rule in Batching.cpp, and a loop over single rows instead of a rule.
class BatchInCode<Op op> { Op Of = op; }
class RowByRow<Op op> { Op Of = op; }
def : BatchInCode<ConcatOp>;
// A loop inside of a loop, and a function whose body is not there yet.
def : RowByRow<LoopOp>;
def : RowByRow<CustomOp>;
// A function that takes the shapes it is declared with.
def : RowByRow<ExternOp>;
// Whole numbers for each row: only of a backward that is not linear.
def : RowByRow<ArgmaxOp>;

//===-- What the table calls by name (dialect/Batching.cpp) ---------------===//

/// Does not depend on the row.
def Fixed : Constraint<CPred<"!isRow($0)">>;
def Zero : Constraint<CPred<"isZero($0)">>;
def Same : Constraint<CPred<"$0 == $1">>;

/// Axes, each one further back; the same for a permutation.
def Shifted : NativeCodeCall<"shifted($_builder, $0)">;
def BehindRows : NativeCodeCall<"behindRows($_builder, $0)">;
/// A number for each axis, and in front of them 0 or how many rows x has.
def WithZero : NativeCodeCall<"withFirst($_builder, 0, $0)">;
def WithRows : NativeCodeCall<"withFirst($_builder, rowsOf($0), $1)">;
/// A spec with an index for rows in front: of a, of b, or of both, and of y.
def RowsOfA : NativeCodeCall<"withRows($_builder, $0, true, false)">;
def RowsOfB : NativeCodeCall<"withRows($_builder, $0, false, true)">;
def RowsOfBoth : NativeCodeCall<"withRows($_builder, $0, true, true)">;
/// x with its first axis at another place, and the other way round: behind the
/// first of the others, or behind as many as an index has.
def RowsSecond : NativeCodeCall<"moveAxis($_builder, $_loc, $0, 0, 1)">;
def SecondInFront : NativeCodeCall<"moveAxis($_builder, $_loc, $0, 1, 0)">;
def RowsBehind
    : NativeCodeCall<"moveAxis($_builder, $_loc, $0, 0, rankOf($1))">;
def BehindInFront
    : NativeCodeCall<"moveAxis($_builder, $_loc, $0, rankOf($1), 0)">;

/// The rows of x as columns of matrices, one behind the other; and these as rows
/// again, which have the shape of the second operand.
def RowsAsColumns : NativeCodeCall<"rowsAsColumns($_builder, $_loc, $0)">;
def ColumnsAsRows : NativeCodeCall<"columnsAsRows($_builder, $_loc, $0, $1)">;
/// x once for each row of the second operand.
def Repeated : NativeCodeCall<"repeated($_builder, $_loc, $0, rowsOf($1))">;

/// Where an axis of a or of b is in y; whether it is there.
def AxisOfA : NativeCodeCall<"axisInResult($_builder, $0, $1, true)">;
def AxisOfB : NativeCodeCall<"axisInResult($_builder, $0, $1, false)">;
def KeepsA : Constraint<CPred<"keepsAxis($0, $1, true)">>;
def KeepsB : Constraint<CPred<"keepsAxis($0, $1, false)">>;
def DropsA : Constraint<CPred<"!keepsAxis($0, $1, true)">>;
def DropsB : Constraint<CPred<"!keepsAxis($0, $1, false)">>;
/// A spec with the index of an axis of a, or of b, in front of y.
def InFrontA : NativeCodeCall<"axisInFront($_builder, $0, $1, true)">;
def InFrontB : NativeCodeCall<"axisInFront($_builder, $0, $1, false)">;

/// Whether `axis` is one of the axes; x summed over all others of them, with
/// `axis` in front.
def Among : Constraint<CPred<"isAmong($0, $1)">>;
def NotAmong : Constraint<CPred<"!isAmong($0, $1)">>;
def SumOfRows : NativeCodeCall<"sumOfRows($_builder, $_loc, $0, $1, $2)">;
/// x as the first rows of so many, the others zeros.
def AmongRows : NativeCodeCall<"amongRows($_builder, $_loc, $0, $1)">;
/// Rows of a diagonal whose axis begins later, or earlier, by the entry for it.
def LaterBy : NativeCodeCall<"movedBy($_builder, $0, $1, $2, 1)">;
def EarlierBy : NativeCodeCall<"movedBy($_builder, $0, $1, $2, -1)">;
/// Where an axis is after axes are dropped, are new, or are permuted.
def AfterDropped : NativeCodeCall<"afterDropped($_builder, $0, $1)">;
def AfterNew : NativeCodeCall<"afterNew($_builder, $0, $1)">;
def AfterPermuted : NativeCodeCall<"afterPermuted($_builder, $0, $1)">;
/// Where an axis of x is in a tensor of that shape; whether it is there.
def AfterReshaped : NativeCodeCall<"axisInShape($_builder, $0, $1, $2)">;
def SurvivesReshape : Constraint<CPred<"survivesReshape($0, $1, $2)">>;

//===-- Rows --------------------------------------------------------------===//

def : Batch<(EinsumOp (EachOp $a), (EachOp $b), $spec),
            (EachOp (EinsumOp $a, $b, (RowsOfBoth $spec)))>;
def : Batch<(EinsumOp (EachOp $a), $b, $spec),
            (EachOp (EinsumOp $a, $b, (RowsOfA $spec))), [(Fixed $b)]>;
def : Batch<(EinsumOp $a, (EachOp $b), $spec),
            (EachOp (EinsumOp $a, $b, (RowsOfB $spec))), [(Fixed $a)]>;
def : Batch<(SumOp (EachOp $x), $dims), (EachOp (SumOp $x, (Shifted $dims)))>;
def : Batch<(ReduceMaxOp (EachOp $x), $dims),
            (EachOp (ReduceMaxOp $x, (Shifted $dims)))>;
def : Batch<(BroadcastOp (EachOp $x), $dims, $sizes),
            (EachOp (BroadcastOp $x, (Shifted $dims), $sizes))>;
def : Batch<(TransposeOp (EachOp $x), $permutation),
            (EachOp (TransposeOp $x, (BehindRows $permutation)))>;
def : Batch<(ReshapeOp (EachOp $x), $shape),
            (EachOp (ReshapeOp $x, (WithRows $x, $shape)))>;
def : Batch<(SliceOp (EachOp $x), $offsets, $sizes),
            (EachOp (SliceOp $x, (WithZero $offsets), (WithRows $x, $sizes)))>;
def : Batch<(PadOp (EachOp $x), $low, $high),
            (EachOp (PadOp $x, (WithZero $low), (WithZero $high)))>;
def : Batch<(UnfoldOp (EachOp $x), $dims, $sizes, $strides, $dilations),
            (EachOp (UnfoldOp $x, (Shifted $dims), $sizes, $strides,
                              $dilations))>;
def : Batch<(FoldOp (EachOp $x), $dims, $extents, $strides, $dilations),
            (EachOp (FoldOp $x, (Shifted $dims), $extents, $strides,
                            $dilations))>;
// The axis that is indexed is the first one.
def : Batch<(GatherOp (EachOp $x), $index),
            (EachOp (BehindInFront (GatherOp (RowsSecond $x), $index), $index)),
            [(Fixed $index)]>;
def : Batch<(ScatterAddOp (EachOp $x), $index, $rows),
            (EachOp (SecondInFront
                (ScatterAddOp (RowsBehind $x, $index), $index, $rows))),
            [(Fixed $index)]>;

// Rows of right-hand sides are more columns of them: a matrix is factored once.
def : Batch<(SolveOp $a, (EachOp $b)),
            (EachOp (ColumnsAsRows (SolveOp $a, (RowsAsColumns $b)), $b)),
            [(Fixed $a)]>;
def : Batch<(SolveOp (EachOp $a), (EachOp $b)), (EachOp (SolveOp $a, $b))>;
def : Batch<(SolveOp (EachOp $a), $b), (EachOp (SolveOp $a, (Repeated $b, $a))),
            [(Fixed $b)]>;
def : Batch<(CholeskyOp (EachOp $a)), (EachOp (CholeskyOp $a))>;

//===-- Diagonals ---------------------------------------------------------===//

def : Batch<(NegOp (DiagonalOp $x, $axis, $rows)),
            (DiagonalOp (NegOp $x), $axis, $rows)>;
def : Batch<(ConvertOp (DiagonalOp $x, $axis, $rows), $element),
            (DiagonalOp (ConvertOp $x, $element), $axis, $rows)>;
def : Batch<(AddOp (DiagonalOp $a, $axis, $rows),
                   (DiagonalOp $b, $axis2, $rows2)),
            (DiagonalOp (AddOp $a, $b), $axis, $rows),
            [(Same $axis, $axis2), (Same $rows, $rows2)]>;
def : Batch<(SubOp (DiagonalOp $a, $axis, $rows),
                   (DiagonalOp $b, $axis2, $rows2)),
            (DiagonalOp (SubOp $a, $b), $axis, $rows),
            [(Same $axis, $axis2), (Same $rows, $rows2)]>;
foreach product = [MulOp, StrongMulOp] in {
  def : Batch<(product (DiagonalOp $a, $axis, $rows), $b),
              (DiagonalOp (product $a, $b), $axis, $rows), [(Fixed $b)]>;
  def : Batch<(product $a, (DiagonalOp $b, $axis, $rows)),
              (DiagonalOp (product $a, $b), $axis, $rows), [(Fixed $a)]>;
}
def : Batch<(DivOp (DiagonalOp $a, $axis, $rows), $b),
            (DiagonalOp (DivOp $a, $b), $axis, $rows), [(Fixed $b)]>;
def : Batch<(SelectOp $condition, (DiagonalOp $a, $axis, $rows), $b),
            (DiagonalOp (SelectOp $condition, $a, $b), $axis, $rows),
            [(Fixed $condition), (Zero $b)]>;
def : Batch<(SelectOp $condition, $a, (DiagonalOp $b, $axis, $rows)),
            (DiagonalOp (SelectOp $condition, $a, $b), $axis, $rows),
            [(Fixed $condition), (Zero $a)]>;

def : Batch<(EinsumOp (DiagonalOp $a, $axis, $rows), $b, $spec),
            (DiagonalOp (EinsumOp $a, $b, $spec),
                        (AxisOfA $spec, $axis), $rows),
            [(Fixed $b), (KeepsA $spec, $axis)]>;
def : Batch<(EinsumOp $a, (DiagonalOp $b, $axis, $rows), $spec),
            (DiagonalOp (EinsumOp $a, $b, $spec),
                        (AxisOfB $spec, $axis), $rows),
            [(Fixed $a), (KeepsB $spec, $axis)]>;
// A sum over the axis has one term.
def : Batch<(EinsumOp (DiagonalOp $a, $axis, $rows), $b, $spec),
            (EachOp (AmongRows (EinsumOp $a, $b, (InFrontA $spec, $axis)),
                               $rows)),
            [(Fixed $b), (DropsA $spec, $axis)]>;
def : Batch<(EinsumOp $a, (DiagonalOp $b, $axis, $rows), $spec),
            (EachOp (AmongRows (EinsumOp $a, $b, (InFrontB $spec, $axis)),
                               $rows)),
            [(Fixed $a), (DropsB $spec, $axis)]>;
def : Batch<(SumOp (DiagonalOp $x, $axis, $rows), $dims),
            (EachOp (AmongRows (SumOfRows $x, $dims, $axis), $rows)),
            [(Among $axis, $dims)]>;
def : Batch<(SumOp (DiagonalOp $x, $axis, $rows), $dims),
            (DiagonalOp (SumOp $x, $dims), (AfterDropped $axis, $dims), $rows),
            [(NotAmong $axis, $dims)]>;

def : Batch<(BroadcastOp (DiagonalOp $x, $axis, $rows), $dims, $sizes),
            (DiagonalOp (BroadcastOp $x, $dims, $sizes),
                        (AfterNew $axis, $dims), $rows)>;
def : Batch<(TransposeOp (DiagonalOp $x, $axis, $rows), $permutation),
            (DiagonalOp (TransposeOp $x, $permutation),
                        (AfterPermuted $axis, $permutation), $rows)>;
def : Batch<(ReshapeOp (DiagonalOp $x, $axis, $rows), $shape),
            (DiagonalOp (ReshapeOp $x, $shape),
                        (AfterReshaped $axis, $x, $shape), $rows),
            [(SurvivesReshape $axis, $x, $shape)]>;
// Along its own axis a part of a diagonal is one of fewer rows.
def : Batch<(SliceOp (DiagonalOp $x, $axis, $rows), $offsets, $sizes),
            (DiagonalOp (SliceOp $x, $offsets, $sizes), $axis,
                        (LaterBy $rows, $offsets, $axis))>;
def : Batch<(PadOp (DiagonalOp $x, $axis, $rows), $low, $high),
            (DiagonalOp (PadOp $x, $low, $high), $axis,
                        (EarlierBy $rows, $low, $axis))>;
def : Batch<(UnfoldOp (DiagonalOp $x, $axis, $rows), $dims, $sizes, $strides,
                      $dilations),
            (DiagonalOp (UnfoldOp $x, $dims, $sizes, $strides, $dilations),
                        $axis, $rows),
            [(NotAmong $axis, $dims)]>;
def : Batch<(FoldOp (DiagonalOp $x, $axis, $rows), $dims, $extents, $strides,
                    $dilations),
            (DiagonalOp (FoldOp $x, $dims, $extents, $strides, $dilations),
                        $axis, $rows),
            [(NotAmong $axis, $dims)]>;

#endif
