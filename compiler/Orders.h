// How often a model can be differentiated: the table of derivatives is closed,
// so without end, but for functions whose derivative the user has written.
#pragma once

#include "compiler/construct/Construct.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace gradus {

/// A function that has no derivatives beyond `order`.
struct DerivativeLimit {
  const typed::Function *function = nullptr;
  /// 0: none at all.
  int order = 0;
  /// A sentence for people, lower case.
  std::string why;
};

/// Those of the user's files, in their order. `graph` holds the functions of
/// `checks`, of first order, with no derivative taken yet.
std::vector<DerivativeLimit>
derivativeLimits(mlir::ModuleOp graph, const typed::Program &program,
                 const std::vector<construct::CheckedDerivative> &checks);

} // namespace gradus
