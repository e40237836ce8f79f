// The tokens as the rules of the grammar see them, errors, and recovery.
#include "compiler/ast/Parser.h"
#include "compiler/ast/ParserState.h"

#include <algorithm>

namespace gradus {

std::unique_ptr<ast::File> parse(const Source &source,
                                 Diagnostics &diagnostics) {
  return ast::Parser(source, diagnostics).file();
}

ast::ExprPtr parseValue(const Source &source, uint32_t begin,
                        Diagnostics &diagnostics) {
  ast::ExprPtr value = ast::Parser(source, diagnostics).valueFrom(begin);
  return diagnostics.hasErrors() ? nullptr : std::move(value);
}

namespace ast {

Parser::Parser(const Source &source, Diagnostics &diagnostics)
    : source(source), diagnostics(diagnostics) {
  TokenList list = lex(source, diagnostics);
  tokens = std::move(list.tokens);
  docs = std::move(list.docs);
}

ExprPtr Parser::valueFrom(uint32_t begin) {
  while (token().begin < begin && !at(TokenKind::End))
    advance();
  ExprPtr value = expr();
  accept(TokenKind::Newline);
  if (!at(TokenKind::End))
    expected("the end");
  return value;
}

// file = { [ "export" ] decl NL } .
std::unique_ptr<File> Parser::file() {
  auto file = std::make_unique<File>();
  file->source = &source;
  while (true) {
    skipSeparators();
    if (at(TokenKind::End) || diagnostics.isFull())
      return file;
    if (at(TokenKind::RightBrace)) {
      diagnostics.report(diag::ClosesNothing, here(), "}");
      advance();
      continue;
    }
    file->declarations.push_back(declaration());
    endOfStatement();
  }
}

const Token &Parser::token(size_t ahead) const {
  return tokens[std::min(position + ahead, tokens.size() - 1)];
}

TokenKind Parser::kind(size_t ahead) const {
  return panicking ? TokenKind::Newline : token(ahead).kind;
}

std::string_view Parser::text(size_t ahead) const {
  return range(token(ahead)).text();
}

bool Parser::atWord(std::string_view word, size_t ahead) const {
  return kind(ahead) == TokenKind::Name && text(ahead) == word;
}

bool Parser::atStatementEnd() const {
  return at(TokenKind::Newline) || at(TokenKind::Semicolon) ||
         at(TokenKind::RightBrace) || at(TokenKind::End);
}

Range Parser::range(const Token &token) const {
  return {&source, token.begin, token.end};
}

Range Parser::since(uint32_t begin) const {
  return {&source, begin, std::max(begin, lastEnd)};
}

void Parser::advance() {
  lastEnd = token().end;
  if (position + 1 < tokens.size())
    ++position;
}

bool Parser::accept(TokenKind wanted) {
  if (!at(wanted))
    return false;
  advance();
  return true;
}

bool Parser::acceptWord(std::string_view word) {
  if (!atWord(word))
    return false;
  advance();
  return true;
}

bool Parser::expect(TokenKind wanted) {
  if (accept(wanted))
    return true;
  expected(fmt::format("`{}`", spelling(wanted)));
  return false;
}

bool Parser::expectWord(std::string_view word) {
  if (acceptWord(word))
    return true;
  expected(fmt::format("`{}`", word));
  return false;
}

Name Parser::name(std::string_view what) {
  Name name{std::string(text()), here()};
  if (accept(TokenKind::Name))
    return name;
  std::string_view word = spelling(kind());
  if (!word.empty() && word[0] >= 'a' && word[0] <= 'z')
    fail(diag::ReservedName, here(), word, what);
  else
    expected(what);
  return {"", since(begin())};
}

std::string Parser::describeFound() const {
  switch (token().kind) {
  case TokenKind::End:
    return "the end of the file";
  case TokenKind::Newline:
    return "the end of the line";
  case TokenKind::String:
    return "a string";
  default:
    return fmt::format("`{}`", text());
  }
}

Diagnostic &Parser::expected(std::string_view what) {
  if (panicking || at(TokenKind::Invalid))
    return muted();
  bool atEnd = at(TokenKind::Newline) || at(TokenKind::End);
  Range place = atEnd ? Range{&source, lastEnd, lastEnd} : here();
  Diagnostic &error =
      diagnostics.report(diag::Expected, place, what, describeFound());
  if (at(TokenKind::Newline)) {
    // What is missing may stand in the next line, where it does not belong.
    TokenKind next = kind(1);
    if (next == TokenKind::LeftBrace || next == TokenKind::Equal ||
        next == TokenKind::Arrow || next == TokenKind::Requires)
      error.label(range(token(1)))
          .help(next == TokenKind::Requires
                    ? "`requires` stands in the line of the `)`"
                    : fmt::format("move `{}` to the end of the line before",
                                  spelling(next)));
  }
  panic();
  return error;
}

Diagnostic &Parser::muted() {
  panic();
  unseen = Diagnostic();
  return unseen;
}

void Parser::panic() {
  panicking = true;
  ++failures;
}

bool Parser::atColumnZeroDeclaration() const {
  return token().columnZero &&
         beginsDeclaration(source, token(), token(1), token(2));
}

void Parser::recover() {
  panicking = false;
  unsigned braces = 0;
  while (!at(TokenKind::End) && !atColumnZeroDeclaration()) {
    if (braces == 0 && atStatementEnd())
      return;
    braces += at(TokenKind::LeftBrace);
    braces -= at(TokenKind::RightBrace);
    advance();
  }
}

void Parser::skipSeparators() {
  while (accept(TokenKind::Newline) || accept(TokenKind::Semicolon))
    ;
}

void Parser::endOfStatement() {
  if (!panicking && !atStatementEnd()) {
    if (at(TokenKind::RightParen) || at(TokenKind::RightBracket)) {
      fail(diag::ClosesNothing, here(), text());
    } else {
      Diagnostic &error = expected("the end of the line");
      if (token().kind == TokenKind::Equal)
        error.help("to compare two values, write `==`", {{here(), "=="}});
      else if (token().kind == TokenKind::LeftBrace)
        error.help("a block belongs to `fn`, `if`, `for` and the like");
      else if (beginsStatement(source, token(), token(1), token(2)) ||
               (token().kind == TokenKind::Name &&
                token(1).kind == TokenKind::Equal))
        error.help("statements in one line are separated by `;`");
    }
  }
  if (panicking)
    recover();
}

void Parser::close(TokenKind closing, Range open, std::string_view orElse) {
  if (panicking || accept(closing))
    return;
  bool gone = atStatementEnd() || token().startsLine;
  if (!gone) {
    expected(fmt::format("{}`{}`", orElse, spelling(closing)))
        .label(open, "opened here");
    return;
  }
  Diagnostic &error = fail(diag::Unclosed, open, open.text());
  error.here("opened here");
  const Token &next = token().kind == TokenKind::Newline ? token(1) : token();
  if (next.kind == TokenKind::RightBrace)
    error.label(range(next), "the block around it ends here");
  else if (next.kind != TokenKind::End)
    error.label(range(next),
                fmt::format("`{}` starts a new {}", range(next).text(),
                            beginsStatement(source, next, token(1), token(2)) ||
                                    &next != &token()
                                ? "statement"
                                : "line"));
}

bool Parser::unclosed(Range open,
                      std::initializer_list<std::string_view> allowed) {
  bool declaration =
      atColumnZeroDeclaration() &&
      std::find(allowed.begin(), allowed.end(), text()) == allowed.end();
  if (!declaration && !at(TokenKind::End))
    return false;
  if (unclosedAt != position) {
    Diagnostic &error = diagnostics.report(diag::Unclosed, open, open.text());
    error.here("opened here");
    if (declaration)
      error.label(here(), fmt::format("`{}` starts a new declaration", text()));
    unclosedAt = position;
  }
  return true;
}

Parser::Nesting::Nesting(Parser &parser) : parser(parser) {
  constexpr unsigned deepest = 256;
  if (++parser.depth > deepest)
    parser.fail(diag::TooDeep, parser.here(), deepest);
}

} // namespace ast
} // namespace gradus
