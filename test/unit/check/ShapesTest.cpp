// How shapes line up by name, and how a call binds generics.
#include "compiler/check/Shapes.h"

#include <gtest/gtest.h>

using namespace gradus::typed;

namespace {

struct ShapesTest : testing::Test {
  unsigned ids = 0;
  Symbol named(std::string name, Symbol::Kind kind = Symbol::Generic,
               int64_t value = 0) {
    Symbol symbol;
    symbol.kind = kind;
    symbol.name = std::move(name);
    symbol.id = ++ids;
    symbol.value = value;
    return symbol;
  }
  Symbol b = named("B"), c = named("C"), h = named("H"), w = named("W");
  Symbol k = named("K", Symbol::Declared, 4);
  Symbol l = named("L", Symbol::Declared, 4);
  Symbol s = named("S", Symbol::Pack), t = named("T", Symbol::Pack);
  Axis B = Dim(b), C = Dim(c), H = Dim(h), W = Dim(w), K = Dim(k), L = Dim(l);
  Axis S = Axis(&s), T = Axis(&t);
  using Entries = std::vector<unsigned>;
};

TEST_F(ShapesTest, ScalarsGoWithAnything) {
  Join found = join({}, {B, C});
  EXPECT_EQ(found.kind, Join::SpreadLeft);
  EXPECT_EQ(found.entries, Entries());
  EXPECT_EQ(join({B, C}, {}).kind, Join::SpreadRight);
  EXPECT_EQ(join({}, {}).kind, Join::Same);
  EXPECT_EQ(join({}, {S}).kind, Join::SpreadLeft);
}

TEST_F(ShapesTest, EqualRanksNeedEqualDims) {
  EXPECT_EQ(join({B, C}, {B, C}).kind, Join::Same);
  EXPECT_EQ(join({B, C}, {C, B}).kind, Join::None);
  EXPECT_EQ(join({B, 1}, {B, C}).kind, Join::None);
  // Declared dims are equal by value.
  EXPECT_EQ(join({B, K}, {B, L}).kind, Join::Same);
  EXPECT_EQ(join({B, K}, {B, 4}).kind, Join::Same);
  EXPECT_EQ(join({B, K}, {B, 5}).kind, Join::None);
}

TEST_F(ShapesTest, SmallerOnesLineUpByName) {
  Join bias = join({B, C, H, W}, {C});
  EXPECT_EQ(bias.kind, Join::SpreadRight);
  EXPECT_EQ(bias.entries, Entries{1});
  EXPECT_EQ(join({B}, {B, 1}).entries, Entries{0});
  EXPECT_EQ(join({B, W}, {B, C, H, W}).entries, (Entries{0, 3}));
  // Nothing is permuted, and 1 never stretches.
  EXPECT_EQ(join({W, B}, {B, C, H, W}).kind, Join::None);
  EXPECT_EQ(join({1}, {B, C}).kind, Join::None);
  // Names decide, never sizes.
  EXPECT_EQ(join({L}, {B, K}).kind, Join::None);
  EXPECT_EQ(join({4}, {B, K}).kind, Join::None);
  EXPECT_EQ(join({K}, {B, K}).entries, Entries{1});
}

TEST_F(ShapesTest, TwoWaysAreAmbiguous) {
  Join found = join({C}, {C, C});
  EXPECT_EQ(found.kind, Join::Ambiguous);
  EXPECT_EQ(found.ways, 2u);
  EXPECT_EQ(found.entries, Entries{0});
  EXPECT_EQ(found.other, Entries{1});
  EXPECT_EQ(join({B, C}, {B, C, B, C}).ways, 3u);
  EXPECT_EQ(placements({B}, Shape(20, B), 8).size(), 8u);
}

TEST_F(ShapesTest, PacksAreOneEntry) {
  EXPECT_EQ(join({S}, {S}).kind, Join::Same);
  EXPECT_EQ(join({S, C}, {C}).entries, Entries{1});
  EXPECT_EQ(join({S, C}, {S}).entries, Entries{0});
  EXPECT_EQ(join({S, T}, {S, C, T}).entries, (Entries{0, 2}));
  EXPECT_EQ(join({S}, {T}).kind, Join::None);
  EXPECT_EQ(join({S}, {B}).kind, Join::None);
  EXPECT_EQ(join({S, C}, {B}).kind, Join::None);
}

TEST_F(ShapesTest, QuotientsDeferEquality) {
  Axis quotient = Dim::floorDivide(Dim(h), 2) * 2;
  Join found = join({quotient}, {H});
  EXPECT_EQ(found.kind, Join::Same);
  ASSERT_EQ(found.deferred.size(), 1u);
  EXPECT_EQ(found.deferred[0].second, Dim(h));
  // One refuted entry decides, whatever else is deferred.
  EXPECT_EQ(join({quotient, B}, {H, C}).kind, Join::None);
}

TEST_F(ShapesTest, ComparisonNamesTheFirstDifference) {
  EXPECT_EQ(compareShapes({B, C}, {B, H}).differs, 1u);
  EXPECT_EQ(compareShapes({B}, {B, H}).differs, std::nullopt);
  EXPECT_EQ(compareShapes({S}, {T}).differs, 0u);
}

TEST_F(ShapesTest, CallsBindBareNames) {
  Substitution found;
  EXPECT_TRUE(bindShape({B, C}, {H, 10}, {&b, &c}, found));
  EXPECT_EQ(found.dims.at(&b), Dim(h));
  EXPECT_EQ(found.dims.at(&c), Dim(10));
  // What is bound stays, what is not bare or not open is left to the check.
  EXPECT_TRUE(bindShape({B, C}, {W, W}, {&b, &c}, found));
  EXPECT_EQ(found.dims.at(&b), Dim(h));
  EXPECT_FALSE(bindShape({B}, {W, W}, {&b}, found));
  Substitution other;
  EXPECT_TRUE(bindShape({B, Dim(c) + 1}, {H, W}, {&b, &c}, other));
  EXPECT_FALSE(other.dims.contains(&c));
}

TEST_F(ShapesTest, APackTakesWhatIsLeft) {
  Substitution found;
  EXPECT_TRUE(bindShape({S, C}, {B, H, W}, {&s, &c}, found));
  EXPECT_EQ(found.packs.at(&s), (Shape{B, H}));
  EXPECT_EQ(found.dims.at(&c), Dim(w));
  // Bound, it is these axes.
  EXPECT_TRUE(bindShape({S}, {B, H}, {&s, &c}, found));
  EXPECT_FALSE(bindShape({S}, {B}, {&s, &c}, found));
  Substitution none;
  EXPECT_TRUE(bindShape({S}, {}, {&s}, none));
  EXPECT_EQ(none.packs.at(&s), Shape());
  Substitution mine;
  EXPECT_TRUE(bindShape({B, S, C}, {H, T, W}, {&b, &s, &c}, mine));
  EXPECT_EQ(mine.packs.at(&s), Shape{T});
  Substitution few;
  EXPECT_FALSE(bindShape({B, S, C}, {H}, {&b, &s, &c}, few));
  // Two unknown packs have no clear border.
  Substitution two;
  EXPECT_FALSE(bindShape({S, T}, {H}, {&s, &t}, two));
  // A dim is no pack.
  Substitution pack;
  EXPECT_FALSE(bindShape({B}, {T}, {&b}, pack));
}

TEST_F(ShapesTest, PositionsDoNotStepOverPacks) {
  EXPECT_EQ(entryAt({B, C, H}, 1), 1u);
  EXPECT_EQ(entryAt({B, C, H}, -1), 2u);
  EXPECT_EQ(entryAt({B, C, H}, 3), std::nullopt);
  EXPECT_EQ(entryAt({B, C, H}, -4), std::nullopt);
  EXPECT_EQ(entryAt({S, C, H}, -2), 1u);
  EXPECT_EQ(entryAt({S, C, H}, 1), std::nullopt);
  EXPECT_EQ(entryAt({B, S}, 0), 0u);
  EXPECT_EQ(entryAt({B, S}, -1), std::nullopt);
}

TEST_F(ShapesTest, NamesFindEntries) {
  EXPECT_EQ(entriesNamed({B, C, B}, B), (Entries{0, 2}));
  EXPECT_EQ(entriesNamed({B, K}, L), Entries());
  EXPECT_EQ(entriesNamed({S, K}, S), Entries{0});
}

TEST_F(ShapesTest, CountsElements) {
  ElementCount count = elementCount({T, B, 3, S});
  EXPECT_EQ(count.dims, 3 * Dim(b));
  EXPECT_EQ(count.packs, (std::vector<const Symbol *>{&s, &t}));
}

TEST_F(ShapesTest, TypesPrintAndSubstitute) {
  Type type = Type::tensor(ElementType::Index, {S, B}, Dim(k));
  EXPECT_EQ(type.str(), "index(K)[..S, B]");
  EXPECT_EQ(Type::tuple({type, Type()}).str(), "(index(K)[..S, B], real)");
  Substitution to;
  to.packs[&s] = {H, W};
  to.dims[&b] = 2;
  EXPECT_EQ(substitute(type, to).str(), "index(K)[H, W, 2]");
  EXPECT_TRUE(type.hasPack());
  EXPECT_FALSE(substitute(type, to).hasPack());
  DimEnvironment sizes = {{{&b, 5}}, {{&s, {2, 3}}}};
  EXPECT_EQ(evaluate(type.shape, sizes), (std::vector<int64_t>{2, 3, 5}));
}

} // namespace
