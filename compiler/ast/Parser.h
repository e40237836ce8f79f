// Text to AST: the grammar of model files by recursive descent. Next:
// compiler/check/.
#pragma once

#include "compiler/ast/Ast.h"

#include <memory>

namespace gradus {

/// Parses a whole file. Never null: what could not be read is `ast::Invalid`
/// or marked `broken`, and the errors are in `diagnostics`. `source` must
/// outlive the result.
std::unique_ptr<ast::File> parse(const Source &source,
                                 Diagnostics &diagnostics);

} // namespace gradus
