// See GradientCheck.h.
#include "runtime/run/GradientCheck.h"

#include "runtime/Random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

namespace gradus {

namespace {

/// Checks one tensor after the other.
class GradientChecker {
public:
  GradientChecker(const GradientProblem &problem,
                  const GradientCheckOptions &options)
      : problem(problem), options(options), atPoint(problem.value()) {
    for (const GradientInput &input : problem.inputs)
      measureNoise(input);
  }

  GradientRow check(const GradientInput &input);

private:
  struct CheckedElement {
    /// -1: the random direction.
    int64_t index;
    SlopeProblem problem;
    SlopeComparison result;
  };

  void measureNoise(const GradientInput &input);
  double noiseAlong(const GradientInput &input, double spacing, uint64_t seed);
  SlopeProblem slopeOf(double analytic, double scale, double size) const {
    return {nullptr, atPoint, scale, noise, analytic, size};
  }
  SlopeProblem alongElement(const GradientInput &input, int64_t index,
                            double scale, double size) const;
  SlopeProblem alongDirection(const GradientInput &input, double scale,
                              double size) const;
  double lineValue(const GradientInput &input, const Tensor &start,
                   const std::vector<double> &direction, double step) const;

  const GradientProblem &problem;
  const GradientCheckOptions &options;
  double atPoint;
  double noise = 0;
};

} // namespace

static double rootMeanSquare(const Tensor &tensor) {
  double squares = 0;
  for (int64_t i = 0; i < tensor.elements(); ++i)
    squares += tensor.at(i) * tensor.at(i);
  return std::sqrt(squares / double(std::max<int64_t>(tensor.elements(), 1)));
}

/// How far the elements of a tensor have to move for a change that one sees.
static double scaleOf(const Tensor &tensor) {
  double scale = rootMeanSquare(tensor);
  return scale > 0 && std::isfinite(scale) ? scale : 1;
}

/// A direction of length 1.
static std::vector<double> directionOf(const GradientInput &input,
                                       uint64_t seed) {
  Stream stream(seed, siteOf("direction/" + input.name));
  std::vector<double> direction(size_t(input.value->elements()));
  double squares = 0;
  for (size_t i = 0; i < direction.size(); ++i) {
    direction[i] = stream.normal(i);
    squares += direction[i] * direction[i];
  }
  for (double &one : direction)
    one /= std::sqrt(squares);
  return direction;
}

double GradientChecker::lineValue(const GradientInput &input,
                                  const Tensor &start,
                                  const std::vector<double> &direction,
                                  double step) const {
  for (int64_t i = 0; i < start.elements(); ++i)
    input.value->set(i, start.at(i) + step * direction[size_t(i)]);
  double value = problem.value();
  for (int64_t i = 0; i < start.elements(); ++i)
    input.value->set(i, start.at(i));
  return value;
}

double GradientChecker::noiseAlong(const GradientInput &input, double spacing,
                                   uint64_t seed) {
  std::vector<double> direction = directionOf(input, seed);
  Tensor start = input.value->copy();
  double step = spacing * scaleOf(start) * std::sqrt(double(start.elements()));
  std::array<double, 7> values;
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = lineValue(input, start, direction, double(i) * step);
  double found = noiseOf(values);
  return std::isfinite(found) ? found : 0;
}

/// Points a few bits apart show the noise of double precision. Numbers that are
/// single inside do not change over these; farther apart there may be a kink,
/// but hardly in two directions.
void GradientChecker::measureNoise(const GradientInput &input) {
  if (input.value->element() == Element::F32) {
    noise = std::max(noise, noiseAlong(input, 1e-3, options.seed));
    return;
  }
  double fine = noiseAlong(input, 1e-12, options.seed);
  double coarse = std::min(noiseAlong(input, 1e-6, options.seed),
                           noiseAlong(input, 1e-6, options.seed + 1));
  noise = std::max({noise, fine, coarse});
}

SlopeProblem GradientChecker::alongElement(const GradientInput &input,
                                           int64_t index, double scale,
                                           double size) const {
  Tensor &tensor = *input.value;
  double at = tensor.at(index);
  SlopeProblem slope =
      slopeOf(input.gradient.at(index), std::max(std::abs(at), scale), size);
  slope.f = [this, &tensor, index, at](double &step) {
    tensor.set(index, at + step);
    step = tensor.at(index) - at;
    double value = problem.value();
    tensor.set(index, at);
    return value;
  };
  return slope;
}

SlopeProblem GradientChecker::alongDirection(const GradientInput &input,
                                             double scale, double size) const {
  std::vector<double> direction = directionOf(input, options.seed);
  double analytic = 0;
  for (size_t i = 0; i < direction.size(); ++i)
    analytic += input.gradient.at(int64_t(i)) * direction[i];
  SlopeProblem slope = slopeOf(analytic, scale, size);
  auto start = std::make_shared<Tensor>(input.value->copy());
  slope.f = [this, &input, start, direction](double &step) {
    return lineValue(input, *start, direction, step);
  };
  return slope;
}

GradientRow GradientChecker::check(const GradientInput &input) {
  GradientRow row;
  row.name = input.name;
  row.shape = input.value->shape();
  int64_t count = input.value->elements();
  double scale = scaleOf(*input.value), size = 0;
  for (int64_t i = 0; i < count; ++i)
    if (std::isfinite(input.gradient.at(i)))
      size = std::max(size, std::abs(input.gradient.at(i)));

  std::vector<uint32_t> order(size_t(count), 0);
  std::iota(order.begin(), order.end(), 0u);
  bool all = options.samples <= 0 || count <= options.samples;
  if (!all) {
    order = permutation(uint32_t(count),
                        Stream(options.seed, siteOf("sample/" + input.name)));
    order.resize(size_t(options.samples));
    std::sort(order.begin(), order.end());
  }
  std::vector<CheckedElement> elements;
  auto compare = [&](int64_t index, SlopeProblem along) {
    SlopeComparison result = compareSlope(along);
    elements.push_back({index, std::move(along), result});
  };
  for (uint32_t index : order) {
    compare(index, alongElement(input, index, scale, size));
    // An element far smaller than the others may have a world of its own.
    double own = std::abs(input.value->at(index));
    if (elements.back().result.verdict == SlopeVerdict::Wrong && own > 0 &&
        own < 0.1 * scale) {
      SlopeProblem near = alongElement(input, index, own, size);
      near.scale = own;
      if (SlopeComparison result = compareSlope(near);
          result.verdict == SlopeVerdict::Ok)
        elements.back() = {index, std::move(near), result};
    }
  }
  row.checked = int64_t(elements.size());
  // In single precision a small step has no exact direction.
  if (!all && input.value->element() == Element::F64)
    compare(-1, alongDirection(input, scale, size));

  for (const CheckedElement &element : elements) {
    ++row.counts[size_t(element.result.verdict)];
    row.isZero &= element.problem.analytic == 0;
  }
  for (SlopeVerdict verdict : {SlopeVerdict::Noise, SlopeVerdict::Kink,
                               SlopeVerdict::Ok, SlopeVerdict::Wrong})
    if (row.counts[size_t(verdict)])
      row.verdict = verdict;
  const CheckedElement *worst = nullptr;
  for (const CheckedElement &element : elements) {
    if (element.result.verdict != row.verdict)
      continue;
    double analytic = element.problem.analytic,
           numeric = element.result.numeric;
    double difference = std::abs(analytic - numeric);
    double relative =
        difference == 0
            ? 0
            : difference / std::max({std::abs(analytic), std::abs(numeric),
                                     1e-3 * size});
    if (std::isnan(relative))
      relative = difference = std::numeric_limits<double>::infinity();
    if (!worst || relative > row.relative) {
      worst = &element;
      row.relative = relative;
      row.worst = element.index;
      row.analytic = analytic;
      row.numeric = numeric;
    }
    row.absolute = std::max(row.absolute, difference);
  }
  if (worst)
    row.slope = remainderSlope(worst->problem);
  return row;
}

std::vector<GradientRow> checkGradient(const GradientProblem &problem,
                                       const GradientCheckOptions &options) {
  GradientChecker checker(problem, options);
  std::vector<GradientRow> rows;
  for (const GradientInput &input : problem.inputs)
    rows.push_back(checker.check(input));
  return rows;
}

std::string indexText(int64_t element, const std::vector<int64_t> &shape) {
  if (shape.empty())
    return "";
  std::string text;
  for (size_t axis = shape.size(); axis-- > 0;) {
    text = std::to_string(element % shape[axis]) +
           (text.empty() ? "" : ", " + text);
    element /= shape[axis];
  }
  return "[" + text + "]";
}

} // namespace gradus
