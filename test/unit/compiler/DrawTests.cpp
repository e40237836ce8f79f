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
