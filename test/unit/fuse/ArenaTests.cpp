// The layout of the arena: values that are alive together never share bytes,
// and not much is wasted.
#include "compiler/fuse/Arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace gradus::fuse;

namespace {

void expectSound(const std::vector<Lifetime> &values,
                 const ArenaLayout &layout) {
  ASSERT_EQ(layout.offsets.size(), values.size());
  EXPECT_EQ(layout.bytes % kAlignment, 0);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(layout.offsets[i] % kAlignment, 0);
    EXPECT_GE(layout.offsets[i], 0);
    EXPECT_LE(layout.offsets[i] + values[i].bytes, layout.bytes);
    for (size_t j = 0; j < i; ++j) {
      bool together = values[i].first <= values[j].last &&
                      values[j].first <= values[i].last;
      bool share = layout.offsets[i] < layout.offsets[j] + values[j].bytes &&
                   layout.offsets[j] < layout.offsets[i] + values[i].bytes;
      EXPECT_FALSE(together && share) << i << " and " << j;
    }
  }
}

TEST(Arena, NothingTakesNothing) { EXPECT_EQ(layOut({}).bytes, 0); }

TEST(Arena, ValuesThatFollowEachOtherShareBytes) {
  std::vector<Lifetime> values = {{0, 1, 100}, {1, 2, 100}, {2, 3, 100}};
  ArenaLayout layout = layOut(values);
  expectSound(values, layout);
  EXPECT_EQ(layout.bytes, 256);
}

TEST(Arena, TheSmallestGapIsTaken) {
  // Gaps of 128 and 64 bytes open between values that stay.
  std::vector<Lifetime> values = {{0, 9, 6400}, {0, 1, 128}, {0, 9, 5120},
                                  {0, 1, 64},   {0, 9, 640}, {2, 9, 64}};
  expectSound(values, layOut(values));
}

TEST(Arena, RandomLifetimesNeverCollide) {
  std::mt19937 random(7);
  auto draw = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> values;
    for (int64_t i = draw(1, 60); i > 0; --i) {
      int64_t first = draw(0, 40);
      values.push_back({first, first + draw(0, 10), draw(0, 5000)});
    }
    ArenaLayout layout = layOut(values);
    expectSound(values, layout);
    // At no time more is alive than fits, and never all of it side by side
    // unless it must.
    int64_t sum = 0, peak = 0;
    for (const Lifetime &value : values)
      sum += (value.bytes + kAlignment - 1) / kAlignment * kAlignment;
    for (int64_t time = 0; time <= 50; ++time) {
      int64_t alive = 0;
      for (const Lifetime &value : values)
        if (value.first <= time && time <= value.last)
          alive += value.bytes;
      peak = std::max(peak, alive);
    }
    EXPECT_GE(layout.bytes, peak);
    EXPECT_LE(layout.bytes, sum);
  }
}

} // namespace
