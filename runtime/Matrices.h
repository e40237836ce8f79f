// Functions on whole matrices for compiled code: systems of linear equations
// and Cholesky factors, of a few to some hundreds of rows. Matrices are dense
// and row-major, one behind the other. Nothing allocates, and the same numbers
// give the same bits.
#pragma once

#include <cstdint>

extern "C" {

/// Solves `count` systems a x = b: a of n x n, b and x of n x columns; `work`
/// has room for n x n. A matrix that equals its transpose is factored by
/// Cholesky if it is positive definite, every other by elimination with row
/// pivots. x is NaN where a is singular: where a pivot is zero or not finite.
void gradusSolve(const double *a, const double *b, double *x, double *work,
                 int64_t count, int64_t n, int64_t columns);
void gradusSolvef(const float *a, const float *b, float *x, float *work,
                  int64_t count, int64_t n, int64_t columns);

/// The lower Cholesky factors of the symmetric parts of `count` matrices, zero
/// above the diagonal; NaN on and below it where the part is not positive
/// definite.
void gradusCholesky(const double *a, double *l, int64_t count, int64_t n);
void gradusCholeskyf(const float *a, float *l, int64_t count, int64_t n);
}
