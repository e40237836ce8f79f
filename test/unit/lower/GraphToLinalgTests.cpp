// Every op of the graph dialect, run: on random numbers against formulas
// written here, and at its seams (NaN, ties, ends of ranges).
#include "test/unit/lower/KernelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

namespace gradus {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

template <typename T> Buffer<T> bufferOf(std::initializer_list<T> numbers) {
  Buffer<T> buffer(numbers.size());
  std::copy(numbers.begin(), numbers.end(), buffer.begin());
  return buffer;
}

template <typename T>
void expectNumbers(const Buffer<T> &found, std::initializer_list<T> expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    T number = expected.begin()[i];
    if (number != number)
      EXPECT_NE(found[i], found[i]) << "element " << i;
    else
      EXPECT_EQ(found[i], number) << "element " << i;
  }
}

Kernel unary(const std::string &op, const std::string &type) {
  return Kernel("func.func @k(%x: " + type + ") -> " + type +
                    " {\n  %y = graph." + op + " %x : " + type +
                    "\n  return %y : " + type + "\n}",
                /*schedule=*/false);
}

Kernel binary(const std::string &op, const std::string &type,
              const std::string &result) {
  return Kernel("func.func @k(%a: " + type + ", %b: " + type + ") -> " +
                    result + " {\n  %y = graph." + op + " %a, %b : " + type +
                    "\n  return %y : " + result + "\n}",
                /*schedule=*/false);
}

TEST(GraphToLinalg, UnaryOpsAreTheirFormulas) {
  struct Case {
    const char *op;
    double (*formula)(double);
  };
  const Case cases[] = {
      {"neg", [](double x) { return -x; }},
      {"exp", std::exp},
      {"expm1", std::expm1},
      {"log", std::log},
      {"log1p", std::log1p},
      {"tanh", std::tanh},
      {"erf", std::erf},
      {"sqrt", std::sqrt},
      {"sin", std::sin},
      {"cos", std::cos},
      {"atan", std::atan},
      {"abs", std::fabs},
      {"floor", std::floor},
      {"stop", [](double x) { return x; }},
      {"sign", [](double x) { return double((x > 0) - (x < 0)); }},
  };
  for (const Case &one : cases) {
    Kernel kernel = unary(one.op, "tensor<3x5xf64>");
    Buffer<double> x = randomNumbers<double>(15, 1), y(15);
    bool positive =
        std::string(one.op) == "log" || std::string(one.op) == "sqrt";
    for (double &number : x)
      number = positive ? number + 1.5 : 3 * number;
    if (std::string(one.op) == "log1p")
      for (double &number : x)
        number = std::fabs(number);
    kernel(x, y);
    for (int i = 0; i < 15; ++i)
      EXPECT_NEAR(y[i], one.formula(x[i]), 1e-14 * std::fabs(y[i]))
          << one.op << "(" << x[i] << ")";
  }
}

TEST(GraphToLinalg, SignKeepsNan) {
  Kernel kernel = unary("sign", "tensor<4xf32>");
  Buffer<float> x = bufferOf<float>({-kInf, 0, 3, kNan}), y(4);
  kernel(x, y);
  expectNumbers<float>(y, {-1, 0, 1, kNan});
}

TEST(GraphToLinalg, BinaryOpsAreTheirFormulas) {
  Buffer<float> a = bufferOf<float>({1, -2, kNan, 0, kInf});
  Buffer<float> b = bufferOf<float>({4, 2, 1, kInf, 0});
  Buffer<float> y(5);
  auto expect = [&](const char *op, std::initializer_list<float> expected) {
    SCOPED_TRACE(op);
    binary(op, "tensor<5xf32>", "tensor<5xf32>")(a, b, y);
    expectNumbers(y, expected);
  };
  expect("add", {5, 0, kNan, kInf, kInf});
  expect("sub", {-3, -4, kNan, -kInf, kInf});
  expect("mul", {4, -4, kNan, kNan, kNan});
  expect("strong_mul", {4, -4, kNan, 0, 0});
  expect("div", {0.25, -1, kNan, 0, kInf});
  expect("max", {4, 2, kNan, kInf, kInf});
  expect("min", {1, -2, kNan, 0, 0});
  expect("pow", {1, 4, kNan, 0, 1});
}

