// Mean, standard deviation, minimum and maximum of a field over the rows of a
// split: the values `d.x.mean`, `d.x.std`, `d.x.min`, `d.x.max`.
#pragma once

#include "runtime/Tensor.h"

namespace gradus {

/// One number for each element of the field.
struct Statistics {
  std::vector<double> mean;
  /// Divides by the number of rows.
  std::vector<double> std;
  std::vector<double> min, max;
};

/// Over the first axis of [rows, shape...]; there is at least one row.
Statistics statisticsOf(const Tensor &values);

} // namespace gradus
