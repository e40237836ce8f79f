// Values and derivatives of order 1 to 3 that are finite in mathematics, where
// a formula or its derivative has something infinite inside or is far out:
// compiled in f32 and f64, against closed forms.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <span>

namespace gradus {
namespace {

/// f(x), f'(x), f''(x), f'''(x) of an expression of the number x.
struct Row {
  std::string expression;
  double x;
  Numbers expected;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// log(1 + exp(x)) and its derivatives.
Numbers softplus(double x) {
  double s = sigmoid(x), t = sigmoid(-x);
  return {std::max(x, 0.) + std::log1p(std::exp(-std::abs(x))), s, s * t,
          s * t * (t - s)};
}

/// 1 / (1 + exp(-x)) and its derivatives.
Numbers logistic(double x) {
  double s = sigmoid(x), t = sigmoid(-x);
  return {s, s * t, s * t * (t - s), s * t * (1 - 6 * s * t)};
}

Numbers times(double factor, Numbers numbers) {
  for (double &x : numbers)
    x *= factor;
  return numbers;
}

/// What has the second derivative 0 is refused (E0504), so a cube is added.
Numbers plusCube(Numbers numbers, double x) {
  double cube[] = {x * x * x, 3 * x * x, 6 * x, 6};
  for (size_t i = 0; i < 4; ++i)
    numbers[i] += cube[i];
  return numbers;
}

/// Where a branch of `where` that is not taken, or a root, has no derivative.
std::vector<Row> atZero() {
  Numbers zero(4), cube{0, 0, 0, 6};
  return {
      {"where(x > 0, x * log(x), 0)", 0, zero},
      {"where(x > 0, sqrt(x), 0)", 0, zero},
      {"where(x > 0, 1 / x, 0)", 0, zero},
      {"where(x > 0, x^0.5, x^3)", 0, cube},
      {"where(x == 0, 1, sin(x) / x)", 0, {1, 0, 0, 0}},
      {"where(abs(x) < 1, atan(x), log(x))", 0, {0, 1, 0, -2}},
      {"where(x > 0, log(x), 0) + sqrt(1 + x)", 0, {1, 0.5, -0.25, 0.375}},
      {"abs(x) + x^3", 0, cube},
      {"abs(x)^3 + x^3", 0, cube},
      {"norm([x, 2 * x, 0 * x]) + x^3", 0, cube},
      {"norm([x, 3, 4])", 0, {5, 0, 0.2, 0}},
      {"sqrt(x^2 + 4)", 0, {2, 0, 0.5, 0}},
      {"x^3 * sqrt(abs(x) + 1)", 0, cube},
      {"relu(x) + x^3", 0, cube},
      {"kl([x, 1 - x], [0.5, 0.5]) + x^3", 0.5, {0.125, 0.75, 4 + 3, 6}},
      {"kl([0 * x, 1], [0.5 + x^3, 0.5])", 0, {std::log(2), 0, 0, 0}},
  };
}

/// Formulas that overflow on the way, written as one writes them and as std.nn
/// has them.
std::vector<Row> farOut() {
  std::vector<Row> rows;
  for (double x : {-1e4, -100., 0., 20., 100., 1e4}) {
    for (const char *text :
         {"softplus(x)", "log1p(exp(x))", "log(1 + exp(x))", "log(exp(x) + 1)",
          "logaddexp(x, 0)", "logaddexp(0, x)", "log(exp(x) + exp(0 * x))",
          "-log_sigmoid(-x)", "-log(sigmoid(-x))", "-log_softmax([-x, 0])[0]",
          "-log(softmax([-x, 0]))[0]", "binary_cross_entropy(x, 0)"})
      rows.push_back({text, x, softplus(x)});
    rows.push_back({"logaddexp(x, x)", x, {x + std::log(2), 1, 0, 0}});
    rows.push_back({"log_softmax([x, 0, -inf])[1]", x, times(-1, softplus(x))});
    for (const char *text :
         {"sigmoid(x)", "softmax([x, 0])[0]", "softmax([x, 0, -inf])[0]",
          "exp(-softplus(-x))", "1 - sigmoid(-x)", "1 - softmax([x, 0])[1]"})
      rows.push_back({text, x, logistic(x)});
    double t = std::tanh(x), u = 1 - t * t;
    rows.push_back({"tanh(x)", x, {t, u, -2 * t * u, u * (6 * t * t - 2)}});
    if (x <= 0) {
      double e = std::exp(x);
      rows.push_back({"expm1(x)", x, {std::expm1(x), e, e, e}});
    }
    rows.push_back(
        {"variance([x, 0]) + x^3", x, plusCube({x * x / 4, x / 2, 0.5, 0}, x)});
    rows.push_back({"variance([x + 1, x - 1, x]) + x^3", x,
                    plusCube({2. / 3, 0, 0, 0}, x)});
  }
  // Of logits that are far apart everywhere but in one point.
  rows.push_back({"softmax(-1e4 * [x, 2 * x, 3 * x])[0]", 1, {1, 0, 0, 0}});
  rows.push_back({"softmax(-1e4 * [x, 2 * x, 3 * x])[0]",
                  0,
                  {1. / 3, 1e4 / 3, 1e8 / 9, -1e12 / 3}});
  // A row that is masked in full: zeros, and no derivative.
  rows.push_back({"sum(softmax([-inf, -inf] + x)) + x^3", 2, {8, 12, 12, 6}});
  rows.push_back(
      {"sum(where([x, x] > 9, log_softmax([-inf, -inf] + x), 0)) + x^3",
       2,
       {8, 12, 12, 6}});
  return rows;
}

/// These rows in one model: it compiles once.
void checkTogether(std::span<const Row> rows, Precision precision) {
  std::string text, calls;
  Numbers points;
  for (size_t i = 0; i < rows.size(); ++i) {
    text += fmt::format("fn row_{}(x: real) -> real[4] {{\n"
                        "  let y = {}\n"
                        "  let a = grad(y, x)\n"
                        "  let b = grad(a, x)\n"
                        "  let c = grad(b, x)\n"
                        "  return [y, a, b, c]\n}}\n",
                        i, rows[i].expression);
    calls += fmt::format("{}row_{}(x[{}])", i ? ", " : "", i, i);
    points.push_back(rows[i].x);
  }
  text += fmt::format("export fn f(x: real[{}]) = ({})\n", rows.size(), calls);
  ModelRunner model(text, {}, precision);
  auto function = model.exported("f");
  function.set("argument/x", points);
  function.run();
  double epsilon = precision == Precision::F64 ? 1e-12 : 2e-5;
  for (size_t i = 0; i < rows.size(); ++i) {
    Numbers found = function.get("result/" + std::to_string(i));
    for (size_t order = 0; order < 4; ++order)
      EXPECT_NEAR(found[order], rows[i].expected[order],
                  epsilon * (1 + std::abs(rows[i].expected[order])))
          << rows[i].expression << " at " << rows[i].x << ", order " << order;
  }
}

void check(const std::vector<Row> &rows, Precision precision) {
  constexpr size_t many = 40;
  std::span<const Row> all(rows);
  for (size_t i = 0; i < rows.size(); i += many)
    checkTogether(all.subspan(i, std::min(many, rows.size() - i)), precision);
}

class Finite : public testing::TestWithParam<Precision> {};

TEST_P(Finite, WhereABranchOrARootHasNoDerivative) {
  check(atZero(), GetParam());
}

TEST_P(Finite, FarOut) { check(farOut(), GetParam()); }

INSTANTIATE_TEST_SUITE_P(Precisions, Finite,
                         testing::Values(Precision::F32, Precision::F64),
                         [](const auto &info) {
                           return info.param == Precision::F32 ? "f32" : "f64";
                         });

} // namespace
} // namespace gradus