TEST(GraphToLinalg, ComparisonsWithNanHoldForNeOnly) {
  Buffer<float> a = bufferOf<float>({1, 2, 3, kNan, kNan});
  Buffer<float> b = bufferOf<float>({2, 2, 2, 2, kNan});
  Buffer<uint8_t> y(5);
  auto expect = [&](const char *op, std::initializer_list<uint8_t> expected) {
    SCOPED_TRACE(op);
    binary(std::string("compare ") + op, "tensor<5xf32>", "tensor<5xi1>")(a, b,
                                                                          y);
    expectNumbers(y, expected);
  };
  expect("eq", {0, 1, 0, 0, 0});
  expect("ne", {1, 0, 1, 1, 1});
  expect("lt", {1, 0, 0, 0, 0});
  expect("le", {1, 1, 0, 0, 0});
  expect("gt", {0, 0, 1, 0, 0});
  expect("ge", {0, 1, 1, 0, 0});
}

TEST(GraphToLinalg, BytesCompareUnsignedAndWholeNumbersSigned) {
  Buffer<uint8_t> a = bufferOf<uint8_t>({200, 100}), y(2);
  Buffer<uint8_t> b = bufferOf<uint8_t>({100, 200});
  binary("compare gt", "tensor<2xui8>", "tensor<2xi1>")(a, b, y);
  expectNumbers(y, {uint8_t(1), uint8_t(0)});
  Buffer<int32_t> c = bufferOf<int32_t>({-1, 1}),
                  d = bufferOf<int32_t>({1, -1});
  binary("compare gt", "tensor<2xi32>", "tensor<2xi1>")(c, d, y);
  expectNumbers(y, {uint8_t(0), uint8_t(1)});
}

template <typename From, typename To>
void expectConverted(const char *from, const char *to,
                     std::initializer_list<From> x,
                     std::initializer_list<To> expected) {
  SCOPED_TRACE(std::string(from) + " to " + to);
  std::string size = std::to_string(x.size()) + "x";
  Kernel kernel("func.func @k(%x: tensor<" + size + from + ">) -> tensor<" +
                    size + to + "> {\n  %y = graph.convert %x to " + to +
                    " : tensor<" + size + from + ">\n  return %y : tensor<" +
                    size + to + ">\n}",
                /*schedule=*/false);
  Buffer<From> in = bufferOf(x);
  Buffer<To> out(x.size());
  kernel(in, out);
  expectNumbers(out, expected);
}

TEST(GraphToLinalg, ConversionsRoundTowardsZeroAndStayInRange) {
  expectConverted<float, int32_t>(
      "f32", "i32", {2.9f, -2.9f, kNan, kInf, -1e20f, 2147483648.0f},
      {2, -2, 0, 2147483520, -2147483648, 2147483520});
  expectConverted<double, int32_t>("f64", "i32", {1e20, -1e20, -0.5},
                                   {2147483647, -2147483648, 0});
  expectConverted<float, uint8_t>("f32", "ui8", {254.9f, 256, -3, kNan},
                                  {254, 255, 0, 0});
  expectConverted<uint8_t, float>("ui8", "f32", {0, 200, 255}, {0, 200, 255});
  expectConverted<uint8_t, int32_t>("ui8", "i32", {0, 200, 255}, {0, 200, 255});
  expectConverted<uint8_t, double>("i1", "f64", {0, 1}, {0, 1});
  expectConverted<float, uint8_t>("f32", "i1", {0, -0.0f, 0.1f, kNan},
                                  {0, 0, 1, 1});
  expectConverted<int32_t, uint8_t>("i32", "i1", {0, -7}, {0, 1});
  expectConverted<int32_t, int64_t>("i32", "i64", {-7}, {-7});
  expectConverted<int64_t, float>("i64", "f32", {-7}, {-7});
  expectConverted<float, double>("f32", "f64", {0.5f}, {0.5});
  expectConverted<double, float>("f64", "f32", {0.5}, {0.5f});
}

TEST(GraphToLinalg, SelectChoosesBySideNeverByArithmetic) {
  Kernel kernel(R"(
    func.func @k(%c: tensor<4xi1>, %a: tensor<4xf32>, %b: tensor<4xf32>)
        -> tensor<4xf32> {
      %y = graph.select %c, %a, %b : tensor<4xf32>
      return %y : tensor<4xf32>
    })",
                /*schedule=*/false);
  Buffer<uint8_t> c = bufferOf<uint8_t>({1, 0, 1, 0});
  Buffer<float> a = bufferOf<float>({1, kNan, kInf, 4});
  Buffer<float> b = bufferOf<float>({kNan, 6, 7, 8}), y(4);
  kernel(c, a, b, y);
  expectNumbers<float>(y, {1, 6, kInf, 8});
}

