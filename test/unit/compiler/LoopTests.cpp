// Loops that are kept against the same loops written out, values and first and
// second derivatives, fused and in reference: a slice whose length depends on
// the round forces a loop to be written out.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <random>

namespace gradus {
namespace {

struct LoopCase {
  std::string name;
  /// The statements of a body that computes `result` from x: real[3, 20],
  /// y: real[20, 3], w: real[3, 3] and v: real[3]; {0} opens the outermost
  /// loop.
  std::string body;
  std::string result = "sum(h * v)";
};

void PrintTo(const LoopCase &one, std::ostream *out) { *out << one.name; }

const std::vector<LoopCase> &cases() {
  static const std::vector<LoopCase> all = {
      {"rows", R"(
  var h = v
  for i in 0..12 {{ {0}
    h = tanh(w @ h + y[i])
  }})"},
      {"backwards_and_apart", R"(
  var h = v
  for i in 2..10 {{ {0}
    h = tanh(w @ h + y[19 - 2 * i] * x[0..3, i])
  }})"},
      {"counter_as_number", R"(
  var h = v
  for i in 1..13 {{ {0}
    h = tanh(w @ h + y[i] * i) + sin(h * i) / (i // 3 + 1) + (i % 2) * v
  }})"},
      {"several_variables", R"(
  var h = v
  var g = 0.5 * v
  var n = 0.0
  for i in 0..12 {{ {0}
    let before = h
    h = tanh(w @ g + y[i])
    g = before * 0.5 + g * 0.1
    n = n + sum(h * g)
  }})",
       "sum(h * v) + n"},
      {"yields", R"(
  var h = v
  let all = for i in 0..12 {{ {0}
    h = tanh(w @ h + y[i])
    yield h * i
  }})",
       "sum(all * y[0..12]) + sum(h)"},
      {"prime_rounds", R"(
  var h = v
  let all = for i in 3..14 {{ {0}
    h = tanh(w @ h + y[16 - i] + i * v)
    yield h * y[i]
  }})",
       "sum(all * y[0..11]) + sum(h)"},
      {"only_yields", R"(
  let h = for i in 0..12 {{ {0}
    yield tanh(w @ y[i])
  }})",
       "sum(h^2) + sum(v^2)"},
      {"masks", R"(
  var h = v
  for i in 0..12 {{ {0}
    h = where(h > 0.2, sqrt(h - 0.2), relu(w @ h) + y[i]^2)
  }})"},
      {"nested", R"(
  var h = v
  for i in 0..5 {{ {0}
    for j in 0..7 {{
      h = tanh(w @ h + x[0..3, i + j] * (i * 2 + j) + y[j])
    }}
    h = h * 0.9 + y[i]
  }})"},
      {"taken_from_what_is_inside", R"(
  var a = y
  var h = v
  for i in 0..12 {{ {0}
    h = tanh(w @ h + a[i] + a[19 - i])
    a = a * 0.9 + 0.01
  }})"},
      {"index_notation", R"(
  var h = v
  for i in 0..12 {{ {0}
    let g[j] = sum[k](w[j, k] * h[k]) + x[j, i] * y[i, j]
    h = tanh(g)
  }})"},
      {"gradient_inside", R"(
  var h = v
  for i in 0..10 {{ {0}
    let e = sum((w @ h - y[i])^2)
    h = h - 0.05 * grad(e, h)
  }})"},
      {"gradient_of_what_is_outside", R"(
  var h = v
  let e = sum((w @ v)^2)
  for i in 0..12 {{ {0}
    h = tanh(h + y[i] * grad(e, v))
  }})"},
      {"path_through_outside", R"(
  var h = v
  let a = w @ v
  for i in 0..12 {{ {0}
    let e = sum(a^2 * y[i])
    h = tanh(h + grad(e, v))
  }})"},
      {"condition_of_the_round", R"(
  var h = v
  for i in 0..12 {{ {0}
    if i % 3 == 0 {{ h = tanh(w @ h) }} else {{ h = h + y[i] }}
  }})"},
  };
  return all;
}

std::string modelOf(const LoopCase &one, bool isKept) {
  std::string body =
      fmt::format(fmt::runtime(one.body),
                  isKept ? "" : "let u = sum(y[0..i // 20 + 1, 0])");
  return fmt::format(R"(
fn value(x: real[3, 20], y: real[20, 3], w: real[3, 3], v: real[3]) -> real {{
{0}
  return {1} + sum(x^3) + sum(y^3) + sum(v) * sum(w)
}}
export fn f(x: real[3, 20], y: real[20, 3], w: real[3, 3], v: real[3]) = value(x, y, w, v)
export fn first(x: real[3, 20], y: real[20, 3], w: real[3, 3], v: real[3]) {{
  let e = value(x, y, w, v)
  let (dx, dy, dw, dv) = grad(e, (x, y, w, v))
  return concat(reshape[60](dx), reshape[60](dy), reshape[9](dw), dv, axis = 0)
}}
export fn second(x: real[3, 20], y: real[20, 3], w: real[3, 3], v: real[3]) {{
  let e = value(x, y, w, v)
  let (dw, dv) = grad(e, (w, v))
  let s = sum(dw * w) + sum(dv * v * v)
  let (ddy, ddw, ddv) = grad(s, (y, w, v))
  return concat(reshape[60](ddy), reshape[9](ddw), ddv, axis = 0)
}}
)",
                     body, one.result);
}

class Loops : public testing::TestWithParam<LoopCase> {
protected:
  static Numbers run(const std::string &text, const std::string &name,
                     const CompileOptions &options) {
    ModelRunner runner(text, options);
    auto function = runner.exported(name);
    std::mt19937 random(7);
    std::uniform_real_distribution<double> draw(-1, 1);
    for (auto [argument, size] : {std::pair("x", 60), std::pair("y", 60),
                                  std::pair("w", 9), std::pair("v", 3)}) {
      Numbers values;
      for (int i = 0; i < size; ++i)
        values.push_back(draw(random));
      std::string path = std::string("argument/") + argument;
      if (function.has(path))
        function.set(path, values);
    }
    function.run();
    return function.get("result/0");
  }
};

TEST_P(Loops, ComputeWhatTheyComputeWrittenOut) {
  for (const char *name : {"f", "first", "second"}) {
    Numbers expected =
        run(modelOf(GetParam(), false), name, {.interpret = true});
    // Under a budget of 200 bytes few of the carried values are kept.
    for (auto [mode, options] :
         {std::pair("reference", CompileOptions{.reference = true}),
          std::pair("fused", CompileOptions()),
          std::pair("segments", CompileOptions{.memoryBudget = 200})}) {
      Numbers found = run(modelOf(GetParam(), true), name, options);
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], expected[i],
                    1e-9 * std::max(1.0, std::abs(expected[i])))
            << name << ", element " << i << ", " << mode;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Loops, testing::ValuesIn(cases()),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace gradus
