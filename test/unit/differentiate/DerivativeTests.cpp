// Every row of dialect/Derivatives.td, and every op with a rule of its own,
// against central differences in f64: the gradient against the value, and the
// second derivative against the gradient, at random points.
// tools/docs/derivatives.py fails if an op has no case here.
#include "runtime/Random.h"
#include "runtime/run/GradientCheck.h"
#include "test/unit/differentiate/GraphRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <random>

namespace gradus {
namespace {

using Numbers = std::vector<double>;

struct Case {
  /// The op's mnemonic.
  std::string op;
  /// Shapes of the inputs %a, %b, ...
  std::vector<std::vector<int64_t>> inputs;
  /// Computes %y.
  std::string body;
  std::vector<int64_t> result;
  /// Inputs are drawn from [low, high].
  double low = -2, high = 2;
  double step = 1e-5, tolerance = 2e-6;
};

std::ostream &operator<<(std::ostream &out, const Case &one) {
  return out << one.op << ": " << one.body;
}

std::string type(const std::vector<int64_t> &shape) {
  return shape.empty() ? "tensor<f64>"
                       : fmt::format("tensor<{}xf64>", fmt::join(shape, "x"));
}

size_t size(const std::vector<int64_t> &shape) {
  size_t product = 1;
  for (int64_t n : shape)
    product *= n;
  return product;
}

std::string axes(const std::vector<int64_t> &shape) {
  std::string list = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    list += (i ? ", " : "") + std::to_string(i);
  return list + "]";
}

std::string name(size_t input) { return std::string(1, 'a' + input); }

/// The module with @value, @gradient and @second: value = sum(w (y + y^2 / 2)),
/// so that linear ops have a second derivative, too; second = the derivative of
/// sum(gradient * v).
std::string moduleFor(const Case &one) {
  std::string parameters, wrt, types, directions;
  for (size_t i = 0; i < one.inputs.size(); ++i) {
    const char *comma = i ? ", " : "";
    std::string t = type(one.inputs[i]);
    parameters += fmt::format("{}%{}: {}", comma, name(i), t);
    directions += fmt::format(", %v{}: {}", name(i), t);
    wrt += fmt::format("{}%{}", comma, name(i));
    types += comma + t;
  }
  std::string y = type(one.result);
  std::string value = fmt::format(R"(
    {1}
    %square = graph.mul %y, %y : {0}
    %half = graph.constant dense<0.5> : {0}
    %halved = graph.mul %square, %half : {0}
    %both = graph.add %y, %halved : {0}
    %weighted = graph.mul %both, %w : {0}
    %s = graph.sum %weighted over {2} : {0}
)",
                                  y, one.body, axes(one.result));
  std::string gradient =
      value +
      fmt::format("%g:{} = graph.gradient %s wrt {} : tensor<f64>, {}\n",
                  one.inputs.size(), wrt, types);
  std::string second = gradient;
  std::string sum;
  for (size_t i = 0; i < one.inputs.size(); ++i) {
    std::string t = type(one.inputs[i]);
    second += fmt::format("%p{0} = graph.mul %g#{0}, %v{1} : {2}\n"
                          "%q{0} = graph.sum %p{0} over {3} : {2}\n",
                          i, name(i), t, axes(one.inputs[i]));
    if (i)
      second +=
          fmt::format("%r{} = graph.add {}, %q{} : tensor<f64>\n", i, sum, i);
    sum = i ? fmt::format("%r{}", i) : "%q0";
  }
  second += fmt::format("%h:{} = graph.gradient {} wrt {} : tensor<f64>, {}\n",
                        one.inputs.size(), sum, wrt, types);
  auto results = [&](const char *v) {
    std::string list;
    for (size_t i = 0; i < one.inputs.size(); ++i)
      list += fmt::format("{}{}#{}", i ? ", " : "", v, i);
    return list;
  };
  return fmt::format(
      "func.func @value({0}, %w: {1}) -> tensor<f64> {{ {2} return %s : "
      "tensor<f64> }}\n"
      "func.func @gradient({0}, %w: {1}) -> ({3}) {{ {4} return {5} : {3} }}\n"
      "func.func @second({0}, %w: {1}{6}) -> ({3}) {{ {7} return {8} : {3} "
      "}}\n",
      parameters, y, value, types, gradient, results("%g"), directions, second,
      results("%h"));
}

class Derivative : public testing::TestWithParam<Case> {};

TEST_P(Derivative, AgreesWithCentralDifferences) {
  const Case &one = GetParam();
  GraphRunner runner(moduleFor(one));
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> inside(one.low, one.high),
      weight(-1, 1);
  auto draw = [&](size_t n, auto &distribution) {
    Numbers numbers(n);
    for (double &x : numbers)
      x = distribution(random);
    return numbers;
  };

  std::vector<Numbers> point, directions;
  std::vector<size_t> sizes;
  for (const auto &shape : one.inputs) {
    point.push_back(draw(size(shape), inside));
    directions.push_back(draw(size(shape), weight));
    sizes.push_back(size(shape));
  }
  point.push_back(draw(size(one.result), weight));

  auto value = [&](const std::vector<Numbers> &at) {
    return runner.run("value", at, {1})[0][0];
  };
  auto slope = [&](const std::vector<Numbers> &at) {
    auto gradient = runner.run("gradient", at, sizes);
    double sum = 0;
    for (size_t i = 0; i < gradient.size(); ++i)
      for (size_t j = 0; j < gradient[i].size(); ++j)
        sum += gradient[i][j] * directions[i][j];
    return sum;
  };
  auto expectDerivative = [&](const char *order, auto function,
                              const std::vector<Numbers> &derivative) {
    for (size_t i = 0; i < sizes.size(); ++i)
      for (size_t j = 0; j < sizes[i]; ++j) {
        auto above = point, below = point;
        above[i][j] += one.step;
        below[i][j] -= one.step;
        double numeric = (function(above) - function(below)) / (2 * one.step);
        EXPECT_NEAR(derivative[i][j], numeric,
                    one.tolerance * (1 + std::fabs(numeric)))
            << order << " derivative by %" << name(i) << "[" << j << "]";
      }
  };
  expectDerivative("first", value, runner.run("gradient", point, sizes));
  auto atSecond = point;
  atSecond.insert(atSecond.end(), directions.begin(), directions.end());
  expectDerivative("second", slope, runner.run("second", atSecond, sizes));
}

/// What `gradcheck` says to a gradient whose rule is off by `factor`.
std::vector<GradientRow> checkedRows(const Case &one, const std::string &spoil,
                                     double factor, int &spoiled) {
  // Second derivatives would take a second round of rules.
  std::string text = moduleFor(one);
  GraphRunner runner(text.substr(0, text.find("func.func @second")), spoil,
                     factor);
  spoiled = runner.spoiled();
  std::vector<Tensor> tensors;
  std::vector<size_t> sizes;
  for (const auto &shape : one.inputs) {
    tensors.emplace_back(Element::F64, shape);
    fillUniform(tensors.back(), Stream(5, tensors.size()), one.low, one.high);
    sizes.push_back(size(shape));
  }
  Tensor weights(Element::F64, one.result);
  fillUniform(weights, Stream(5, 0), 0.5, 1);
  auto point = [&] {
    std::vector<Numbers> numbers;
    for (const Tensor &tensor : tensors)
      numbers.emplace_back(tensor.as<double>().begin(),
                           tensor.as<double>().end());
    numbers.emplace_back(weights.as<double>().begin(),
                         weights.as<double>().end());
    return numbers;
  };

  GradientProblem problem;
  auto gradient = runner.run("gradient", point(), sizes);
  for (size_t i = 0; i < tensors.size(); ++i) {
    Tensor values(Element::F64, one.inputs[i]);
    for (size_t j = 0; j < sizes[i]; ++j)
      values.set(int64_t(j), gradient[i][j]);
    problem.inputs.push_back({name(i), &tensors[i], std::move(values)});
  }
  problem.value = [&] { return runner.run("value", point(), {1})[0][0]; };
  return checkGradient(problem, {0, 0});
}

TEST_P(Derivative, IsWrongForGradcheckWhenItsRuleIsOffByOnePerCent) {
  const Case &one = GetParam();
  int spoiled = 0;
  for (const GradientRow &row : checkedRows(one, "", 1, spoiled))
    EXPECT_NE(row.verdict, SlopeVerdict::Wrong)
        << row.name << ": " << row.analytic << " against " << row.numeric;
  bool isWrong = false;
  for (const GradientRow &row : checkedRows(one, one.op, 1.01, spoiled))
    isWrong |= row.verdict == SlopeVerdict::Wrong;
  // What brings its own rule makes no pullback.
  EXPECT_EQ(spoiled > 0, one.op != "concat");
  EXPECT_EQ(isWrong, spoiled > 0);
}

Case unary(const std::string &op, double low = -2, double high = 2) {
  return {op,     {{2, 3}}, "%y = graph." + op + " %a : tensor<2x3xf64>",
          {2, 3}, low,      high};
}

Case binary(const std::string &op, double low = -2, double high = 2) {
  return {op,
          {{2, 3}, {2, 3}},
          "%y = graph." + op + " %a, %b : tensor<2x3xf64>",
          {2, 3},
          low,
          high};
}

std::string caseName(const testing::TestParamInfo<Case> &info) {
  return info.param.op + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(Unary, Derivative,
                         testing::Values(unary("neg"), unary("exp"),
                                         unary("expm1"), unary("log", 0.2, 3),
                                         unary("log1p", -0.7, 3), unary("tanh"),
                                         unary("erf"), unary("sqrt", 0.2, 3),
                                         unary("sin"), unary("cos"),
                                         unary("atan"), unary("abs")),
                         caseName);

INSTANTIATE_TEST_SUITE_P(Binary, Derivative,
                         testing::Values(binary("add"), binary("sub"),
                                         binary("mul"), binary("div", 0.3, 2),
                                         binary("pow", 0.3, 2), binary("max"),
                                         binary("min"), binary("strong_mul")),
                         caseName);

INSTANTIATE_TEST_SUITE_P(
    Others, Derivative,
    testing::Values(
        Case{"select",
             {{6}, {6}},
             "%c = graph.compare gt %a, %b : tensor<6xf64>\n"
             "%y = graph.select %c, %a, %b : tensor<6xf64>",
             {6}},
        Case{"convert",
             {{4}},
             "%f = graph.convert %a to f32 : tensor<4xf64>\n"
             "%y = graph.convert %f to f64 : tensor<4xf32>",
             {4},
             -2,
             2,
             1e-2,
             1e-4},
        Case{"einsum",
             {{3, 4}, {4, 2}},
             "%y = graph.einsum \"ij,jk->ik\" %a, %b : tensor<3x4xf64>, "
             "tensor<4x2xf64>",
             {3, 2}},
        Case{"einsum",
             {{3, 4}, {2, 4}},
             "%y = graph.einsum \"ij,kj->ki\" %a, %b : tensor<3x4xf64>, "
             "tensor<2x4xf64>",
             {2, 3}},
        Case{"einsum",
             {{2, 3, 4}, {2, 4, 2}},
             "%y = graph.einsum \"bij,bjk->bik\" %a, %b : tensor<2x3x4xf64>, "
             "tensor<2x4x2xf64>",
             {2, 3, 2}},
        Case{"einsum",
             {{3}, {4}},
             "%y = graph.einsum \"i,j->ij\" %a, %b : tensor<3xf64>, "
             "tensor<4xf64>",
             {3, 4}},
        Case{"einsum",
             {{5}, {5}},
             "%y = graph.einsum \"i,i->\" %a, %b : tensor<5xf64>, "
             "tensor<5xf64>",
             {}},
        Case{"gather",
             {{3, 2}},
             "%i = graph.constant dense<[2, 0, 2, 2]> : tensor<4xi32>\n"
             "%y = graph.gather %a at %i : tensor<3x2xf64>, tensor<4xi32>",
             {4, 2}},
        Case{"solve",
             {{2, 2}, {2, 3}},
             "%c = graph.constant dense<[[7.0, 1.0], [-2.0, 6.0]]> : "
             "tensor<2x2xf64>\n"
             "%m = graph.add %a, %c : tensor<2x2xf64>\n"
             "%y = graph.solve %m, %b : tensor<2x2xf64>, tensor<2x3xf64>",
             {2, 3}},
        Case{"cholesky",
             {{2, 2}},
             "%c = graph.constant dense<[[7.0, 1.0], [-2.0, 6.0]]> : "
             "tensor<2x2xf64>\n"
             "%m = graph.add %a, %c : tensor<2x2xf64>\n"
             "%y = graph.cholesky %m : tensor<2x2xf64>",
             {2, 2}},
        Case{"scatter_add",
             {{4, 2}},
             "%i = graph.constant dense<[2, 0, 2, 2]> : tensor<4xi32>\n"
             "%y = graph.scatter_add %a at %i rows 3 : tensor<4x2xf64>, "
             "tensor<4xi32>",
             {3, 2}},
        Case{"sum",
             {{2, 3, 4}},
             "%y = graph.sum %a over [0, 2] : tensor<2x3x4xf64>",
             {3}},
        Case{"broadcast",
             {{3}},
             "%y = graph.broadcast %a along [0, 2] sizes [2, 4] : "
             "tensor<3xf64>",
             {2, 3, 4}},
        Case{"transpose",
             {{2, 3, 4}},
             "%y = graph.transpose %a by [1, 2, 0] : tensor<2x3x4xf64>",
             {3, 4, 2}},
        Case{"reshape",
             {{2, 6}},
             "%y = graph.reshape %a to [3, 4] : tensor<2x6xf64>",
             {3, 4}},
        Case{"slice",
             {{4, 5}},
             "%y = graph.slice %a from [1, 2] sizes [2, 3] : tensor<4x5xf64>",
             {2, 3}},
        Case{"pad",
             {{2, 3}},
             "%y = graph.pad %a low [1, 0] high [0, 2] : tensor<2x3xf64>",
             {3, 5}},
        Case{"unfold",
             {{2, 7}},
             "%y = graph.unfold %a along [1] sizes [3] strides [2] "
             "dilations [1] : tensor<2x7xf64>",
             {2, 3, 3}},
        Case{"unfold",
             {{4, 5}},
             "%y = graph.unfold %a along [0, 1] sizes [2, 2] strides [1, 2] "
             "dilations [2, -1] : tensor<4x5xf64>",
             {2, 2, 2, 2}},
        Case{"fold",
             {{2, 3, 3}},
             "%y = graph.fold %a along [1] extents [8] strides [2] "
             "dilations [1] : tensor<2x3x3xf64>",
             {2, 8}},
        Case{"concat",
             {{2, 3}, {1, 3}, {2, 3}},
             "%y = graph.concat %a, %b, %c along 0 : tensor<2x3xf64>, "
             "tensor<1x3xf64>, tensor<2x3xf64>",
             {5, 3}},
        Case{"reduce_max",
             {{3, 4}},
             "%y = graph.reduce_max %a over [1] : tensor<3x4xf64>",
             {3}},
        Case{"reduce_max",
             {{2, 3, 2}},
             "%y = graph.reduce_max %a over [0, 2] : tensor<2x3x2xf64>",
             {3}}),
    caseName);

} // namespace
} // namespace gradus
