// Each optimizer of std.nn over three steps against its formula, on the loss
// sum(a w^2) with the gradient 2 a w, and the clipping of gradients.
#include "test/unit/compiler/ModelRunner.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <numeric>

namespace gradus {
namespace {

const Numbers a{1, 2, 3, 4, 5, 6};
const Numbers start{0.5, -1, 2, 0.25, -0.75, 1.5};

std::string model(const std::string &optimizer, const std::string &settings) {
  return fmt::format(R"(
data d {{ a: real[2, 3]; train from csv("none.csv", a = 0..6) }}
param w: real[2, 3] = 0
train on d(a), batch B = 1 {{
  minimize sum(a * w^2) using {}
  steps = 3{}
}}
)",
                     optimizer, settings);
}

/// w after three steps of the compiled optimizer.
Numbers train(const std::string &optimizer, const std::string &settings = "") {
  ModelRunner runner(model(optimizer, settings));
  auto step = runner.step(1);
  step.set("field/a", a);
  step.set("param/w", start);
  step.set("steps", {3});
  step.set("epoch", {1});
  for (int t = 1; t <= 3; ++t) {
    step.set("t", {double(t)});
    step.run();
  }
  return step.get("param/w");
}

/// One element after three steps of `update(w, g, t)`.
Numbers
expected(const std::function<std::function<double(double, double, int)>()>
             &makeUpdate) {
  Numbers result;
  for (size_t i = 0; i < a.size(); ++i) {
    auto update = makeUpdate();
    double w = start[i];
    for (int t = 1; t <= 3; ++t)
      w = update(w, 2 * a[i] * w, t);
    result.push_back(w);
  }
  return result;
}

void expectNear(const Numbers &found, const Numbers &wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], wanted[i], 1e-12 * (1 + std::fabs(wanted[i])));
}

TEST(Optimizer, Sgd) {
  expectNear(train("sgd(lr = 0.01)"), expected([] {
               return [](double w, double g, int) { return w - 0.01 * g; };
             }));
}

TEST(Optimizer, ScheduleInT) {
  expectNear(train("sgd(lr = 0.01 * warmup(t, 10))"), expected([] {
               return [](double w, double g, int t) {
                 return w - 0.01 * t / 10 * g;
               };
             }));
}

TEST(Optimizer, Momentum) {
  expectNear(train("momentum(lr = 0.01, rho = 0.8)"), expected([] {
               return [v = 0.0](double w, double g, int) mutable {
                 v = 0.8 * v + g;
                 return w - 0.01 * v;
               };
             }));
}

TEST(Optimizer, Nesterov) {
  expectNear(train("nesterov(lr = 0.01)"), expected([] {
               return [v = 0.0](double w, double g, int) mutable {
                 v = 0.9 * v + g;
                 return w - 0.01 * (g + 0.9 * v);
               };
             }));
}

TEST(Optimizer, Adagrad) {
  expectNear(train("adagrad(lr = 0.1)"), expected([] {
               return [s = 0.0](double w, double g, int) mutable {
                 s += g * g;
                 return w - 0.1 * g / (std::sqrt(s) + 1e-7);
               };
             }));
}

TEST(Optimizer, RmsProp) {
  expectNear(train("rmsprop(lr = 0.1)"), expected([] {
               return [s = 0.0](double w, double g, int) mutable {
                 s = 0.99 * s + 0.01 * g * g;
                 return w - 0.1 * g / (std::sqrt(s) + 1e-7);
               };
             }));
}

