// Every reduction of the language over every choice of axes, against loops; and
// prod and cumsum where factors are zero.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <numeric>
#include <random>

namespace gradus {
namespace {

constexpr int64_t sizes[] = {2, 3, 4, 2};
constexpr int64_t total = 48;

/// How a model says it, and which of the four axes it means.
struct Axes {
  std::string text;
  std::vector<int> axes;
};

const std::vector<Axes> &choices() {
  static const std::vector<Axes> all = {
      {"over = D", {3}},         {"over = (B, H)", {0, 1}},
      {"axis = -1", {3}},        {"axis = (2, 3)", {2, 3}},
      {"over = H", {1}},         {"axis = (0, 3)", {0, 3}},
      {"over = (H, W)", {1, 2}}, {"", {0, 1, 2, 3}},
  };
  return all;
}

/// Of the elements that are reduced to one, in row-major order: one number, or
/// as many as there were.
using Formula = std::function<Numbers(const Numbers &)>;

Numbers one(double x) { return {x}; }

Numbers softmax(const Numbers &x) {
  Numbers y;
  double sum = 0;
  for (double one : x)
    sum += std::exp(one);
  for (double one : x)
    y.push_back(std::exp(one) / sum);
  return y;
}

double meanOf(const Numbers &x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / double(x.size());
}

struct Reduction {
  std::string name;
  Formula formula;
  /// What stands for x in the call, and the type of the result's elements.
  std::string operand = "x";
  std::string element = "real";
  /// Works along one axis, or along several that stand side by side.
  bool needsNeighbours = false;
  /// Never without `over` and `axis`.
  bool needsAxis = false;
  /// Takes one axis only.
  bool takesOne = false;
};

void PrintTo(const Reduction &one, std::ostream *out) { *out << one.name; }

const std::vector<Reduction> &reductions() {
  static const std::vector<Reduction> all = {
      {"sum",
       [](const Numbers &x) {
         return one(std::accumulate(x.begin(), x.end(), 0.0));
       }},
      {"mean", [](const Numbers &x) { return one(meanOf(x)); }},
      {"max",
       [](const Numbers &x) {
         return one(*std::max_element(x.begin(), x.end()));
       }},
      {"min",
       [](const Numbers &x) {
         return one(*std::min_element(x.begin(), x.end()));
       }},
      {"prod",
       [](const Numbers &x) {
         return one(
             std::accumulate(x.begin(), x.end(), 1.0, std::multiplies<>()));
       }},
      {"any",
       [](const Numbers &x) {
         return one(
             std::any_of(x.begin(), x.end(), [](double e) { return e > 1; }));
       },
       "x > 1", "bool"},
      {"all",
       [](const Numbers &x) {
         return one(
             std::all_of(x.begin(), x.end(), [](double e) { return e > -1; }));
       },
       "x > -1", "bool"},
      {"argmax",
       [](const Numbers &x) {
         return one(double(std::max_element(x.begin(), x.end()) - x.begin()));
       },
       "x", "index", false, true, true},
      {"argmin",
       [](const Numbers &x) {
         return one(double(std::min_element(x.begin(), x.end()) - x.begin()));
       },
       "x", "index", false, true, true},
      {"norm",
       [](const Numbers &x) {
         return one(
             std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0)));
       },
       "x", "real", true},
      {"variance",
       [](const Numbers &x) {
         double mean = meanOf(x), sum = 0;
         for (double e : x)
           sum += (e - mean) * (e - mean);
         return one(sum / double(x.size()));
       },
       "x", "real", true},
      {"softmax", softmax, "x", "real", true, true},
      {"log_softmax",
       [](const Numbers &x) {
         Numbers y = softmax(x);
         for (double &e : y)
           e = std::log(e);
         return y;
       },
       "x", "real", true, true},
  };
  return all;
}

/// The formula for each group of elements that differ in these axes only; in
/// row-major order of the result.
Numbers reduced(const Numbers &x, const std::vector<int> &axes,
                const Formula &formula) {
  std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>> groups;
  for (int64_t at = 0; at < total; ++at) {
    std::vector<int64_t> key;
    int64_t rest = total, place = at;
    for (int axis = 0; axis < 4; ++axis) {
      rest /= sizes[axis];
      if (std::find(axes.begin(), axes.end(), axis) == axes.end())
        key.push_back(place / rest);
      place %= rest;
    }
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](auto &g) { return g.first == key; });
    if (group == groups.end())
      group = groups.insert(groups.end(), {key, {}});
    group->second.push_back(at);
  }
  Numbers alone, spread(total);
  for (const auto &[key, places] : groups) {
    Numbers members;
    for (int64_t place : places)
      members.push_back(x[place]);
    Numbers y = formula(members);
    if (y.size() == 1)
      alone.push_back(y[0]);
    for (size_t i = 0; i < y.size() && y.size() > 1; ++i)
      spread[places[i]] = y[i];
  }
  return alone.empty() ? spread : alone;
}

class ReductionForms : public testing::TestWithParam<Reduction> {};

