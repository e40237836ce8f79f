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

static std::string placeOf(const CheckedResult &result) {
  Range range = result.range();
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
static std::string verdictText(const CheckedRow &row) {
  std::string text(row.verdict());
  const GradientRow &numbers = row.numbers;
  if (numbers.isZero && numbers.verdict == SlopeVerdict::Ok)
    return text + ", all 0";
  for (auto [verdict, where] : {std::pair(SlopeVerdict::Kink, "at kinks"),
                                std::pair(SlopeVerdict::Noise, "in noise")})
    if (int64_t count = numbers.counts[size_t(verdict)];
        count && verdict != numbers.verdict)
      text += fmt::format(", {} {}", count, where);
  return text;
}

using Cells = std::array<std::string, 10>;

static Cells cellsOf(const CheckedRow &row) {
  const GradientRow &numbers = row.numbers;
  auto real = [](double x) { return fmt::format("{:.5g}", x); };
  auto error = [](double x) { return fmt::format("{:.1e}", x); };
  return {numbers.name,
          shapeText(numbers.shape),
          std::to_string(numbers.checked),
          worstAt(numbers),
          error(numbers.absolute),
          error(numbers.relative),
          real(numbers.analytic),
          real(numbers.numeric),
          std::isnan(numbers.slope) ? "" : fmt::format("{:.2f}", numbers.slope),
          verdictText(row)};
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
    return fmt::format("the loss at {}{}, by parameters\n", placeOf(result),
                       second);
  return fmt::format(
      "{}backward of {} at {}{}, by arguments\n",
      result.derivative.function->backward->surrogate ? "surrogate " : "",
      result.derivative.function->name, placeOf(result), second);
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

std::string derivativeTable(const std::vector<CheckedResult> &results,
                            const CheckedPoint &point) {
  std::string text;
  if (point.rows)
    text = fmt::format("in f64, on {} ({})\n\n",
                       counted(uint64_t(point.rows), "row"), point.data);
  for (const CheckedResult &result : results) {
    text += heading(result);
    if (!result.unchecked.empty()) {
      text += "  not checked: " + result.unchecked + "\n\n";
      continue;
    }
    std::vector<Cells> lines = {{"", "shape", "checked", "worst at", "absolute",
                                 "relative", "analytic", "numeric", "slope",
                                 "verdict"}};
    for (const CheckedRow &row : result.rows)
      lines.push_back(cellsOf(row));
    text += aligned(lines) + "\n";
  }
  return text + summary(results);
}

std::string derivativeJson(const std::vector<CheckedResult> &results,
                           const CheckedPoint &point) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["model"] = point.model;
  json["rows"] = point.rows;
  json["data"] = point.data;
  json["weights"] = point.weights;
  json["seed"] = point.seed;
  bool isWrong = std::any_of(results.begin(), results.end(),
                             [](const auto &one) { return one.isWrong(); });
  json["right"] = !isWrong;
  json["derivatives"] = Json::array();
  for (const CheckedResult &result : results) {
    Json one;
    one["of"] = result.isBackward() ? result.derivative.function->name : "loss";
    one["backward"] = result.isBackward();
    one["order"] = result.derivative.order;
    if (Range range = result.range()) {
      one["file"] = range.source->name();
      one["line"] = range.position().line;
    }
    if (!result.unchecked.empty())
      one["unchecked"] = result.unchecked;
    one["by"] = Json::array();
    for (const CheckedRow &row : result.rows) {
      const GradientRow &numbers = row.numbers;
      Json by;
      by["name"] = numbers.name;
      by["shape"] = numbers.shape;
      by["checked"] = numbers.checked;
      by["absolute"] = numbers.absolute;
      by["relative"] = numbers.relative;
      by["index"] = worstAt(numbers);
      by["analytic"] = numbers.analytic;
      by["numeric"] = numbers.numeric;
      if (!std::isnan(numbers.slope))
        by["slope"] = numbers.slope;
      by["verdict"] = row.verdict();
      for (size_t i = 0; i < numbers.counts.size(); ++i)
        by["counts"][std::string(str(SlopeVerdict(i)))] = numbers.counts[i];
      one["by"].push_back(by);
    }
    json["derivatives"].push_back(one);
  }
  return json.dump() + "\n";
}

void reportWrong(const std::vector<CheckedResult> &results,
                 Diagnostics &diagnostics) {
  // What is wrong first is why the rest is: a `backward` before the losses
  // through it, a first derivative before the second ones.
  auto rank = [](const CheckedResult &one) {
    return std::pair(one.derivative.order, !one.isBackward());
  };
  std::pair<int, bool> first(3, true);
  for (const CheckedResult &result : results)
    if (result.isWrong())
      first = std::min(first, rank(result));
  bool isBackward = !first.second;
  for (const CheckedResult &result : results) {
    if (!result.isWrong() || rank(result) != first)
      continue;
    std::string others;
    const GradientRow *worst = nullptr;
    for (const CheckedRow &row : result.rows) {
      if (!row.isWrong())
        continue;
      if (!worst || row.numbers.relative > worst->relative)
        worst = &row.numbers;
    }
    for (const CheckedRow &row : result.rows)
      if (row.isWrong() && &row.numbers != worst)
        others +=
            fmt::format("{}`{}`", others.empty() ? "" : ", ", row.numbers.name);
    std::string element =
        worst->worst < 0 ? "" : indexText(worst->worst, worst->shape);
    auto &error = diagnostics.report(diag::WrongDerivative, result.range(),
                                     result.name(), worst->name + element,
                                     fmt::format("{:.6g}", worst->analytic),
                                     fmt::format("{:.6g}", worst->numeric));
    if (worst->worst < 0)
      error.note("this is along a random direction, with all elements of it "
                 "moved at once");
    if (!others.empty())
      error.note("so are those by " + others);
    if (isBackward)
      error.label(result.derivative.function->backward->range,
                  "it is given here");
    if (isBackward)
      error.help("a `surrogate backward` may differ from the derivative");
    else
      error.note("each `backward` in it is right, so this is likely an error "
                 "of gradus; please report it with the model");
  }
}

} // namespace gradus
