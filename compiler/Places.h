// Places of the IR, turned back into ranges of the user's sources.
#pragma once

#include "compiler/Account.h"
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

  /// The innermost line of an op that is not the prelude's: what a user wrote
  /// to get it. No source if there is none.
  SourceLine line(mlir::Location location) const;

private:
  /// By their names.
  std::map<std::string, const Source *> sources;
  const Source *prelude = nullptr;
};

} // namespace gradus
