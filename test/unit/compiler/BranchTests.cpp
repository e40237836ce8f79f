// `if` on what is known only when running against the same text with the
// condition written as `true` or `false`: values and first and second
// derivatives, fused and in reference.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <random>

namespace gradus {
namespace {

struct BranchCase {
  std::string name;
  /// The statements of a body that returns a real, of y: real[20, 3],
  /// w: real[3, 3] and v: real[3]; {0} and {1} are conditions.
  std::string body;
};

void PrintTo(const BranchCase &one, std::ostream *out) { *out << one.name; }

const std::vector<BranchCase> &cases() {
  static const std::vector<BranchCase> all = {
      {"little", R"(
  var h = v
  if {0} {{ h = 2 * h }} else if {1} {{ h = h * h }}
  return sum(h * v))"},
      {"much", R"(
  var h = v
  var n = 1.0
  if {0} {{
    for i in 0..20 {{ h = tanh(w @ h + y[i]) }}
    n = 3
  }} else {{
    h = w @ h
  }}
  return n * sum(h * v))"},
      {"no_else", R"(
  var h = v
  if {0} {{ for i in 0..20 {{ h = tanh(w @ h + y[i]) }} }}
  return sum(h * v))"},
      {"early_return", R"(
  if {0} {{ return sum((w @ v)^2) }}
  var h = v
  if {1} {{
    h = sin(w @ h)
    if {0} {{ return 7 }}
    h = h * v
  }}
  return sum(tanh(w @ h)^2))"},
      {"many_early_returns", R"(
  var h = v
  if {0} {{
    h = sin(w @ h)
    if {1} {{ return sum(h) }}
  }}
  if {1} {{
    h = tanh(w @ h)
    if {0} {{ return sum(h^2) }} else {{ h = h + v }}
  }} else {{
    if {0} {{ return sum(h^3) }}
  }}
  return sum(h * v))"},
      {"returns_in_both", R"(
  if {0} {{
    if {1} {{ return sum(w^3) }} else {{ return sum(v^3) }}
  }} else {{
    var h = v
    for i in 0..20 {{ h = tanh(w @ h + y[i]) }}
    return sum(h)
  }})"},
      {"in_a_static_branch", R"(
  if 2 > 1 {{
    if {0} {{ return sum((w @ v)^3) }}
  }}
  return sum(v^4))"},
      {"in_a_kept_loop", R"(
  var h = v
  for i in 0..20 {{
    if {0} {{ h = tanh(w @ h + y[i]) }} else {{ h = 0.5 * h + w[0] * y[i] }}
    if {1} {{ h = h + 0.1 }}
  }}
  return sum(h * v))"},
      {"yields", R"(
  var h = v
  let all = for i in 0..20 {{
    if {0} {{ h = tanh(w @ (w @ h) + y[i]) }}
    yield h
  }}
  return sum(all * y))"},
      {"gradient_inside", R"(
  var h = v
  if {0} {{
    for i in 0..5 {{
      let e = sum((w @ h - y[i])^2)
      h = h - 0.05 * grad(e, h)
    }}
  }}
  return sum(h * v))"},
      {"gradient_of_what_is_outside", R"(
  let e = sum((w @ v)^3)
  var h = v
  if {0} {{ h = tanh(w @ grad(e, v)) }}
  return sum(h * v))"},
      {"what_is_not_taken_is_silent", R"(
  var h = v
  if {0} {{ h = log(v - 10) + (w @ v) / 0 }} else {{ h = w @ v }}
  if {0} {{ return sum(sqrt(w @ v - 100)) }}
  return sum(h * h))"},
      {"for_each_index", R"(
  let a[i] = piece(v[i], {0}) + piece(w[i, 0], v[i] > 0)
  let b[i, j] = piece(w[i, j], {1} and w[i, j] > w[j, i])
  return sum(a) + sum(b))"},
      {"functions", R"(
  return twice(hinge, v[0], {0}) + hinge(v[1], {1}))"},
  };
  return all;
}

/// A scalar function with an early return that is called, and handed on.
const char *const functions = R"(
fn hinge(x: real, c: bool) -> real {
  if c { return x^3 }
  return sin(x)
}
fn piece(x: real, c: bool) -> real {
  var y = 2 * x
  var n = 1.0
  if c {
    if x > 0.5 { return exp(x) }
    y = sin(x * y)
    n = x
  } else if x < 0 {
    n = 3
  }
  return n * y
}
fn twice(f: fn(real, bool) -> real, x: real, c: bool) = f(f(x, c), c)
)";

std::string modelOf(const BranchCase &one, const std::string &first,
                    const std::string &second) {
  std::string body = fmt::format(fmt::runtime(one.body), first, second);
  return fmt::format(R"({0}
fn value(y: real[20, 3], w: real[3, 3], v: real[3]) -> real {{
{1}
}}
fn whole(y: real[20, 3], w: real[3, 3], v: real[3]) =
  value(y, w, v) + sum(y^3) + sum(v) * sum(w)
export fn f(y: real[20, 3], w: real[3, 3], v: real[3]) = value(y, w, v) + 0 * sum(y)
export fn first(y: real[20, 3], w: real[3, 3], v: real[3]) {{
  let e = whole(y, w, v)
  let (dy, dw, dv) = grad(e, (y, w, v))
  return concat(reshape[60](dy), reshape[9](dw), dv, axis = 0)
}}
export fn second(y: real[20, 3], w: real[3, 3], v: real[3]) {{
  let e = whole(y, w, v)
  let (dw, dv) = grad(e, (w, v))
  let s = sum(dw * w) + sum(dv * v * v) + sum(w^3) + sum(v^3)
  let (ddw, ddv) = grad(s, (w, v))
  return concat(reshape[9](ddw), ddv, axis = 0)
}}
)",
                     functions, body);
}

