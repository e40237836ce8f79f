// Every op that a derivative runs through, held against differences by itself
// on the values it has there: which rule is wrong if the derivative is.
#pragma once

#include "compiler/Compiler.h"
#include "runtime/run/GradientCheck.h"
#include "runtime/run/Variables.h"

#include <string>
#include <vector>

namespace gradus {

/// What came of one op.
struct OpResult {
  CheckedOp op;
  /// 1 or 2: of which derivatives it is a part.
  int order = 1;
  /// One for each operand that moves, named by its number.
  std::vector<GradientRow> rows;
  /// Its value is not finite there, so there is nothing to check.
  bool isUnchecked = false;
  /// What it calls, if it is a call of a function with a `backward`.
  const typed::Function *function = nullptr;

  /// `tanh`, `backward of relu`.
  std::string name() const;
  /// `x` of `relu`, `operand 2`.
  std::string operandName(const GradientRow &row) const;

  bool isWrong() const;
};

/// Checks `ops`, whose functions are in `functions`. `values` is their function
/// of that name, bound and run. Of each operand few elements are checked, and a
/// direction.
std::vector<OpResult> checkOps(const std::vector<CheckedOp> &ops,
                               const Functions &functions,
                               BoundFunction &values, int order,
                               const GradientCheckOptions &options);

} // namespace gradus
