// `return` inside of loops, kept and written out: what is returned, from which
// round, and its first and second derivative, against the same in C++.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <functional>

namespace gradus {
namespace {

/// A number with its first and second derivative by x.
struct Jet {
  double value, first = 0, second = 0;

  friend Jet operator+(Jet a, Jet b) {
    return {a.value + b.value, a.first + b.first, a.second + b.second};
  }
  friend Jet operator*(Jet a, Jet b) {
    return {a.value * b.value, a.first * b.value + a.value * b.first,
            a.second * b.value + 2 * a.first * b.first + a.value * b.second};
  }
};

struct ReturnCase {
  std::string name;
  /// The statements of a function of x: real; {0} opens each outermost loop.
  std::string body;
  std::function<Jet(Jet)> expected;
};

void PrintTo(const ReturnCase &one, std::ostream *out) { *out << one.name; }

const std::vector<ReturnCase> &cases() {
  static const std::vector<ReturnCase> all = {
      {"first",
       R"(
  var s = x
  for i in 0..40 {{ {0}
    if s > 3 {{ return s * s * i }}
    s = s * x + 0.1 * i
  }}
  return x * s)",
       [](Jet x) -> Jet {
         Jet s = x;
         for (int i = 0; i < 40; ++i) {
           if (s.value > 3)
             return s * s * Jet{double(i)};
           s = s * x + Jet{0.1 * i};
         }
         return x * s;
       }},
      {"last",
       R"(
  var s = x
  for i in 0..40 {{ {0}
    s = s * x + 0.01 * i
    if s > 3 {{ return s * s }} else {{ if s < -3 {{ return x }} }}
  }}
  return s)",
       [](Jet x) -> Jet {
         Jet s = x;
         for (int i = 0; i < 40; ++i) {
           s = s * x + Jet{0.01 * i};
           if (s.value > 3)
             return s * s;
           if (s.value < -3)
             return x;
         }
         return s;
       }},
      {"nested",
       R"(
  var s = x
  for i in 0..9 {{ {0}
    for j in 0..5 {{
      s = s * x + 0.02 * i * j
      if s > 3 {{ return s * (10 * i + j) }}
    }}
    s = s + 0.3
  }}
  for k in 0..30 {{
    if s > 2.5 {{ return s * k }}
    s = s + 0.1 * x
  }}
  return s)",
       [](Jet x) -> Jet {
         Jet s = x;
         for (int i = 0; i < 9; ++i) {
           for (int j = 0; j < 5; ++j) {
             s = s * x + Jet{0.02 * i * j};
             if (s.value > 3)
               return s * Jet{10.0 * i + j};
           }
           s = s + Jet{0.3};
         }
         for (int k = 0; k < 30; ++k) {
           if (s.value > 2.5)
             return s * Jet{double(k)};
           s = s + Jet{0.1} * x;
         }
         return s;
       }},
      {"in_a_branch_of_much_work",
       R"(
  var s = x
  if x > 0.4 {{
    for i in 0..40 {{ {0}
      if s > 3 {{
        for j in 0..50 {{ s = s * 0.97 + 0.01 * x * j }}
        return s * x
      }}
      s = s * x + 0.05 * i
    }}
  }}
  return s + 1)",
       [](Jet x) -> Jet {
         Jet s = x;
         if (x.value > 0.4)
           for (int i = 0; i < 40; ++i) {
             if (s.value > 3) {
               for (int j = 0; j < 50; ++j)
                 s = s * Jet{0.97} + Jet{0.01 * j} * x;
               return s * x;
             }
             s = s * x + Jet{0.05 * i};
           }
         return s + Jet{1};
       }},
      {"round_known_when_compiling",
       R"(
  var s = x
  for i in 0..40 {{ {0}
    if i == 7 {{ return s }}
    s = s * x + i
  }}
  return 100 * s)",
       [](Jet x) -> Jet {
         Jet s = x;
         for (int i = 0; i < 7; ++i)
           s = s * x + Jet{double(i)};
         return s;
       }},
      {"at_once",
       R"(
  for i in 0..40 {{ {0}
    return x * x
  }}
  return 100 * x)",
       [](Jet x) { return x * x; }},
      {"tuple",
       R"(
  let (a, b) = pair(x)
  return a * b[0] + b[1])",
       [](Jet x) -> Jet {
         Jet s = x;
         for (int i = 0; i < 40; ++i) {
           if (s.value > 1.5)
             return s * s + x;
           s = s + Jet{0.1} * x;
         }
         return s * x + s;
       }},
      {"for_each_index",
       R"(
  let xs = [x, 2 * x, x - 1]
  let ys[i] = first_above(xs[i])
  return sum(ys))",
       [](Jet x) -> Jet {
         auto firstAbove = [](Jet x) {
           Jet s = x;
           for (int i = 0; i < 6; ++i) {
             if (s.value > 1.5)
               return s * s;
             s = s + Jet{0.5} * x;
           }
           return s;
         };
         return firstAbove(x) + firstAbove(Jet{2} * x) +
                firstAbove(x + Jet{-1});
       }},
  };
  return all;
}

const char *const functions = R"(
fn pair(x: real) {{
  var s = x
  for i in 0..40 {{ {0}
    if s > 1.5 {{ return (s, [s, x]) }}
    s = s + 0.1 * x
  }}
  return (s, [x, s])
}}
fn first_above(x: real) -> real {{
  var s = x
  for i in 0..6 {{
    if s > 1.5 {{ return s * s }}
    s = s + 0.5 * x
  }}
  return s
}}
fn value(x: real) -> real {{
{1}
}}
export fn f(x: real) = value(x)
export fn first(x: real) {{
  let y = value(x) + x^2
  return grad(y, x)
}}
export fn second(x: real) {{
  let y = value(x) + x^3
  let dy = grad(y, x)
  return grad(dy, x)
}}
)";

class LoopReturns : public testing::TestWithParam<ReturnCase> {};

TEST_P(LoopReturns, LeaveTheFunctionFromTheirRound) {
  for (bool isKept : {true, false}) {
    std::string opening = isKept ? "" : "let u = sum(zeros[i + 1])";
    std::string text =
        fmt::format(fmt::runtime(functions), opening,
                    fmt::format(fmt::runtime(GetParam().body), opening));
    for (auto [mode, options] :
         {std::pair("interpreted", CompileOptions{.interpret = true}),
          std::pair("reference", CompileOptions{.reference = true}),
          std::pair("fused", CompileOptions()),
          std::pair("segments", CompileOptions{.memoryBudget = 50})}) {
      ModelRunner runner(text, options);
      auto f = runner.exported("f"), first = runner.exported("first"),
           second = runner.exported("second");
      // From the first round, from later ones, and from none.
      for (double x : {3.5, 1.2, 0.9, 0.3, -1.3}) {
        Jet expected = GetParam().expected({x, 1});
        auto at = [&](ModelRunner::Function &function) {
          function.set("argument/x", {x});
          function.run();
          return function.get("result/0").at(0);
        };
        auto expectNear = [&, mode = mode](double found, double wanted,
                                           const char *what) {
          EXPECT_NEAR(found, wanted, 1e-9 * std::max(1.0, std::abs(wanted)))
              << what << ", " << mode << ", x = " << x << ", kept: " << isKept;
        };
        expectNear(at(f), expected.value, "value");
        expectNear(at(first), expected.first + 2 * x, "first");
        expectNear(at(second), expected.second + 6 * x, "second");
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, LoopReturns, testing::ValuesIn(cases()),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace gradus
