// Places of the IR, turned back into ranges of the user's sources.
#pragma once

#include "compiler/check/TypedAst.h"

#include "mlir/IR/Location.h"

#include <map>

namespace gradus {

class Places {
public:
  /// `program` outlives this.
  explicit Places(const typed::Program &program);

  /// The range of an op; none if it comes from no source.
  Range range(mlir::Location location) const;

private:
  /// By their names.
  std::map<std::string, const Source *> sources;
};

} // namespace gradus
