// `training`: which side of `if` and `where` the step, the reports and exported
// functions have. State: what a step leaves in it, fused and by plain loops.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>

namespace gradus {
namespace {

// While training x -> 2x, else x -> 3x, in each of the ways to say so; the
// product of all at x = 1. The other side has a parameter of its own.
const char *const modes = R"(
data d { x: real; train from csv("none.csv", x = 0) }
param two: real = 2
param three: real = 3
module M(bent = true) {
  fn call[..S](x: real[..S]) -> real[..S] = where(bent and training, two * x, three * x)
}
layer m = M
fn statement[..S](x: real[..S]) -> real[..S] {
  if training { return two * x } else { return three * x }
}
fn own[..S](x: real[..S]) -> real[..S] = where(training, 2 * x, 3 * x)
backward (y, dy) {
  var slope = 3
  if training { slope = 2 }
  grad x = slope * dy
}
fn indexed[B](x: real[B]) -> real[B] {
  let y[i] = where(not training, three * x[i], two * x[i])
  return y
}
fn all[B](x: real[B]) -> real[B] = x |> m |> statement |> own |> indexed
export fn f(x: real) -> real = all([x])[0]
train on d(x), batch B = 1 {
  minimize sum(all(x)) using sgd(lr = 1)
  report r = sum(all(x))
  steps = 1
}
)";

TEST(Training, TheStepIsTraining) {
  auto step = ModelRunner(modes).step(1);
  EXPECT_FALSE(step.has("param/three"));
  step.set("param/two", {2});
  step.set("field/x", {1});
  step.run();
  EXPECT_EQ(step.get("loss"), Numbers{16});
  // 2 - d/dtwo (2 two^3)
  EXPECT_EQ(step.get("param/two"), Numbers{2 - 24});
}

TEST(Training, ReportsAreNot) {
  auto reports = ModelRunner(modes).reports(1);
  auto &evaluate = reports.at("evaluate"), &finish = reports.at("finish");
  EXPECT_FALSE(evaluate.has("param/two"));
  evaluate.set("param/three", {3});
  evaluate.set("field/x", {1});
  evaluate.run();
  for (const char *name : {"partial/r/0", "partial/loss/0"})
    finish.set(name, evaluate.get(name));
  finish.run();
  EXPECT_EQ(finish.get("report/r"), Numbers{81});
  EXPECT_EQ(finish.get("report/loss"), Numbers{81});
}

TEST(Training, ExportedFunctionsAreNot) {
  auto f = ModelRunner(modes).exported("f");
  EXPECT_FALSE(f.has("param/two"));
  f.set("param/three", {3});
  f.set("argument/x", {1});
  f.run();
  EXPECT_EQ(f.get("result/0"), Numbers{81});
}

// What state holds after each step of a `train` with the given clauses.
class State : public testing::TestWithParam<bool> {
protected:
  ModelRunner::Function step(const std::string &clauses) {
    return ModelRunner(R"(
data d { x: real; train from csv("none.csv", x = 0) }
param w: real = 1
param v: real = 1
state total: real = 0
state calls: i64 = 0
# Adds to the total, and gives it.
fn add(x: real) -> real {
  if training {
    total = total + x
    calls = calls + 1
  }
  return total
}
# Gives what it was called with before.
module Delay {
  state last: real = 10
  fn call(x: real) -> real {
    let old = last
    if training { last = x }
    return old
  }
}
layer one = Delay
layer two = Delay
layer many[3] = Delay
fn through(x: real) -> real {
  var h = x
  for each in many { h = each(h) }
  return h
}
state first: real = 1
state second: real = 2
fn swap(x: real) -> real {
  if not training { return x } else {
    let old = first
    first = second
    second = old
  }
  return x
}
state weight: real = 0
state product: real = 0
fn keep(x: real) -> real {
  if training and true {
    weight = w
    product = w * x
  }
  return product
}
state chosen: real[2, 2] = [[1, 2], [3, 4]]
fn rows(x: real) -> real[2] {
  let y[i] = add(x) + chosen[i, 1]
  return y
}
train on d(x), batch B = 1 {
)" + clauses + "\n  steps = 1\n}\n",
                       CompileOptions{.reference = GetParam()})
        .step(1);
  }

  /// The same after a step from the given numbers.
  static void run(ModelRunner::Function &function,
                  const std::map<std::string, double> &values) {
    for (const auto &[name, value] : values)
      function.set(name, {value});
    function.run();
  }
  static double at(ModelRunner::Function &function, const std::string &name) {
    return function.get(name).at(0);
  }
};

