#include "runtime/Team.h"

#include "gtest/gtest.h"

#include <array>
#include <numeric>

namespace gradus {
namespace {

constexpr int64_t kMost = 7;

/// Each worker counts in a place of its own.
void count(void *const *buffers, const Worker *worker) {
  static_cast<int64_t *>(buffers[0])[worker->number] += worker->count;
}

TEST(Team, RunsAKernelOnceOnEachWorker) {
  for (unsigned size : {1U, 2U, 3U, unsigned(kMost)}) {
    Team team(size);
    EXPECT_EQ(team.size(), size);
    std::array<int64_t, kMost> counts{};
    void *buffers[] = {counts.data()};
    for (int run = 0; run < 1000; ++run)
      team.run(count, buffers);
    for (int64_t i = 0; i < kMost; ++i)
      EXPECT_EQ(counts[i], i < int64_t(size) ? 1000 * int64_t(size) : 0);
  }
}

/// Each worker writes its number, waits, and adds up what all have written.
void exchange(void *const *buffers, const Worker *worker) {
  auto *numbers = static_cast<int64_t *>(buffers[0]);
  auto *sums = static_cast<int64_t *>(buffers[1]);
  for (int64_t round = 0; round < 50; ++round) {
    numbers[worker->number] = round * worker->number;
    gradusBarrier(worker);
    int64_t sum = std::accumulate(numbers, numbers + worker->count, int64_t(0));
    sums[worker->number] += sum;
    gradusBarrier(worker);
  }
}

TEST(Team, SeesBehindAMeetingWhatWasWrittenBefore) {
  for (unsigned size : {2U, 3U, unsigned(kMost)}) {
    Team team(size);
    std::array<int64_t, kMost> numbers{}, sums{};
    void *buffers[] = {numbers.data(), sums.data()};
    for (int run = 0; run < 20; ++run)
      team.run(exchange, buffers);
    int64_t ofNumbers = int64_t(size) * (size - 1) / 2, ofRounds = 50 * 49 / 2;
    for (int64_t i = 0; i < int64_t(size); ++i)
      EXPECT_EQ(sums[i], 20 * ofNumbers * ofRounds);
  }
}

TEST(Team, MeetsNobodyWhenAlone) { gradusBarrier(&alone); }

TEST(Team, EndsWithoutARun) { Team team(kMost); }

} // namespace
} // namespace gradus
