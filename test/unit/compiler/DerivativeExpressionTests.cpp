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

} // namespace
} // namespace gradus