std::function<double(double, double, int)> adam(double decay) {
  return [decay, m = 0.0, v = 0.0](double w, double g, int t) mutable {
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w -= 0.1 * decay * w;
    return w - 0.1 * (m / (1 - std::pow(0.9, t))) /
                   (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
  };
}

TEST(Optimizer, Adam) {
  expectNear(train("adam(lr = 0.1)"), expected([] { return adam(0); }));
}

TEST(Optimizer, AdamWDecaysMatrices) {
  expectNear(train("adamw(lr = 0.1, decay = 0.05)"),
             expected([] { return adam(0.05); }));
}

// The loss is quadratic: each step solves (2 a + damping) d = -2 a w, and as
// many conjugate gradients as there are elements do that exactly.
TEST(Optimizer, NewtonCg) {
  Numbers w = start;
  for (int t = 0; t < 3; ++t)
    for (size_t i = 0; i < a.size(); ++i)
      w[i] *= 0.1 / (2 * a[i] + 0.1);
  Numbers found = train("newton_cg(damping = 0.1, iters = 8)");
  ASSERT_EQ(found.size(), w.size());
  for (size_t i = 0; i < w.size(); ++i)
    EXPECT_NEAR(found[i], w[i], 1e-10);
}

// The same with the Hessian itself.
TEST(Optimizer, Newton) {
  Numbers w = start;
  for (int t = 0; t < 3; ++t)
    for (size_t i = 0; i < a.size(); ++i)
      w[i] *= 0.1 / (2 * a[i] + 0.1);
  expectNear(train("newton(damping = 0.1)"), w);
}

// Few conjugate gradients go down, too, but not as far.
TEST(Optimizer, NewtonCgStopsEarly) {
  auto lossOf = [](const Numbers &w) {
    double loss = 0;
    for (size_t i = 0; i < a.size(); ++i)
      loss += a[i] * w[i] * w[i];
    return loss;
  };
  double few = lossOf(train("newton_cg(damping = 0, iters = 1)")),
         more = lossOf(train("newton_cg(damping = 0, iters = 2)"));
  EXPECT_LT(few, 0.5 * lossOf(start));
  EXPECT_LT(more, 0.5 * few);
  EXPECT_GT(more, 1e-8);
}

// Against the matrix it stands for: as long as no step has been forgotten, the
// inverse of the BFGS formula applied to a multiple of the unit matrix (Nocedal
// and Wright 2006, 6.17 and 7.20).
TEST(Optimizer, Lbfgs) {
  size_t n = a.size();
  Numbers w = start, wBefore, gBefore;
  std::vector<Numbers> steps, changes;
  auto dot = [](const Numbers &x, const Numbers &y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  for (int t = 1; t <= 3; ++t) {
    Numbers g(n);
    for (size_t i = 0; i < n; ++i)
      g[i] = 2 * a[i] * w[i];
    if (t > 1) {
      steps.emplace_back(n);
      changes.emplace_back(n);
      for (size_t i = 0; i < n; ++i) {
        steps.back()[i] = w[i] - wBefore[i];
        changes.back()[i] = g[i] - gBefore[i];
      }
    }
    double scale = 1 / std::max(std::sqrt(dot(g, g)), 1.0);
    if (t > 1)
      scale = dot(steps.back(), changes.back()) /
              dot(changes.back(), changes.back());
    std::vector<Numbers> h(n, Numbers(n));
    for (size_t i = 0; i < n; ++i)
      h[i][i] = scale;
    for (size_t k = 0; k < steps.size(); ++k) {
      const Numbers &s = steps[k], &y = changes[k];
      double rho = 1 / dot(s, y);
      // h = (1 - rho s y^T) h (1 - rho y s^T) + rho s s^T
      std::vector<Numbers> next(n, Numbers(n));
      for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < n; ++j) {
          next[i][j] = rho * s[i] * s[j];
          for (size_t p = 0; p < n; ++p)
            for (size_t q = 0; q < n; ++q)
              next[i][j] += ((i == p) - rho * s[i] * y[p]) * h[p][q] *
                            ((q == j) - rho * y[q] * s[j]);
        }
      h = next;
    }
    wBefore = w;
    gBefore = g;
    for (size_t i = 0; i < n; ++i)
      w[i] -= 0.9 * dot(h[i], g);
  }
  expectNear(train("lbfgs(lr = 0.9, M = 5)"), w);
}

// Its derivative is the gradient: the same rows, draws and states.
TEST(Optimizer, LossOfAVectorIsThisLoss) {
  ModelRunner runner(R"(
data d { a: real[6]; train from csv("none.csv", a = 0..6) }
layer fc = Linear[6, 6]
layer bn = BatchNorm[6]
param u: real[2, 3] ~ normal(0, 1)
optimizer probe[P](by = 1.0) {
  state loss_at: real = 0
  state off: real = 0
  step(p: real[P], g: real[P], loss: fn(real[P]) -> real) {
    loss_at = loss_at + loss(p)
    off = max(off, max(abs(grad(loss(by * p), p) - g)))
    p = p - 0.01 * g
  }
}
train on d(a), batch B = 4 {
  minimize mean(dropout(bn(fc(a)), 0.5)^2) + sum(u^2) using probe()
  steps = 3
}
)");
  auto step = runner.step(4);
  Numbers rows(24), w(36);
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i] = std::sin(double(i));
  for (size_t i = 0; i < w.size(); ++i)
    w[i] = std::cos(double(i * i));
  step.set("field/a", rows);
  step.set("param/fc.W", w);
  step.set("param/bn.gain", Numbers(6, 1));
  step.set("param/u", {1, 2, 3, 4, 5, 6});
  double total = 0;
  for (int t = 1; t <= 3; ++t) {
    step.set("t", {double(t)});
    step.run();
    total += step.get("loss")[0];
    EXPECT_NEAR(step.get("slot/probe/loss_at")[0], total, 1e-12 * total);
    EXPECT_LT(step.get("slot/probe/off")[0], 1e-12);
  }
  // Once a step, not once an evaluation.
  Numbers mu = step.get("state/bn.mu");
  EXPECT_NE(mu[0], 0);
}

