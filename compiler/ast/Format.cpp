// See Format.h. Here is what the tree tells beyond the tokens, and the check of
// the result; the lines are laid out in Layout.cpp.
#include "compiler/ast/Format.h"
#include "compiler/ast/AstPrinter.h"
#include "compiler/ast/Layout.h"
#include "compiler/ast/Parser.h"

#include <stdexcept>

namespace gradus {

/// Words such as `using` are names to the lexer; the tree knows what follows
/// them.
static SoftWords softWordsOf(const ast::File &file) {
  SoftWords words;
  auto operand = [&](const ast::ExprPtr &expr) {
    if (expr)
      words.operands.insert(expr->range.begin);
  };
  for (const ast::DeclPtr &decl : file.declarations) {
    if (const auto *data = decl->as<ast::Data>()) {
      words.splits.emplace_back();
      for (const ast::Split &split : data->splits) {
        words.splits.back().push_back(split.name.range.begin);
        operand(split.source);
      }
    } else if (const auto *train = decl->as<ast::Train>()) {
      for (const ast::Clause &clause : train->clauses)
        if (const auto *minimize = clause.as<ast::Minimize>()) {
          operand(minimize->loss);
          if (!minimize->over.empty())
            operand(minimize->over.front());
          operand(minimize->optimizer);
          operand(minimize->every);
        }
    }
  }
  return words;
}

static std::vector<std::string_view> commentsOf(const Source &source) {
  Diagnostics ignored;
  std::vector<std::string_view> texts;
  for (const Comment &comment : lex(source, ignored).comments)
    texts.push_back(commentText(source, comment));
  return texts;
}

std::optional<std::string> format(const Source &source,
                                  Diagnostics &diagnostics) {
  auto file = parse(source, diagnostics);
  if (diagnostics.hasErrors())
    return std::nullopt;
  std::string text = layOut(source, softWordsOf(*file));

  Source after(source.name(), text);
  Diagnostics errors;
  auto again = parse(after, errors);
  if (errors.hasErrors() || ast::print(*again) != ast::print(*file) ||
      commentsOf(after) != commentsOf(source))
    throw std::logic_error("formatting would change the meaning of `" +
                           source.name() + "`, so it was left as it is");
  return text;
}

} // namespace gradus
