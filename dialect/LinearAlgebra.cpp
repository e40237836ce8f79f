// Types and values of the ops on whole matrices. What they compute is written
// for reading: the runtime's functions are tested against it.
#include "dialect/Graph.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace gradus::graph {

static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

static bool areSquare(RankedTensorType type) {
  return type.getRank() >= 2 && type.getShape().take_back(2).front() ==
                                    type.getShape().take_back(2).back();
}

LogicalResult SolveOp::inferReturnTypes(MLIRContext *,
                                        std::optional<Location> loc, Adaptor op,
                                        SmallVectorImpl<Type> &types) {
  auto a = cast<RankedTensorType>(op.getA().getType());
  auto b = cast<RankedTensorType>(op.getB().getType());
  if (!areSquare(a))
    return emitOptionalError(loc, "needs square matrices, found ", a);
  if (a.getElementType() != b.getElementType() || a.getRank() != b.getRank() ||
      a.getShape().drop_back() != b.getShape().drop_back())
    return emitOptionalError(loc, "needs right-hand sides for each of ", a,
                             ", found ", b);
  types.push_back(b);
  return success();
}

LogicalResult CholeskyOp::inferReturnTypes(MLIRContext *,
                                           std::optional<Location> loc,
                                           Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  auto a = cast<RankedTensorType>(op.getA().getType());
  if (!areSquare(a))
    return emitOptionalError(loc, "needs square matrices, found ", a);
  types.push_back(a);
  return success();
}

/// Gauss's elimination of the n x n matrix `a`, the largest of a column as its
/// pivot, applied to `b` of n rows; false for a singular matrix.
static bool eliminate(MutableArrayRef<double> a, MutableArrayRef<double> b,
                      int64_t n) {
  auto columns = static_cast<int64_t>(b.size()) / n;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k]))
        pivot = i;
    if (!std::isfinite(a[pivot * n + k]) || a[pivot * n + k] == 0)
      return false;
    for (int64_t j = 0; j < n; ++j)
      std::swap(a[k * n + j], a[pivot * n + j]);
    for (int64_t j = 0; j < columns; ++j)
      std::swap(b[k * columns + j], b[pivot * columns + j]);
    for (int64_t i = k + 1; i < n; ++i) {
      double factor = a[i * n + k] / a[k * n + k];
      for (int64_t j = k; j < n; ++j)
        a[i * n + j] -= factor * a[k * n + j];
      for (int64_t j = 0; j < columns; ++j)
        b[i * columns + j] -= factor * b[k * columns + j];
    }
  }
  for (int64_t k = n - 1; k >= 0; --k)
    for (int64_t j = 0; j < columns; ++j) {
      for (int64_t i = k + 1; i < n; ++i)
        b[k * columns + j] -= a[k * n + i] * b[i * columns + j];
      b[k * columns + j] /= a[k * n + k];
    }
  return true;
}

SmallVector<Array> SolveOp::evaluate(ArrayRef<Array> x) {
  std::vector<double> a = x[0].reals;
  Array y = x[1];
  int64_t n = x[0].shape().back(), size = n * y.shape().back();
  for (int64_t i = 0; i * n * n < x[0].size(); ++i) {
    auto solution = MutableArrayRef(y.reals).slice(i * size, size);
    if (!eliminate(MutableArrayRef(a).slice(i * n * n, n * n), solution, n))
      llvm::fill(solution, kNan);
  }
  return {y};
}

SmallVector<Array> CholeskyOp::evaluate(ArrayRef<Array> x) {
  Array y(getType());
  int64_t n = y.shape().back();
  for (int64_t begin = 0; begin < y.size(); begin += n * n) {
    const double *a = &x[0].reals[begin];
    double *l = &y.reals[begin];
    bool isDefinite = true;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        double rest = (a[i * n + j] + a[j * n + i]) / 2;
        for (int64_t k = 0; k < j; ++k)
          rest -= l[i * n + k] * l[j * n + k];
        if (i == j)
          isDefinite &= std::isfinite(rest) && rest > 0;
        l[i * n + j] = i == j ? std::sqrt(rest) : rest / l[j * n + j];
      }
    for (int64_t i = 0; !isDefinite && i < n; ++i)
      std::fill_n(l + i * n, i + 1, kNan);
  }
  return {y};
}

} // namespace gradus::graph
