#include "runtime/run/RandomRows.h"

#include <gtest/gtest.h>

using namespace gradus;

TEST(RandomRows, FitTheFields) {
  DataInfo info;
  info.name = "d";
  info.fields = {{"x", Element::F64, {2, 3}},
                 {"label", Element::I32, {}, 3},
                 {"image", Element::U8, {4}},
                 {"flag", Element::Bool, {}}};
  Dataset rows = randomRows(info, 50, 1);
  ASSERT_EQ(rows.rows, 50);
  ASSERT_EQ(rows.values.size(), 4u);
  EXPECT_EQ(rows.values[0].shape(), (std::vector<int64_t>{50, 2, 3}));
  EXPECT_EQ(rows.values[1].shape(), (std::vector<int64_t>{50}));
  std::array<int, 3> seen = {};
  for (int32_t label : rows.values[1].as<int32_t>()) {
    ASSERT_GE(label, 0);
    ASSERT_LT(label, 3);
    ++seen[size_t(label)];
  }
  for (int count : seen)
    EXPECT_GT(count, 5);
  double sum = 0, squares = 0;
  for (double x : rows.values[0].as<double>()) {
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 300, 0, 0.2);
  EXPECT_NEAR(squares / 300, 1, 0.3);
  for (uint8_t flag : rows.values[3].as<uint8_t>())
    EXPECT_LE(flag, 1);
}

TEST(RandomRows, AreThoseOfTheSeed) {
  DataInfo info;
  info.fields = {{"x", Element::F64, {}}};
  Dataset first = randomRows(info, 4, 1), again = randomRows(info, 4, 1),
          other = randomRows(info, 4, 2);
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(first.values[0].at(i), again.values[0].at(i));
    EXPECT_NE(first.values[0].at(i), other.values[0].at(i));
  }
}
