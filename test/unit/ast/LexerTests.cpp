// Tokens, and which newlines end a statement.
#include "compiler/ast/Lexer.h"

#include <gtest/gtest.h>

#include <string>

using namespace gradus;

namespace {

/// The tokens, separated by spaces; the end of a statement as `$`, what is no
/// token as `!`.
std::string tokens(std::string text) {
  Source source("a.nn", std::move(text));
  Diagnostics diagnostics;
  std::string result;
  for (const Token &token : lex(source, diagnostics).tokens) {
    if (token.kind == TokenKind::End)
      break;
    if (!result.empty())
      result += ' ';
    if (token.kind == TokenKind::Newline)
      result += '$';
    else if (token.kind == TokenKind::Invalid)
      result += '!';
    else
      result += source.text().substr(token.begin, token.end - token.begin);
  }
  return result;
}

std::string codes(std::string text) {
  Source source("a.nn", std::move(text));
  Diagnostics diagnostics;
  lex(source, diagnostics);
  std::string result;
  for (const Diagnostic &message : diagnostics.all())
    result += (result.empty() ? "" : " ") + std::string(message.code);
  return result;
}

TEST(Lexer, NumbersAndRanges) {
  EXPECT_EQ(tokens("0..5 1_000 0.5 1e-3 2.5E+7 x.0"),
            "0 .. 5 1_000 0.5 1e-3 2.5E+7 x . 0 $");
  EXPECT_EQ(tokens("1.T 1..e2"), "1 . T 1 .. e2 $");
}

TEST(Lexer, BadNumbers) {
  for (const char *text :
       {"1_", "1__0", "1_.5", "0x1F", "3x", "1e", "1.5_", "1e1_", "2β"})
    EXPECT_EQ(codes(text), "E0107") << text;
}

TEST(Lexer, LongestPunctuationFirst) {
  EXPECT_EQ(tokens("a|>b->c//d<=e==f!=g"), "a |> b -> c // d <= e == f != g $");
}

TEST(Lexer, ReservedWordsAndNames) {
  Source source("a.nn", "let lets _let train");
  Diagnostics diagnostics;
  auto list = lex(source, diagnostics);
  EXPECT_EQ(list.tokens[0].kind, TokenKind::Let);
  for (int i : {1, 2, 3})
    EXPECT_EQ(list.tokens[i].kind, TokenKind::Name);
}

TEST(Lexer, NewlineEndsAStatement) {
  EXPECT_EQ(tokens("a = b\nc = d"), "a = b $ c = d $");
  EXPECT_EQ(tokens("a = b\r\n\r\n\r\nc = d\r\n"), "a = b $ c = d $");
  EXPECT_EQ(tokens("a = b; c = d"), "a = b ; c = d $");
}

TEST(Lexer, NoEndInsideBrackets) {
  EXPECT_EQ(tokens("f(a,\n  b\n)\ng[\n1\n]"), "f ( a , b ) $ g [ 1 ] $");
}

TEST(Lexer, NoEndBehindAnOperator) {
  for (const char *op : {"+", "-", "*", "/", "//", "%", "@", "^", "==", "!=",
                         "<", "<=", ">", ">=", "|>", "and", "or", "=", "~"})
    EXPECT_EQ(tokens(fmt::format("a {} # why\n\n  b", op)),
              fmt::format("a {} b $", op));
}

TEST(Lexer, NoEndBeforeContinuationWords) {
  EXPECT_EQ(tokens("a\n|> f\n\n|> g"), "a |> f |> g $");
  EXPECT_EQ(tokens("minimize a\nover b\nusing c\nevery d"),
            "minimize a over b using c every d $");
  EXPECT_EQ(tokens("}\nbackward"), "} backward $");
  EXPECT_EQ(tokens("a\nsurrogate backward"), "a surrogate backward $");
}

TEST(Lexer, ContinuationWordsMayBeAssigned) {
  EXPECT_EQ(tokens("a = b\nover = c\nevery = d"),
            "a = b $ over = c $ every = d $");
  EXPECT_EQ(tokens("a = b\nsurrogate = c"), "a = b $ surrogate = c $");
}

TEST(Lexer, StatementWordClosesBrackets) {
  EXPECT_EQ(tokens("a = f(g[x\nlet b = c\nd = e"),
            "a = f ( g [ x $ let b = c $ d = e $");
  EXPECT_EQ(tokens("f(\n  report(x),\n  state\n)"),
            "f ( report ( x ) , state ) $");
}

TEST(Lexer, Comments) {
  Source source("a.nn", "# no\n## one\n##  two\nlet a = 1 ## no\n##three\n");
  Diagnostics diagnostics;
  TokenList list = lex(source, diagnostics);
  ASSERT_EQ(list.docs.size(), 3u);
  EXPECT_EQ(list.docs[0].text, "one");
  EXPECT_EQ(list.docs[1].text, " two");
  EXPECT_EQ(list.docs[0].before, 0u);
  EXPECT_EQ(list.docs[2].text, "three");
}

TEST(Lexer, GreekLetters) {
  EXPECT_EQ(tokens("β1 Δ αx σ"), "β1 Δ αx σ $");
  EXPECT_EQ(codes("β1 Δ αx σ"), "");
  // Capital alpha, omicron, nu; the micro and the Ohm sign.
  for (const char *text : {"\u0391", "x\u03BF", "\u03BD1", "\u00B5", "\u2126"})
    EXPECT_EQ(codes(text), "E0109") << text;
}

TEST(Lexer, StrayCharacters) {
  for (const char *text : {"a & b", "a && b", "a | b", "!a", "a ** b", "'", "é",
                           "\u00A0", "\u201C", "\a", "$", "a\rb"})
    EXPECT_EQ(codes(text), "E0101") << text;
  EXPECT_EQ(codes(std::string("a\0b", 3)), "E0101");
}

TEST(Lexer, InvalidUtf8) {
  EXPECT_EQ(codes("a \xff\xfe b"), "E0104");
  EXPECT_EQ(codes("# \x80"), "E0104");
  EXPECT_EQ(codes("\"\xed\xa0\x80\""), "E0104 E0104 E0104");
  EXPECT_EQ(codes("\xc0\x80"), "E0104");
  EXPECT_EQ(codes("\xf5"), "E0104");
  EXPECT_EQ(codes("\xef\xbb\xbf"
                  "dim D = 1"),
            ""); // a byte order mark
}

TEST(Lexer, Strings) {
  EXPECT_EQ(tokens(R"("a # b" "\"\\\n\t")"), R"("a # b" "\"\\\n\t" $)");
  EXPECT_EQ(codes("\"abc\nlet"), "E0105");
  EXPECT_EQ(codes("\"abc\r\nlet"), "E0105");
  EXPECT_EQ(codes("\"abc"), "E0105");
  EXPECT_EQ(codes("\"abc\\"), "E0105");
  EXPECT_EQ(codes(R"("C:\data")"), "E0106");
  EXPECT_EQ(codes("\"a\033b\tc\""), "E0101");
}

TEST(Lexer, PositionsCountCharacters) {
  Source source("a.nn", "Δ = 1\n\tx");
  EXPECT_EQ(source.position(3).column, 3u);
  EXPECT_EQ(source.position(8).line, 2u);
  EXPECT_EQ(source.position(8).column, 2u);
  EXPECT_EQ(source.line(2), "\tx");
}

} // namespace
