// See CheckDerivatives.h.
#include "tools/gradus/CheckDerivatives.h"
#include "compiler/DiagnosticKinds.h"
#include "runtime/Random.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace gradus {

std::string CheckedResult::name() const {
  std::string name = derivative.function
                         ? fmt::format("`{}`", derivative.function->name)
                         : "the loss";
  return isSecond() ? "the slope along a direction of " + name : name;
}

Range CheckedResult::range() const {
  return derivative.function ? derivative.function->range
                             : derivative.minimize->loss->range;
}

bool CheckedResult::isWrong() const {
  return std::any_of(rows.begin(), rows.end(),
                     [](const CheckedRow &row) { return row.isWrong(); });
}

/// The name behind `space`, as in `gradient/fc1.W`; empty if it is another.
static std::string nameIn(const std::string &space, const BufferInfo &buffer) {
  return buffer.name.starts_with(space) ? buffer.name.substr(space.size()) : "";
}

static void copyInto(Tensor &to, const Tensor &from) {
  std::memcpy(to.data(), from.data(), size_t(to.bytes()));
}

/// Gives a function of the loss what it reads: the first batch, and for second
/// derivatives a direction, the same for all.
void DerivativeChecker::prepare(BoundFunction &function, const Dataset &rows,
                                const Batches &batches) const {
  function.connect(rows);
  function.feed(batches, 0);
  for (const char *scalar : {"t", "epoch", "steps"})
    function.set(scalar, 1);
  function.setDraws(options.seed, 1, DrawFor::Training);
  for (const BufferInfo &buffer : function.function().buffers)
    if (buffer.name.starts_with("direction/"))
      fillNormal(*function.find(buffer.name),
                 Stream(options.seed, siteOf(buffer.name)), 0, 1);
}

CheckedResult
DerivativeChecker::checkLoss(const construct::CheckedDerivative &derivative,
                             const Functions &functions, const Dataset &rows,
                             const Batches &batches, Diagnostics &diagnostics) {
  CheckedResult result{derivative, {}, ""};
  BoundFunction value(functions.at(derivative.value), variables);
  BoundFunction gradient(functions.at(derivative.gradient), variables);
  prepare(value, rows, batches);
  prepare(gradient, rows, batches);
  gradient.run();
  double loss = gradient.find("loss")->at(0);
  if (!std::isfinite(loss) && result.isSecond()) {
    result.unchecked = "its first derivatives are not finite";
    return result;
  }
  if (!std::isfinite(loss)) {
    diagnostics
        .report(diag::NotFiniteToCheck, result.range(),
                std::isnan(loss) ? "NaN" : "infinite")
        .help("`--seed` takes another point, `--weights` that of a trained "
              "model");
    return result;
  }

  GradientProblem problem;
  for (const BufferInfo &buffer : gradient.function().buffers) {
    if (std::string name = nameIn("gradient/", buffer); !name.empty())
      problem.inputs.push_back({name, variables.find("param/" + name),
                                gradient.find(buffer.name)->copy()});
    else if (buffer.name.starts_with("operand/"))
      seen.try_emplace(buffer.name, gradient.find(buffer.name)->copy());
    else if (Tensor *stopped = buffer.name.starts_with("stopped/")
                                   ? value.find(buffer.name)
                                   : nullptr)
      copyInto(*stopped, *gradient.find(buffer.name));
  }
  problem.value = [&] {
    value.run();
    return value.find("loss")->at(0);
  };
  for (GradientRow &row : checkGradient(problem, options)) {
    bool isSurrogate =
        std::find(derivative.surrogates.begin(), derivative.surrogates.end(),
                  row.name) != derivative.surrogates.end();
    result.rows.push_back({std::move(row), isSurrogate});
  }
  return result;
}

