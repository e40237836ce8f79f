#include "runtime/data/Statistics.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace gradus;

TEST(Statistics, AreTakenOverRowsForEachElement) {
  for (Element element :
       {Element::F32, Element::F64, Element::I32, Element::I64, Element::U8}) {
    Tensor values(element, {4, 2});
    double numbers[] = {1, 10, 2, 10, 3, 10, 6, 10};
    for (int64_t i = 0; i < 8; ++i)
      values.set(i, numbers[i]);
    Statistics of = statisticsOf(values);
    EXPECT_EQ(of.mean, (std::vector<double>{3, 10}));
    EXPECT_DOUBLE_EQ(of.std[0], std::sqrt(14. / 4));
    EXPECT_EQ(of.std[1], 0);
    EXPECT_EQ(of.min, (std::vector<double>{1, 10}));
    EXPECT_EQ(of.max, (std::vector<double>{6, 10}));
  }
}

TEST(Statistics, LargeMeanCostsNoDigits) {
  Tensor values(Element::F64, {3});
  for (int64_t i = 0; i < 3; ++i)
    values.set(i, 1e9 + double(i));
  EXPECT_DOUBLE_EQ(statisticsOf(values).std[0], std::sqrt(2. / 3));
}