TEST_P(State, AnInstanceUsedTwiceIsUpdatedInTheOrderOfTheCalls) {
  auto f = step(
      "minimize w + 100 * one(2) + one(sum(x)) + two(4) using sgd(lr = 0)");
  run(f, {{"param/w", 0},
          {"field/x", 3},
          {"state/one.last", 10},
          {"state/two.last", 5}});
  EXPECT_EQ(at(f, "loss"), 1000 + 2 + 5);
  EXPECT_EQ(at(f, "state/one.last"), 3);
  EXPECT_EQ(at(f, "state/two.last"), 4);
  f.run();
  EXPECT_EQ(at(f, "loss"), 300 + 2 + 4);
}

TEST_P(State, EachLayerOfAnArrayHasItsOwn) {
  auto f = step("minimize w + through(sum(x)) using sgd(lr = 0)");
  run(f, {{"field/x", 4},
          {"state/many.0.last", 1},
          {"state/many.1.last", 2},
          {"state/many.2.last", 3}});
  EXPECT_EQ(at(f, "loss"), 3);
  EXPECT_EQ(at(f, "state/many.0.last"), 4);
  EXPECT_EQ(at(f, "state/many.1.last"), 1);
  EXPECT_EQ(at(f, "state/many.2.last"), 2);
}

TEST_P(State, WholeNumbersAreExact) {
  auto f = step("minimize w * add(1) using sgd(lr = 0)");
  run(f, {{"state/calls", 9007199254740991.0}});
  EXPECT_EQ(at(f, "state/calls"), 9007199254740992.0);
}

TEST_P(State, TheSecondMinimizeSeesWhatTheFirstHasLeft) {
  auto f = step("minimize w * add(1) using sgd(lr = 1)\n"
                "minimize v * add(10) using sgd(lr = 1)");
  run(f, {{"param/w", 0},
          {"param/v", 0},
          {"state/total", 100},
          {"state/calls", 0}});
  EXPECT_EQ(at(f, "param/w"), -101);
  EXPECT_EQ(at(f, "param/v"), -111);
  EXPECT_EQ(at(f, "state/total"), 111);
  EXPECT_EQ(at(f, "state/calls"), 2);
}

TEST_P(State, AMinimizeThatIsNotDueLeavesNothing) {
  auto f = step("minimize w * add(1) using sgd(lr = 1)\n"
                "minimize v * add(10) using sgd(lr = 1) every 3");
  run(f, {{"state/total", 0}, {"state/calls", 0}, {"every/3", 0}, {"t", 1}});
  EXPECT_EQ(at(f, "state/total"), 1);
  EXPECT_EQ(at(f, "state/calls"), 1);
  run(f, {{"every/3", 1}, {"t", 3}});
  EXPECT_EQ(at(f, "state/total"), 12);
  EXPECT_EQ(at(f, "state/calls"), 3);
}

TEST_P(State, EachBatchOfAccumulateCounts) {
  auto f = step("minimize w * add(1) using sgd(lr = 1)\n  accumulate = 2");
  run(f, {{"state/total", 0}, {"every/2", 0}, {"t", 1}});
  EXPECT_EQ(at(f, "state/total"), 1);
}

// A `let` belongs to the losses that are made of it.
TEST_P(State, LetsRunForTheirLosses) {
  auto f = step("let a = add(1)\n  let (b, c) = (add(10), 2 * a)\n"
                "minimize w * a using sgd(lr = 1)\n"
                "minimize v * b using sgd(lr = 1)\n"
                "report r = b + c");
  run(f, {{"state/total", 0}, {"param/v", 0}});
  EXPECT_EQ(at(f, "state/total"), 1 + 1 + 10);
  EXPECT_EQ(at(f, "param/v"), -12);
}

TEST_P(State, IsAConstantToDerivatives) {
  auto f = step("minimize w * keep(sum(x)) using sgd(lr = 1)");
  run(f, {{"param/w", 3}, {"field/x", 5}});
  EXPECT_EQ(at(f, "loss"), 45);
  EXPECT_EQ(at(f, "param/w"), 3 - 15);
  // The parameter of before the update, although it is written in its place.
  EXPECT_EQ(at(f, "state/weight"), 3);
  EXPECT_EQ(at(f, "state/product"), 15);
}

TEST_P(State, TwoMayChangePlaces) {
  auto f = step("minimize w * swap(1) using sgd(lr = 1)");
  run(f, {{"state/first", 1}, {"state/second", 2}});
  EXPECT_EQ(at(f, "state/first"), 2);
  EXPECT_EQ(at(f, "state/second"), 1);
}