TEST(GraphToLinalg, ReductionsOverAnyAxes) {
  Kernel kernel(R"(
    func.func @k(%x: tensor<2x3x2xf32>)
        -> (tensor<3xf32>, tensor<2x2xf32>, tensor<f32>) {
      %0 = graph.sum %x over [0, 2] : tensor<2x3x2xf32>
      %1 = graph.reduce_max %x over [1] : tensor<2x3x2xf32>
      %2 = graph.sum %x over [0, 1, 2] : tensor<2x3x2xf32>
      return %0, %1, %2 : tensor<3xf32>, tensor<2x2xf32>, tensor<f32>
    })",
                /*schedule=*/false);
  Buffer<float> x(12), sum(3), top(4), all(1);
  for (int i = 0; i < 12; ++i)
    x[i] = float(i);
  x[4] = kNan; // [0, 2, 0]
  kernel(x, sum, top, all);
  expectNumbers<float>(sum, {0 + 1 + 6 + 7, 2 + 3 + 8 + 9, kNan});
  expectNumbers<float>(top, {kNan, 5, 10, 11});
  expectNumbers<float>(all, {kNan});
}

TEST(GraphToLinalg, MaximumOfInfinitiesIsInfinite) {
  Kernel kernel(R"(
    func.func @k(%x: tensor<2x2xf32>) -> (tensor<2xf32>, tensor<2xi32>) {
      %0 = graph.reduce_max %x over [1] : tensor<2x2xf32>
      %1 = graph.argmax %x over 1 : tensor<2x2xf32>
      return %0, %1 : tensor<2xf32>, tensor<2xi32>
    })",
                /*schedule=*/false);
  Buffer<float> x = bufferOf<float>({-kInf, -kInf, -kInf, kInf}), top(2);
  Buffer<int32_t> where(2);
  kernel(x, top, where);
  expectNumbers<float>(top, {-kInf, kInf});
  expectNumbers<int32_t>(where, {0, 1});
}

TEST(GraphToLinalg, ArgmaxIsTheFirstMaximumAndNanIsTheLargest) {
  Kernel kernel(R"(
    func.func @k(%x: tensor<4x3xf32>) -> tensor<4xi32> {
      %y = graph.argmax %x over 1 : tensor<4x3xf32>
      return %y : tensor<4xi32>
    })",
                /*schedule=*/false);
  Buffer<float> x =
      bufferOf<float>({1, 3, 3, kNan, 5, kNan, 7, kNan, 9, -1, -2, -3});
  Buffer<int32_t> y(4);
  kernel(x, y);
  expectNumbers<int32_t>(y, {1, 0, 1, 0});
}

TEST(GraphToLinalg, MovementsPutElementsWhereTheySay) {
  Kernel kernel(R"(
    func.func @k(%x: tensor<2x3xf32>)
        -> (tensor<3x2xf32>, tensor<2x2x3xf32>, tensor<3x2xf32>,
            tensor<1x2xf32>, tensor<3x3xf32>, tensor<2x4xf32>) {
      %0 = graph.transpose %x by [1, 0] : tensor<2x3xf32>
      %1 = graph.broadcast %x along [1] sizes [2] : tensor<2x3xf32>
      %2 = graph.reshape %x to [3, 2] : tensor<2x3xf32>
      %3 = graph.slice %x from [1, 1] sizes [1, 2] : tensor<2x3xf32>
      %4 = graph.pad %x low [1, 0] high [0, 0] : tensor<2x3xf32>
      %5 = graph.slice %x from [0, 0] sizes [2, 1] : tensor<2x3xf32>
      %6 = graph.concat %x, %5 along 1 : tensor<2x3xf32>, tensor<2x1xf32>
      return %0, %1, %2, %3, %4, %6
          : tensor<3x2xf32>, tensor<2x2x3xf32>, tensor<3x2xf32>,
            tensor<1x2xf32>, tensor<3x3xf32>, tensor<2x4xf32>
    })",
                /*schedule=*/false);
  Buffer<float> x = bufferOf<float>({1, 2, 3, 4, 5, 6});
  Buffer<float> transposed(6), repeated(12), reshaped(6), box(2), padded(9),
      joined(8);
  kernel(x, transposed, repeated, reshaped, box, padded, joined);
  expectNumbers<float>(transposed, {1, 4, 2, 5, 3, 6});
  expectNumbers<float>(repeated, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
  expectNumbers<float>(reshaped, {1, 2, 3, 4, 5, 6});
  expectNumbers<float>(box, {5, 6});
  expectNumbers<float>(padded, {0, 0, 0, 1, 2, 3, 4, 5, 6});
  expectNumbers<float>(joined, {1, 2, 3, 1, 4, 5, 6, 4});
}

