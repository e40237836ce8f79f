// `training`: which side of `if` and `where` the step, the reports and exported
// functions have.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

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

} // namespace
} // namespace gradus
