// See DerivativeTable.h.
#include "tools/gradus/DerivativeTable.h"
#include "compiler/DiagnosticKinds.h"
#include "runtime/Error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace gradus {

static std::string placeOf(Range range) {
  return range
             ? fmt::format("{}:{}", range.source->name(), range.position().line)
             : "";
}

static std::string worstAt(const GradientRow &row) {
  return row.worst < 0 ? "direction" : indexText(row.worst, row.shape);
}

static std::string shapeText(const std::vector<int64_t> &shape) {
  return shape.empty() ? "" : fmt::format("[{}]", fmt::join(shape, ", "));
}

/// The verdict, and what the other elements came to.
static std::string verdictText(std::string_view verdict,
                               const GradientRow &numbers) {
  std::string text(verdict);
  if (numbers.isZero && numbers.verdict == SlopeVerdict::Ok)
    return text + ", all 0";
  for (auto [other, where] : {std::pair(SlopeVerdict::Kink, "at kinks"),
                              std::pair(SlopeVerdict::Noise, "in noise")})
    if (int64_t count = numbers.counts[size_t(other)];
        count && other != numbers.verdict)
      text += fmt::format(", {} {}", count, where);
  return text;
}

using Cells = std::array<std::string, 10>;

static Cells cellsOf(const std::string &name, std::string_view verdict,
                     const GradientRow &numbers) {
  auto real = [](double x) { return fmt::format("{:.5g}", x); };
  auto error = [](double x) { return fmt::format("{:.1e}", x); };
  return {name,
          shapeText(numbers.shape),
          std::to_string(numbers.checked),
          worstAt(numbers),
          error(numbers.absolute),
          error(numbers.relative),
          real(numbers.analytic),
          real(numbers.numeric),
          std::isnan(numbers.slope) ? "" : fmt::format("{:.2f}", numbers.slope),
          verdictText(verdict, numbers)};
}

/// Columns as wide as they need; numbers to the right.
static std::string aligned(const std::vector<Cells> &lines) {
  std::array<size_t, std::tuple_size_v<Cells>> width = {};
  for (const Cells &line : lines)
    for (size_t i = 0; i < line.size(); ++i)
      width[i] = std::max(width[i], line[i].size());
  std::string text;
  for (const Cells &line : lines) {
    std::string one;
    for (size_t i = 0; i < line.size(); ++i) {
      bool isNumber = i == 2 || (i >= 4 && i <= 8);
      one += isNumber ? fmt::format("  {:>{}}", line[i], width[i])
                      : fmt::format("  {:<{}}", line[i], width[i]);
    }
    one.erase(one.find_last_not_of(' ') + 1);
    text += one + "\n";
  }
  return text;
}

static std::string heading(const CheckedResult &result) {
  std::string_view second =
      result.isSecond() ? ", second derivatives along a direction" : "";
  if (!result.isBackward())
    return fmt::format("the loss at {}{}, by parameters\n",
                       placeOf(result.range()), second);
  return fmt::format(
      "{}backward of {} at {}{}, by arguments\n",
      result.derivative.function->backward->surrogate ? "surrogate " : "",
      result.derivative.function->name, placeOf(result.range()), second);
}

/// `6 parameters and 2 backwards agree with differences`
static std::string summary(const std::vector<CheckedResult> &results) {
  size_t right = 0, wrong = 0, other = 0;
  for (const CheckedResult &result : results)
    for (const CheckedRow &row : result.rows)
      ++(row.isWrong()                             ? wrong
         : row.numbers.verdict == SlopeVerdict::Ok ? right
                                                   : other);
  std::string text = fmt::format("{} of {} right", right,
                                 counted(right + wrong + other, "derivative"));
  if (wrong)
    text += fmt::format(", {} wrong", wrong);
  if (other)
    text += fmt::format(", {} neither", other);
  return text + "\n";
}

static const Cells headings = {"",         "shape",    "checked",  "worst at",
                               "absolute", "relative", "analytic", "numeric",
                               "slope",    "verdict"};

