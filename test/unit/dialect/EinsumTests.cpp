// The algebra of einsum's index lists.
#include "dialect/Einsum.h"

#include "gtest/gtest.h"

namespace gradus::graph {
namespace {

using Shape = std::vector<int64_t>;

EinsumSpec spec(std::string_view text) { return *parseEinsum(text); }

TEST(Einsum, ReadsAndPrints) {
  EXPECT_EQ(spec("ij,jk->ik").str(), "ij,jk->ik");
  EXPECT_EQ(spec(",i->i").str(), ",i->i");
  EXPECT_EQ(spec("i,i->").str(), "i,i->");
  for (const char *bad : {"", "ij", "ij->ij", "ij,jk", "i1,j->ij", "i,j->i,j"})
    EXPECT_FALSE(parseEinsum(bad)) << bad;
}

TEST(Einsum, NamesTheContractedIndices) {
  EXPECT_EQ(spec("bij,bjk->bik").contracted(), "j");
  EXPECT_EQ(spec("i,j->ij").contracted(), "");
  EXPECT_EQ(spec("ij,ij->").contracted(), "ij");
}

TEST(Einsum, ChecksTheLaw) {
  for (const char *good : {"ij,jk->ik", "i,j->ij", "ij,ij->", ",i->i"})
    EXPECT_FALSE(einsumLawBroken(spec(good))) << good;
  EXPECT_EQ(*einsumLawBroken(spec("ij,j->")),
            "index 'i' occurs in only one of the operands and the result");
  EXPECT_EQ(*einsumLawBroken(spec("ii,i->i")),
            "index 'i' occurs twice in 'ii'");
}

TEST(Einsum, FindsTheShape) {
  EXPECT_EQ(*einsumShape(spec("ij,jk->ki"), Shape{2, 3}, Shape{3, 4}),
            Shape({4, 2}));
  EXPECT_FALSE(einsumShape(spec("ij,jk->ik"), Shape{2, 3}, Shape{4, 5}));
  EXPECT_FALSE(einsumShape(spec("ij,jk->ik"), Shape{2}, Shape{3, 4}));
}

// What makes einsum closed under differentiation: exchanging index lists keeps
// the law, and doing it twice gives the spec back.
TEST(Einsum, CotangentsAreEinsums) {
  EinsumSpec matmul = spec("ij,jk->ik");
  EXPECT_EQ(matmul.wrtA().str(), "ik,jk->ij");
  EXPECT_EQ(matmul.wrtB().str(), "ik,ij->jk");
  for (const char *text : {"ij,jk->ik", "bij,bjk->bik", "i,j->ij", "i,i->"}) {
    EinsumSpec one = spec(text);
    EXPECT_FALSE(einsumLawBroken(one.wrtA()));
    EXPECT_FALSE(einsumLawBroken(one.wrtB()));
    EXPECT_EQ(one.wrtA().wrtA().str(), one.str());
  }
}

} // namespace
} // namespace gradus::graph
