// Derivatives where functions have corners, ties or untaken branches, to third
// order, against the values the language states.
#include "test/unit/differentiate/GraphRunner.h"

#include "gtest/gtest.h"

#include <fmt/format.h>

namespace gradus {
namespace {

/// f(x) and its first three derivatives at a scalar x; `body` computes %y of
/// %x.
std::vector<double> derivatives(const std::string &body, double x,
                                int order = 3,
                                const std::string &functions = "") {
  std::string text = body, last = "%y", all = "%y", types = "tensor<f64>";
  for (int n = 1; n <= order; ++n) {
    text += fmt::format(
        "\n%d{} = graph.gradient {} wrt %x : tensor<f64>, tensor<f64>", n,
        last);
    last = fmt::format("%d{}", n);
    all += ", " + last;
    types += ", tensor<f64>";
  }
  GraphRunner runner(functions +
                     fmt::format("func.func @f(%x: tensor<f64>) -> ({0}) {{\n"
                                 "{1}\nreturn {2} : {0} }}",
                                 types, text, all));
  std::vector<double> values;
  for (auto &result : runner.run("f", {{x}}, std::vector<size_t>(order + 1, 1)))
    values.push_back(result[0]);
  return values;
}

void expectNear(const std::vector<double> &found,
                const std::vector<double> &expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-12) << "order " << i;
}

TEST(Seam, AbsHasDerivativeZeroAtZero) {
  // abs' = sign, whose own derivative is refused as always zero; so square it.
  expectNear(derivatives("%a = graph.abs %x : tensor<f64>\n"
                         "%y = graph.mul %a, %x : tensor<f64>",
                         0, 2),
             {0, 0, 0});
}

TEST(Seam, MaxSharesTies) {
  // max(x, x^2) at 1: half of each derivative.
  expectNear(derivatives("%q = graph.mul %x, %x : tensor<f64>\n"
                         "%y = graph.max %x, %q : tensor<f64>",
                         1, 1),
             {1, 1.5});
  expectNear(derivatives("%q = graph.mul %x, %x : tensor<f64>\n"
                         "%y = graph.min %x, %q : tensor<f64>",
                         1, 1),
             {1, 1.5});
}

TEST(Seam, ReduceMaxSharesTies) {
  GraphRunner runner(R"(
    func.func @f(%x: tensor<4xf64>) -> tensor<4xf64> {
      %y = graph.reduce_max %x over [0] : tensor<4xf64>
      %dx = graph.gradient %y wrt %x : tensor<f64>, tensor<4xf64>
      return %dx : tensor<4xf64>
    })");
  expectNear(runner.run("f", {{3, 1, 3, 2}}, {4})[0], {0.5, 0, 0.5, 0});
}

// where(x > 0, x log(x), 0): at 0 the untaken branch is 0 * -inf, its
// derivatives infinite.
TEST(Seam, UntakenBranchOfWhereStaysSilent) {
  expectNear(derivatives("%0 = graph.constant dense<0.0> : tensor<f64>\n"
                         "%c = graph.compare gt %x, %0 : tensor<f64>\n"
                         "%l = graph.log %x : tensor<f64>\n"
                         "%t = graph.mul %x, %l : tensor<f64>\n"
                         "%y = graph.select %c, %t, %0 : tensor<f64>",
                         0),
             {0, 0, 0, 0});
}

// where(x < 10, exp(x), x) at 1000: exp overflows in the branch not taken.
TEST(Seam, OverflowInAnUntakenBranchStaysSilent) {
  expectNear(derivatives("%10 = graph.constant dense<10.0> : tensor<f64>\n"
                         "%c = graph.compare lt %x, %10 : tensor<f64>\n"
                         "%e = graph.exp %x : tensor<f64>\n"
                         "%y = graph.select %c, %e, %x : tensor<f64>",
                         1000, 2),
             {1000, 1, 0});
}

// where(x > 0, sqrt(x), -sqrt(-x)): each branch is NaN where the other is
// taken.
TEST(Seam, NanInAnUntakenBranchStaysSilent) {
  expectNear(derivatives("%0 = graph.constant dense<0.0> : tensor<f64>\n"
                         "%c = graph.compare gt %x, %0 : tensor<f64>\n"
                         "%s = graph.sqrt %x : tensor<f64>\n"
                         "%m = graph.neg %x : tensor<f64>\n"
                         "%t = graph.sqrt %m : tensor<f64>\n"
                         "%u = graph.neg %t : tensor<f64>\n"
                         "%y = graph.select %c, %s, %u : tensor<f64>",
                         -4),
             {-2, 0.25, 0.03125, 0.01171875});
}

// (sqrt(x) - 2)^2 at 4: the cotangent is exactly zero there, but its derivative
// is not; cutting it off would give 0 instead of 1/8.
TEST(Seam, ZeroCotangentKeepsItsDerivative) {
  std::string square = "%s = graph.sqrt %x : tensor<f64>\n"
                       "%2 = graph.constant dense<2.0> : tensor<f64>\n"
                       "%e = graph.sub %s, %2 : tensor<f64>\n";
  std::vector<double> expected{0, 0, 0.125, -0.09375 / 2};
  expectNear(derivatives(square + "%y = graph.mul %e, %e : tensor<f64>", 4),
             expected);
  // The same behind a mask, where the products are strong.
  expectNear(derivatives(square + "%q = graph.mul %e, %e : tensor<f64>\n"
                                  "%c = graph.compare gt %x, %2 : tensor<f64>\n"
                                  "%y = graph.select %c, %q, %x : tensor<f64>",
                         4),
             expected);
}

// x^2 by the general power at 0, where log(x) and x^(-1) are infinite.
TEST(Seam, PowersAtZero) {
  expectNear(derivatives("%2 = graph.constant dense<2.0> : tensor<f64>\n"
                         "%y = graph.pow %x, %2 : tensor<f64>",
                         0, 2),
             {0, 0, 2});
}

} // namespace
} // namespace gradus
