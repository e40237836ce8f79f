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

/// What was found.
struct Findings {
  std::vector<CheckedResult> derivatives;
  /// The ops that were checked by themselves.
  std::vector<OpResult> ops;
};

/// Of the ops, those that are wrong, or with `allOps` all.
std::string derivativeTable(const Findings &findings, const CheckedPoint &point,
                            bool allOps);
std::string derivativeJson(const Findings &findings, const CheckedPoint &point);

/// Reports what is wrong: the functions with a wrong `backward`, or, if there
/// is none, the ops whose rules are, or, if there is none either, the losses.
void reportWrong(const Findings &findings, Diagnostics &diagnostics);

/// Whether a derivative by parameters is wrong and no `backward` is to blame.
bool isUnexplained(const std::vector<CheckedResult> &results, int order);

} // namespace gradus