TEST(GraphToLinalg, TransposesOfHigherRankGoTheRightWay) {
  Kernel kernel(R"(
    func.func @k(%x: tensor<2x3x4xi32>) -> tensor<3x4x2xi32> {
      %y = graph.transpose %x by [1, 2, 0] : tensor<2x3x4xi32>
      return %y : tensor<3x4x2xi32>
    })",
                /*schedule=*/false);
  Buffer<int32_t> x(24), y(24);
  for (int i = 0; i < 24; ++i)
    x[i] = i;
  kernel(x, y);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k)
        EXPECT_EQ(y[(j * 4 + k) * 2 + i], x[(i * 3 + j) * 4 + k]);
}

TEST(GraphToLinalg, ConstantsAndIotaOfEveryElementType) {
  Kernel kernel(R"(
    func.func @k() -> (tensor<3xf32>, tensor<3xi32>, tensor<3xi1>,
                       tensor<3xui8>, tensor<2xi1>, tensor<2xui8>) {
      %0 = graph.iota 3 of f32
      %1 = graph.iota 3 of i32
      %2 = graph.iota 3 of i1
      %3 = graph.iota 3 of ui8
      %4 = graph.constant dense<[false, true]> : tensor<2xi1>
      %5 = graph.constant dense<[7, 255]> : tensor<2xui8>
      return %0, %1, %2, %3, %4, %5
          : tensor<3xf32>, tensor<3xi32>, tensor<3xi1>, tensor<3xui8>,
            tensor<2xi1>, tensor<2xui8>
    })",
                /*schedule=*/false);
  Buffer<float> real(3);
  Buffer<int32_t> whole(3);
  Buffer<uint8_t> truth(3), bytes(3), truths(2), constants(2);
  kernel(real, whole, truth, bytes, truths, constants);
  expectNumbers<float>(real, {0, 1, 2});
  expectNumbers<int32_t>(whole, {0, 1, 2});
  expectNumbers<uint8_t>(truth, {0, 1, 1});
  expectNumbers<uint8_t>(bytes, {0, 1, 2});
  expectNumbers<uint8_t>(truths, {0, 1});
  expectNumbers<uint8_t>(constants, {7, 255});
}

TEST(GraphToLinalg, EinsumsWithAndWithoutContraction) {
  Kernel kernel(R"(
    func.func @k(%a: tensor<2x3xf64>, %b: tensor<3x2xf64>, %v: tensor<3xf64>)
        -> (tensor<2x2xf64>, tensor<2x3xf64>, tensor<3x3xf64>, tensor<f64>,
            tensor<2x3x2xf64>) {
      %0 = graph.einsum "ij,jk->ik" %a, %b : tensor<2x3xf64>, tensor<3x2xf64>
      %1 = graph.einsum "ij,j->ij" %a, %v : tensor<2x3xf64>, tensor<3xf64>
      %2 = graph.einsum "i,j->ij" %v, %v : tensor<3xf64>, tensor<3xf64>
      %3 = graph.einsum "ij,ji->" %a, %b : tensor<2x3xf64>, tensor<3x2xf64>
      %4 = graph.einsum "ij,jk->ijk" %a, %b : tensor<2x3xf64>, tensor<3x2xf64>
      return %0, %1, %2, %3, %4
          : tensor<2x2xf64>, tensor<2x3xf64>, tensor<3x3xf64>, tensor<f64>,
            tensor<2x3x2xf64>
    })",
                /*schedule=*/false);
  Buffer<double> a = randomNumbers<double>(6, 1),
                 b = randomNumbers<double>(6, 2),
                 v = randomNumbers<double>(3, 3);
  Buffer<double> product(4), scaled(6), outer(9), trace(1), all(12);
  kernel(a, b, v, product, scaled, outer, trace, all);
  double sum = 0;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j) {
      EXPECT_DOUBLE_EQ(scaled[i * 3 + j], a[i * 3 + j] * v[j]);
      sum += a[i * 3 + j] * b[j * 2 + i];
      for (int k = 0; k < 2; ++k)
        EXPECT_DOUBLE_EQ(all[(i * 3 + j) * 2 + k], a[i * 3 + j] * b[j * 2 + k]);
    }
  EXPECT_NEAR(trace[0], sum, 1e-15);
  for (int i = 0; i < 2; ++i)
    for (int k = 0; k < 2; ++k) {
      double dot = 0;
      for (int j = 0; j < 3; ++j)
        dot += a[i * 3 + j] * b[j * 2 + k];
      EXPECT_NEAR(product[i * 2 + k], dot, 1e-15);
    }
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      EXPECT_DOUBLE_EQ(outer[i * 3 + j], v[i] * v[j]);
}

} // namespace
} // namespace gradus
