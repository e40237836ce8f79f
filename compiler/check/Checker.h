// AST to typed AST: names, symbolic dims, element types. The only place that
// can reject a program's types. Next: compiler/construct/.
#pragma once

#include "compiler/ast/Ast.h"
#include "compiler/ast/SourceManager.h"
#include "compiler/check/TypedAst.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gradus {

/// `ridge=0.1` on the command line; the value is an expression.
struct Override {
  std::string key;
  std::string value;
};

struct CheckOptions {
  std::vector<Override> overrides;
  /// Imports that are kept elsewhere, as those of a run folder from outside of
  /// the model's folder: the importing file and the path written in it, and the
  /// file to read.
  std::map<std::pair<std::string, std::string>, std::string> moved = {};
  /// The name of the `train` that is meant; empty: the first one.
  std::string train = {};
};

/// Checks a file and what it imports (paths relative to the importing file).
/// The prelude is imported before everything. Null if there were errors; they
/// are in `diagnostics`. `file` may go once this returns, its source must stay.
std::unique_ptr<const typed::Program> check(const ast::File &file,
                                            const CheckOptions &options,
                                            SourceManager &sources,
                                            Diagnostics &diagnostics);

namespace typed {
/// The text of std.nn.
std::string_view preludeText();
} // namespace typed

/// The text of `--emit=typed`: declarations, statements, and each expression
/// with its type, broadcasts and conversions spelled out.
std::string print(const typed::Program &program);

} // namespace gradus
