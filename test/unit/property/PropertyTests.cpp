// What must hold of every op of the dialect, of builtins and of every function
// of std.nn, to the third order (Orders.h): derivatives are slopes, pullbacks
// are linear, at seams a derivative lies between those on either side, masked
// lanes are silent: all of this is evaluated by the interpreter. And compiled
// code computes what the interpreter does. GRADUS_SAMPLES=40 tests more shapes
// and points of each.
#include "test/unit/property/Agreement.h"

#include "gtest/gtest.h"

#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <set>

using namespace mlir;

namespace gradus::property {

void PrintTo(const Subject &subject, std::ostream *out) {
  *out << subject.name;
}

namespace {

class Property : public testing::TestWithParam<Subject> {
protected:
  /// Calls `test` with each sample in this precision.
  void forEachSample(bool isF64, auto &&test, unsigned count = sampleCount()) {
    for (unsigned number = 0; number < count; ++number) {
      Random random(number + 1);
      Builder builder(&context());
      FloatType real =
          isF64 ? FloatType(builder.getF64Type()) : builder.getF32Type();
      Orders orders(GetParam().sample(number, real));
      SCOPED_TRACE(fmt::format("sample {}: {}", number, orders.sample.title));
      test(orders, random);
    }
  }
};

/// `x + step * direction` in the real arguments.
Point moved(const Orders &orders, Point point, const Arrays &direction,
            double step) {
  for (auto [i, argument] : llvm::enumerate(orders.reals))
    for (auto [x, d] :
         llvm::zip_equal(point.x[argument].reals, direction[i].reals))
      x += step * d;
  return point;
}

Arrays drawDirection(const Orders &orders, Random &random) {
  Arrays direction;
  for (unsigned argument : orders.reals) {
    direction.emplace_back(orders.sample.arguments[argument].type);
    for (double &d : direction.back().reals)
      d = drawReal(random, -1, 1);
  }
  return direction;
}

double product(ArrayRef<graph::Array> a, ArrayRef<graph::Array> b) {
  double sum = 0;
  for (auto [x, y] : llvm::zip_equal(a, b))
    for (auto [p, q] : llvm::zip_equal(x.reals, y.reals))
      sum += p * q;
  return sum;
}

TEST_P(Property, DerivativesAreSlopes) {
  forEachSample(/*isF64=*/true, [](const Orders &orders, Random &random) {
    if (!orders.isDifferentiable() || orders.sample.isStopped)
      return;
    Point point = orders.drawSmooth(random);
    Arrays results = orders.interpret(point);
    for (int n = 0; n < 2; ++n) {
      Arrays direction = drawDirection(orders, random);
      const double step = 2e-4;
      Arrays at[4];
      for (int i = 0; i < 4; ++i)
        at[i] = orders.interpret(
            moved(orders, point, direction, step * (i < 2 ? i - 2 : i - 1)));
      for (unsigned order = 1; order <= 3; ++order) {
        auto s = [&](int i) { return orders.s(at[i], order - 1); };
        // Central differences of the second and of the fourth order; what they
        // differ by tells how curved s is.
        double coarse = (s(2) - s(1)) / (2 * step);
        double slope = (4 * coarse - (s(3) - s(0)) / (4 * step)) / 3;
        double slack = 1e-7 * (1 + std::fabs(slope)) +
                       0.02 * std::fabs(slope - coarse) +
                       1e-10 * std::fabs(orders.s(results, order - 1));
        double derivative = product(orders.g(results, order), direction);
        EXPECT_NEAR(derivative, slope, slack) << "order " << order;
      }
    }
  });
}

TEST_P(Property, PullbacksAreLinear) {
  forEachSample(/*isF64=*/true, [](const Orders &orders, Random &random) {
    if (!orders.isDifferentiable())
      return;
    for (bool atSeams : {false, true}) {
      Point point =
          atSeams ? orders.drawSeams(random) : orders.drawSmooth(random);
      Point other = point, both = point;
      for (double &w : other.w.reals)
        w = drawReal(random, -1, 1);
      for (size_t i = 0; i < both.w.reals.size(); ++i)
        both.w.reals[i] = 2 * point.w.reals[i] - 3 * other.w.reals[i];
      Arrays a = orders.interpret(point), b = orders.interpret(other),
             c = orders.interpret(both);
      // Where a result is ill-conditioned, rounding makes the difference: how
      // much is looked up only where it is needed.
      std::optional<Estimate> ofA, ofB, ofC;
      auto roundingAt = [&](unsigned order, size_t i, size_t j) {
        if (!ofA) {
          ofA = estimate(orders, point, random);
          ofB = estimate(orders, other, random);
          ofC = estimate(orders, both, random);
        }
        auto bound = [&](const Estimate &of) {
          return of.bound[orders.gradientsOf(order) + i][j];
        };
        return 2 * bound(*ofA) + 3 * bound(*ofB) + bound(*ofC);
      };
      for (unsigned order = 1; order <= 3; ++order)
        for (size_t i = 0; i < orders.reals.size(); ++i)
          for (size_t j = 0; j < orders.g(a, order)[i].reals.size(); ++j) {
            double p = 2 * orders.g(a, order)[i].reals[j];
            double q = 3 * orders.g(b, order)[i].reals[j];
            if (!std::isfinite(p) || !std::isfinite(q))
              continue;
            double found = orders.g(c, order)[i].reals[j];
            double slack = 1e-10 * (1 + std::fabs(p) + std::fabs(q));
            if (!(std::fabs(found - (p - q)) <= slack))
              slack = std::max(slack, roundingAt(order, i, j));
            EXPECT_NEAR(found, p - q, slack)
                << "order " << order << ", argument " << i << ", element " << j;
          }
    }
  });
}

TEST_P(Property, SeamsLieBetweenTheirSides) {
  forEachSample(/*isF64=*/true, [](const Orders &orders, Random &random) {
    if (!orders.isDifferentiable())
      return;
    Point point = orders.drawSeams(random);
    Arrays results = orders.interpret(point);
    // Every element alone, to both sides, and all of them.
    std::vector<Arrays> around;
    auto look = [&](const Arrays &direction, double step) {
      around.push_back(orders.interpret(moved(orders, point, direction, step)));
    };
    for (size_t i = 0; i < orders.reals.size(); ++i)
      for (size_t j = 0; j < point.x[orders.reals[i]].reals.size(); ++j) {
        Arrays direction;
        for (unsigned argument : orders.reals)
          direction.emplace_back(orders.sample.arguments[argument].type);
        direction[i].reals[j] = 1;
        look(direction, 1e-6);
        look(direction, -1e-6);
      }
    for (int n = 0; n < 8; ++n)
      look(drawDirection(orders, random), 1e-6);
    // The gradients; a result has as many elements at every point.
    for (size_t result = 4; result < results.size(); ++result)
      for (size_t j = 0; j < results[result].reals.size(); ++j) {
        double low = INFINITY, high = -INFINITY;
        for (const Arrays &side : around) {
          double x = side[result].reals[j];
          low = std::isnan(x) ? -INFINITY : std::min(low, x);
          high = std::isnan(x) ? INFINITY : std::max(high, x);
        }
        // An end of the domain, or a pole.
        if (std::max(-low, high) > 1e4)
          continue;
        double slack = 1e-3 * (1 + std::max(-low, high));
        double at = results[result].reals[j];
        EXPECT_TRUE(at >= low - slack && at <= high + slack)
            << fmt::format("{} element {}: {}, around it {} to {}",
                           orders.nameOf(result), j, at, low, high);
      }
  });
}

/// Whether an element of a real argument is in a masked lane.
bool isMasked(const Orders &orders, const Point &point, size_t real,
              size_t element) {
  const graph::Array &mask =
      point.masks[orders.sample.isElementwise ? 0 : real];
  return mask.wholes[element] == 0;
}

void expectSilence(const Orders &orders, const Point &point,
                   const Arrays &results) {
  for (unsigned order = 1; order <= 3; ++order)
    for (size_t i = 0; i < orders.reals.size(); ++i) {
      const graph::Array &g = orders.g(results, order)[i];
      for (size_t j = 0; j < g.reals.size(); ++j)
        if (isMasked(orders, point, i, j))
          EXPECT_EQ(g.reals[j], 0)
              << "order " << order << ", argument " << i << ", element " << j
              << " at " << point.x[orders.reals[i]].reals[j];
    }
}

TEST_P(Property, MaskedLanesAreSilent) {
  forEachSample(/*isF64=*/true, [](const Orders &orders, Random &random) {
    if (!orders.isDifferentiable())
      return;
    Point point = orders.drawMasked(random);
    expectSilence(orders, point, orders.interpret(point));
  });
}

// Compiling takes far longer than interpreting, so it is one sample in single
// precision, and all in both with GRADUS_SAMPLES.
TEST_P(Property, CompiledCodeComputesWhatIsInterpreted) {
  bool all = sampleCount() > 2;
  for (bool isF64 : {false, true}) {
    if (isF64 && !all)
      return;
    forEachSample(
        isF64,
        [&](const Orders &orders, Random &random) {
          Compiled compiled(orders);
          auto check = [&](const char *where, Point point) {
            point = rounded(std::move(point));
            expectAgreement(orders, estimate(orders, point, random),
                            compiled.run(orders.arguments(point)),
                            fmt::format("{} {}", isF64 ? "f64" : "f32", where));
          };
          check("smooth", orders.drawSmooth(random));
          check("seams", orders.drawSeams(random));
          if (orders.isDifferentiable())
            check("masked", orders.drawMasked(random));
        },
        all ? sampleCount() : 1);
  }
}

std::string nameOf(const testing::TestParamInfo<Subject> &info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Ops, Property, testing::ValuesIn(opSubjects()),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(Builtins, Property,
                         testing::ValuesIn(builtinSubjects()), nameOf);
INSTANTIATE_TEST_SUITE_P(Prelude, Property,
                         testing::ValuesIn(preludeSubjects()), nameOf);

//===-- Coverage ----------------------------------------------------------===//

TEST(Coverage, EveryOpWithAValueIsTested) {
  std::set<std::string> untested;
  for (RegisteredOperationName op :
       context().getRegisteredOperationsByDialect("graph"))
    if (op.hasInterface<graph::Evaluable>())
      untested.insert(op.stripDialect().str());
  EXPECT_GE(untested.size(), 30u);
  for (const Subject &subject : opSubjects())
    subject.sample(0, Builder(&context()).getF64Type())
        .function()
        .walk([&](Operation *op) {
          if (op->getName().stripDialect() == subject.name)
            untested.erase(subject.name);
        });
  EXPECT_EQ(untested, std::set<std::string>());
}

} // namespace
} // namespace gradus::property
