// Every function of std.nn in f64: its value against a formula, its first and
// second derivative against central differences, at random points; and both at
// the seams, against the values the language states.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <map>
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
      {"leaky_relu", "leaky_relu(x, slope = sum(w))"},
      {"elu", "elu(x)"},
      {"elu", "elu(x, alpha = sum(x))"},
      {"sigmoid", "sigmoid(x)"},
      {"silu", "silu(x)"},
      {"gelu", "gelu(x)"},
      {"gelu_tanh", "gelu_tanh(x)"},
      {"softplus", "softplus(x)"},
      {"log_sigmoid", "log_sigmoid(x)"},
      {"logaddexp", "logaddexp(x, w)"},
      {"logaddexp", "logaddexp(w, x * x)"},
      {"softmax", "softmax(x, axis = -1)"},
      {"softmax", "softmax(x, axis = 0)"},
      {"log_softmax", "log_softmax(x, axis = -1)"},
      {"log_softmax", "log_softmax(x, axis = 0)"},
      {"norm", "norm(x, axis = 1)", "2"},
      {"variance", "variance(x, axis = 1)", "2"},
      {"cross_entropy", "cross_entropy(x, argmax(x + v, axis = -1))", "2"},
      {"squared_error", "squared_error(x, w)"},
      {"huber", "huber(x, w)"},
      {"huber", "huber(w, x, delta = abs(sum(x)))"},
      {"binary_cross_entropy", "binary_cross_entropy(x, w)"},
      {"binary_cross_entropy", "binary_cross_entropy(w, x)"},
      {"dropout", "dropout(x, 0.5)"},
      {"gaussian_noise", "gaussian_noise(x)"},
      {"smoothed_cross_entropy",
       "smoothed_cross_entropy(x, argmax(x + v, axis = -1))", "2"},
      {"nll", "nll(log_softmax(x, axis = -1), argmax(v, axis = -1))", "2"},
      {"kl", "kl(softmax(x, axis = -1), softmax(w, axis = -1))", "2"},
      {"kl", "kl(softmax(w, axis = -1), softmax(x, axis = -1))", "2"},
      {"focal", "focal(x, argmax(v, axis = -1))", "2"},
      {"focal", "focal(x, argmax(v, axis = -1), gamma = 1.3)", "2"},
      {"hinge", "hinge(x, argmax(w, axis = -1))", "2"},
      {"l1", "l1(x)", ""},
      {"l2", "l2(x)", ""},
      {"elastic", "elastic(x)", ""},
      {"elastic", "elastic(x, share = x[0, 0])", ""},
      {"Linear", "lin(x)"},
      {"LayerNorm", "ln(x)"},
      {"RMSNorm", "rms(x)"},
      {"GroupNorm", "reshape[2, 3](gn(reshape[1, 2, 3, 1](x)))"},
      {"BatchNorm", "bn(x)"},
      {"Maxout", "pieces(x)", "2, 2"},
      {"Embedding", "x * rows(iota[2])"},
      {"Attention", "reshape[2, 3](att(reshape[1, 2, 3](x)))"},
      {"Conv", "reshape[2, 3](conv(reshape[1, 2, 1, 3](x)))"},
      {"Depthwise", "reshape[2, 3](deep(reshape[1, 2, 1, 3](x)))"},
      {"ConvTranspose", "reshape[2, 3](up(reshape[1, 2, 1, 3](x)))"},
      {"Dropout", "drop(x)"},
      {"GaussianNoise", "noise(x)"},
      {"RNN", "reshape[2, 3](rnn(reshape[1, 2, 3](x)))"},
      {"LSTM", "reshape[2, 3](lstm(reshape[1, 2, 3](x)))"},
      {"GRU", "reshape[2, 3](gru(reshape[1, 2, 3](x)))"},
      {"TransformerBlock", "reshape[2, 3](block(reshape[1, 2, 3](x)))"},
      {"linear", "linear(x[0, 0] + 3, 10)", ""},
      {"step_decay", "step_decay(9.5, 4, factor = x[0, 0]^2 + 1)", ""},
      {"one_cycle", "one_cycle(x[0, 0] + 2.5, 20)", ""},
      {"one_cycle", "one_cycle(x[0, 0] + 9, 20)", ""},
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
layer rms = RMSNorm[3]
layer gn = GroupNorm[2, 2]
layer bn = BatchNorm[3]
layer pieces = Maxout[3, 2, 4]
layer rows = Embedding[2, 3](scale = 1)
layer att = Attention[3, 1](causal = true)
layer drop = Dropout(p = 0.2)
layer noise = GaussianNoise
layer rnn = RNN[3, 3]
layer lstm = LSTM[3, 3]
layer gru = GRU[3, 3]
layer block = TransformerBlock[3, 1](causal = true)
layer conv = Conv[2, 2, 3](pad = 1)
layer deep = Depthwise[2, 3](pad = 1)
layer up = ConvTranspose[2, 2, 3](pad = 1)
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
  std::map<std::string, Numbers> parameters;
  for (auto *function : {&value, &gradient, &second}) {
    function->set("argument/w", w);
    function->set("argument/v", v);
    u.resize(function->has("argument/u") && GetParam().shape.empty() ? 1
             : GetParam().shape == "2"                               ? 2
             : GetParam().shape == "2, 2"                            ? 4
                                                                     : 6);
    function->set("argument/u", u);
    for (const BufferInfo &buffer : function->buffers())
      if (buffer.name.starts_with("param/")) {
        auto &numbers = parameters[buffer.name];
        if (numbers.empty())
          numbers = draw(size_t(buffer.elements()));
        function->set(buffer.name, numbers);
      }
    function->set("state/bn.sigma2", {1, 2, 3});
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
  expectNear(derivatives("leaky_relu(x, slope = 3) + x^3", 0), {0, 3, 0, 6});
  expectNear(derivatives("leaky_relu(x, slope = 3) + x^3", -1), {-4, 6, -6, 6});
}

