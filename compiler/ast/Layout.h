// Tokens and comments to lines: the layout of formatted model files. Internal
// to Format.h.
#pragma once

#include "compiler/ast/Lexer.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

/// What the tokens alone do not tell, as offsets into the source.
struct SoftWords {
  /// Where expressions begin that follow a soft word: `minimize`, `over`,
  /// `using`, `every`, `from`.
  std::set<uint32_t> operands;
  /// For each `data`, where its splits begin.
  std::vector<std::vector<uint32_t>> splits;
};

/// Without blanks at its end.
std::string_view commentText(const Source &source, const Comment &comment);

/// `source` has no syntax errors.
std::string layOut(const Source &source, const SoftWords &words);

} // namespace gradus