// In every round of a loop, too, and within index notation.
TEST(Optimizer, LossInLoopsDrawsTheSame) {
  for (bool reference : {true, false}) {
    ModelRunner runner(R"(
data d { a: real[6]; train from csv("none.csv", a = 0..6) }
layer fc = Linear[6, 6]
optimizer probe[P](rounds: int = 30) {
  state off: real = 0
  state low: real = 1e9
  state high: real = -1e9
  step(p: real[P], g: real[P], loss: fn(real[P]) -> real) {
    for k in 0..rounds {
      off = max(off, max(abs(grad(loss(p), p) - g)))
      low = min(low, loss(p))
      high = max(high, loss(p))
    }
    let many[i: 3] = loss(p) + 0 * i
    high = max(high, max(many))
    p = p - 0.01 * g
  }
}
train on d(a), batch B = 4 {
  minimize mean(dropout(fc(a), 0.5)^2) using probe()
  steps = 1
}
)",
                       {.reference = reference});
    auto step = runner.step(4);
    Numbers rows(24), w(36);
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = std::sin(double(i));
    for (size_t i = 0; i < w.size(); ++i)
      w[i] = std::cos(double(i * i));
    step.set("field/a", rows);
    step.set("param/fc.W", w);
    step.set("slot/probe/low", {1e9});
    step.set("slot/probe/high", {-1e9});
    for (const BufferInfo &buffer : step.buffers())
      if (buffer.name.starts_with("draw/"))
        step.set(buffer.name, {1, 2, 3});
    step.run();
    double loss = step.get("loss")[0];
    EXPECT_LT(step.get("slot/probe/off")[0], 1e-12);
    EXPECT_NEAR(step.get("slot/probe/low")[0], loss, 1e-12);
    EXPECT_NEAR(step.get("slot/probe/high")[0], loss, 1e-12);
  }
}

TEST(Optimizer, ClipValueBoundsEachElement) {
  expectNear(train("sgd(lr = 0.01)", "; clip_value = 2"), expected([] {
               return [](double w, double g, int) {
                 return w - 0.01 * std::clamp(g, -2.0, 2.0);
               };
             }));
}

TEST(Optimizer, ClipBoundsTheNorm) {
  Numbers w = start;
  for (int t = 0; t < 3; ++t) {
    double squares = 0;
    for (size_t i = 0; i < a.size(); ++i)
      squares += 4 * a[i] * a[i] * w[i] * w[i];
    double scale = std::min(1.0, 3 / std::sqrt(squares));
    for (size_t i = 0; i < a.size(); ++i)
      w[i] -= 0.01 * scale * 2 * a[i] * w[i];
  }
  expectNear(train("sgd(lr = 0.01)", "; clip = 3"), w);
}

TEST(Optimizer, SecondMinimizeSeesTheUpdateOfTheFirst) {
  ModelRunner runner(R"(
data d { a: real; train from csv("none.csv", a = 0) }
param u: real = 0
param v: real = 0
train on d(a), batch B = 1 {
  minimize (u - 3)^2 + sum(a) * 0 over u using sgd(lr = 0.5)
  minimize (v - u)^2 + sum(a) * 0 over v using sgd(lr = 0.5)
  steps = 1
}
)");
  auto step = runner.step(1);
  step.set("field/a", {1});
  step.run();
  EXPECT_EQ(step.get("param/u"), Numbers({3}));
  EXPECT_EQ(step.get("param/v"), Numbers({3}));
}

TEST(Optimizer, EveryUpdatesInStepsThatItDivides) {
  ModelRunner runner(R"(
data d { a: real; train from csv("none.csv", a = 0) }
param u: real = 0
param v: real = 0
train on d(a), batch B = 1 {
  minimize u + sum(a) * 0 over u using sgd(lr = 1)
  minimize v^2 + sum(a) * 0 over v using adam(lr = 0.1 * t) every 3
  steps = 7
}
)");
  auto step = runner.step(1);
  step.set("field/a", {1});
  step.set("param/v", {2});
  auto update = adam(0);
  double v = 2;
  for (int t = 1; t <= 7; ++t) {
    step.set("t", {double(t)});
    step.set("every/3", {t % 3 ? 0.0 : 1.0});
    step.run();
    // The schedule sees the step, the optimizer counts its updates.
    if (t % 3 == 0)
      v += t * (update(v, 2 * v, t / 3) - v);
    EXPECT_EQ(step.get("param/u"), Numbers({-double(t)}));
    expectNear(step.get("param/v"), {v});
  }
}

