#include "runtime/Timing.h"

#include <gtest/gtest.h>
#include <thread>

namespace gradus {
namespace {

TEST(TimingTest, RowsStandInTheOrderInWhichTheyBegan) {
  auto timing = std::make_shared<Timing>(1.5);
  auto data = Timing::measure(timing, "data", "train");
  {
    auto check = Timing::measure(timing, "check", "a.nn");
    check.note("a word");
  }
  std::thread([&] {
    auto check = Timing::measure(timing, "check", "b.nn");
  }).join();
  data.end();
  std::string table = timing->table();
  size_t at = table.find("   1500.0  start         the process\n");
  EXPECT_NE(at, std::string::npos) << table;
  for (const char *row :
       {"data          train\n", "check         a.nn: a word\n",
        "check         b.nn\n", "in all\n"}) {
    at = table.find(row, at);
    EXPECT_NE(at, std::string::npos) << row << table;
  }
}

TEST(TimingTest, AssigningEndsARowAndBeginsAnother) {
  auto timing = std::make_shared<Timing>(0);
  auto measured = Timing::measure(timing, "lower");
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  measured = Timing::measure(timing, "native");
  measured.end();
  measured.end();
  EXPECT_EQ(timing->table().find("  0.0  lower"), std::string::npos)
      << timing->table();
}

TEST(TimingTest, WithoutATimingNothingIsMeasured) {
  auto measured = Timing::measure(nullptr, "lower");
  measured.note("nobody reads it");
  measured.end();
}

} // namespace
} // namespace gradus
