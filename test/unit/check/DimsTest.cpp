// Laws of dims: one normal form, printing, and what can be proved.
#include "compiler/check/Types.h"

#include <gtest/gtest.h>

#include <limits>

using namespace gradus::typed;

namespace {

struct DimsTest : testing::Test {
  static Symbol named(std::string name, unsigned id,
                      Symbol::Kind kind = Symbol::Generic, int64_t value = 0) {
    Symbol symbol;
    symbol.kind = kind;
    symbol.name = std::move(name);
    symbol.id = id;
    symbol.value = value;
    return symbol;
  }
  Symbol b = named("B", 1), d = named("D", 2), h = named("H", 3);
  Symbol k = named("K", 4, Symbol::Declared, 4);
  Symbol l = named("L", 5, Symbol::Declared, 4);
  Dim B = Dim(b), D = Dim(d), H = Dim(h), K = Dim(k), L = Dim(l);

  static Dim floor(const Dim &a, const Dim &b) {
    return Dim::floorDivide(a, b);
  }
  static Dim rest(const Dim &a, const Dim &b) { return Dim::remainder(a, b); }
  static Dim exact(const Dim &a, const Dim &b) {
    return Dim::exactDivide(a, b);
  }
};

TEST_F(DimsTest, SumsAndProductsHaveOneNormalForm) {
  EXPECT_EQ(B + D, D + B);
  EXPECT_EQ(B * D, D * B);
  EXPECT_EQ((B + D) * (B - D), B * B - D * D);
  EXPECT_EQ((B + 1) * (B + 1), B * B + 2 * B + 1);
  EXPECT_EQ(B - B, Dim(0));
  EXPECT_EQ(B + B, 2 * B);
  EXPECT_EQ(-(B - D), D - B);
  EXPECT_FALSE(B == D);
}

TEST_F(DimsTest, PrintsAsTheUserWrites) {
  EXPECT_EQ(Dim(0).str(), "0");
  EXPECT_EQ(Dim(-3).str(), "-3");
  EXPECT_EQ(B.str(), "B");
  EXPECT_EQ((4 * D).str(), "4 * D");
  EXPECT_EQ((D + 1).str(), "D + 1");
  EXPECT_EQ((Dim(1) - D).str(), "1 - D");
  EXPECT_EQ((D - H).str(), "D - H");
  EXPECT_EQ((H - D).str(), "H - D");
  EXPECT_EQ((-D).str(), "-D");
  EXPECT_EQ((B * D - 2 * H + 3).str(), "B * D + 3 - 2 * H");
  EXPECT_EQ((floor(H, 2) + 1).str(), "H // 2 + 1");
  EXPECT_EQ(floor(H + 1, 2).str(), "(H + 1) // 2");
  EXPECT_EQ((2 * floor(H, 2)).str(), "2 * (H // 2)");
  EXPECT_EQ(exact(D, H).str(), "D / H");
  EXPECT_EQ(rest(D, H).str(), "D % H");
  EXPECT_EQ(floor(D, 2 * H).str(), "D // (2 * H)");
  EXPECT_EQ(floor(D, H + 1).str(), "D // (H + 1)");
}

TEST_F(DimsTest, DivisionTakesOutWhatDivides) {
  EXPECT_EQ(floor(4 * D, 2), 2 * D);
  EXPECT_EQ(floor(4 * D + 3, 4), D);
  EXPECT_EQ(floor(4 * D + 9, 4), D + 2);
  EXPECT_EQ(floor(D * H, H), D);
  EXPECT_EQ(floor(D * H + H, H), D + 1);
  EXPECT_EQ(floor(D, D), Dim(1));
  EXPECT_EQ(floor(D + H, D + H), Dim(1));
  EXPECT_EQ(floor(floor(H, 2), 2), floor(H, 4));
  EXPECT_EQ(floor(H - 1, 2), floor(H + 1, 2) - 1);
  EXPECT_EQ(floor(7, 2), Dim(3));
  EXPECT_EQ(floor(-7, 2), Dim(-4));
  EXPECT_EQ(exact(6 * D, 3), 2 * D);
  // `/` and `//` are one dim where both are allowed.
  EXPECT_EQ(exact(D, 2), floor(D, 2));
}

TEST_F(DimsTest, RemainderDropsWhatDivides) {
  EXPECT_EQ(rest(4 * D, 2), Dim(0));
  EXPECT_EQ(rest(4 * D + 3, 4), Dim(3));
  EXPECT_EQ(rest(D * H, D), Dim(0));
  EXPECT_EQ(rest(D, D), Dim(0));
  EXPECT_EQ(rest(-7, 2), Dim(1));
  EXPECT_EQ(rest(D + 2 * H, 2), rest(D, 2));
}

TEST_F(DimsTest, DivisionByZeroIsHarmless) {
  EXPECT_EQ(floor(D, 0).evaluate({{{&d, 4}}, {}}), 0);
}

TEST_F(DimsTest, DeclaredDimsAreEqualByValueAndDifferByName) {
  EXPECT_FALSE(K == L);
  EXPECT_FALSE(K == Dim(4));
  EXPECT_EQ(K.expanded(), Dim(4));
  EXPECT_EQ(compareEqual(K, L), Verdict::Proved);
  EXPECT_EQ(compareEqual(K, 4), Verdict::Proved);
  EXPECT_EQ(compareEqual(K, 5), Verdict::Refuted);
  EXPECT_EQ(K.constant(), 4);
  EXPECT_EQ((K * D).constant(), std::nullopt);
  EXPECT_EQ(floor(D * K, L).expanded(), D);
}

TEST_F(DimsTest, EqualityIsProvedRefutedOrDeferred) {
  EXPECT_EQ(compareEqual(2 * D, D + D), Verdict::Proved);
  // Generic dims are rigid.
  EXPECT_EQ(compareEqual(B, D), Verdict::Refuted);
  EXPECT_EQ(compareEqual(B, 3), Verdict::Refuted);
  EXPECT_EQ(compareEqual(D, D + 1), Verdict::Refuted);
  // Only quotients stand in the way.
  EXPECT_EQ(compareEqual(floor(D, H) * H, D), Verdict::Deferred);
  EXPECT_EQ(compareEqual(rest(D, H), 0), Verdict::Deferred);
  EXPECT_EQ(compareEqual(floor(D, 2), floor(D, 2)), Verdict::Proved);
  EXPECT_EQ(compareEqual(floor(D, 2) + 1, floor(D, 2)), Verdict::Refuted);
}

TEST_F(DimsTest, OrderUsesThatSizesAreAtLeastOne) {
  EXPECT_EQ(compare(1, Relation::LessEqual, D), Verdict::Proved);
  EXPECT_EQ(compare(0, Relation::Less, D), Verdict::Proved);
  EXPECT_EQ(compare(D, Relation::Less, 1), Verdict::Refuted);
  EXPECT_EQ(compare(D, Relation::LessEqual, D + H), Verdict::Proved);
  EXPECT_EQ(compare(D, Relation::Less, D + H), Verdict::Proved);
  EXPECT_EQ(compare(D + H, Relation::Greater, D), Verdict::Proved);
  EXPECT_EQ(compare(2, Relation::LessEqual, D), Verdict::Deferred);
  EXPECT_EQ(compare(D, Relation::LessEqual, H), Verdict::Deferred);
  EXPECT_EQ(compare(0, Relation::LessEqual, rest(D, 3)), Verdict::Proved);
  EXPECT_EQ(compare(rest(D, 3), Relation::Less, 3), Verdict::Proved);
  EXPECT_EQ(compare(0, Relation::LessEqual, floor(D, 2)), Verdict::Proved);
  EXPECT_EQ(compare(0, Relation::Less, floor(D, 2)), Verdict::Deferred);
  EXPECT_EQ(compare(2, Relation::LessEqual, K), Verdict::Proved);
  EXPECT_EQ(compare(K, Relation::Greater, 7), Verdict::Refuted);
  EXPECT_EQ(compare(D, Relation::NotEqual, D), Verdict::Refuted);
  EXPECT_EQ(compare(D, Relation::NotEqual, D + 1), Verdict::Proved);
  EXPECT_EQ(compare(D, Relation::NotEqual, H), Verdict::Deferred);
}

TEST_F(DimsTest, SubstitutionIsSimultaneous) {
  Substitution swap;
  swap.dims = {{&b, D}, {&d, B}};
  EXPECT_EQ((2 * B + D).substitute(swap), 2 * D + B);
  Substitution values;
  values.dims = {{&d, 10}, {&h, 4}};
  EXPECT_EQ(rest(D, H).substitute(values), Dim(2));
  EXPECT_EQ(floor(D, H).substitute(values), Dim(2));
  EXPECT_EQ(B.substitute(values), B);
}

TEST_F(DimsTest, EvaluationRoundsDown) {
  DimEnvironment sizes = {{{&d, 7}, {&h, 2}}, {}};
  EXPECT_EQ(floor(D, H).evaluate(sizes), 3);
  EXPECT_EQ(rest(D, H).evaluate(sizes), 1);
  EXPECT_EQ((D * H + K).evaluate(sizes), 18);
}

TEST_F(DimsTest, NormalFormsAgreeWithNumbers) {
  // Whatever the simplifier does, the value stays.
  DimEnvironment sizes;
  for (int64_t i = 1; i <= 9; ++i)
    for (int64_t j = 1; j <= 5; ++j) {
      sizes.dims = {{&d, i}, {&h, j}};
      for (int64_t n : {1, 2, 3, 4}) {
        for (int64_t c : {-5, -1, 0, 1, 6}) {
          int64_t x = 3 * i + 2 * i * j + c;
          int64_t quotient = x >= 0 ? x / n : -((-x + n - 1) / n);
          Dim X = 3 * D + 2 * D * H + c;
          EXPECT_EQ(floor(X, n).evaluate(sizes), quotient);
          EXPECT_EQ(rest(X, n).evaluate(sizes), x - quotient * n);
          EXPECT_EQ(floor(floor(X, n), 3).evaluate(sizes),
                    floor(X, 3 * n).evaluate(sizes));
        }
        EXPECT_EQ(floor(D * H + D, D).evaluate(sizes), j + 1);
      }
    }
}

TEST_F(DimsTest, SizesTooLargeSaturate) {
  Dim large(int64_t(1) << 62);
  EXPECT_GT((large * large).constant().value(), 0);
  EXPECT_LT((large * -large).constant().value(), 0);
}

TEST_F(DimsTest, DivisionOfTheSmallestDoesNotOverflow) {
  int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(floor(-most, -1).constant(), most);
  EXPECT_EQ(floor(-most, most - 1).constant(), -2);
  EXPECT_GE(rest(-most, most - 1).constant(), 0);
  EXPECT_EQ(floor(-most * B, most - 1).str(), (-B + floor(-B, most - 1)).str());
}

TEST_F(DimsTest, WhatGrowsWithoutBoundIsRefused) {
  // An image after forty convolutions is fine, and so is its area.
  Dim height = H, width = D;
  for (int i = 0; i < 40; ++i) {
    height = floor(height + 1, 2) + 1;
    width = floor(width + 1, 2) + 1;
  }
  EXPECT_EQ((height * width * B).symbols().size(), 3u);
  EXPECT_LT((height * width * B).complexity(), 2000u);

  Dim product = 1;
  auto grow = [&](const Dim &by) {
    for (int i = 0; i < 1000; ++i)
      product = product * by;
  };
  EXPECT_THROW(grow(B + D + H + 1), DimTooComplex);
  auto divide = [&]() {
    Dim nested = 1;
    for (int i = 0; i < 1000; ++i)
      nested = floor(nested * nested + B, D) * rest(nested, H);
  };
  EXPECT_THROW(divide(), DimTooComplex);
}

TEST_F(DimsTest, FindsItsSymbols) {
  Dim dim = floor(H + D, B) * K;
  EXPECT_TRUE(dim.mentions(&h));
  EXPECT_FALSE(dim.mentions(&l));
  EXPECT_EQ(dim.symbols(), (std::vector<const Symbol *>{&b, &d, &h, &k}));
  EXPECT_EQ(B.symbol(), &b);
  EXPECT_EQ((2 * B).symbol(), nullptr);
  EXPECT_EQ(Dim(3).symbol(), nullptr);
}

TEST_F(DimsTest, CountersOfLoopsRunThroughTheirInterval) {
  Symbol i = named("i", 6, Symbol::Counter);
  i.interval = std::make_shared<const Interval>(Interval{Dim(0), D});
  Dim I = Dim(i);
  // An inner loop may end where the outer one is.
  Symbol j = named("j", 7, Symbol::Counter);
  j.interval = std::make_shared<const Interval>(Interval{Dim(1), I + 2});
  Dim J = Dim(j);

  EXPECT_EQ(I.leastOverLoops(), Dim(0));
  EXPECT_EQ(I.greatestOverLoops(), D - 1);
  EXPECT_EQ((2 * I + 1).greatestOverLoops(), 2 * D - 1);
  EXPECT_EQ((B * I).greatestOverLoops(), B * D - B);
  EXPECT_EQ(J.greatestOverLoops(), D);
  EXPECT_EQ((I - J).leastOverLoops(), Dim(-1));
  EXPECT_EQ((D - I).leastOverLoops(), Dim(1));
  // What does not rise or fall evenly stays as it is.
  EXPECT_TRUE((I * I).leastOverLoops().hasCounter());
  EXPECT_TRUE(rest(I, 3).leastOverLoops().hasCounter());
  EXPECT_TRUE((B * I - D * I).leastOverLoops().hasCounter());

  EXPECT_EQ(compare(0, Relation::LessEqual, I), Verdict::Proved);
  EXPECT_EQ(compare(I, Relation::Less, D), Verdict::Proved);
  EXPECT_EQ(compare(I + 1, Relation::Less, D), Verdict::Refuted);
  EXPECT_EQ(compare(I, Relation::Less, H), Verdict::Deferred);
  EXPECT_EQ(compare(1, Relation::LessEqual, I), Verdict::Refuted);
  EXPECT_EQ(compare(1, Relation::LessEqual, J), Verdict::Proved);
  EXPECT_EQ(compare(J, Relation::LessEqual, D), Verdict::Proved);
  EXPECT_EQ(compareEqual(I, 2), Verdict::Refuted);
  EXPECT_EQ(compareEqual(I - I, 0), Verdict::Proved);
}

TEST_F(DimsTest, WholeNumbersOfSettingsMayBeNegative) {
  Symbol n = named("n", 6, Symbol::Whole);
  Dim N = Dim(n);
  EXPECT_EQ(compare(1, Relation::LessEqual, N), Verdict::Deferred);
  EXPECT_EQ(compare(0, Relation::LessEqual, -N), Verdict::Deferred);
  EXPECT_EQ(compare(N, Relation::Less, N + 1), Verdict::Proved);
}

} // namespace