/// Equal lines, as of an op that a loop that is written out repeats, once.
static std::string opTable(const std::vector<OpResult> &ops, bool all) {
  std::string text;
  for (int order : {1, 2}) {
    std::vector<Cells> lines = {headings};
    for (const OpResult &result : ops) {
      if (result.order != order || !(all || result.isWrong()))
        continue;
      std::string name =
          fmt::format("{} at {}", result.name(), placeOf(result.op.range));
      if (result.isUnchecked)
        lines.push_back({name, "", "", "", "", "", "", "", "", "not finite"});
      for (const GradientRow &row : result.rows)
        lines.push_back(
            cellsOf(fmt::format("{}, {}", name, result.operandName(row)),
                    str(row.verdict), row));
    }
    if (lines.size() > 1)
      text +=
          fmt::format("each operation by itself{}\n{}\n",
                      order == 2 ? ", second derivatives" : "", aligned(lines));
  }
  return text;
}

std::string derivativeTable(const Findings &findings, const CheckedPoint &point,
                            bool allOps) {
  std::string text;
  if (point.rows)
    text = fmt::format("in f64, on {} ({})\n\n",
                       counted(uint64_t(point.rows), "row"), point.data);
  for (const CheckedResult &result : findings.derivatives) {
    text += heading(result);
    if (!result.unchecked.empty()) {
      text += "  not checked: " + result.unchecked + "\n\n";
      continue;
    }
    std::vector<Cells> lines = {headings};
    for (const CheckedRow &row : result.rows)
      lines.push_back(cellsOf(row.numbers.name, row.verdict(), row.numbers));
    text += aligned(lines) + "\n";
  }
  return text + opTable(findings.ops, allOps) + summary(findings.derivatives);
}

using Json = nlohmann::ordered_json;

static void addPlace(Json &to, Range range) {
  if (!range)
    return;
  to["file"] = range.source->name();
  to["line"] = range.position().line;
}

static Json rowJson(const std::string &name, std::string_view verdict,
                    const GradientRow &numbers) {
  Json by;
  by["name"] = name;
  by["shape"] = numbers.shape;
  by["checked"] = numbers.checked;
  by["absolute"] = numbers.absolute;
  by["relative"] = numbers.relative;
  by["index"] = worstAt(numbers);
  by["analytic"] = numbers.analytic;
  by["numeric"] = numbers.numeric;
  if (!std::isnan(numbers.slope))
    by["slope"] = numbers.slope;
  by["verdict"] = verdict;
  for (size_t i = 0; i < numbers.counts.size(); ++i)
    by["counts"][std::string(str(SlopeVerdict(i)))] = numbers.counts[i];
  return by;
}

static bool anyWrong(const auto &results) {
  return std::any_of(results.begin(), results.end(),
                     [](const auto &one) { return one.isWrong(); });
}

std::string derivativeJson(const Findings &findings,
                           const CheckedPoint &point) {
  Json json;
  json["model"] = point.model;
  json["rows"] = point.rows;
  json["data"] = point.data;
  json["weights"] = point.weights;
  json["seed"] = point.seed;
  json["right"] = !anyWrong(findings.derivatives) && !anyWrong(findings.ops);
  json["derivatives"] = Json::array();
  for (const CheckedResult &result : findings.derivatives) {
    Json one;
    one["of"] = result.isBackward() ? result.derivative.function->name : "loss";
    one["backward"] = result.isBackward();
    one["order"] = result.derivative.order;
    addPlace(one, result.range());
    if (!result.unchecked.empty())
      one["unchecked"] = result.unchecked;
    one["by"] = Json::array();
    for (const CheckedRow &row : result.rows)
      one["by"].push_back(
          rowJson(row.numbers.name, row.verdict(), row.numbers));
    json["derivatives"].push_back(one);
  }
  json["ops"] = Json::array();
  for (const OpResult &result : findings.ops) {
    Json one;
    one["op"] = result.function ? result.function->name : result.op.name;
    one["backward"] = result.function != nullptr;
    one["order"] = result.order;
    addPlace(one, result.op.range);
    if (result.isUnchecked)
      one["unchecked"] = "its value is not finite";
    one["by"] = Json::array();
    for (const GradientRow &row : result.rows)
      one["by"].push_back(
          rowJson(result.operandName(row), str(row.verdict), row));
    json["ops"].push_back(one);
  }
  return json.dump() + "\n";
}

static const GradientRow *worseOf(const GradientRow *a, const GradientRow &b) {
  return !a || b.relative > a->relative ? &b : a;
}