TEST_P(ReductionForms, AgreeWithLoops) {
  const Reduction &op = GetParam();
  std::string model, results, types;
  std::vector<const Axes *> used;
  for (const Axes &axes : choices()) {
    bool sideBySide =
        int(axes.axes.size()) == axes.axes.back() - axes.axes.front() + 1;
    if ((op.needsNeighbours && !sideBySide) ||
        (op.needsAxis && axes.text.empty()) ||
        (op.takesOne && axes.axes.size() > 1))
      continue;
    std::string call = fmt::format("{}({}{}{})", op.name, op.operand,
                                   axes.text.empty() ? "" : ", ", axes.text);
    // Truth values and indices as numbers, to read them.
    if (op.element != "real")
      call = fmt::format("real({})", call);
    model += fmt::format("fn f{}[B, H, W, D](x: real[B, H, W, D]) = {}\n",
                         used.size(), call);
    model += fmt::format("export fn g{0}(x: real[2, 3, 4, 2]) = f{0}(x)\n",
                         used.size());
    used.push_back(&axes);
  }
  ModelRunner runner(model);
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(-1.2, 1.2);
  Numbers x(total);
  for (double &e : x)
    e = uniform(random);
  for (size_t i = 0; i < used.size(); ++i) {
    auto function = runner.exported(fmt::format("g{}", i));
    function.set("argument/x", x);
    function.run();
    Numbers found = function.get("result/0");
    Numbers expected = reduced(x, used[i]->axes, op.formula);
    ASSERT_EQ(found.size(), expected.size()) << used[i]->text;
    for (size_t e = 0; e < found.size(); ++e)
      EXPECT_NEAR(found[e], expected[e], 1e-12)
          << used[i]->text << ", element " << e;
  }
}

INSTANTIATE_TEST_SUITE_P(Reductions, ReductionForms,
                         testing::ValuesIn(reductions()),
                         [](const testing::TestParamInfo<Reduction> &info) {
                           return info.param.name;
                         });

/// f and its first three derivatives by x, of which `call` makes one number.
Numbers derivativesOf(const std::string &call, const Numbers &x,
                      const Numbers &direction) {
  ModelRunner model(fmt::format(R"(
export fn f(x: real[{0}], v: real[{0}]) -> (real, real, real, real) {{
  let y = {1}
  let a = sum(grad(y, x) * v)
  let b = sum(grad(a, x) * v)
  let c = sum(grad(b, x) * v)
  return (y, a, b, c)
}}
)",
                                x.size(), call));
  auto function = model.exported("f");
  function.set("argument/x", x);
  function.set("argument/v", direction);
  function.run();
  Numbers values;
  for (int i = 0; i < 4; ++i)
    values.push_back(function.get("result/" + std::to_string(i))[0]);
  return values;
}

// (x1 + v1 t) (x2 + v2 t) ... as a polynomial of t.
Numbers derivativesOfProduct(const Numbers &x, const Numbers &v) {
  Numbers polynomial = {1, 0, 0, 0};
  for (size_t i = 0; i < x.size(); ++i)
    for (int power = 3; power >= 0; --power)
      polynomial[power] =
          polynomial[power] * x[i] + (power ? polynomial[power - 1] * v[i] : 0);
  return {polynomial[0], polynomial[1], 2 * polynomial[2], 6 * polynomial[3]};
}

TEST(Product, DerivativesAreRightAtZeros) {
  const Numbers v = {0.5, -1, 2, 1.5, -0.25, 3, 1};
  for (const Numbers &x :
       {Numbers{2, 3, -1, 0.5, 4, 1, 2}, Numbers{2, 0, -1, 0.5, 4, 1, 2},
        Numbers{2, 0, -1, 0.5, 0, 1, 2}, Numbers{0, 0, -1, 0.5, 4, 1, 0},
        Numbers{0, 0, 0, 0, 4, 1, 2}, Numbers{0, 0, 0, 0, 0, 0, 0}}) {
    Numbers found = derivativesOf("prod(x)", x, v);
    Numbers expected = derivativesOfProduct(x, v);
    for (int order = 0; order <= 3; ++order)
      EXPECT_NEAR(found[order], expected[order], 1e-11) << "order " << order;
  }
}

TEST(CumulativeSum, AddsUpToEach) {
  ModelRunner model(R"(
export fn f(x: real[7], v: real[7]) -> (real[7], real[7]) {
  let y = cumsum(x)
  let s = sum(y * v)
  return (y, grad(s, x))
}
)");
  auto function = model.exported("f");
  // An infinity says nothing about what stands before it.
  function.set("argument/x", {1, 2, 3, 4, INFINITY, 5, 6});
  function.set("argument/v", {1, 1, 0, 2, 0, 0, 10});
  function.run();
  EXPECT_EQ(function.get("result/0"),
            Numbers({1, 3, 6, 10, INFINITY, INFINITY, INFINITY}));
  // The transpose sums from each to the end.
  EXPECT_EQ(function.get("result/1"), Numbers({14, 13, 12, 12, 10, 10, 10}));
}

TEST(Pad, SurroundsWithAValueOfAnyType) {
  ModelRunner model(R"(
export fn f(x: real[2, 2], y: real) -> (real[2, 4], real[4, 2], real[3]) {
  let truth = pad(x[0] > 0, 0, 1, 0, true)
  return (pad(x, axis = 1, before = 1, after = 1), pad(x, 0, 0, 2, value = y), real(truth))
}
)");
  auto function = model.exported("f");
  function.set("argument/x", {1, -2, 3, 4});
  function.set("argument/y", {9});
  function.run();
  EXPECT_EQ(function.get("result/0"), Numbers({0, 1, -2, 0, 0, 3, 4, 0}));
  EXPECT_EQ(function.get("result/1"), Numbers({1, -2, 3, 4, 9, 9, 9, 9}));
  EXPECT_EQ(function.get("result/2"), Numbers({1, 1, 0}));
}

} // namespace
} // namespace gradus
