// Draws in whole models: what evaluation draws, and that a step computes the
// same from them however it is compiled.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>

namespace gradus {
namespace {

const char *kNoise = R"(
data d { x: real[70]; train from csv("none.csv", x = 0..70) }
param w: real[70, 70] ~ normal(0, 0.1)
param s: real = 0.5
layer drop = Dropout(p = 0.3)
fn noisy[..S](x: real[..S]) -> real[..S] {
  let e: real[..S] ~ normal(0, 1)
  return x + s * e
}
train on d(x), batch B = 6 {
  let z = gaussian_noise(drop(x @ w))
  minimize mean((where(training, noisy(z), z) - x)^2) using sgd(lr = 0.1)
  steps = 1
}
)";

std::vector<std::string> drawsOf(const ModelRunner::Function &function) {
  std::vector<std::string> names;
  for (const BufferInfo &buffer : function.buffers())
    if (buffer.name.starts_with("draw/"))
      names.push_back(buffer.name);
  return names;
}

// A number for each index is what a tensor of numbers is.
TEST(Draws, ForEachIndexAsForTheWhole) {
  ModelRunner model(R"(
export fn each(m: real[5], s: real[5, 3]) {
  let z[i, j] ~ normal(m[i] * s[i, j], s[i, j])
  let u[i: 5] ~ uniform(m[i], 4)
  let b[i, j]: bool[5, 3] ~ bernoulli(s[i, j])
  let y[i, j] = z[i, j] + u[i] + where(b[i, j], 10, 0)
  return (y, grad(sum(z^2) + sum(u^2), s))
}
export fn whole(m: real[5], s: real[5, 3]) {
  let ms[i, j] = m[i] * s[i, j]
  let z: real[5, 3] ~ normal(ms, s)
  let u: real[5] ~ uniform(m, 4)
  let b: bool[5, 3] ~ bernoulli(s)
  let y[i, j] = z[i, j] + u[i] + where(b[i, j], 10, 0)
  return (y, grad(sum(z^2) + sum(u^2), s))
}
)");
  Numbers results[2][2];
  for (auto [at, name] : {std::pair(0, "each"), std::pair(1, "whole")}) {
    auto function = model.exported(name);
    function.set("argument/m", {1, 2, 3, -1, 0});
    Numbers s(15);
    for (size_t i = 0; i < s.size(); ++i)
      s[i] = 0.05 + 0.06 * double(i);
    function.set("argument/s", s);
    for (const std::string &draw : drawsOf(function))
      function.set(draw, {1, 2, double(draw.back())});
    function.run();
    results[at][0] = function.get("result/0");
    results[at][1] = function.get("result/1");
  }
  for (int result : {0, 1})
    for (size_t i = 0; i < 15; ++i)
      EXPECT_NEAR(results[0][result][i], results[1][result][i], 1e-12)
          << "result " << result;
}

// Whichever branch is taken draws what it draws where that is known.
TEST(Draws, InBranches) {
  auto functionOf = [](const char *name, const char *condition) {
    return std::string("export fn ") + name + R"((x: real, w: real[4, 4]) {
  var h = w[0]
  if )" + condition +
           R"( {
    let z: real[4] ~ normal(x, 1)
    for i in 0..20 { h = tanh(w @ h + z) }
  } else {
    let u: real[4] ~ uniform(0, 1)
    for j in 0..20 { h = sin(w @ h + u) }
  }
  return h
}
)";
  };
  ModelRunner model(functionOf("open", "x > 0") + functionOf("yes", "true") +
                        functionOf("no", "false"),
                    {});
  for (double x : {0.5, -0.5}) {
    Numbers results[2];
    for (auto [at, name] :
         {std::pair(0, "open"), std::pair(1, x > 0 ? "yes" : "no")}) {
      auto function = model.exported(name);
      function.set("argument/x", {x});
      Numbers w(16);
      for (size_t i = 0; i < w.size(); ++i)
        w[i] = std::sin(double(3 * i));
      function.set("argument/w", w);
      for (const std::string &draw : drawsOf(function))
        function.set(draw, {5, 6, double(draw.back())});
      function.run();
      results[at] = function.get("result/0");
    }
    for (size_t i = 0; i < 4; ++i)
      EXPECT_NEAR(results[0][i], results[1][i], 1e-12) << "x is " << x;
  }
}

TEST(Draws, EvaluationHasNoNoiseOfTraining) {
  ModelRunner model(kNoise);
  EXPECT_EQ(drawsOf(model.step(6)).size(), 3u);
  EXPECT_TRUE(drawsOf(model.reports(6).at("evaluate")).empty());
}

TEST(Draws, DropoutOfNothingDrawsNothing) {
  ModelRunner model(R"(
data d { x: real; train from csv("none.csv", x = 0) }
param w: real = 1
train on d(x), batch B = 6 {
  minimize mean(dropout(w * x, 0)^2) using sgd(lr = 0.1)
  steps = 1
})");
  EXPECT_TRUE(drawsOf(model.step(6)).empty());
}

TEST(Draws, EveryCompilationOfAStepDrawsTheSame) {
  ModelRunner plain(kNoise, {.reference = true});
  ModelRunner fused(kNoise, {.reference = false});
  auto a = plain.step(6), b = fused.step(6);
  for (auto *function : {&a, &b}) {
    for (const BufferInfo &buffer : function->buffers()) {
      Numbers numbers(size_t(buffer.elements()));
      for (size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = buffer.name.starts_with("draw/")
                         ? double(buffer.name.size() * 1000 + i)
                         : std::sin(double(i + buffer.name.size()));
      function->set(buffer.name, numbers);
    }
    function->run();
  }
  EXPECT_NEAR(a.get("loss")[0], b.get("loss")[0], 1e-13);
  EXPECT_NEAR(a.get("param/s")[0], b.get("param/s")[0], 1e-13);
  Numbers first = a.get("param/w"), second = b.get("param/w");
  for (size_t i = 0; i < first.size(); ++i)
    EXPECT_NEAR(first[i], second[i], 1e-13);
}

} // namespace
} // namespace gradus
