// The recursive-descent parser as a class: one function per grammar rule. Its
// parts are in ParseDeclarations.cpp, ParseStatements.cpp,
// ParseExpressions.cpp; tokens and recovery in Parser.cpp.
//
// After an error the parser panics: it sees nothing but ends of statements, so
// every rule returns at once and reports nothing more, until the loop over
// statements or declarations has skipped to where it can go on.
#pragma once

#include "compiler/DiagnosticKinds.h"
#include "compiler/ast/Ast.h"
#include "compiler/ast/Lexer.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradus::ast {

class Parser {
public:
  Parser(const Source &source, Diagnostics &diagnostics);

  std::unique_ptr<File> file();
  /// The expression from a byte to the end.
  ExprPtr valueFrom(uint32_t begin);

private:
  // Tokens (Parser.cpp).

  TokenKind kind(size_t ahead = 0) const;
  bool at(TokenKind wanted) const { return kind() == wanted; }
  bool atWord(std::string_view word, size_t ahead = 0) const;
  /// The end of a statement, or of the block around it.
  bool atStatementEnd() const;
  std::string_view text(size_t ahead = 0) const;
  const Token &token(size_t ahead = 0) const;
  Range range(const Token &token) const;
  Range here() const { return range(token()); }
  uint32_t begin() const { return token().begin; }
  /// From an offset to the end of the last token that was read.
  Range since(uint32_t begin) const;
  void advance();
  bool accept(TokenKind wanted);
  bool acceptWord(std::string_view word);
  /// Reads it or reports "expected `...`, found ...".
  bool expect(TokenKind wanted);
  bool expectWord(std::string_view word);
  Name name(std::string_view what);

  // Errors and recovery (Parser.cpp).

  /// Reports that `what` is missing at the current token, and panics.
  Diagnostic &expected(std::string_view what);
  /// Reports another error, and panics.
  template <typename Kind, typename... Args>
  Diagnostic &fail(Kind kind, Range range, const Args &...args) {
    if (panicking || at(TokenKind::Invalid))
      return muted();
    Diagnostic &error = diagnostics.report(kind, range, args...);
    panic();
    return error;
  }
  /// Starts to panic. Returns a message that no one sees.
  Diagnostic &muted();
  void panic();
  bool atColumnZeroDeclaration() const;
  /// Ends the panic: skips the rest of the statement.
  void recover();
  void skipSeparators();
  /// Between statements: a newline or `;`, or the `}` that follows.
  void endOfStatement();
  /// Reads a closing bracket, or says what is wrong about its absence.
  void close(TokenKind closing, Range open, std::string_view orElse);
  /// At the end of the file, or at a declaration that cannot be inside of
  /// `open`: reports that `open` is never closed. `allowed`: the words of
  /// declarations that may stand in it.
  bool unclosed(Range open, std::initializer_list<std::string_view> allowed);
  std::string describeFound() const;

  /// item {"," item} [","] up to `closing`, which is read too.
  template <typename Item> void list(TokenKind closing, Range open, Item item) {
    while (!panicking && !at(closing) && !at(TokenKind::Newline) &&
           !at(TokenKind::End) && !at(TokenKind::RightBrace)) {
      item();
      if (!accept(TokenKind::Comma))
        break;
    }
    close(closing, open, "`,` or ");
  }

  /// "{" { item NL } "}". `item` parses one; the rest of a broken one is
  /// skipped.
  template <typename Item>
  Range braces(std::initializer_list<std::string_view> allowed, Item item) {
    uint32_t first = begin();
    Range open = here();
    if (!expect(TokenKind::LeftBrace))
      return since(first);
    while (true) {
      skipSeparators();
      if (unclosed(open, allowed))
        break;
      if (accept(TokenKind::RightBrace))
        return since(first);
      if (diagnostics.isFull())
        break;
      item();
      endOfStatement();
    }
    panic();
    return since(first);
  }

  /// Counts nesting while a rule that may nest is being read; too deep is an
  /// error.
  class Nesting {
  public:
    explicit Nesting(Parser &parser);
    ~Nesting() { --parser.depth; }

  private:
    Parser &parser;
  };

  // Declarations (ParseDeclarations.cpp).

  DeclPtr declaration();
  DeclPtr member(std::string_view where,
                 std::initializer_list<std::string_view> allowed);
  std::string docBefore(size_t token) const;
  Import import();
  Dims dims();
  Const constant();
  Data data();
  Param param();
  State state();
  Layer layer();
  Module module();
  Fn fn();
  Fn externFn();
  Optimizer optimizer();
  Train train();
  Clause clause();
  Minimize minimize();
  std::vector<Generic> generics();
  std::vector<Parameter> parameters();
  ExprPtr requirement();
  std::optional<Backward> backward();
  std::string string(std::string_view what, Range &range);
  void notADeclaration();
  void unknownWord(std::string_view expectation,
                   std::initializer_list<std::string_view> words);

  // Statements (ParseStatements.cpp).

  Block block();
  StmtPtr statement();
  std::variant<Let, LetTuple> let();
  Var var();
  Assign assign();
  GradAssign gradAssign();
  For forLoop();
  If ifElse();
  void notAStatement();

  // Expressions and types (ParseExpressions.cpp).

  ExprPtr expr();
  ExprPtr orExpr();
  ExprPtr andExpr();
  ExprPtr notExpr();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr term();
  ExprPtr unary();
  ExprPtr power();
  ExprPtr postfix();
  ExprPtr primary();
  ExprPtr parenthesized();
  ExprPtr number();
  ExprPtr rangeExpr();
  Argument argument();
  Subscript subscript();
  TypePtr type();
  TensorType tensorType();
  Axis axis();
  bool atExpr() const;
  ExprPtr binary(ExprPtr left, BinaryOp op, Range opRange, ExprPtr right);
  template <typename Node> ExprPtr make(Range range, Node node);
  ExprPtr invalid();

  const Source &source;
  Diagnostics &diagnostics;
  std::vector<Token> tokens;
  std::vector<DocComment> docs;
  size_t position = 0;
  uint32_t lastEnd = 0;
  bool panicking = false;
  /// Errors of the parser and lexer so far, to see whether a part is broken.
  size_t failures = 0;
  unsigned depth = 0;
  /// Where `unclosed` has last reported, so that it does so once for all
  /// brackets that are open there.
  size_t unclosedAt = SIZE_MAX;
  Diagnostic unseen;
};

} // namespace gradus::ast
