// Scalars that are known when compiling.
#include "compiler/check/Constants.h"

#include <gtest/gtest.h>

#include <numbers>

using namespace gradus::typed;

namespace {

struct ConstantsTest : testing::Test {
  Program program;
  const Expr *make(Expr::Node node, ElementType element = ElementType::Real,
                   Shape shape = {}) {
    return program.make(
        Expr{Type::tensor(element, std::move(shape)), {}, std::move(node)});
  }
  const Expr *number(double value) { return make(Number{value}); }
  const Expr *apply(Builtin op, std::vector<const Expr *> operands) {
    return make(Elementwise{op, std::move(operands)});
  }
};

TEST_F(ConstantsTest, OperatorsAreEvaluated) {
  const Expr *two = number(2), *three = number(3);
  EXPECT_EQ(evaluate(*apply(Builtin::Add, {two, three})), 5);
  EXPECT_EQ(evaluate(*apply(Builtin::Pow, {two, three})), 8);
  EXPECT_EQ(evaluate(*apply(Builtin::Less, {two, three})), 1);
  EXPECT_EQ(evaluate(*apply(Builtin::Not, {number(1)})), 0);
  EXPECT_EQ(evaluate(*apply(Builtin::Max, {two, three})), 3);
  EXPECT_EQ(evaluate(*apply(Builtin::Select, {number(0), two, three})), 3);
  EXPECT_EQ(evaluate(*apply(Builtin::Cos, {make(ScalarReference{Scalar::Pi})})),
            -1);
}

TEST_F(ConstantsTest, DimsRanksAndTrainingNeedAnEnvironment) {
  Symbol n, s;
  n.name = "N";
  s.kind = Symbol::Pack;
  const Expr *dim = make(DimValue{Dim(n)});
  const Expr *tensor =
      make(Iota{}, ElementType::Real, {Axis(&s), Axis(Dim(n))});
  const Expr *rank = make(Rank{tensor});
  const Expr *training =
      make(ScalarReference{Scalar::Training}, ElementType::Bool);
  EXPECT_EQ(evaluate(*dim), std::nullopt);
  EXPECT_EQ(evaluate(*rank), std::nullopt);
  EXPECT_EQ(evaluate(*training), std::nullopt);
  DimEnvironment dims = {{{&n, 7}}, {{&s, {2, 3}}}};
  ConstantEnvironment environment = {&dims, true, {}};
  EXPECT_EQ(evaluate(*dim, environment), 7);
  EXPECT_EQ(evaluate(*rank, environment), 3);
  EXPECT_EQ(evaluate(*training, environment), 1);
  EXPECT_EQ(evaluate(*tensor, environment), std::nullopt);
}

TEST_F(ConstantsTest, WhatIsFixedDependsOnWhere) {
  Local config;
  config.kind = Local::Config;
  const Expr *setting = make(LocalReference{&config});
  const Expr *training =
      make(ScalarReference{Scalar::Training}, ElementType::Bool);
  const Expr *step = make(ScalarReference{Scalar::T});
  EXPECT_TRUE(isFixedByConfig(*setting));
  EXPECT_FALSE(isFixedByConfig(*training));
  EXPECT_FALSE(isFixedByConfig(*apply(Builtin::Add, {setting, step})));
  ConstantEnvironment environment;
  environment.local = [&](const Local *) { return std::optional(0.5); };
  EXPECT_EQ(evaluate(*setting, environment), 0.5);
}

} // namespace
