// The cheapest set of values to keep, against all sets there are.
#include "compiler/fuse/MinCut.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>

using namespace gradus::fuse;

namespace {

/// Whether a path from a source to a sink meets none of `kept` (a bit each).
bool leaks(const ValueFlow &flow, unsigned kept) {
  std::vector<bool> reached(flow.cost.size());
  auto isKept = [&](size_t value) { return (kept >> value & 1) != 0; };
  for (size_t value : flow.sources)
    reached[value] = !isKept(value);
  // Edges lead from lower to higher numbers.
  for (size_t from = 0; from < flow.cost.size(); ++from)
    for (auto [a, b] : flow.edges)
      if (a == from && reached[a] && !isKept(b))
        reached[b] = true;
  return std::any_of(flow.sinks.begin(), flow.sinks.end(),
                     [&](size_t value) { return reached[value]; });
}

int64_t costOf(const ValueFlow &flow, unsigned kept) {
  int64_t cost = 0;
  for (size_t value = 0; value < flow.cost.size(); ++value)
    if (kept >> value & 1)
      cost += flow.cost[value];
  return cost;
}

unsigned bitsOf(const std::vector<size_t> &values) {
  unsigned bits = 0;
  for (size_t value : values)
    bits |= 1U << value;
  return bits;
}

TEST(MinCut, FindsTheCheapestSet) {
  std::mt19937 random(3);
  auto draw = [&](int below) { return int(random() % unsigned(below)); };
  for (int round = 0; round < 400; ++round) {
    ValueFlow flow;
    size_t values = 2 + size_t(draw(9));
    for (size_t value = 0; value < values; ++value) {
      flow.cost.push_back(draw(6));
      for (size_t before = 0; before < value; ++before)
        if (draw(3) == 0)
          flow.edges.emplace_back(before, value);
      if (draw(3) == 0)
        flow.sources.push_back(value);
      if (draw(3) == 0)
        flow.sinks.push_back(value);
    }
    unsigned found = bitsOf(cheapestCut(flow));
    EXPECT_FALSE(leaks(flow, found));
    int64_t least = INT64_MAX;
    for (unsigned kept = 0; kept < 1U << values; ++kept)
      if (!leaks(flow, kept))
        least = std::min(least, costOf(flow, kept));
    EXPECT_EQ(costOf(flow, found), least);
  }
}

TEST(MinCut, IsNearTheSinks) {
  // 0 -> 1 -> 2 of the same cost.
  ValueFlow chain{{4, 4, 4}, {{0, 1}, {1, 2}}, {0}, {2}};
  EXPECT_EQ(cheapestCut(chain), std::vector<size_t>{2});
  // Nothing is needed.
  chain.sinks.clear();
  EXPECT_TRUE(cheapestCut(chain).empty());
}

} // namespace
