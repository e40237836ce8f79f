#include "runtime/data/Batches.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

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

namespace {

/// Windows of `length` over the numbers 0, 1, ..., by `stride`.
Dataset windowed(int64_t count, int64_t length, int64_t stride,
                 Element element = Element::U8) {
  Dataset data{"d",
               "train",
               (count - length) / stride + 1,
               {{"text", Element::I32, {length}, 256}},
               {}};
  data.windows = Windows{length, stride};
  Tensor &text = data.values.emplace_back(element, std::vector<int64_t>{count});
  for (int64_t i = 0; i < count; ++i)
    text.set(i, double(i));
  return data;
}

/// Where each window of an epoch begins. Every window holds what stands there.
std::vector<int> startsOf(const Dataset &data, Batches &batches,
                          int64_t length) {
  std::vector<int> starts;
  Tensor text(Element::I32, {batches.fullRows(), length});
  for (int64_t i = 0; i < batches.count(); ++i) {
    batches.gather(i, 0, text.data());
    for (int64_t row = 0; row < batches.rowsOf(i); ++row) {
      starts.push_back(int(text.at(row * length)));
      for (int64_t k = 0; k < length; ++k)
        EXPECT_EQ(text.at(row * length + k), starts.back() + k);
      EXPECT_LE(starts.back() + length, data.values[0].elements());
    }
  }
  return starts;
}

} // namespace

TEST(Batches, WindowsFollowOneAnotherWithoutShuffle) {
  Dataset data = windowed(24, 5, 4);
  Batches batches(data, 2, false, 0);
  batches.startEpoch(3);
  EXPECT_EQ(startsOf(data, batches, 5), (std::vector<int>{0, 4, 8, 12, 16}));
  Dataset wide = windowed(300, 5, 4, Element::I32);
  Batches all(wide, 100, false, 0);
  EXPECT_EQ(startsOf(wide, all, 5).back(), 292);
}

TEST(Batches, WindowsBeginElsewhereInEachEpoch) {
  Dataset data = windowed(100, 9, 8);
  ASSERT_EQ(data.rows, 12);
  Batches batches(data, 5, true, 7), again(data, 5, true, 7);
  std::set<int> offsets;
  for (int64_t epoch = 1; epoch <= 40; ++epoch) {
    batches.startEpoch(epoch);
    std::vector<int> starts = startsOf(data, batches, 9);
    EXPECT_FALSE(std::is_sorted(starts.begin(), starts.end()));
    again.startEpoch(epoch);
    EXPECT_EQ(starts, startsOf(data, again, 9));
    std::sort(starts.begin(), starts.end());
    // One stride apart, but for the one that has gone over the end.
    bool isMoved = starts[0] == 0 && starts[1] != 8;
    int offset = starts[isMoved];
    offsets.insert(offset);
    EXPECT_LT(offset, 8);
    for (size_t i = isMoved; i < starts.size(); ++i)
      EXPECT_EQ(starts[i], offset + 8 * int(i - isMoved));
    // Nothing but less than a stride at the end is missed.
    EXPECT_GE(starts.back() + 9, 100 - 8);
  }
  EXPECT_EQ(offsets.size(), 8u);
}
