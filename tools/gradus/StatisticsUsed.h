// Finds the statistics of data (`housing.x.mean`) that a program reads
// anywhere.
#pragma once

#include "compiler/check/TypedAst.h"

#include <set>

namespace gradus {

struct StatisticUse {
  const typed::Data *data;
  unsigned field;
  typed::Statistic statistic;
  /// Of its first use.
  Range range;
};

/// Each statistic once, in the order of the program.
std::vector<StatisticUse> statisticsUsed(const typed::Program &program);

} // namespace gradus