static std::string elementOf(const GradientRow &row) {
  return row.worst < 0 ? "" : indexText(row.worst, row.shape);
}

static std::string number(double x) { return fmt::format("{:.6g}", x); }

/// `` `w`, `b` ``: all derivatives that are wrong but for `except`.
static std::string wrongNames(const CheckedResult &result,
                              const GradientRow *except = nullptr) {
  std::vector<std::string> names;
  for (const CheckedRow &row : result.rows)
    if (row.isWrong() && &row.numbers != except)
      names.push_back("`" + row.numbers.name + "`");
  return fmt::format("{}", fmt::join(names, ", "));
}

/// What is wrong first is why the rest is: a `backward` before the losses
/// through it, a first derivative before the second ones.
static std::pair<int, bool> rank(const CheckedResult &one) {
  return {one.derivative.order, !one.isBackward()};
}

bool isUnexplained(const std::vector<CheckedResult> &results, int order) {
  bool isLossWrong = false;
  for (const CheckedResult &result : results)
    if (result.isWrong() && result.derivative.order <= order) {
      if (result.isBackward() || result.derivative.order < order)
        return false;
      isLossWrong = true;
    }
  return isLossWrong;
}

static void reportResult(const CheckedResult &result, bool areOpsRight,
                         Diagnostics &diagnostics) {
  const GradientRow *worst = nullptr;
  for (const CheckedRow &row : result.rows)
    if (row.isWrong())
      worst = worseOf(worst, row.numbers);
  auto &error =
      diagnostics.report(diag::WrongDerivative, result.range(), result.name(),
                         worst->name + elementOf(*worst),
                         number(worst->analytic), number(worst->numeric));
  if (worst->worst < 0)
    error.note("this is along a random direction, with all elements of it "
               "moved at once");
  if (std::string others = wrongNames(result, worst); !others.empty())
    error.note("so are those by " + others);
  if (result.isBackward()) {
    error.label(result.derivative.function->backward->range,
                "it is given here");
    error.help("a `surrogate backward` may differ from the derivative");
    return;
  }
  if (areOpsRight)
    error.note("each operation in it is right by itself, so what was made of "
               "them is not");
  error.note("each `backward` in it is right, so this is likely an error of "
             "gradus; please report it with the model");
}

static void reportOp(const OpResult &result,
                     const std::vector<CheckedResult> &derivatives,
                     Diagnostics &diagnostics) {
  const GradientRow *worst = nullptr;
  for (const GradientRow &row : result.rows)
    if (row.verdict == SlopeVerdict::Wrong)
      worst = worseOf(worst, row);
  auto &error = diagnostics.report(
      diag::WrongDerivative,
      result.function ? result.function->range : result.op.range,
      fmt::format("`{}`",
                  result.function ? result.function->name : result.op.name),
      result.operandName(*worst) + elementOf(*worst), number(worst->analytic),
      number(worst->numeric));
  for (const CheckedResult &one : derivatives)
    if (one.isWrong() && one.derivative.order == result.order)
      error.note(fmt::format("so the derivatives of {} by {} are wrong",
                             one.name(), wrongNames(one)));
  if (result.function) {
    error.label(result.op.range, "on the values it is called with here");
    error.label(result.function->backward->range, "it is given here");
    error.help("a `surrogate backward` may differ from the derivative");
  } else {
    error.note("this rule is a part of gradus; please report it with the "
               "model");
  }
}

void reportWrong(const Findings &findings, Diagnostics &diagnostics) {
  const std::vector<CheckedResult> &derivatives = findings.derivatives;
  std::pair<int, bool> first(3, true);
  for (const CheckedResult &result : derivatives)
    if (result.isWrong())
      first = std::min(first, rank(result));
  bool isOpWrong = false;
  for (const OpResult &result : findings.ops)
    if (result.isWrong() && std::pair(result.order, true) <= first) {
      isOpWrong = true;
      reportOp(result, derivatives, diagnostics);
    }
  if (isOpWrong)
    return;
  for (const CheckedResult &result : derivatives)
    if (result.isWrong() && rank(result) == first)
      reportResult(result, !findings.ops.empty(), diagnostics);
}

} // namespace gradus