TEST(Optimizer, AccumulateAveragesBatches) {
  ModelRunner runner(R"(
data d { a: real; train from csv("none.csv", a = 0) }
param u: real = 0
train on d(a), batch B = 1 {
  minimize sum(a) * u using momentum(lr = 1)
  accumulate = 2; clip_value = 4; steps = 6
}
)");
  auto step = runner.step(1);
  Numbers found;
  for (int t = 1; t <= 6; ++t) {
    step.set("field/a", {double(t)});
    step.set("t", {double(t)});
    step.set("every/2", {t % 2 ? 0.0 : 1.0});
    step.run();
    found.push_back(step.get("param/u")[0]);
  }
  // Mean gradients 1.5, 3.5 and 4, which is 5.5 clipped; v = 0.9 v + g.
  double v1 = 1.5, v2 = 0.9 * v1 + 3.5, v3 = 0.9 * v2 + 4;
  expectNear(found, {0, -v1, -v1, -v1 - v2, -v1 - v2, -v1 - v2 - v3});
}

// Each gathers its own gradients, of one parameter too, and the second sees the
// update of the first.
TEST(Optimizer, SeveralMinimizeAccumulate) {
  ModelRunner runner(R"(
data d { a: real; train from csv("none.csv", a = 0) }
param u: real = 0
param v: real = 0
train on d(a), batch B = 1 {
  minimize sum(a) * u using sgd(lr = 1)
  minimize sum(a)^2 * v + u * v over v using sgd(lr = 0.1)
  minimize 2 * sum(a) * u over u using sgd(lr = 1)
  accumulate = 2; steps = 4
}
)");
  auto step = runner.step(1);
  double u = 0, v = 0, du = 0, dv = 0, du2 = 0;
  for (int t = 1; t <= 4; ++t) {
    step.set("field/a", {double(t)});
    step.set("param/v", {v});
    step.set("t", {double(t)});
    step.set("every/2", {t % 2 ? 0.0 : 1.0});
    step.run();
    bool isDue = t % 2 == 0;
    du += t / 2.0;
    if (isDue)
      u -= du;
    dv += (t * t + u) / 2.0;
    if (isDue)
      v -= 0.1 * dv;
    du2 += t;
    if (isDue) {
      u -= du2;
      du = dv = du2 = 0;
    }
    expectNear(step.get("param/u"), {u});
    expectNear(step.get("param/v"), {v});
  }
}

TEST(Optimizer, EachMinimizeHasItsSlots) {
  ModelRunner runner(R"(
data d { a: real; train from csv("none.csv", a = 0) }
param u: real = 0
train on d(a), batch B = 1 {
  minimize sum(a) * u using momentum(lr = 1, rho = 0.5)
  minimize 3 * sum(a) * u using momentum(lr = 1, rho = 0.5)
  minimize sum(a) * u using sgd(lr = 1)
  steps = 2
}
)");
  auto step = runner.step(1);
  step.set("field/a", {2});
  step.set("param/u", {0});
  step.run();
  EXPECT_EQ(step.get("slot/momentum/u.v"), Numbers({2}));
  EXPECT_EQ(step.get("slot/2.momentum/u.v"), Numbers({6}));
  expectNear(step.get("param/u"), {-2 - 6 - 2});
  step.run();
  EXPECT_EQ(step.get("slot/momentum/u.v"), Numbers({0.5 * 2 + 2}));
  EXPECT_EQ(step.get("slot/2.momentum/u.v"), Numbers({0.5 * 6 + 6}));
  expectNear(step.get("param/u"), {-10 - 3 - 9 - 2});
}

TEST(Optimizer, WhatIsNotDueDoesNotSpoil) {
  ModelRunner runner(R"(
data d { a: real; train from csv("none.csv", a = 0) }
param u: real = 1
train on d(a), batch B = 1 {
  minimize log(u - 2) + sum(a) * 0 using momentum(lr = 1) every 2
  steps = 2
}
)");
  auto step = runner.step(1);
  step.set("field/a", {1});
  step.set("param/u", {2});
  step.set("every/2", {0});
  step.run();
  EXPECT_EQ(step.get("param/u"), Numbers({2}));
  EXPECT_EQ(step.get("slot/momentum/u.v"), Numbers({0}));
}

} // namespace
} // namespace gradus
