// The nodes of the typed AST that take whole matrices. Part of TypedAst.h.
#pragma once

namespace gradus::typed {

struct Expr;

/// `solve(A, b)`: the x with A x = b; A[N, N], and b of [N] or [N, K] gives its
/// shape.
struct Solve {
  const Expr *matrix, *right;
};
/// `cholesky(A)`: the lower factor of a matrix.
struct Cholesky {
  const Expr *operand;
};

} // namespace gradus::typed
