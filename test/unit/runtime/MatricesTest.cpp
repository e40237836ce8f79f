// Systems of equations and factors, checked by putting them in.
#include "runtime/Matrices.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>
#include <vector>

namespace {

using Matrix = std::vector<double>;

Matrix random(int64_t rows, int64_t columns, unsigned seed) {
  std::mt19937_64 source(seed);
  std::uniform_real_distribution<double> numbers(-1, 1);
  Matrix a(rows * columns);
  for (double &x : a)
    x = numbers(source);
  return a;
}

Matrix product(const Matrix &a, const Matrix &b, int64_t n, int64_t columns) {
  Matrix y(n * columns);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < n; ++k)
      for (int64_t j = 0; j < columns; ++j)
        y[i * columns + j] += a[i * n + k] * b[k * columns + j];
  return y;
}

Matrix transpose(const Matrix &a, int64_t n) {
  Matrix y(a.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j)
      y[j * n + i] = a[i * n + j];
  return y;
}

/// a^T a + I: symmetric to the bit, and definite.
Matrix definite(int64_t n, unsigned seed) {
  Matrix a = random(n, n, seed), y(n * n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double sum = i == j;
      for (int64_t k = 0; k < n; ++k)
        sum += a[k * n + i] * a[k * n + j];
      y[i * n + j] = y[j * n + i] = sum;
    }
  return y;
}

Matrix solve(const Matrix &a, const Matrix &b, int64_t n, int64_t columns) {
  Matrix x(n * columns, 99), work(n * n);
  gradusSolve(a.data(), b.data(), x.data(), work.data(), 1, n, columns);
  return x;
}

void expectNear(const Matrix &found, const Matrix &expected, double bound) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], bound) << i;
}

TEST(MatricesTest, SolvesGeneralAndSymmetricSystems) {
  for (int64_t n : {1, 2, 3, 7, 40, 150})
    for (int64_t columns : {1, 3}) {
      Matrix b = random(n, columns, 1);
      for (const Matrix &a : {random(n, n, 2), definite(n, 3)})
        expectNear(product(a, solve(a, b, n, columns), n, columns), b, 1e-9);
    }
}

TEST(MatricesTest, ExchangesRowsWhereAPivotIsZero) {
  expectNear(solve({0, 2, 3, 0}, {4, 9}, 2, 1), {3, 2}, 0);
  // Symmetric but not definite, and definite only up to its last row.
  expectNear(solve({0, 1, 1, 0}, {4, 9}, 2, 1), {9, 4}, 0);
  expectNear(solve({4, 2, 2, -1}, {10, -1}, 2, 1), {1, 3}, 1e-14);
}

TEST(MatricesTest, SaysThatAMatrixIsSingularByNan) {
  double infinity = std::numeric_limits<double>::infinity();
  for (const Matrix &a :
       {Matrix{1, 2, 2, 4}, Matrix{1, 2, 3, 6}, Matrix{0, 0, 0, 0},
        Matrix{infinity, 1, 1, 1}, Matrix{std::nan(""), 1, 1, 1}})
    for (double x : solve(a, {1, 2, 3, 4}, 2, 2))
      EXPECT_TRUE(std::isnan(x));
}

TEST(MatricesTest, SolvesEachSystemOfAListInSinglePrecision) {
  std::vector<float> a{2, 0, 0, 4, 1, 1, 0, 0, 0, 1, 2, 0}, b{2, 8, 5, 6, 7, 8};
  std::vector<float> x(6), work(4);
  gradusSolvef(a.data(), b.data(), x.data(), work.data(), 3, 2, 1);
  EXPECT_FLOAT_EQ(x[0], 1);
  EXPECT_FLOAT_EQ(x[1], 2);
  EXPECT_TRUE(std::isnan(x[2]) && std::isnan(x[3]));
  EXPECT_EQ(x[4], 4);
  EXPECT_EQ(x[5], 7);
}

TEST(MatricesTest, GivesTheSameBitsAgain) {
  Matrix a = random(60, 60, 5), b = random(60, 2, 6);
  EXPECT_EQ(solve(a, b, 60, 2), solve(a, b, 60, 2));
}

TEST(MatricesTest, FactorsDefiniteMatrices) {
  for (int64_t n : {1, 2, 5, 40}) {
    Matrix a = definite(n, 7), l(n * n, 99);
    gradusCholesky(a.data(), l.data(), 1, n);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = i + 1; j < n; ++j)
        EXPECT_EQ(l[i * n + j], 0);
    expectNear(product(l, transpose(l, n), n, n), a, 1e-12);
  }
}

TEST(MatricesTest, FactorsTheSymmetricPart) {
  Matrix a{4, 1, 3, 5}, l(4);
  gradusCholesky(a.data(), l.data(), 1, 2);
  expectNear(l, {2, 0, 1, 2}, 0);
}

TEST(MatricesTest, SaysThatAMatrixIsNotDefiniteByNan) {
  std::vector<float> a{1, 2, 2, 1, 9, 0, 0, 4}, l(8, 99);
  gradusCholeskyf(a.data(), l.data(), 2, 2);
  EXPECT_TRUE(std::isnan(l[0]) && std::isnan(l[2]) && std::isnan(l[3]));
  EXPECT_EQ(l[1], 0);
  EXPECT_EQ((std::vector<float>(l.begin() + 4, l.end())),
            (std::vector<float>{3, 0, 0, 2}));
}

} // namespace