TEST_P(State, IndexNotationReadsItAndChangesItOnce) {
  auto f = step("minimize w * sum(rows(7)) using sgd(lr = 1)");
  f.set("state/chosen", {1, 2, 3, 4});
  run(f, {{"param/w", 1}, {"state/total", 0}});
  EXPECT_EQ(at(f, "loss"), 7 + 2 + 7 + 4);
  EXPECT_EQ(at(f, "state/total"), 7);
}

INSTANTIATE_TEST_SUITE_P(Paths, State, testing::Bool(), [](const auto &info) {
  return info.param ? "Reference" : "Fused";
});

// Two steps of SGD on x of two channels, against the formulas by hand.
TEST(BatchNorm, KeepsMeansAndVariancesOfTheBatches) {
  ModelRunner runner(R"(
data d { x: real[2, 3]; train from csv("none.csv", x = 0..6) }
layer images = BatchNorm[2](eps = 0.5, rate = 0.25)
layer values = BatchNorm[2]
export fn f(x: real[1, 2, 3]) -> real[1, 2, 3] = images(x)
export fn g(x: real[1, 2]) -> real[1, 2] = values(x)
train on d(x), batch B = 2 {
  minimize sum(images(x)^3 / 3) + sum(values(mean(x, axis = -1))^3) using sgd(lr = 0.1)
  steps = 2
}
)",
                     {.reference = false});
  auto step = runner.step(2);
  const size_t channels = 2, n = 6;
  Numbers x{1, 2, 4, 0, 1, 8, 3, 0, 2, -2, 5, 6};
  Numbers gain{1, 1}, bias{0, 0}, mu{0, 0}, sigma2{1, 1}, slow{0, 0};
  Numbers fast{1, 1};
  step.set("param/images.gain", gain);
  step.set("state/images.sigma2", sigma2);
  step.set("param/values.gain", gain);
  step.set("state/values.sigma2", fast);
  step.set("field/x", x);
  for (int t = 0; t < 2; ++t) {
    step.run();
    for (size_t c = 0; c < channels; ++c) {
      double mean = 0, square = 0, rows[2] = {0, 0};
      auto at = [&](size_t i) { return x[(i / 3) * 6 + c * 3 + i % 3]; };
      for (size_t i = 0; i < n; ++i) {
        mean += at(i) / n;
        rows[i / 3] += at(i) / 3;
      }
      for (size_t i = 0; i < n; ++i)
        square += (at(i) - mean) * (at(i) - mean) / n;
      double dGain = 0, dBias = 0;
      for (size_t i = 0; i < n; ++i) {
        double normal = (at(i) - mean) / std::sqrt(square + 0.5);
        double y = gain[c] * normal + bias[c];
        dGain += y * y * normal;
        dBias += y * y;
      }
      gain[c] -= 0.1 * dGain;
      bias[c] -= 0.1 * dBias;
      mu[c] = 0.75 * mu[c] + 0.25 * mean;
      sigma2[c] = 0.75 * sigma2[c] + 0.25 * square;
      slow[c] = 0.9 * slow[c] + 0.1 * mean;
      double half = (rows[0] - rows[1]) / 2;
      fast[c] = 0.9 * fast[c] + 0.1 * half * half;
    }
  }
  auto expectNear = [](const Numbers &found, const Numbers &wanted) {
    ASSERT_EQ(found.size(), wanted.size());
    for (size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], wanted[i], 1e-9 * (1 + std::abs(wanted[i])));
  };
  expectNear(step.get("param/images.gain"), gain);
  expectNear(step.get("param/images.bias"), bias);
  expectNear(step.get("state/images.mu"), mu);
  expectNear(step.get("state/images.sigma2"), sigma2);
  expectNear(step.get("state/values.mu"), slow);
  expectNear(step.get("state/values.sigma2"), fast);

  // Other than training, one example counts by itself.
  auto f = runner.exported("f");
  f.set("param/images.gain", {2, 3});
  f.set("param/images.bias", {-1, 1});
  f.set("state/images.mu", {1, 2});
  f.set("state/images.sigma2", {3.5, 8.5});
  f.set("argument/x", {1, 2, 3, 4, 5, 6});
  f.run();
  expectNear(f.get("result/0"), {-1, 0, 1, 3, 4, 5});
  auto g = runner.exported("g");
  g.set("param/values.gain", {1, 1});
  g.set("state/values.mu", {1, 2});
  g.set("state/values.sigma2", {4, 9});
  g.set("argument/x", {5, 11});
  g.run();
  EXPECT_NEAR(g.get("result/0")[0], 2, 1e-4);
  EXPECT_NEAR(g.get("result/0")[1], 3, 1e-4);
}

