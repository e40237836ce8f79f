// Identities of the dialect, used when canonicalizing: each keeps the value of
// every element, NaN and Inf included, up to the sign of a zero.
#ifndef GRADUS_DIALECT_IDENTITIES_TD
#define GRADUS_DIALECT_IDENTITIES_TD

include "dialect/GraphOps.td"
include "mlir/IR/PatternBase.td"

def ComposePermutations
    : NativeCodeCall<"composePermutations($_builder, $0, $1)">;
def OrderOfA : NativeCodeCall<"orderInResult($_builder, $0, true)">;
def OrderOfB : NativeCodeCall<"orderInResult($_builder, $0, false)">;
def OnlyOrdersA : Constraint<CPred<"onlyOrders($0, true)">>;
def OnlyOrdersB : Constraint<CPred<"onlyOrders($0, false)">>;
def IsOne : Constraint<CPred<"matchPattern($0, m_OneFloat())">>;
def IsFiniteNonzero : Constraint<CPred<"isFiniteNonzeroSplat($0)">>;

// neg(neg(x)) -> x
def NegOfNegCancels : Pat<(NegOp (NegOp $x)), (replaceWithValue $x)>;

// a + (-b) -> a - b
def AddOfNegSubtracts : Pat<(AddOp $a, (NegOp $b)), (SubOp $a, $b)>;

// a - (-b) -> a + b
def SubOfNegAdds : Pat<(SubOp $a, (NegOp $b)), (AddOp $a, $b)>;

// (-a) * (-b) -> a * b
def MulOfNegsCancels : Pat<(MulOp (NegOp $a), (NegOp $b)), (MulOp $a, $b)>;

// reshape(reshape(x)) -> reshape(x)
def ReshapeOfReshapeReshapes
    : Pat<(ReshapeOp (ReshapeOp $x, $inner), $shape), (ReshapeOp $x, $shape)>;

// transpose(transpose(x, p), q) -> transpose(x, q after p)
def TransposeOfTransposeComposes
    : Pat<(TransposeOp (TransposeOp $x, $p), $q),
          (TransposeOp $x, (ComposePermutations $p, $q))>;

// strong_mul(c, b) -> c * b for a finite constant c without a zero
def StrongMulByConstantMultiplies
    : Pat<(StrongMulOp $a, $b), (MulOp $a, $b), [(IsFiniteNonzero $b)]>;

// einsum(1, b) -> b with its axes in another order, if nothing is summed
def EinsumOfOnesTransposesB
    : Pat<(EinsumOp $a, $b, $spec), (TransposeOp $b, (OrderOfB $spec)),
          [(IsOne $a), (OnlyOrdersB $spec)]>;
def EinsumOfOnesTransposesA
    : Pat<(EinsumOp $a, $b, $spec), (TransposeOp $a, (OrderOfA $spec)),
          [(IsOne $b), (OnlyOrdersA $spec)]>;

#endif
