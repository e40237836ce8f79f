// The account of a step: whatever is divided among lines and phases sums to the
// whole.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <fmt/format.h>

namespace gradus {
namespace {

const char *const twoLayers = R"(
data d { x: real[8]; y: index(3); train from csv("none.csv", x = 0..8, y = 8) }
layer first = Linear[8, 16]
layer last = Linear[16, 3]
fn hidden[B](x: real[B, 8]) -> real[B, 16] {
  let z = first(x)
  return relu(z)
}
train on d(x, y), batch B = 4 {
  minimize mean(cross_entropy(last(hidden(x)), y)) using adam(lr = 0.1)
  steps = 1
}
)";

StepAccount accountOf(const std::string &text, int64_t batch,
                      CompileOptions options = {}) {
  ModelRunner runner(text);
  Compiler compiler(runner.program(), options);
  Diagnostics diagnostics;
  StepAccount account;
  compiler.step(batch, diagnostics, account);
  EXPECT_FALSE(diagnostics.hasErrors()) << diagnostics.render();
  return account;
}

/// FLOP of products by line and phase.
std::map<std::pair<uint32_t, Phase>, int64_t>
flopsOf(const StepAccount &account) {
  std::map<std::pair<uint32_t, Phase>, int64_t> flops;
  for (const auto &[key, work] : account.lines())
    if (work.flops)
      flops[{key.first.number, key.second}] += work.flops;
  return flops;
}

TEST(Account, ProductsBelongToTheLinesThatCallLayers) {
  StepAccount account = accountOf(twoLayers, 4);
  std::map<std::pair<uint32_t, Phase>, int64_t> expected = {
      {{6, Phase::Forward}, 2 * 4 * 8 * 16},
      // Only by the weights: nobody asks for the derivative by x.
      {{6, Phase::Backward}, 2 * 4 * 8 * 16},
      {{10, Phase::Forward}, 2 * 4 * 16 * 3},
      {{10, Phase::Backward}, 2 * 2 * 4 * 16 * 3},
  };
  EXPECT_EQ(flopsOf(account), expected);
}

TEST(Account, IsTheSameUnfusedButForTheTraffic) {
  StepAccount fused = accountOf(twoLayers, 4);
  StepAccount whole = accountOf(twoLayers, 4, {.reference = true});
  EXPECT_EQ(flopsOf(fused), flopsOf(whole));
  EXPECT_EQ(whole.calls.size(), 1u);
  EXPECT_LT(whole.total().bytes, fused.total().bytes);
}

TEST(Account, UpdatesBelongToTheOptimizer) {
  for (const auto &[key, work] : accountOf(twoLayers, 4).lines())
    if (key.second == Phase::Update)
      EXPECT_EQ(key.first.number, 10u);
}

TEST(Account, LinesSumToKernelsAndKernelsToTheStep) {
  StepAccount account = accountOf(twoLayers, 4);
  Work byCall, byLine;
  for (const CallAccount &call : account.calls)
    byCall += call.total();
  for (const auto &[key, work] : account.lines())
    byLine += work;
  EXPECT_EQ(byCall, byLine);
  EXPECT_EQ(byCall, account.total());
  EXPECT_GT(account.total().bytes, 0);
  EXPECT_GT(account.total().elements, 0);
}

TEST(Account, ValuesOfOneKernelDoNotOverlap) {
  StepAccount account = accountOf(twoLayers, 4);
  ASSERT_FALSE(account.values.empty());
  for (const PlannedValue &a : account.values) {
    EXPECT_LE(a.offset + a.bytes, account.arenaBytes);
    for (const PlannedValue &b : account.values)
      if (&a != &b && a.first <= b.last && b.first <= a.last)
        EXPECT_TRUE(a.offset + a.bytes <= b.offset ||
                    b.offset + b.bytes <= a.offset)
            << a.name << " and " << b.name;
  }
  for (int64_t bytes : account.aliveBytes())
    EXPECT_LE(bytes, account.arenaBytes);
}

/// Two layers are one kernel if they compute the same; their lines are not.
TEST(Account, SharedKernelsKeepTheirLines) {
  StepAccount account = accountOf(R"(
data d { x: real[8]; train from csv("none.csv", x = 0..8) }
layer first = Linear[8, 8]
layer last = Linear[8, 8]
fn one[B](x: real[B, 8]) -> real[B, 8] = first(x)
fn two[B](x: real[B, 8]) -> real[B, 8] = last(x)
train on d(x), batch B = 4 {
  minimize mean(two(one(x))) using sgd(lr = 0.1)
  steps = 1
}
)",
                                  4);
  auto flops = flopsOf(account);
  EXPECT_EQ((flops[{5, Phase::Forward}]), 2 * 4 * 8 * 8);
  EXPECT_EQ((flops[{6, Phase::Forward}]), 2 * 4 * 8 * 8);
}