TEST(PreludeSeams, EluTakesTheExponentialAtZero) {
  expectNear(derivatives("elu(x)", 0), {0, 1, 1, 1});
  expectNear(derivatives("elu(x, alpha = 2)", 0), {0, 2, 2, 2});
  expectNear(derivatives("elu(x)", 1000), {1000, 1, 0, 0});
}

TEST(PreludeSeams, SoftplusIsSmoothAtZero) {
  expectNear(derivatives("softplus(x)", 0), {std::log(2), 0.5, 0.25, 0});
}

TEST(PreludeSeams, SoftplusNeverOverflows) {
  expectNear(derivatives("softplus(x)", 1000), {1000, 1, 0, 0});
  expectNear(derivatives("softplus(x)", -1000), {0, 0, 0, 0});
}

TEST(PreludeSeams, LogSigmoidIsSmoothAtZeroAndNeverOverflows) {
  expectNear(derivatives("log_sigmoid(x)", 0), {-std::log(2), 0.5, -0.25, 0});
  expectNear(derivatives("log_sigmoid(x)", 1000), {0, 0, 0, 0});
  expectNear(derivatives("log_sigmoid(x)", -1000), {-1000, 1, 0, 0});
}

TEST(PreludeSeams, LogAddExpIsSmoothAtTiesAndNeverOverflows) {
  double log2 = std::log(2);
  expectNear(derivatives("logaddexp(x, 0)", 0), {log2, 0.5, 0.25, 0});
  expectNear(derivatives("logaddexp(3, x)", 3), {3 + log2, 0.5, 0.25, 0});
  expectNear(derivatives("logaddexp(x, x)", 1000), {1000 + log2, 1, 0, 0});
  expectNear(derivatives("logaddexp(x, 0)", 1000), {1000, 1, 0, 0});
  expectNear(derivatives("logaddexp(x, -inf)", 2), {2, 1, 0, 0});
  EXPECT_EQ(derivatives("logaddexp(x, -inf)", -INFINITY)[0], -INFINITY);
  EXPECT_EQ(derivatives("logaddexp(inf, x)", INFINITY)[0], INFINITY);
}

