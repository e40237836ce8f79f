// What `gradus doc` prints, as data: the builtins of Builtins.def, and of a
// model file (std.nn is one) each declaration that says something about itself,
// under the heading that stands above it.
#pragma once

#include "compiler/ast/Ast.h"

#include <string>
#include <vector>

namespace gradus {

struct Documented {
  /// `Losses`
  std::string section;
  std::string name;
  /// `fn relu[..S](x: real[..S]) -> real[..S]`; of a module also its functions,
  /// a line each.
  std::string signature;
  /// May be several lines.
  std::string text;
};

/// The builtins, then std.nn; sections and what they hold in the order of the
/// sources.
const std::vector<Documented> &library();

/// What the file exports or documents. A heading is a comment between blank
/// lines at the start of a line; it counts up to its first `.` or `:`.
std::vector<Documented> documentationOf(const ast::File &file);

} // namespace gradus
