// The interpreter of the dialect: every op that has a value is interpreted, and
// the corners of those that no derivative sees (conversions, comparisons, the
// index of the largest) are as GraphOps.td says. Everything else is compared
// with compiled code and central differences by test/unit/property.
#include "dialect/Graph.h"
#include "dialect/Interpreter.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace gradus::graph {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

MLIRContext &context() {
  static MLIRContext &context = *[] {
    auto *made = new MLIRContext;
    made->loadDialect<GraphDialect, func::FuncDialect>();
    return made;
  }();
  return context;
}

TEST(Interpreter, EveryOpHasAValueButThoseOfOneStage) {
  std::set<std::string> without;
  for (RegisteredOperationName name :
       context().getRegisteredOperationsByDialect("graph"))
    if (!name.hasInterface<Evaluable>())
      without.insert(name.stripDialect().str());
  EXPECT_EQ(without,
            std::set<std::string>({"diagonal", "each", "extern", "gradient",
                                   "jacobian", "jvp", "native_call",
                                   "pullback1", "pullback2", "pullback3",
                                   "rounds", "rows", "seed", "vjp", "yield"}));
}

/// The result of a body that computes %y of %x.
Array evaluate(const std::string &from, const std::string &to,
               const std::string &body, const std::vector<double> &x) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(
      "func.func @f(%x: " + from + ") -> " + to + " {\n" + body +
          "\nreturn %y : " + to + "\n}",
      &context());
  if (!module) {
    ADD_FAILURE() << "not a graph: " << body;
    return {};
  }
  auto function = module->lookupSymbol<func::FuncOp>("f");
  Array argument(cast<RankedTensorType>(function.getArgumentTypes()[0]));
  if (argument.isReal())
    argument.reals = x;
  else
    argument.wholes.assign(x.begin(), x.end());
  return interpret(function, {argument})[0];
}

TEST(Interpreter, RealToWholeRoundsTowardsZeroAndSaturates) {
  std::vector<double> x = {2.9, -2.9, nan, infinity, -infinity, 300};
  std::string from = "tensor<6xf64>";
  EXPECT_EQ(evaluate(from, "tensor<6xi32>",
                     "%y = graph.convert %x to i32 : tensor<6xf64>", x)
                .wholes,
            std::vector<int64_t>({2, -2, 0, 2147483647, -2147483647 - 1, 300}));
  EXPECT_EQ(evaluate(from, "tensor<6xui8>",
                     "%y = graph.convert %x to ui8 : tensor<6xf64>", x)
                .wholes,
            std::vector<int64_t>({2, 0, 0, 255, 0, 255}));
  EXPECT_EQ(evaluate(from, "tensor<6xi64>",
                     "%y = graph.convert %x to i64 : tensor<6xf64>", x)
                .wholes,
            std::vector<int64_t>({2, -2, 0, INT64_MAX, INT64_MIN, 300}));
  EXPECT_EQ(evaluate(from, "tensor<6xi1>",
                     "%y = graph.convert %x to i1 : tensor<6xf64>", x)
                .wholes,
            std::vector<int64_t>({1, 1, 1, 1, 1, 1}));
}

TEST(Interpreter, WholeToWholeWraps) {
  EXPECT_EQ(evaluate("tensor<3xi64>", "tensor<3xui8>",
                     "%y = graph.convert %x to ui8 : tensor<3xi64>",
                     {256, -1, 0x1p32})
                .wholes,
            std::vector<int64_t>({0, 255, 0}));
  EXPECT_EQ(evaluate("tensor<3xi64>", "tensor<3xi32>",
                     "%y = graph.convert %x to i32 : tensor<3xi64>",
                     {0x1p31, -1, 0x1p32})
                .wholes,
            std::vector<int64_t>({-2147483647 - 1, -1, 0}));
}

TEST(Interpreter, OnlyNotEqualHoldsWithNan) {
  for (auto [predicate, holds] : {std::pair<std::string, int64_t>{"eq", 0},
                                  {"ne", 1},
                                  {"lt", 0},
                                  {"le", 0},
                                  {"gt", 0},
                                  {"ge", 0}})
    EXPECT_EQ(
        evaluate("tensor<1xf64>", "tensor<1xi1>",
                 "%y = graph.compare " + predicate + " %x, %x : tensor<1xf64>",
                 {nan})
            .wholes[0],
        holds)
        << predicate;
}

TEST(Interpreter, ArgmaxIsTheFirstOfEqualsAndOfNans) {
  auto argmax = [](std::vector<double> x) {
    return evaluate("tensor<4xf64>", "tensor<i32>",
                    "%y = graph.argmax %x over 0 : tensor<4xf64>", x)
        .wholes[0];
  };
  EXPECT_EQ(argmax({1, 3, 3, 2}), 1);
  EXPECT_EQ(argmax({1, nan, 3, nan}), 1);
  EXPECT_EQ(argmax({-infinity, -infinity, -infinity, -infinity}), 0);
}

TEST(Interpreter, NanWinsInMaxAndLosesToZeroInStrongProducts) {
  auto binary = [](const std::string &op, double a, double b) {
    return evaluate("tensor<2xf64>", "tensor<1xf64>",
                    "%a = graph.slice %x from [0] sizes [1] : tensor<2xf64>\n"
                    "%b = graph.slice %x from [1] sizes [1] : tensor<2xf64>\n"
                    "%y = graph." +
                        op + " %a, %b : tensor<1xf64>",
                    {a, b})
        .reals[0];
  };
  for (const char *op : {"max", "min"}) {
    EXPECT_TRUE(std::isnan(binary(op, nan, 1))) << op;
    EXPECT_TRUE(std::isnan(binary(op, 1, nan))) << op;
  }
  EXPECT_EQ(binary("strong_mul", 0, nan), 0);
  EXPECT_EQ(binary("strong_mul", infinity, 0), 0);
  EXPECT_TRUE(std::isnan(binary("strong_mul", nan, 1)));
}

} // namespace
} // namespace gradus::graph
