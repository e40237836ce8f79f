// A derivative as the compiler made it, held against differences: its two
// compiled functions run on a batch, or on random arguments.
#pragma once

#include "tools/gradus/CheckOps.h"

#include <map>
#include <string>
#include <vector>

namespace gradus {

struct CheckedRow {
  GradientRow numbers;
  /// A `surrogate backward` is in the way: the derivative is meant to differ.
  bool isSurrogate = false;

  bool isWrong() const {
    return numbers.verdict == SlopeVerdict::Wrong && !isSurrogate;
  }
  /// `OK`, `WRONG`, `KINK`, `NOISE`, `SURROGATE`.
  std::string_view verdict() const {
    return numbers.verdict == SlopeVerdict::Wrong && isSurrogate
               ? "SURROGATE"
               : str(numbers.verdict);
  }
};

/// What came of one derivative.
struct CheckedResult {
  construct::CheckedDerivative derivative;
  /// One for each parameter or real argument.
  std::vector<CheckedRow> rows;
  /// Why there are no rows; empty if there are.
  std::string unchecked;

  /// `the loss`, `relu`, `the slope along a direction of the loss`.
  std::string name() const;
  /// Where it is written.
  Range range() const;
  bool isBackward() const { return derivative.function; }
  bool isSecond() const { return derivative.order == 2; }
  bool isWrong() const;
};

class DerivativeChecker {
public:
  /// Everything given outlives this.
  DerivativeChecker(Variables &variables, const GradientCheckOptions &options)
      : variables(variables), options(options) {}

  /// On the first batch. Keeps the values that functions with a `backward` saw.
  /// A loss that is not finite is reported.
  CheckedResult checkLoss(const construct::CheckedDerivative &derivative,
                          const Functions &functions, const Dataset &rows,
                          const Batches &batches, Diagnostics &diagnostics);
  /// The ops that the derivative runs through, on the first batch.
  std::vector<OpResult> checkOps(const construct::CheckedDerivative &derivative,
                                 const std::vector<CheckedOp> &ops,
                                 const Functions &functions,
                                 const Dataset &rows, const Batches &batches);
  /// At the values kept, else at random ones.
  CheckedResult checkBackward(const construct::CheckedDerivative &derivative,
                              const Functions &functions);

private:
  void prepare(BoundFunction &function, const Dataset &rows,
               const Batches &batches) const;

  Variables &variables;
  const GradientCheckOptions &options;
  /// `operand/relu_1/0`
  std::map<std::string, Tensor> seen;
};

} // namespace gradus
