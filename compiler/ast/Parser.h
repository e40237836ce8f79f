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

/// Parses one expression, from the byte `begin` to the end of `source`; null
/// after an error.
ast::ExprPtr parseValue(const Source &source, uint32_t begin,
                        Diagnostics &diagnostics);

} // namespace gradus
