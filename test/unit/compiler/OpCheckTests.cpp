// Each op of a loss against differences by itself: all are right, and a rule
// that is made wrong by little is found, and no other.
#include "compiler/ast/Parser.h"
#include "compiler/ast/SourceManager.h"
#include "compiler/check/Checker.h"
#include "runtime/Random.h"
#include "tools/gradus/CheckOps.h"

#include "gtest/gtest.h"

#include <cstring>
#include <fmt/format.h>
#include <set>

namespace gradus {
namespace {

/// A model with a batch of random rows.
class Model {
public:
  explicit Model(const std::string &text) {
    auto file = parse(sources.add("model.nn", text), diagnostics);
    program = gradus::check(*file, {}, sources, diagnostics);
    if (!program)
      throw std::runtime_error(diagnostics.render());
    // Interpreted functions are ordinary ones, so a test can change them.
    compiler = std::make_unique<Compiler>(
        *program,
        CompileOptions{.precision = Precision::F64, .interpret = true});
  }

  void separate(int order) {
    std::vector<construct::CheckedDerivative> derivatives;
    compiler->checks(4, order, derivatives, diagnostics);
    functions = compiler->ops(derivatives.at(0), 4, ops, diagnostics);
    ASSERT_FALSE(diagnostics.hasErrors()) << diagnostics.render();
  }

  std::vector<OpResult> check() {
    Variables none(gradus::Model(), 0);
    BoundFunction values(functions.at("values"), none);
    for (const BufferInfo &buffer : values.function().buffers)
      if (!buffer.name.starts_with("value/"))
        fillNormal(*values.find(buffer.name), Stream(1, siteOf(buffer.name)), 0,
                   1);
    values.run();
    return checkOps(ops, functions, values, 1, {4, 1});
  }

  /// Lets the rule of an op give `factor` times what it gives.
  void scale(const CheckedOp &op, double factor) {
    CompiledFunction &function = functions.at(op.gradient);
    auto right = function.interpreted;
    auto buffers = function.buffers;
    function.interpreted = [=](void *const *memory) {
      right(memory);
      for (size_t i = 0; i < buffers.size(); ++i)
        if (buffers[i].name.starts_with("gradient/")) {
          auto *elements = static_cast<double *>(memory[i]);
          for (int64_t n =
                   Tensor(buffers[i].element, buffers[i].shape).elements();
               n-- > 0;)
            elements[n] *= factor;
        }
    };
  }

private:
  SourceManager sources;
  Diagnostics diagnostics;
  std::unique_ptr<const typed::Program> program;
  std::unique_ptr<Compiler> compiler;

public:
  /// They need the compiler.
  Functions functions;
  std::vector<CheckedOp> ops;
};

const char *const network = R"(
data d { x: real[6]; y: real; train from csv("none.csv", x = 0..6, y = 6) }
layer fc = Linear[6, 5]
param w: real[5] ~ normal(0, 1)
param v: real[6] ~ normal(0, 1)
param zero: real[4] = 0
fn net[B](x: real[B, 6]) -> real[B] =
  softmax(relu(fc(x)), axis = -1) * tanh(fc.b) @ exp(w)
train on d(x, y), batch B = 4 {
  let kinks = sum(relu(zero - zero)) + max(zero - zero)
  let masked[i, j] = where(j < i, x[i, j] * v[j], -inf)
  minimize mean((net(x) - y)^2) + kinks + sum(softmax(masked, axis = -1)^2)
    using sgd(lr = 0.1)
  steps = 1
}
)";

const char *const recurrence = R"(
data d { x: real[40, 3]; train from csv("none.csv", x = 0..120) }
param u: real[3] ~ normal(0, 1)
fn carried[B](x: real[B, 40, 3]) -> real[B, 3] {
  let rows[t, i, j] = x[i, t, j]
  var h = zeros[B, 3]
  for t in 0..40 { h = tanh(u * h + rows[t]) }
  return h
}
train on d(x), batch B = 4 { minimize mean(carried(x)^2) using sgd(lr = 0.1); steps = 1 }
)";

std::set<std::string> namesOf(const std::vector<CheckedOp> &ops) {
  std::set<std::string> names;
  for (const CheckedOp &op : ops)
    names.insert(op.name);
  return names;
}

TEST(OpChecks, EveryOpOfANetworkIsRight) {
  for (int order : {1, 2}) {
    Model model(network);
    model.separate(order);
    auto names = namesOf(model.ops);
    for (const char *name : {"einsum", "tanh", "exp", "reduce_max", "select"})
      EXPECT_TRUE(names.contains(name)) << name;
    for (const OpResult &result : model.check())
      for (const GradientRow &row : result.rows)
        EXPECT_NE(row.verdict, SlopeVerdict::Wrong)
            << result.op.name << " operand " << row.name << " order " << order;
  }
}

TEST(OpChecks, LooksIntoTheRoundsOfALoop) {
  Model model(recurrence);
  model.separate(1);
  auto count = [&](const std::string &name) {
    return std::count_if(model.ops.begin(), model.ops.end(),
                         [&](const CheckedOp &op) { return op.name == name; });
  };
  EXPECT_EQ(count("loop"), 1);
  // In the first round and the last.
  EXPECT_EQ(count("tanh"), 2);
  for (const OpResult &result : model.check()) {
    EXPECT_FALSE(result.isUnchecked) << result.op.name;
    EXPECT_FALSE(result.isWrong()) << result.op.name;
  }
}

/// A rule off by so much is named, and no other.
void findsTheGuilty(const char *text, double factor, int order) {
  Model model(text);
  model.separate(order);
  std::map<std::string, std::vector<size_t>> places;
  for (size_t i = 0; i < model.ops.size(); ++i)
    places[model.ops[i].gradient].push_back(i);
  Functions right = model.functions;
  for (const auto &[gradient, where] : places) {
    model.functions = right;
    bool moves = false;
    for (const OpResult &result : model.check())
      if (result.op.gradient == gradient)
        for (const GradientRow &row : result.rows)
          moves |= row.verdict == SlopeVerdict::Ok && row.relative < 1e-4 &&
                   std::abs(row.analytic) > 1e-6;
    model.scale(model.ops[where[0]], factor);
    bool isFound = false;
    for (const OpResult &result : model.check()) {
      if (result.isWrong())
        EXPECT_EQ(result.op.gradient, gradient) << result.op.name;
      isFound |= result.isWrong();
    }
    // A rule that gives 0 here is not wrong when multiplied.
    EXPECT_EQ(isFound, moves) << model.ops[where[0]].name << " " << factor;
  }
}

TEST(OpChecks, NameTheRuleThatIsWrongByOnePerCent) {
  findsTheGuilty(network, 1.01, 1);
  findsTheGuilty(recurrence, 1.01, 1);
}

TEST(OpChecks, NameTheRuleThatIsWrongByMore) {
  findsTheGuilty(recurrence, 1.03, 1);
  findsTheGuilty(recurrence, 0.9, 1);
}

} // namespace
} // namespace gradus
