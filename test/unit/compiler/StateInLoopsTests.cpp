// State that rounds of loops and branches change: what a step leaves in it if
// the loops are kept, against the same loops written out; a tensor whose shape
// depends on the round forces a loop to be written out.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>

namespace gradus {
namespace {

struct StateCase {
  std::string name;
  /// The statements of a body that gives `s`, from x: real; {0} opens each
  /// outermost loop.
  std::string body;
};

void PrintTo(const StateCase &one, std::ostream *out) { *out << one.name; }

const std::vector<StateCase> &cases() {
  static const std::vector<StateCase> all = {
      {"in_a_function", R"(
  var s = x
  for i in 0..40 {{ {0}
    s = counted(s) * 0.5
  }})"},
      {"in_the_body", R"(
  var s = x
  for i in 0..40 {{ {0}
    if training {{
      calls = calls + 1
      a = a + s * i
      b = a
    }}
    s = tanh(w * s) + 0.01 * a
  }})"},
      {"swapped", R"(
  var s = x
  for i in 0..31 {{ {0}
    let old = a
    if training {{
      a = b + 0.1 * s
      b = old
      calls = i
    }}
    s = tanh(w * s) + a - 2 * b
  }})"},
      {"assigned_before_and_behind", R"(
  var s = x
  if training {{ a = x + 1 }}
  let start = a
  for i in 0..40 {{ {0}
    if training {{ a = 0.9 * a + s }}
    s = sin(w * s + a + start)
  }}
  if training {{ b = a + s }})"},
      {"nested", R"(
  var s = x
  for i in 0..9 {{ {0}
    for j in 0..11 {{
      s = sin(w * delayed(s) + 0.1 * j)
      if training {{ calls = calls + i * j }}
    }}
    if training {{ b = b + s }}
  }})"},
      {"only_read", R"(
  var s = x
  for i in 0..40 {{ {0}
    s = tanh(w * s + a) + b * i
  }}
  if training {{ a = b }})"},
      {"yields", R"(
  var s = x
  let all = for i in 0..40 {{ {0}
    s = tanh(w * s)
    if training {{ a = a + s }}
    yield a * s
  }}
  s = s + mean(all))"},
      {"in_a_small_branch", R"(
  var s = x
  for i in 0..40 {{ {0}
    s = sin(w * s + 1 + i)
    if training {{
      if s > 0.2 {{ a = a + s }} else if s > -0.5 {{ calls = calls + 1 }}
    }}
  }})"},
      {"in_a_branch", R"(
  var s = x
  for i in 0..40 {{ {0}
    s = sin(w * s + 1 + i)
    if s > 0.2 {{
      for j in 0..7 {{
        s = sin(s + delayed(s) + w * j) / 3 + sin(counted(s * j)) + cos(w + j)
      }}
    }} else {{
      if training {{ b = b * 0.5 + s }}
    }}
  }})"},
      {"in_a_branch_that_returns", R"(
  var s = x
  for i in 0..40 {{ {0}
    s = leaves(s)
  }})"},
      {"in_a_branch_around", R"(
  var s = x
  if x < 3 {{
    for i in 0..40 {{ {0}
      s = sin(delayed(s) + w * i)
    }}
  }} else {{
    if training {{ b = 7 }}
  }}
  if x > 3 {{
    for k in 0..40 {{
      s = sin(delayed(s) + w * k)
    }}
  }})"},
  };
  return all;
}

std::string modelOf(const StateCase &one, bool isKept,
                    const std::string &optimizer) {
  std::string body = fmt::format(fmt::runtime(one.body),
                                 isKept ? "" : "let u = sum(zeros[i + 1])");
  return fmt::format(R"(
data d {{ x: real; train from csv("none.csv", x = 0) }}
param w: real = 1
state a: real = 0
state b: real = 0
state calls: i64 = 0
fn counted(x: real) -> real {{
  if training {{ calls = calls + 1 }}
  return tanh(w * x)
}}
# Gives what it was called with before.
fn delayed(x: real) -> real {{
  let old = a
  if training {{ a = x }}
  return 0.5 * old + 0.3 * x
}}
fn leaves(x: real) -> real {{
  var y = x
  if x > 0.1 {{
    for j in 0..20 {{ y = sin(w * y + j) + delayed(y) }}
    if training {{ calls = calls + 1 }}
    return y
  }}
  if training {{ b = b + x }}
  return cos(w * x + a)
}}
fn f(x: real) -> real {{
{0}
  return s
}}
optimizer twice[P](lr = 0.1) {{
  state held: real = 0
  step(p: real[P], g: real[P], loss: fn(real[P]) -> real) {{
    var low = loss(p)
    for k in 0..6 {{
      let now = loss(p - lr * (k + 1) * g)
      if now < low {{ low = now }}
      held = held + now
    }}
    p = p - low * g
  }}
}}
train on d(x), batch B = 1 {{
  minimize f(mean(x)) using {1}
  steps = 1
}}
)",
                     body, optimizer);
}

using Results = std::map<std::string, Numbers>;

Results resultsOf(const std::string &text, double x,
                  const CompileOptions &options) {
  ModelRunner runner(text, options);
  auto step = runner.step(1);
  Results results;
  auto set = [&](const std::string &name, const Numbers &values) {
    if (step.has(name))
      step.set(name, values);
  };
  set("field/x", {x});
  set("param/w", {0.8});
  set("state/a", {0.3});
  set("state/b", {-0.4});
  set("state/calls", {2});
  set("slot/twice/held", {1});
  step.run();
  for (const char *name : {"loss", "param/w", "state/a", "state/b",
                           "state/calls", "slot/twice/held"})
    if (step.has(name))
      results[name] = step.get(name);
  return results;
}

class StateInLoops : public testing::TestWithParam<StateCase> {};

TEST_P(StateInLoops, ChangesAsInTheSameLoopsWrittenOut) {
  for (const char *optimizer : {"sgd(lr = 0.1)", "twice()"})
    for (double x : {0.5, 4.0}) {
      Results expected = resultsOf(modelOf(GetParam(), false, optimizer), x,
                                   {.interpret = true});
      EXPECT_TRUE(expected.contains("state/a") ||
                  expected.contains("state/calls"));
      for (auto [mode, options] :
           {std::pair("interpreted", CompileOptions{.interpret = true}),
            std::pair("reference", CompileOptions{.reference = true}),
            std::pair("fused", CompileOptions()),
            std::pair("segments", CompileOptions{.memoryBudget = 100})}) {
        Results found =
            resultsOf(modelOf(GetParam(), true, optimizer), x, options);
        ASSERT_EQ(found.size(), expected.size());
        for (auto &[name, values] : expected)
          EXPECT_NEAR(found[name].at(0), values[0],
                      1e-9 * std::max(1.0, std::abs(values[0])))
              << name << ", " << optimizer << ", " << mode << ", x = " << x;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(All, StateInLoops, testing::ValuesIn(cases()),
                         [](const auto &info) { return info.param.name; });

TEST(StateInLoop, CountsTheRounds) {
  Results results =
      resultsOf(modelOf(cases()[0], true, "sgd(lr = 0.1)"), 0.5, {});
  EXPECT_EQ(results["state/calls"], Numbers{42});
}

} // namespace
} // namespace gradus