TEST(PreludeSeams, BinaryCrossEntropyIsSmoothAtZeroAndNeverOverflows) {
  expectNear(derivatives("binary_cross_entropy(x, 1)", 0),
             {std::log(2), -0.5, 0.25, 0});
  expectNear(derivatives("binary_cross_entropy(x, 0)", 0),
             {std::log(2), 0.5, 0.25, 0});
  expectNear(derivatives("binary_cross_entropy(x, 1)", -1000),
             {1000, -1, 0, 0});
  expectNear(derivatives("binary_cross_entropy(x, 0)", -1000), {0, 0, 0, 0});
  expectNear(derivatives("binary_cross_entropy(x, 1)", 1000), {0, 0, 0, 0});
}

TEST(PreludeSeams, HuberTakesTheParabolaAtItsJoins) {
  expectNear(derivatives("huber(x, 0) + x^3", 1), {1.5, 4, 7, 6});
  expectNear(derivatives("huber(x, 0) + x^3", -1), {-0.5, 2, -5, 6});
  expectNear(derivatives("huber(x, 0) + x^3", 0), {0, 0, 1, 6});
  expectNear(derivatives("huber(x, 0, delta = 2) + x^3", 3), {31, 29, 18, 6});
  expectNear(derivatives("huber(0, x, delta = 2) + x^3", 3), {31, 29, 18, 6});
}

TEST(PreludeSeams, HingeHasDerivativeZeroAtTheMargin) {
  ModelRunner model(R"(
export fn f(z: real[3]) -> (real, real[3]) {
  let l = hinge(z, argmax(where(z == 2, 1, 0)))
  return (l, grad(l, z))
}
)");
  auto function = model.exported("f");
  // 0.5 above the margin of class 1, class 2 right at it.
  function.set("argument/z", {1.5, 2, 1});
  function.run();
  EXPECT_EQ(function.get("result/0"), Numbers({0.5}));
  EXPECT_EQ(function.get("result/1"), Numbers({1, -1, 0}));
}

TEST(PreludeSeams, L1HasDerivativeZeroAtZero) {
  expectNear(derivatives("l1(x) + x^3", 0), {0, 0, 0, 6});
  expectNear(derivatives("elastic(x, share = 0.25) + x^3", 0), {0, 0, 1.5, 6});
  expectNear(derivatives("elastic(x, share = 0.25) + x^3", -2),
             {-4.5, 8.75, -10.5, 6});
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

TEST(PreludeSeams, SoftmaxOfMaskedElementsIsZero) {
  ModelRunner model(R"(
export fn f(x: real[2, 3], v: real[2, 3]) -> (real[2, 3], real[2, 3], real[2, 3], real[2, 3]) {
  let p = softmax(x, axis = -1)
  let l = log_softmax(x, axis = -1)
  let s = sum(p * v)
  let t = sum(where(x == -inf, 0, l) * v)
  return (p, l, grad(s, x), grad(t, x))
}
)");
  auto function = model.exported("f");
  function.set("argument/x",
               {2, -INFINITY, 2, -INFINITY, -INFINITY, -INFINITY});
  function.set("argument/v", {1, 5, 3, 1, 2, 3});
  function.run();
  EXPECT_EQ(function.get("result/0"), Numbers({0.5, 0, 0.5, 0, 0, 0}));
  double half = -std::log(2);
  EXPECT_EQ(function.get("result/1"),
            Numbers({half, -INFINITY, half, -INFINITY, -INFINITY, -INFINITY}));
  EXPECT_EQ(function.get("result/2"), Numbers({-0.5, 0, 0.5, 0, 0, 0}));
  EXPECT_EQ(function.get("result/3"), Numbers({-1, 0, 1, 0, 0, 0}));
}

} // namespace
} // namespace gradus
