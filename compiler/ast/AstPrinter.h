// The text of --emit=ast: declarations and statements as an indented tree,
// expressions fully bracketed in prefix form, `(+ a (* b c))`.
#pragma once

#include "compiler/ast/Ast.h"

#include <string>

namespace gradus::ast {

std::string print(const File &file);
std::string print(const Expr &expr);
/// As in the source, but with dims in prefix form: `real[B, (* 28 28)]`.
std::string print(const Type &type);

} // namespace gradus::ast
