// An op of a graph as something to hold against differences by itself: which
// functions compute it and its pullback, and where its operands are found.
#pragma once

#include "compiler/Source.h"

#include <string>
#include <vector>

namespace gradus {

/// Where a value of the whole is found: a result of the function `values`, or a
/// row of it.
struct OpValue {
  std::string result;
  int64_t row = -1;
};

/// An op whose derivative takes part in that of the whole.
struct CheckedOp {
  /// Its mnemonic; of a call, the name of the graph function.
  std::string name;
  bool isCall = false;
  Range range;
  /// The functions of `argument/I` and `cotangent/J`, which stand for operands
  /// and results: the sum of the results weighted by the cotangents, `loss`;
  /// and with it `gradient/I`, where a derivative leads.
  std::string value, gradient;
  std::vector<OpValue> operands, results;
};

} // namespace gradus