std::vector<OpResult>
DerivativeChecker::checkOps(const construct::CheckedDerivative &derivative,
                            const std::vector<CheckedOp> &ops,
                            const Functions &functions, const Dataset &rows,
                            const Batches &batches) {
  BoundFunction values(functions.at("values"), variables);
  prepare(values, rows, batches);
  values.run();
  return gradus::checkOps(ops, functions, values, derivative.order, options);
}

/// The arguments of both functions as variables, drawn by `initial`.
static Model argumentsOf(const CompiledFunction &value,
                         const CompiledFunction &gradient,
                         const Initial &initial) {
  Model model;
  auto add = [&](BufferInfo buffer) {
    for (const Variable &known : model.variables)
      if (known.buffer.name == buffer.name)
        return;
    bool isReal =
        buffer.element == Element::F32 || buffer.element == Element::F64;
    model.variables.push_back(
        {std::move(buffer),
         isReal ? initial : Initial{Initial::Bernoulli, 0.5, 0, {}}});
  };
  for (const CompiledFunction *function : {&value, &gradient})
    for (const BufferInfo &buffer : function->buffers) {
      if (buffer.name.starts_with("argument/") ||
          buffer.name.starts_with("direction/") || buffer.name == "cotangent")
        add(buffer);
      // An argument that neither function reads has a gradient all the same.
      if (std::string name = nameIn("gradient/", buffer); !name.empty())
        add({"argument/" + name, buffer.element, buffer.shape, Access::Read});
    }
  return model;
}

CheckedResult
DerivativeChecker::checkBackward(const construct::CheckedDerivative &derivative,
                                 const Functions &functions) {
  CheckedResult result{derivative, {}, ""};
  if (derivative.value.empty()) {
    result.unchecked = "no small sizes keep what it requires";
    return result;
  }
  // What is not defined everywhere often is between 0 and 1.
  for (const Initial &initial : {Initial{Initial::Normal, 0, 1, {}},
                                 Initial{Initial::Uniform, 0.1, 0.9, {}}}) {
    Variables arguments(argumentsOf(functions.at(derivative.value),
                                    functions.at(derivative.gradient), initial),
                        options.seed);
    // One number gets the weight 1, so that a message shows its derivative.
    if (Tensor *cotangent = arguments.find("cotangent");
        cotangent && cotangent->elements() == 1)
      cotangent->fill(1);
    const auto &locals = derivative.function->arguments;
    for (size_t i = 0; i < locals.size(); ++i) {
      std::string name = "argument/" + locals[i]->name;
      Tensor *argument = arguments.find(name);
      auto known =
          seen.find(fmt::format("operand/{}/{}", derivative.operands, i));
      if (!argument)
        continue;
      if (known != seen.end())
        copyInto(*argument, known->second);
      else if (auto classes = derivative.classes.find(name);
               classes != derivative.classes.end())
        for (int64_t j = 0; j < argument->elements(); ++j)
          argument->set(
              j, double(Stream(options.seed, siteOf(name))
                            .below(uint64_t(j), uint64_t(classes->second))));
    }

    BoundFunction value(functions.at(derivative.value), arguments);
    BoundFunction gradient(functions.at(derivative.gradient), arguments);
    gradient.run();
    if (!std::isfinite(gradient.find("loss")->at(0)))
      continue;
    GradientProblem problem;
    for (const BufferInfo &buffer : gradient.function().buffers)
      if (std::string name = nameIn("gradient/", buffer); !name.empty())
        problem.inputs.push_back({name, arguments.find("argument/" + name),
                                  gradient.find(buffer.name)->copy()});
    problem.value = [&] {
      value.run();
      return value.find("loss")->at(0);
    };
    for (GradientRow &row : checkGradient(problem, options))
      result.rows.push_back(
          {std::move(row), derivative.function->backward->surrogate});
    return result;
  }
  result.unchecked = result.isSecond()
                         ? "its derivatives are not finite at random arguments"
                         : "its value is not finite at random arguments";
  return result;
}

} // namespace gradus
