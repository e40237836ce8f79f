#include "runtime/run/Metrics.h"

#include <gtest/gtest.h>
#include <limits>

using namespace gradus;

TEST(Metrics, IsALineOfJson) {
  Metrics metrics{2, 938, "train", 1.2345678, 51234.56, 0.5, {}};
  EXPECT_EQ(metrics.json(),
            R"({"epoch":2,"step":938,"split":"train","time_s":1.234568,)"
            R"("samples_s":51234.6,"loss":0.5})");
}

TEST(Metrics, ReportsGoByTheirNames) {
  Metrics metrics{1,
                  4,
                  "test",
                  0,
                  0,
                  std::nullopt,
                  {{"accuracy", 0.875},
                   {"worst", std::numeric_limits<double>::quiet_NaN()}}};
  EXPECT_EQ(metrics.json(),
            R"({"epoch":1,"step":4,"split":"test","time_s":0.0,)"
            R"("samples_s":0.0,"accuracy":0.875,"worst":null})");
}

TEST(Metrics, ShortNumbers) {
  EXPECT_EQ(shortNumber(0.843149), "0.8431");
  EXPECT_EQ(shortNumber(1.25e-5), "1.25e-05");
}
