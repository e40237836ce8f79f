// Derivatives as expressions against the gradient of each element: `vjp`,
// `jvp`, `hvp`, `jacobian` and `hessian`, plain, inside other derivatives,
// fused and in reference.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <random>

namespace gradus {
namespace {

struct Map {
  std::string name;
  /// The body of a function from x: real[4] and w: real[3, 4] to real[3].
  std::string body;
  /// Declarations it needs.
  std::string before = "";
};

void PrintTo(const Map &one, std::ostream *out) { *out << one.name; }

const std::vector<Map> &maps() {
  static const std::vector<Map> all = {
      {"pointwise", "return x[0..3] * sin(x[1..4]) + exp(x[0..3])^2 / 3"},
      {"product", "return tanh(w @ x) * (w @ x^2)"},
      {"masks", "return where(w @ x > 0, sqrt(abs(w @ x)), relu(x[1..4])^2)"},
      {"softmax", "return softmax(w @ x) * sum(x^2)"},
      {"largest", "return max(w * x, axis = 1) + max(x)^2"},
      {"rows", R"(
  let t = reshape[2, 2](x)
  let s = concat(t[0], t[1][0..1], axis = 0)
  return s * t.T[1, 0] + pad(t[0], 0, 1, 0)^2)"},
      {"index_notation", R"(
  let y[i] = sum[k](w[i, k] * x[k] * x[3 - k])
  return y * y)"},
      {"gather", R"(
  let at = argmax(w, axis = 1)
  return x[at] * x[at] * sum(x))"},
      {"convolution", R"(
  let c = conv1d(reshape[1, 1, 4](x^2), reshape[1, 1, 3](x[0..3]), pad = 1)
  return reshape[4](c)[0..3] * x[1..4])"},
      {"loop", R"(
  var h = x[0..3]
  for i in 0..6 {
    h = tanh(w @ concat(h, x[3..4], axis = 0) + 0.1 * i * h)
  }
  return h)"},
      {"branch", R"(
  var h = x[0..3]
  if sum(x) > 0.1 { h = sin(w @ x) } else { h = (w @ x)^3 }
  return h * x[1..4])"},
      {"custom", "return tripled(sin(x[0..3])) * x[3]", R"(
fn tripled[N](x: real[N]) -> real[N] {
  let s = 3 * x^2
  return x^3
} backward (y, dy) { grad x = dy * s })"},
      {"layer", "return concat(fc(x^2), x[0..1] * sum(fc.W), axis = 0)", R"(
layer fc = Linear[4, 2])"},
      {"gradient_inside", R"(
  let e = sum(tanh(w @ x)^2)
  let g = grad(e, x)
  return g[0..3] * x[1..4])"},
  };
  return all;
}

/// Every derivative beside the same of the gradients of the elements.
std::string modelOf(const Map &map) {
  return fmt::format(R"({0}
fn y_of(x: real[4], w: real[3, 4]) -> real[3] {{
  {1}
}}
fn row(i: index(3), x: real[4], w: real[3, 4]) -> real[4] {{
  let e = sum(eye[3][i] * y_of(x, w))
  return grad(e, x)
}}
fn second_row(i: index(4), x: real[4], w: real[3, 4]) -> real[4] {{
  let e = sum(y_of(x, w)^2)
  let g = grad(e, x)
  let s = sum(eye[4][i] * g)
  return grad(s, x)
}}
fn rows(x: real[4], w: real[3, 4]) -> real[3, 4] {{
  let all = for i in 0..3 {{ yield row(i, x, w) }}
  return all
}}
fn second_rows(x: real[4], w: real[3, 4]) -> real[4, 4] {{
  let all = for i in 0..4 {{ yield second_row(i, x, w) }}
  return all
}}

export fn vjp_found(x: real[4], w: real[3, 4], u: real[3], v: real[4]) -> real[4] {{
  let y = y_of(x, w)
  return vjp(y, x, u)
}}
export fn vjp_expected(x: real[4], w: real[3, 4], u: real[3], v: real[4]) = u @ rows(x, w)

export fn jvp_found(x: real[4], w: real[3, 4], u: real[3], v: real[4]) -> real[3] {{
  let y = y_of(x, w)
  return jvp(y, x, v)
}}
export fn jvp_expected(x: real[4], w: real[3, 4], u: real[3], v: real[4]) = rows(x, w) @ v

export fn hvp_found(x: real[4], w: real[3, 4], u: real[3], v: real[4]) -> real[4] {{
  let e = sum(y_of(x, w)^2)
  return hvp(e, x, v)
}}
export fn hvp_expected(x: real[4], w: real[3, 4], u: real[3], v: real[4]) = second_rows(x, w) @ v

export fn jacobian_found(x: real[4], w: real[3, 4], u: real[3], v: real[4]) -> real[3, 4] {{
  let y = y_of(x, w)
  return jacobian(y, x)
}}
export fn jacobian_expected(x: real[4], w: real[3, 4], u: real[3], v: real[4]) = rows(x, w)

export fn columns_found(x: real[4], w: real[3, 4], u: real[3], v: real[4]) -> real[3, 2] {{
  let z = x[0..2]
  let y = y_of(concat(z, x[2..4], axis = 0), w)
  return jacobian(y, z)
}}
export fn columns_expected(x: real[4], w: real[3, 4], u: real[3], v: real[4]) = rows(x, w)[.., 0..2]

export fn hessian_found(x: real[4], w: real[3, 4], u: real[3], v: real[4]) -> real[4, 4] {{
  let e = sum(y_of(x, w)^2)
  return hessian(e, x)
}}
export fn hessian_expected(x: real[4], w: real[3, 4], u: real[3], v: real[4]) = second_rows(x, w)

fn found(x: real[4], w: real[3, 4], u: real[3], v: real[4]) -> real {{
  let y = y_of(x, w)
  return sum(jvp(y, x, v)^2) + sum(vjp(y, x, u)^2) + sum(w * jacobian(y, x)^2)
}}
fn expected(x: real[4], w: real[3, 4], u: real[3], v: real[4]) = sum((rows(x, w) @ v)^2) + sum((u @ rows(x, w))^2) + sum(w * rows(x, w)^2)
export fn outer_found(x: real[4], w: real[3, 4], u: real[3], v: real[4]) -> real[4] {{
  let e = found(x, w, u, v)
  return grad(e, x)
}}
export fn outer_expected(x: real[4], w: real[3, 4], u: real[3], v: real[4]) -> real[4] {{
  let e = expected(x, w, u, v)
  return grad(e, x)
}}
)",
                     map.before, map.body);
}

class Derivatives : public testing::TestWithParam<Map> {
protected:
  static Numbers run(ModelRunner &runner, const std::string &name) {
    auto function = runner.exported(name);
    std::mt19937 random(7);
    std::uniform_real_distribution<double> draw(-1, 1);
    for (const BufferInfo &buffer : function.buffers()) {
      if (buffer.name.starts_with("result"))
        continue;
      Numbers values;
      for (int64_t i = 0; i < buffer.elements(); ++i)
        values.push_back(draw(random));
      function.set(buffer.name, values);
    }
    function.run();
    return function.get("result/0");
  }
};

TEST_P(Derivatives, AreThoseOfTheElements) {
  std::string text = modelOf(GetParam());
  ModelRunner oracle(text, {.interpret = true});
  for (auto [mode, options] :
       {std::pair("reference", CompileOptions{.reference = true}),
        std::pair("fused", CompileOptions()),
        std::pair("small", CompileOptions{.memoryBudget = 200})}) {
    ModelRunner runner(text, options);
    for (std::string name :
         {"vjp", "jvp", "hvp", "jacobian", "columns", "hessian", "outer"}) {
      Numbers expected = run(oracle, name + "_expected");
      Numbers found = run(runner, name + "_found");
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i)
        EXPECT_NEAR(found[i], expected[i],
                    1e-9 * std::max(1.0, std::abs(expected[i])))
            << name << ", element " << i << ", " << mode;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Derivatives, testing::ValuesIn(maps()),
                         [](const auto &info) { return info.param.name; });

//===-- Hessians ----------------------------------------------------------===//

/// A function `energy` of x: real[12] to one number.
struct Energy {
  std::string name, text;
};

void PrintTo(const Energy &one, std::ostream *out) { *out << one.name; }

const std::vector<Energy> &energies() {
  static const std::vector<Energy> all = {
      {"fourth_powers", "fn energy(x: real[12]) -> real = sum(x^4)"},
      {"log_sum_exp",
       "fn energy(x: real[12]) -> real = max(x) + log(sum(exp(x - max(x))))"},
      // Its parameters are a part of x, as they are for an optimizer.
      {"mlp", R"(
fn energy(x: real[12]) -> real {
  let a = reshape[2, 3](x[0..6])
  let b = reshape[3, 2](x[6..12])
  let inputs[i: 5, j: 2] = sin(real(3 * i + j))
  let y = tanh(inputs @ a) @ b
  return mean(log_softmax(y, axis = -1)^2)
})"},
      {"attention_with_gradient_penalty", R"(
fn attend(x: real[4, 3]) -> real {
  let w[i: 3, j: 3] = cos(real(2 * i - j))
  let scores[t, s] = sum[k](x[t, k] * (x @ w)[s, k])
  return sum((softmax(scores, axis = -1) @ x)^2)
}
fn energy(x: real[12]) -> real {
  let t = reshape[4, 3](x)
  let y = attend(t)
  return y + (norm(reshape[12](grad(y, t))) - 1)^2
})"},
  };
  return all;
}

class Hessians : public testing::TestWithParam<Energy> {
protected:
  static constexpr size_t kSize = 12;

  void SetUp() override {
    text = GetParam().text + R"(
export fn first(x: real[12]) -> real[12] {
  let e = energy(x)
  return grad(e, x)
}
export fn second(x: real[12]) -> real[12, 12] {
  let e = energy(x)
  return hessian(e, x)
}
)";
    std::mt19937 random(11);
    std::uniform_real_distribution<double> draw(-1, 1);
    for (size_t i = 0; i < kSize; ++i)
      x.push_back(draw(random));
  }

  static Numbers run(ModelRunner &runner, const std::string &name,
                     const Numbers &x) {
    auto function = runner.exported(name);
    function.set("argument/x", x);
    function.run();
    return function.get("result/0");
  }

  std::string text;
  Numbers x;
};

TEST_P(Hessians, AreTheDifferencesOfGradients) {
  ModelRunner runner(text, {});
  Numbers found = run(runner, "second", x);
  auto gradient = runner.exported("first");
  auto at = [&](const Numbers &place) {
    gradient.set("argument/x", place);
    gradient.run();
    return gradient.get("result/0");
  };
  // The error of a central difference is of order h^2 and 1e-16 / h.
  double h = 1e-5;
  for (size_t i = 0; i < kSize; ++i) {
    Numbers behind = x, before = x;
    behind[i] += h;
    before[i] -= h;
    Numbers high = at(behind), low = at(before);
    for (size_t j = 0; j < kSize; ++j)
      EXPECT_NEAR(found[i * kSize + j], (high[j] - low[j]) / (2 * h),
                  1e-7 * std::max(1.0, std::abs(found[i * kSize + j])))
          << i << ", " << j;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Hessians, testing::ValuesIn(energies()),
                         [](const auto &info) { return info.param.name; });

class ClosedHessians : public Hessians {};

TEST_P(ClosedHessians, AreExact) {
  ModelRunner runner(text, {});
  Numbers found = run(runner, "second", x);
  double total = 0;
  for (double each : x)
    total += std::exp(each);
  for (size_t i = 0; i < kSize; ++i)
    for (size_t j = 0; j < kSize; ++j) {
      double p = std::exp(x[i]) / total, q = std::exp(x[j]) / total;
      double expected = GetParam().name == "fourth_powers"
                            ? (i == j ? 12 * x[i] * x[i] : 0)
                            : (i == j ? p : 0) - p * q;
      EXPECT_NEAR(found[i * kSize + j], expected, 1e-14) << i << ", " << j;
    }
}

INSTANTIATE_TEST_SUITE_P(All, ClosedHessians,
                         testing::Values(energies()[0], energies()[1]),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace gradus
