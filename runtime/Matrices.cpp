// See Matrices.h. Every inner loop runs along a row, so that it becomes
// instructions on vectors.
#include "runtime/Matrices.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace {

template <typename Real>
constexpr Real kNan = std::numeric_limits<Real>::quiet_NaN();

/// y -= factor * x
template <typename Real>
void subtract(Real *y, Real factor, const Real *x, int64_t size) {
  for (int64_t i = 0; i < size; ++i)
    y[i] -= factor * x[i];
}

template <typename Real> void scale(Real *y, Real factor, int64_t size) {
  for (int64_t i = 0; i < size; ++i)
    y[i] *= factor;
}

template <typename Real> bool isSymmetric(const Real *a, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < i; ++j)
      if (a[i * n + j] != a[j * n + i])
        return false;
  return true;
}

/// The upper triangle of `u`, of a symmetric matrix, becomes that of its upper
/// Cholesky factor, the transpose of the lower one; false if the matrix is not
/// positive definite. What lies below the diagonal is left alone.
template <typename Real> bool factorUpper(Real *u, int64_t n) {
  for (int64_t k = 0; k < n; ++k) {
    Real *row = u + k * n;
    if (!std::isfinite(row[k]) || !(row[k] > 0))
      return false;
    Real root = std::sqrt(row[k]);
    row[k] = root;
    for (int64_t j = k + 1; j < n; ++j)
      row[j] /= root;
    for (int64_t i = k + 1; i < n; ++i)
      subtract(u + i * n + i, row[i], row + i, n - i);
  }
  return true;
}

/// x := u^-1 x for the upper triangle of `u`.
template <typename Real>
void solveUpper(const Real *u, Real *x, int64_t n, int64_t columns) {
  for (int64_t k = n - 1; k >= 0; --k) {
    Real *row = x + k * columns;
    for (int64_t i = k + 1; i < n; ++i)
      subtract(row, u[k * n + i], x + i * columns, columns);
    scale(row, 1 / u[k * n + k], columns);
  }
}

/// x := u^-T x for the upper triangle of `u`.
template <typename Real>
void solveUpperTransposed(const Real *u, Real *x, int64_t n, int64_t columns) {
  for (int64_t k = 0; k < n; ++k) {
    Real *row = x + k * columns;
    scale(row, 1 / u[k * n + k], columns);
    for (int64_t i = k + 1; i < n; ++i)
      subtract(x + i * columns, u[k * n + i], row, columns);
  }
}

/// Elimination by rows, the largest of a column as its pivot, applied to `x`:
/// then the upper triangle of `a` times the solution is x. False for a singular
/// matrix.
template <typename Real>
bool eliminate(Real *a, Real *x, int64_t n, int64_t columns) {
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k]))
        pivot = i;
    if (!std::isfinite(a[pivot * n + k]) || a[pivot * n + k] == 0)
      return false;
    if (pivot != k) {
      std::swap_ranges(a + k * n + k, a + (k + 1) * n, a + pivot * n + k);
      std::swap_ranges(x + k * columns, x + (k + 1) * columns,
                       x + pivot * columns);
    }
    for (int64_t i = k + 1; i < n; ++i) {
      Real factor = a[i * n + k] / a[k * n + k];
      // Of a triangular matrix nothing is left to do.
      if (factor == 0)
        continue;
      subtract(a + i * n + k + 1, factor, a + k * n + k + 1, n - k - 1);
      subtract(x + i * columns, factor, x + k * columns, columns);
    }
  }
  return true;
}

template <typename Real>
void solve(const Real *a, const Real *b, Real *x, Real *work, int64_t n,
           int64_t columns) {
  std::copy_n(b, n * columns, x);
  std::copy_n(a, n * n, work);
  if (isSymmetric(a, n)) {
    if (factorUpper(work, n)) {
      solveUpperTransposed(work, x, n, columns);
      solveUpper(work, x, n, columns);
      return;
    }
    std::copy_n(a, n * n, work);
  }
  if (eliminate(work, x, n, columns))
    solveUpper(work, x, n, columns);
  else
    std::fill_n(x, n * columns, kNan<Real>);
}

template <typename Real> void cholesky(const Real *a, Real *l, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i; j < n; ++j)
      l[i * n + j] = (a[i * n + j] + a[j * n + i]) / 2;
  bool isDefinite = factorUpper(l, n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j)
      l[i * n + j] = isDefinite ? l[j * n + i] : kNan<Real>;
    // The upper rows have been read.
    for (int64_t j = 0; j < i; ++j)
      l[j * n + i] = 0;
  }
}

template <typename Real>
void solveAll(const Real *a, const Real *b, Real *x, Real *work, int64_t count,
              int64_t n, int64_t columns) {
  for (int64_t i = 0; i < count; ++i)
    solve(a + i * n * n, b + i * n * columns, x + i * n * columns, work, n,
          columns);
}

template <typename Real>
void choleskyAll(const Real *a, Real *l, int64_t count, int64_t n) {
  for (int64_t i = 0; i < count; ++i)
    cholesky(a + i * n * n, l + i * n * n, n);
}

} // namespace

void gradusSolve(const double *a, const double *b, double *x, double *work,
                 int64_t count, int64_t n, int64_t columns) {
  solveAll(a, b, x, work, count, n, columns);
}

void gradusSolvef(const float *a, const float *b, float *x, float *work,
                  int64_t count, int64_t n, int64_t columns) {
  solveAll(a, b, x, work, count, n, columns);
}

void gradusCholesky(const double *a, double *l, int64_t count, int64_t n) {
  choleskyAll(a, l, count, n);
}

void gradusCholeskyf(const float *a, float *l, int64_t count, int64_t n) {
  choleskyAll(a, l, count, n);
}
