#include "runtime/data/Batches.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace gradus;

namespace {

/// Rows i -> (i, -i) and i -> 10 i.
Dataset numbered(int64_t rows) {
  Dataset data{"d",
               "train",
               rows,
               {{"x", Element::F32, {2}}, {"y", Element::I32, {}}},
               {}};
  data.values.emplace_back(Element::F32, std::vector<int64_t>{rows, 2});
  data.values.emplace_back(Element::I32, std::vector<int64_t>{rows});
  for (int64_t i = 0; i < rows; ++i) {
    data.values[0].set(2 * i, double(i));
    data.values[0].set(2 * i + 1, double(-i));
    data.values[1].set(i, double(10 * i));
  }
  return data;
}

std::vector<float> epochOf(const Dataset &data, Batches &batches,
                           int64_t epoch) {
  batches.startEpoch(epoch);
  std::vector<float> seen;
  Tensor x(Element::F32, {batches.fullRows(), 2});
  Tensor y(Element::I32, {batches.fullRows()});
  for (int64_t i = 0; i < batches.count(); ++i) {
    batches.gather(i, 0, x.data());
    batches.gather(i, 1, y.data());
    for (int64_t row = 0; row < batches.rowsOf(i); ++row) {
      EXPECT_EQ(x.at(2 * row), -x.at(2 * row + 1));
      EXPECT_EQ(y.at(row), 10 * x.at(2 * row));
      seen.push_back(float(x.at(2 * row)));
    }
  }
  return seen;
}

} // namespace

TEST(Batches, VisitEveryRowOnceWithASmallerLastBatch) {
  Dataset data = numbered(10);
  Batches batches(data, 4, true, 0);
  EXPECT_EQ(batches.count(), 3);
  EXPECT_EQ(batches.rowsOf(0), 4);
  EXPECT_EQ(batches.rowsOf(2), 2);
  EXPECT_EQ(batches.tailRows(), 2);
  std::vector<float> seen = epochOf(data, batches, 1);
  EXPECT_FALSE(std::is_sorted(seen.begin(), seen.end()));
  std::sort(seen.begin(), seen.end());
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(seen[size_t(i)], i);
}

TEST(Batches, OrderIsAFunctionOfSeedAndEpoch) {
  Dataset data = numbered(50);
  Batches batches(data, 7, true, 1), again(data, 7, true, 1),
      other(data, 7, true, 2);
  std::vector<float> first = epochOf(data, batches, 1);
  std::vector<float> second = epochOf(data, batches, 2);
  EXPECT_NE(first, second);
  EXPECT_EQ(second, epochOf(data, again, 2));
  EXPECT_NE(first, epochOf(data, other, 1));
}

TEST(Batches, WithoutShuffleFollowTheFile) {
  Dataset data = numbered(10);
  Batches batches(data, 4, false, 0);
  std::vector<float> seen = epochOf(data, batches, 1);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.size(), 10u);
}

TEST(Batches, LargerThanTheSplitIsTheWholeSplit) {
  Dataset data = numbered(10);
  Batches batches(data, 64, true, 0);
  EXPECT_EQ(batches.count(), 1);
  EXPECT_EQ(batches.fullRows(), 10);
  EXPECT_EQ(batches.tailRows(), 0);
}
