// See Sample.h.
#include "test/unit/property/Sample.h"

#include "compiler/lower/Lower.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace mlir;

namespace gradus::property {

MLIRContext &context() {
  static MLIRContext &context = *[] {
    DialectRegistry registry;
    lower::registerLowerDialects(registry);
    registry.insert<graph::GraphDialect>();
    auto *made = new MLIRContext(registry, MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    return made;
  }();
  return context;
}

bool Sample::hasCustom() const {
  bool found = false;
  function().walk([&](graph::CustomOp) { found = true; });
  return found;
}

unsigned sampleCount() {
  const char *count = std::getenv("GRADUS_SAMPLES");
  return count ? std::max(1, std::atoi(count)) : 2;
}

int64_t drawWhole(Random &random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

double drawReal(Random &random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

Shape drawShape(Random &random, unsigned leastRank, unsigned mostRank) {
  // 17: a vector of any width and a rest.
  static const int64_t sizes[] = {1, 2, 3, 4, 5, 8, 17};
  Shape shape(drawWhole(random, leastRank, mostRank));
  int64_t room = 48;
  for (int64_t &size : shape) {
    size = sizes[drawWhole(random, 0, std::size(sizes) - 1)];
    if (size > room)
      size = 1;
    room /= size;
  }
  return shape;
}

std::string shapeText(ArrayRef<int64_t> shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

Arrays drawSmooth(const std::vector<Argument> &arguments, Random &random) {
  // All reals are taken from different strata of their range, so that none
  // ties with another.
  std::vector<int64_t> strata;
  for (const Argument &argument : arguments)
    if (isa<FloatType>(argument.type.getElementType()))
      strata.resize(strata.size() + argument.type.getNumElements());
  for (size_t i = 0; i < strata.size(); ++i)
    strata[i] = i;
  std::shuffle(strata.begin(), strata.end(), random);
  Arrays arrays;
  auto next = strata.begin();
  for (const auto &[type, numbers] : arguments) {
    graph::Array &array = arrays.emplace_back(type);
    for (double &x : array.reals) {
      double place =
          (*next++ + drawReal(random, 0.25, 0.75)) / double(strata.size());
      x = numbers.low + place * (numbers.high - numbers.low);
      double whole = std::floor(x);
      x = whole + 0.02 + 0.96 * (x - whole);
    }
    for (int64_t &x : array.wholes)
      x = drawWhole(random, numbers.low, numbers.high);
  }
  return arrays;
}

Arrays drawSeams(const std::vector<Argument> &arguments, Random &random) {
  Arrays arrays;
  for (const auto &[type, numbers] : arguments) {
    graph::Array &array = arrays.emplace_back(type);
    for (double &x : array.reals)
      x = numbers.seams[drawWhole(random, 0, numbers.seams.size() - 1)];
    for (int64_t &x : array.wholes)
      x = drawWhole(random, numbers.low, numbers.high);
  }
  return arrays;
}

} // namespace gradus::property
