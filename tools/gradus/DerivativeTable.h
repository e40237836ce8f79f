// What `gradcheck` says: a table, a JSON document, and for derivatives that are
// wrong an error.
#pragma once

#include "tools/gradus/CheckDerivatives.h"

#include <string>
#include <vector>

namespace gradus {

/// Where the derivatives were checked.
struct CheckedPoint {
  std::string model;
  /// Rows of a batch, and what they are of: `train of digits`, `random`; no
  /// rows and empty without a `train`.
  int64_t rows = 0;
  std::string data;
  uint64_t seed = 0;
  std::string weights;
};

std::string derivativeTable(const std::vector<CheckedResult> &results,
                            const CheckedPoint &point);
std::string derivativeJson(const std::vector<CheckedResult> &results,
                           const CheckedPoint &point);

/// Reports what is wrong: the functions with a wrong `backward`, or, if there
/// is none, the losses.
void reportWrong(const std::vector<CheckedResult> &results,
                 Diagnostics &diagnostics);

} // namespace gradus