// The example of docs/Training.md.
TEST(AveragedWeights, AreUsedButInTraining) {
  ModelRunner runner(R"(
data d { x: real[2]; train from csv("none.csv", x = 0..2) }
module Averaged[In, Out](keep = 0.99) {
  param W: real[In, Out] ~ he(In)
  state mean: real[In, Out] = 0
  state share: real = 0
  fn call[B](x: real[B, In]) -> real[B, Out] {
    if training {
      mean = keep * mean + (1 - keep) * W
      share = keep * share + (1 - keep)
    }
    return x @ where(training or share == 0, W, mean / share)
  }
}
layer fc = Averaged[2, 1](keep = 0.75)
export fn f(x: real[1, 2]) -> real[1, 1] = fc(x)
train on d(x), batch B = 1 {
  minimize sum(fc(x)^2) / 2 using sgd(lr = 0.5)
  steps = 3
}
)");
  auto f = runner.exported("f");
  f.set("argument/x", {3, 4});
  f.set("param/fc.W", {1, 2});
  f.run();
  EXPECT_DOUBLE_EQ(f.get("result/0")[0], 11);

  auto step = runner.step(1);
  step.set("param/fc.W", {1, 2});
  step.set("field/x", {1, 1});
  double w = 1, v = 2, meanW = 0, meanV = 0;
  for (int t = 0; t < 3; ++t) {
    step.run();
    meanW = 0.75 * meanW + 0.25 * w;
    meanV = 0.75 * meanV + 0.25 * v;
    double y = w + v;
    w -= 0.5 * y;
    v -= 0.5 * y;
  }
  double share = 1 - 0.75 * 0.75 * 0.75;
  EXPECT_DOUBLE_EQ(step.get("param/fc.W")[0], w);
  EXPECT_DOUBLE_EQ(step.get("state/fc.mean")[1], meanV);
  EXPECT_DOUBLE_EQ(step.get("state/fc.share")[0], share);
  f.set("state/fc.mean", step.get("state/fc.mean"));
  f.set("state/fc.share", step.get("state/fc.share"));
  f.run();
  EXPECT_NEAR(f.get("result/0")[0], (3 * meanW + 4 * meanV) / share, 1e-12);
}

TEST(StateInReports, IsRead) {
  ModelRunner runner(R"(
data d { x: real; train from csv("none.csv", x = 0) }
param w: real = 1
state seen: real = 0
export fn f(x: real) -> real {
  if training { seen = seen + x }
  return x * seen
}
train on d(x), batch B = 2 {
  minimize w * f(mean(x)) using sgd(lr = 1)
  report r = mean(x) + f(3)
  steps = 1
}
)");
  auto reports = runner.reports(2);
  auto &evaluate = reports.at("evaluate"), &finish = reports.at("finish");
  evaluate.set("field/x", {1, 3});
  evaluate.run();
  finish.set("partial/r/0", evaluate.get("partial/r/0"));
  finish.set("rows", {2});
  finish.set("state/seen", {4});
  finish.run();
  EXPECT_EQ(finish.get("report/r"), Numbers{2 + 12});
  EXPECT_EQ(finish.get("state/seen"), Numbers{4});
  auto f = runner.exported("f");
  f.set("state/seen", {5});
  f.set("argument/x", {2});
  f.run();
  EXPECT_EQ(f.get("result/0"), Numbers{10});
  EXPECT_EQ(f.get("state/seen"), Numbers{5});
}

TEST(StateInCustoms, CannotChange) {
  ModelRunner runner(R"(
data d { x: real; train from csv("none.csv", x = 0) }
param w: real = 1
state seen: real = 0
fn note(x: real) -> real {
  if training { seen = x }
  return x
}
fn f(x: real) -> real = note(x)
backward (y, dy) { grad x = dy }
train on d(x), batch B = 1 {
  minimize f(w) using sgd(lr = 1)
  steps = 1
}
)");
  EXPECT_THROW(runner.step(1), std::runtime_error);
  EXPECT_EQ(runner.messages(),
            "error[E0604]: state `seen` cannot change in a function with a "
            "`backward`\n"
            " --> model.nn:6:24\n"
            "6 |   if training { seen = x }\n"
            "  |                        ^\n");
}

} // namespace
} // namespace gradus
