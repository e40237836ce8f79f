// Every function of std.nn in f64: its value against a formula, its first and
// second derivative against central differences, at random points; and both at
// the seams, against the values the language states.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <random>
#include <set>

namespace gradus {
namespace {

struct Case {
  std::string function;
  /// An expression of x: real[2, 3] that calls it.
  std::string call;
  /// Its shape: "2, 3", "2" or "" for a number.
  std::string shape = "2, 3";
};

void PrintTo(const Case &one, std::ostream *out) { *out << one.call; }

const std::vector<Case> &cases() {
  static const std::vector<Case> all = {
      {"relu", "relu(x)"},
      {"leaky_relu", "leaky_relu(x)"},
      {"sigmoid", "sigmoid(x)"},
      {"silu", "silu(x)"},
      {"gelu", "gelu(x)"},
      {"softplus", "softplus(x)"},
      {"softmax", "softmax(x, axis = -1)"},
      {"softmax", "softmax(x, axis = 0)"},
      {"log_softmax", "log_softmax(x, axis = -1)"},
      {"log_softmax", "log_softmax(x, axis = 0)"},
      {"norm", "norm(x, axis = 1)", "2"},
      {"variance", "variance(x, axis = 1)", "2"},
      {"cross_entropy", "cross_entropy(x, argmax(x + v, axis = -1))", "2"},
      {"squared_error", "squared_error(x, w)"},
      {"Linear", "lin(x)"},
      {"LayerNorm", "ln(x)"},
      {"warmup", "warmup(sum(x), 100)", ""},
      {"cosine", "cosine(x[0, 0] + 3, 10)", ""},
  };
  return all;
}

/// value = sum(u (y + y^2 / 2)), gradient = its derivative by x, second = that
/// of sum(gradient v).
std::string modelFor(const Case &one) {
  std::string arguments =
      "x: real[2, 3], w: real[2, 3], v: real[2, 3], u: real" +
      (one.shape.empty() ? "" : "[" + one.shape + "]");
  std::string sum =
      one.shape.empty() ? "u * (y + 0.5 * y^2)" : "sum(u * (y + 0.5 * y^2))";
  return fmt::format(R"(
layer lin = Linear[3, 3]
layer ln = LayerNorm[3]
export fn value({0}) -> real {{
  let y = {1}
  return {2}
}}
export fn gradient({0}) -> real[2, 3] {{
  let y = {1}
  let s = {2}
  return grad(s, x)
}}
export fn second({0}) -> real[2, 3] {{
  let y = {1}
  let s = {2}
  let g = grad(s, x)
  let q = sum(g * v)
  return grad(q, x)
}}
)",
                     arguments, one.call, sum);
}

class Prelude : public testing::TestWithParam<Case> {};

TEST_P(Prelude, AgreesWithCentralDifferences) {
  ModelRunner model(modelFor(GetParam()));
  auto value = model.exported("value"), gradient = model.exported("gradient"),
       second = model.exported("second");
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(-2, 2);
  auto draw = [&](size_t n) {
    Numbers numbers(n);
    for (double &number : numbers)
      number = uniform(random);
    return numbers;
  };
  Numbers x = draw(6), w = draw(6), v = draw(6), u = draw(6);
  Numbers weights = draw(9), biases = draw(3), gain = draw(3);
  for (auto *function : {&value, &gradient, &second}) {
    function->set("argument/w", w);
    function->set("argument/v", v);
    u.resize(function->has("argument/u") && GetParam().shape.empty() ? 1
             : GetParam().shape == "2"                               ? 2
                                                                     : 6);
    function->set("argument/u", u);
    function->set("param/lin.W", weights);
    function->set("param/lin.b", biases);
    function->set("param/ln.gain", gain);
    function->set("param/ln.bias", biases);
  }
  auto run = [](ModelRunner::Function &function, const Numbers &at) {
    function.set("argument/x", at);
    function.run();
    return function.get("result/0");
  };
  auto slope = [&](const Numbers &at) {
    Numbers g = run(gradient, at);
    double sum = 0;
    for (size_t i = 0; i < 6; ++i)
      sum += g[i] * v[i];
    return sum;
  };

  Numbers first = run(gradient, x), ddx = run(second, x);
  const double step = 1e-5;
  for (size_t i = 0; i < 6; ++i) {
    Numbers above = x, below = x;
    above[i] += step;
    below[i] -= step;
    double slopeOfValue =
        (run(value, above)[0] - run(value, below)[0]) / (2 * step);
    EXPECT_NEAR(first[i], slopeOfValue, 1e-7 * (1 + std::fabs(slopeOfValue)))
        << "first derivative by x[" << i << "]";
    double slopeOfGradient = (slope(above) - slope(below)) / (2 * step);
    EXPECT_NEAR(ddx[i], slopeOfGradient,
                1e-6 * (1 + std::fabs(slopeOfGradient)))
        << "second derivative by x[" << i << "]";
  }
}

INSTANTIATE_TEST_SUITE_P(Functions, Prelude, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<Case> &info) {
                           return info.param.function + "_" +
                                  std::to_string(info.index);
                         });

