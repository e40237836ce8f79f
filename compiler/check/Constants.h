// Scalar expressions that are known when compiling, as numbers: values of
// `const`, conditions of `if`, settings, arguments of distributions.
#pragma once

#include "compiler/check/TypedAst.h"

#include <functional>
#include <optional>

namespace gradus::typed {

/// What a scalar expression may depend on besides literals and constants.
struct ConstantEnvironment {
  /// Null: only declared dims are known.
  const DimEnvironment *dims = nullptr;
  /// Value of `training`, if it is decided.
  std::optional<bool> training;
  /// Values of locals, such as the config of a module; may be empty.
  std::function<std::optional<double>(const Local *)> local;
};

/// The number; a bool is 0 or 1. None if it depends on something that is not
/// known, or is no scalar.
std::optional<double> evaluate(const Expr &expr,
                               const ConstantEnvironment &environment = {});

/// Whether the value of this scalar is fixed once dims and the config of the
/// module are, but not `training`: what the start of a parameter has to be.
bool isFixedByConfig(const Expr &expr);

/// The same for the elements of a tensor: a number that is spread, a list of
/// such values, `eye[N]`.
bool areElementsFixed(const Expr &expr);

} // namespace gradus::typed