TEST(Account, LoopsCountEveryRound) {
  auto text = [](int rounds) {
    return fmt::format(R"(
data d {{ x: real[4]; train from csv("none.csv", x = 0..4) }}
param w: real[4, 4] ~ normal(0, 1)
fn f[B](x: real[B, 4]) -> real[B, 4] {{
  var s = x
  for i in 0..{} {{
    s = tanh(s @ w)
  }}
  return s
}}
train on d(x), batch B = 2 {{
  minimize mean(f(x)) using sgd(lr = 0.1)
  steps = 1
}}
)",
                       rounds);
  };
  auto shorter = flopsOf(accountOf(text(20), 2)),
       longer = flopsOf(accountOf(text(40), 2));
  EXPECT_EQ((shorter[{7, Phase::Forward}]), 20 * 2 * 2 * 4 * 4);
  EXPECT_EQ((longer[{7, Phase::Forward}]), 40 * 2 * 2 * 4 * 4);
  // What keeps less computes more, on the way back.
  auto few = flopsOf(accountOf(text(40), 2, {.memoryBudget = 300}));
  EXPECT_GT((few[{7, Phase::Backward}]), (longer[{7, Phase::Backward}]));
}

//===-- Times -------------------------------------------------------------===//

const Source source("m.nn", "a\nb\n");

TEST(Account, TimesAreDividedByWorkAndSumToTheWhole) {
  CallAccount call;
  call.lines[{SourceLine{&source, 1}, Phase::Forward}] = {300, 0, 0};
  call.lines[{SourceLine{&source, 2}, Phase::Forward}] = {0, 0, 20};
  call.lines[{SourceLine{&source, 2}, Phase::Update}] = {60, 40, 0};
  // 3 s, 2 s and 1 s at the peaks.
  auto times = timesOf(call, 12, {.flops = 100, .bytes = 10});
  EXPECT_DOUBLE_EQ((times[{SourceLine{&source, 1}, Phase::Forward}]), 6);
  EXPECT_DOUBLE_EQ((times[{SourceLine{&source, 2}, Phase::Forward}]), 4);
  EXPECT_DOUBLE_EQ((times[{SourceLine{&source, 2}, Phase::Update}]), 2);
}

TEST(Account, TimesOfNoWorkAreNotLost) {
  CallAccount call;
  EXPECT_DOUBLE_EQ(timesOf(call, 3, {1, 1}).begin()->second, 3);
  call.lines[{SourceLine{&source, 1}, Phase::Forward}] = {};
  call.lines[{SourceLine{&source, 2}, Phase::Forward}] = {};
  for (const auto &[key, seconds] : timesOf(call, 3, {1, 1}))
    EXPECT_DOUBLE_EQ(seconds, 1.5);
}

TEST(Account, TheLargerLimitBoundsUnlessNeitherExplainsTheTime) {
  Peaks peaks{.flops = 100, .bytes = 10};
  EXPECT_EQ(boundOf({100, 0, 5}, 1.5, peaks), Bound::Compute);
  EXPECT_EQ(boundOf({20, 0, 5}, 1, peaks), Bound::Memory);
  EXPECT_EQ(boundOf({20, 0, 1}, 1, peaks), Bound::Overhead);
}

TEST(Account, NoLineComesLast) {
  EXPECT_LT((SourceLine{&source, 2}), SourceLine{});
  EXPECT_LT((SourceLine{&source, 1}), (SourceLine{&source, 2}));
  EXPECT_EQ((SourceLine{&source, 2}).text(), "b");
  EXPECT_EQ(SourceLine{}.text(), "");
}

} // namespace
} // namespace gradus