TEST(PreludeCoverage, EveryFunctionAndLayerHasACase) {
  ModelRunner model("dim D = 1\n");
  std::set<std::string> tested;
  for (const Case &one : cases())
    tested.insert(one.function);
  for (const typed::Function *function :
       model.program().files.front()->functions)
    if (function->isExported)
      EXPECT_TRUE(tested.count(function->name)) << function->name;
  for (const typed::Module *module : model.program().modules)
    if (module->isExported)
      EXPECT_TRUE(tested.count(module->name)) << module->name;
}

/// f(x), f'(x), f''(x) and f'''(x) of an expression of the number x.
Numbers derivatives(const std::string &expression, double x) {
  ModelRunner model(fmt::format(R"(
export fn f(x: real) -> (real, real, real, real) {{
  let y = {}
  let a = grad(y, x)
  let b = grad(a, x)
  let c = grad(b, x)
  return (y, a, b, c)
}}
)",
                                expression));
  auto function = model.exported("f");
  function.set("argument/x", {x});
  function.run();
  Numbers values;
  for (int i = 0; i < 4; ++i)
    values.push_back(function.get("result/" + std::to_string(i))[0]);
  return values;
}

void expectNear(const Numbers &found, const Numbers &expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-12) << "order " << i;
}

TEST(PreludeSeams, ReluHasDerivativeZeroAtZero) {
  expectNear(derivatives("relu(x) + x^3", 0), {0, 0, 0, 6});
}

TEST(PreludeSeams, LeakyReluTakesTheNegativeSlopeAtZero) {
  expectNear(derivatives("leaky_relu(x) + x^3", 0), {0, 0.2, 0, 6});
}

TEST(PreludeSeams, SoftplusIsSmoothAtZero) {
  expectNear(derivatives("softplus(x)", 0), {std::log(2), 0.5, 0.25, 0});
}

TEST(PreludeSeams, SoftplusNeverOverflows) {
  expectNear(derivatives("softplus(x)", 1000), {1000, 1, 0, 0});
  expectNear(derivatives("softplus(x)", -1000), {0, 0, 0, 0});
}

TEST(PreludeSeams, UntakenBranchOfWhereIsSilent) {
  expectNear(derivatives("where(x > 0, x * log(x), 0)", 0), {0, 0, 0, 0});
}

TEST(PreludeSeams, NormHasDerivativeZeroAtZero) {
  ModelRunner model(R"(
export fn f(x: real[3]) -> real[3] {
  let y = norm(x)
  return grad(y, x)
}
)");
  auto function = model.exported("f");
  function.set("argument/x", {0, 0, 0});
  function.run();
  EXPECT_EQ(function.get("result/0"), Numbers({0, 0, 0}));
}

TEST(PreludeSeams, SoftmaxOfLargeNumbersIsFinite) {
  ModelRunner model(R"(
export fn f(x: real[3]) -> (real[3], real[3]) = (softmax(x), log_softmax(x))
)");
  auto function = model.exported("f");
  function.set("argument/x", {1e4, 0, -1e4});
  function.run();
  EXPECT_EQ(function.get("result/0"), Numbers({1, 0, 0}));
  EXPECT_EQ(function.get("result/1"), Numbers({0, -1e4, -2e4}));
}

} // namespace
} // namespace gradus
