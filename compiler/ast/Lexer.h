// Text to tokens. Spaces are gone, comments are apart, newlines stay where they
// end a statement. Next: Parser.h.
#pragma once

#include "compiler/Diagnostics.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

enum class TokenKind : uint8_t {
  End,     // of the file; always the last token
  Newline, // the end of a statement
  Invalid, // not a token; the error has been reported
  Name,
  Number,
  String,
#define PUNCTUATION(NAME, SPELLING) NAME,
#define KEYWORD(NAME, SPELLING) NAME,
#include "compiler/ast/Tokens.def"
};

struct Token {
  TokenKind kind;
  /// No other token stands before it in its line.
  bool startsLine = false;
  /// Its first character is the first of its line.
  bool columnZero = false;
  uint32_t begin = 0;
  uint32_t end = 0;
};

/// A comment `## ...` that stands alone in its line.
struct DocComment {
  /// Index of the token that follows.
  size_t before;
  std::string_view text;
};

/// Any comment, from its `#` to the end of its line.
struct Comment {
  /// No token stands before it in its line.
  bool startsLine = false;
  uint32_t begin = 0;
  uint32_t end = 0;
};

struct TokenList {
  std::vector<Token> tokens;
  std::vector<DocComment> docs;
  std::vector<Comment> comments;
};

/// As the table of tokens writes it; empty if the kind has no fixed spelling.
std::string_view spelling(TokenKind kind);

/// True if `token`, followed by `next` and `third`, can only begin a statement,
/// clause or member, and no line of an expression.
bool beginsStatement(const Source &source, const Token &token,
                     const Token &next, const Token &third);

/// True if they begin a declaration of the top level (`export` included).
bool beginsDeclaration(const Source &source, const Token &token,
                       const Token &next, const Token &third);

/// Never fails: what is no token becomes `Invalid`, with an error.
TokenList lex(const Source &source, Diagnostics &diagnostics);

} // namespace gradus
