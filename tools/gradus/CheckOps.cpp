// See CheckOps.h.
#include "tools/gradus/CheckOps.h"
#include "runtime/Random.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace gradus {

/// Elements of an operand, beside a direction through all: a rule is the same
/// for most.
constexpr int64_t fewSamples = 4;

bool OpResult::isWrong() const {
  return std::any_of(rows.begin(), rows.end(), [](const GradientRow &row) {
    return row.verdict == SlopeVerdict::Wrong;
  });
}

std::string OpResult::name() const {
  return function ? "backward of " + function->name : op.name;
}

std::string OpResult::operandName(const GradientRow &row) const {
  size_t number = std::stoul(row.name);
  return function ? function->arguments.at(number)->name
                  : fmt::format("operand {}", number + 1);
}

/// Copies what `place` names into `to`.
static void copyValue(const OpValue &place, BoundFunction &values, Tensor &to) {
  const Tensor &from = *values.find(place.result);
  auto *start = static_cast<const char *>(from.data());
  if (place.row >= 0)
    start += place.row * to.bytes();
  std::memcpy(to.data(), start, size_t(to.bytes()));
}

/// Random weights; none for an element that is not finite.
static void drawCotangent(const OpValue &result, BoundFunction &values,
                          uint64_t seed, Tensor &cotangent) {
  Tensor y(cotangent.element(), cotangent.shape());
  copyValue(result, values, y);
  fillNormal(cotangent, Stream(seed, siteOf("cotangent/" + result.result)), 0,
             1);
  for (int64_t i = 0; i < y.elements(); ++i)
    if (!std::isfinite(y.at(i)))
      cotangent.set(i, 0);
}

static OpResult checkOp(const CheckedOp &op, const Functions &functions,
                        BoundFunction &values, int order,
                        GradientCheckOptions options) {
  OpResult result;
  result.op = op;
  result.order = order;
  Variables none(Model(), 0);
  BoundFunction value(functions.at(op.value), none);
  BoundFunction gradient(functions.at(op.gradient), none);
  for (BoundFunction *function : {&value, &gradient}) {
    for (size_t i = 0; i < op.operands.size(); ++i)
      if (Tensor *argument = function->find(fmt::format("argument/{}", i)))
        copyValue(op.operands[i], values, *argument);
    for (size_t j = 0; j < op.results.size(); ++j)
      if (Tensor *cotangent = function->find(fmt::format("cotangent/{}", j)))
        drawCotangent(op.results[j], values, options.seed, *cotangent);
  }
  gradient.run();
  if (!std::isfinite(gradient.find("loss")->at(0))) {
    result.isUnchecked = true;
    return result;
  }
  GradientProblem problem;
  for (size_t i = 0; i < op.operands.size(); ++i) {
    Tensor *computed = gradient.find(fmt::format("gradient/{}", i));
    Tensor *argument = value.find(fmt::format("argument/{}", i));
    if (computed && argument)
      problem.inputs.push_back({std::to_string(i), argument, computed->copy()});
  }
  problem.value = [&] {
    value.run();
    return value.find("loss")->at(0);
  };
  options.samples =
      options.samples > 0 ? std::min(options.samples, fewSamples) : fewSamples;
  result.rows = checkGradient(problem, options);
  return result;
}

std::vector<OpResult> checkOps(const std::vector<CheckedOp> &ops,
                               const Functions &functions,
                               BoundFunction &values, int order,
                               const GradientCheckOptions &options) {
  std::vector<OpResult> results;
  for (const CheckedOp &op : ops)
    results.push_back(checkOp(op, functions, values, order, options));
  return results;
}

} // namespace gradus