/// One of the functions of a model.
class Value {
public:
  Value(const std::string &text, const std::string &name,
        const CompileOptions &options)
      : runner(text, options), function(runner.exported(name)) {}

  /// Where the conditions are as the bits say.
  Numbers at(unsigned conditions) {
    std::mt19937 random(7);
    std::uniform_real_distribution<double> draw(-1, 1);
    for (auto [argument, size] :
         {std::pair("y", 60), std::pair("w", 9), std::pair("v", 3)}) {
      Numbers values;
      for (int i = 0; i < size; ++i)
        values.push_back(draw(random));
      if (*argument == 'y') {
        values[0] = std::abs(values[0]) * (conditions & 1 ? 1 : -1);
        values[1] = std::abs(values[1]) * (conditions & 2 ? 1 : -1);
      }
      std::string path = std::string("argument/") + argument;
      if (function.has(path))
        function.set(path, values);
    }
    function.run();
    return function.get("result/0");
  }

private:
  ModelRunner runner;
  ModelRunner::Function function;
};

class Branches : public testing::TestWithParam<BranchCase> {};

TEST_P(Branches, ComputeWhatTheOneThatIsTakenComputes) {
  for (const char *name : {"f", "first", "second"}) {
    Numbers expected[4];
    for (unsigned conditions = 0; conditions < 4; ++conditions)
      expected[conditions] =
          Value(modelOf(GetParam(), conditions & 1 ? "true" : "false",
                        conditions & 2 ? "true" : "false"),
                name, {.interpret = true})
              .at(conditions);
    for (auto [mode, options] :
         {std::pair("interpreted", CompileOptions{.interpret = true}),
          std::pair("reference", CompileOptions{.reference = true}),
          std::pair("fused", CompileOptions())}) {
      Value value(modelOf(GetParam(), "y[0, 0] > 0", "y[0, 1] > 0"), name,
                  options);
      for (unsigned conditions = 0; conditions < 4; ++conditions) {
        Numbers found = value.at(conditions);
        ASSERT_EQ(found.size(), expected[conditions].size());
        for (size_t i = 0; i < found.size(); ++i) {
          double wanted = expected[conditions][i];
          if (std::isfinite(wanted))
            ASSERT_NEAR(found[i], wanted,
                        1e-9 * std::max(1.0, std::abs(wanted)))
                << name << ", element " << i << ", " << mode << ", conditions "
                << conditions;
          else
            ASSERT_FALSE(std::isfinite(found[i]));
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Branches, testing::ValuesIn(cases()),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace gradus
