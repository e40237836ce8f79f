// `clip`, `clip_value` and `accumulate` in the compiled step, against sums done
// by hand and against the interpreter.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>

namespace gradus {
namespace {

void expectNear(const Numbers &found, const Numbers &wanted,
                double bound = 1e-12) {
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(found[i], wanted[i], bound * (1 + std::abs(wanted[i]))) << i;
}

/// Gradients of u are the row itself, those of v three times its sum.
std::string twoParameters(const std::string &minimize,
                          const std::string &settings) {
  return fmt::format(R"(
data d {{ x: real[2]; train from csv("none.csv", x = 0..2) }}
param u: real[2] = 0
param v: real = 0
train on d(x), batch B = 1 {{
  {}
  steps = 9; {}
}}
)",
                     minimize, settings);
}

/// u and v after one step of sgd(lr = 1) on a row.
Numbers afterOne(const std::string &minimize, const std::string &settings,
                 const Numbers &row) {
  ModelRunner runner(twoParameters(minimize, settings));
  auto step = runner.step(1);
  step.set("field/x", row);
  step.run();
  Numbers result = step.get("param/u");
  result.push_back(step.get("param/v")[0]);
  return result;
}

const char *const together =
    "minimize sum(x * u) + 3 * sum(x) * v using sgd(lr = 1)";

} // namespace

TEST(Clip, TheNormIsThatOfAllParameters) {
  // (3, 4, 21) has the norm sqrt(466).
  double scale = 2 / std::sqrt(466);
  expectNear(afterOne(together, "clip = 2", {3, 4}),
             {-3 * scale, -4 * scale, -21 * scale});
}

TEST(Clip, BelowTheBoundNothingChanges) {
  EXPECT_EQ(afterOne(together, "clip = 21.6", {3, 4}), Numbers({-3, -4, -21}));
  // No gradient at all: nothing is divided by the norm.
  EXPECT_EQ(afterOne(together, "clip = 2", {0, 0}), Numbers({0, 0, 0}));
}

TEST(Clip, EachMinimizeHasANormOfItsOwn) {
  Numbers found = afterOne("minimize sum(x * u) over u using sgd(lr = 1)\n"
                           "  minimize sum(x * u) * 0 + 3 * sum(x) * v over v "
                           "using sgd(lr = 1)",
                           "clip = 2", {3, 4});
  expectNear(found, {-3 * 0.4, -4 * 0.4, -2});
}

TEST(Clip, WhatIsNotUpdatedHasNoPartInTheNorm) {
  Numbers found =
      afterOne("minimize sum(x * u) + 3 * sum(x) * v over u using sgd(lr = 1)",
               "clip = 2", {3, 4});
  expectNear(found, {-3 * 0.4, -4 * 0.4, 0});
}

TEST(Clip, ValuesAreBoundAfterTheNorm) {
  // Clipped by value first, the norm would be that of (1, 1, 1).
  double scale = 20 / std::sqrt(466);
  expectNear(afterOne(together, "clip = 20; clip_value = 3", {3, 4}),
             {-3 * scale, -3, -3});
  EXPECT_EQ(afterOne(together, "clip_value = 3", {-1, -4}), Numbers({1, 3, 3}));
}

TEST(Clip, BoundsTheMeanOfAccumulatedGradients) {
  ModelRunner runner(twoParameters(together, "clip = 2; accumulate = 3"));
  auto step = runner.step(1);
  const Numbers rows[] = {{9, 0}, {0, 0}, {0, 12}};
  for (int t = 1; t <= 3; ++t) {
    EXPECT_EQ(step.get("param/u"), Numbers({0, 0}));
    step.set("field/x", rows[t - 1]);
    step.set("t", {double(t)});
    step.set("every/3", {t % 3 ? 0.0 : 1.0});
    step.run();
  }
  // The mean is that of (3, 4) above; the next group starts from nothing.
  double scale = 2 / std::sqrt(466);
  expectNear(step.get("param/u"), {-3 * scale, -4 * scale});
  expectNear(step.get("param/v"), {-21 * scale});
  EXPECT_EQ(step.get("slot/accumulate/u"), Numbers({0, 0}));
}

/// Three ways to run the same steps.
TEST(Clip, CompiledAndInterpretedStepsAgree) {
  const std::string text = R"(
data d { x: real[3]; y: real; train from csv("none.csv", x = 0..3, y = 3) }
param W: real[4, 3] = 0.5
param b: real[4] = 0.1
param v: real[4] = -0.3
train on d(x, y), batch B = 2 {
  let h = tanh(x @ W.T + b)
  minimize mean((h @ v - y)^2) using adam(lr = 0.1 * cosine(t, steps))
  steps = 8; clip = 0.05; clip_value = 0.03; accumulate = 2
}
)";
  std::map<std::string, Numbers> first;
  for (int way = 0; way < 3; ++way) {
    ModelRunner runner(text, {.reference = way == 0, .interpret = way == 2});
    auto step = runner.step(2);
    // What a run starts with, where it is not 0.
    step.set("param/W", Numbers(12, 0.5));
    step.set("param/b", Numbers(4, 0.1));
    step.set("param/v", {-0.3, 0.2, 0.4, 0.1});
    step.set("steps", {8});
    for (int t = 1; t <= 8; ++t) {
      Numbers x, y;
      for (int i = 0; i < 6; ++i)
        x.push_back(std::sin(t + i));
      for (int i = 0; i < 2; ++i)
        y.push_back(std::cos(2 * t + i));
      step.set("field/x", x);
      step.set("field/y", y);
      step.set("t", {double(t)});
      step.set("every/2", {t % 2 ? 0.0 : 1.0});
      step.run();
    }
    for (const char *name : {"param/W", "param/b", "param/v", "slot/adam/W.v",
                             "slot/accumulate/W"}) {
      if (way == 0)
        first[name] = step.get(name);
      else
        expectNear(step.get(name), first[name], 1e-10);
    }
  }
  EXPECT_GT(std::abs(first["param/W"][0] - 0.5), 0.05);
}

} // namespace gradus
