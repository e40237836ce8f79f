// The layout, line by line, and the laws that hold for every model file here:
// formatting twice is formatting once, and spaces do not matter.
#include "compiler/ast/Format.h"
#include "compiler/ast/Lexer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

using namespace gradus;

namespace {

/// Empty after a syntax error.
std::string formatted(std::string text) {
  Source source("test.nn", std::move(text));
  Diagnostics diagnostics;
  return format(source, diagnostics).value_or("");
}

void expectFormat(const std::string &text, const std::string &wanted) {
  EXPECT_EQ(formatted(text), wanted);
  EXPECT_EQ(formatted(wanted), wanted);
}

TEST(Format, Expressions) {
  expectFormat("const a=( 1+2 )*3-  -x^-2//y%z@w\n",
               "const a = (1 + 2) * 3 - -x^-2 // y % z @ w\n");
  expectFormat(
      "const a = f ( x [ 0 .. 5 , .. , i+1 .. ] , over=( B,.. H ) , ) . T\n",
      "const a = f(x[0..5, .., i + 1..], over = (B, ..H)).T\n");
  expectFormat("const a = not( b )and c<=d or-e  !=  f\n",
               "const a = not (b) and c <= d or -e != f\n");
  expectFormat("const a=x|>f|>g ( 1_000 ,k = ..3)\n",
               "const a = x |> f |> g(1_000, k = ..3)\n");
  expectFormat("const a = [ 1,2 , ]\n", "const a = [1, 2]\n");
}

TEST(Format, Declarations) {
  expectFormat(
      "export  fn f [ .. S,axis D ] ( x:real [ ..S ],k = 1 )->( real,real )  "
      "requires D%2==0{ return(x,-x) }\n",
      "export fn f[..S, axis D](x: real[..S], k = 1) -> (real, real) requires "
      "D % 2 == 0 { return (x, -x) }\n");
  expectFormat("fn f(g : fn ( real [P] )->real , y:index ( K ) [B])=g( y )\n"
               "      surrogate  backward( y,dy ) {}\n",
               "fn f(g: fn(real[P]) -> real, y: index(K)[B]) = g(y)\n"
               "surrogate backward (y, dy) {}\n");
  expectFormat("param W:real [D]~he( D );layer  a[ 2 ]=Linear [3,4]\n",
               "param W: real[D] ~ he(D); layer a[2] = Linear[3, 4]\n");
}

TEST(Format, SoftWordsAreNoFunctions) {
  expectFormat("train on d( x ),batch B=32 {\n"
               "minimize(a+b)over( w ),v using(opt)every(k)\n"
               "minimize-a over over using sgd( lr=1 )\n"
               "every=2\n}\n",
               "train on d(x), batch B = 32 {\n"
               "  minimize (a + b) over (w), v using (opt) every (k)\n"
               "  minimize -a over over using sgd(lr = 1)\n"
               "  every = 2\n"
               "}\n");
}

TEST(Format, SplitsAreAligned) {
  expectFormat("data d {\nx: real\ntrain from csv(\"a\",\nx = 0)\n"
               "test from[\"b\"]\n}\n",
               "data d {\n"
               "  x: real\n"
               "  train from csv(\"a\",\n"
               "                 x = 0)\n"
               "  test  from [\"b\"]\n"
               "}\n");
  expectFormat("data d { train from a; test from b }\n",
               "data d { train from a; test from b }\n");
}

TEST(Format, BlocksAndStatements) {
  expectFormat(
      "fn f() { let a=1;let b=2;;\n\n\n"
      "if c{ a=b }else if d {\nfor i in 0..3{ yield i } };return a }\n",
      "fn f() {\n"
      "  let a = 1; let b = 2\n"
      "\n"
      "  if c { a = b } else if d {\n"
      "    for i in 0..3 { yield i }\n"
      "  }; return a\n"
      "}\n");
}

TEST(Format, ContinuedLines) {
  expectFormat("fn f() =\na+\nb |> g(1,\n2)\n|> h(\n3,\n[4,\n5]\n)\n",
               "fn f() =\n"
               "  a +\n"
               "  b |> g(1,\n"
               "         2)\n"
               "  |> h(\n"
               "    3,\n"
               "    [4,\n"
               "     5]\n"
               "  )\n");
}

TEST(Format, CommentsStay) {
  expectFormat("\n\n# top  \n\n\n\n## doc\nfn f() { # a\n\n"
               "  # b\nlet α = 1 # c\nlet bb = 22     ## d\n\nlet c = 3 # e\n"
               "# f\n\n}   # g\n# h",
               "# top\n"
               "\n"
               "## doc\n"
               "fn f() {  # a\n"
               "  # b\n"
               "  let α = 1    # c\n"
               "  let bb = 22  ## d\n"
               "\n"
               "  let c = 3  # e\n"
               "  # f\n"
               "}  # g\n"
               "# h\n");
  expectFormat("const a = f(# x\n1, # y\n# z\n2\n# w\n)\n",
               "const a = f(  # x\n"
               "  1,          # y\n"
               "  # z\n"
               "  2\n"
               "  # w\n"
               ")\n");
}

TEST(Format, CommentsBehindSemicolons) {
  // None of them may become documentation, none may be lost.
  expectFormat(
      "; ## a\nfn f() = 1; ## b\n; ## c\nfn g() = 2\n",
      ";           ## a\nfn f() = 1  ## b\n;           ## c\nfn g() = 2\n");
  expectFormat("## a\n; fn f() = 1\n", "## a\n;\nfn f() = 1\n");
  expectFormat("# a\n; # b\n", "# a\n;  # b\n");
}

TEST(Format, NothingIsNothing) {
  expectFormat("", "");
  EXPECT_EQ(formatted(" \n\t\r\n"), "");
  expectFormat("\xEF\xBB\xBF\tdim D = 1\r\n\r\n\r\n# x\r\n",
               "dim D = 1\n\n# x\n");
}

TEST(Format, ErrorsAreReported) {
  Source source("test.nn", "dim 3\ndim D\n");
  Diagnostics diagnostics;
  EXPECT_FALSE(format(source, diagnostics));
  EXPECT_EQ(diagnostics.all().size(), 2u);
}

/// Every model file of the source tree that has no syntax errors.
std::vector<std::string> modelFiles() {
  std::vector<std::string> texts;
  for (const char *folder : {"examples", "compiler", "test"})
    for (const auto &entry : std::filesystem::recursive_directory_iterator(
             std::filesystem::path(GRADUS_SOURCE) / folder)) {
      if (entry.path().extension() != ".nn")
        continue;
      std::ifstream file(entry.path(), std::ios::binary);
      std::string text(std::istreambuf_iterator<char>(file), {});
      if (!formatted(text).empty())
        texts.push_back(text);
    }
  return texts;
}

TEST(Format, TwiceIsOnce) {
  std::vector<std::string> texts = modelFiles();
  EXPECT_GE(texts.size(), 10u);
  for (const std::string &text : texts) {
    std::string once = formatted(text);
    EXPECT_EQ(formatted(once), once);
  }
}

/// Where tokens and comments begin, and where they end.
std::map<uint32_t, uint32_t> piecesOf(const std::string &text) {
  Source source("test.nn", text);
  Diagnostics diagnostics;
  TokenList list = lex(source, diagnostics);
  std::map<uint32_t, uint32_t> pieces;
  for (const Token &token : list.tokens)
    if (token.end > token.begin)
      pieces[token.begin] = token.end;
  for (const Comment &comment : list.comments)
    pieces[comment.begin] = comment.end;
  return pieces;
}

/// The same lines with other blanks between their tokens.
std::string respaced(const std::string &text, std::mt19937 &random) {
  std::string result;
  uint32_t last = 0;
  auto gap = [&](uint32_t begin, uint32_t end) {
    std::string_view between =
        std::string_view(text).substr(begin, end - begin);
    size_t newline = between.rfind('\n');
    for (char c : between)
      if (c == '\n')
        result += random() % 4 ? "\n" : " \r\n";
    // What begins in the first column of a line stays there.
    if (begin == 0 || newline + 1 == between.size())
      return;
    result.append(1 + random() % 3, random() % 4 ? ' ' : '\t');
  };
  for (auto [begin, end] : piecesOf(text)) {
    gap(last, begin);
    result += text.substr(begin, end - begin);
    last = end;
  }
  return result + text.substr(last);
}

TEST(Format, SpacesDoNotMatter) {
  std::mt19937 random(1);
  for (const std::string &text : modelFiles())
    for (int repetition = 0; repetition < 5; ++repetition)
      EXPECT_EQ(formatted(respaced(text, random)), formatted(text));
}

/// Things put between tokens here and there.
std::string disturbed(const std::string &text, std::mt19937 &random) {
  constexpr const char *things[] = {"\n",       "\n\n\n",   ";", "# c\n",
                                    "\n## c\n", "\n;# c\n", ",", ";;## c\n",
                                    " ",        "\n# c\n"};
  std::string result;
  uint32_t last = 0;
  for (auto [begin, end] : piecesOf(text)) {
    result += text.substr(last, begin - last);
    if (random() % 20 == 0)
      result += things[random() % std::size(things)];
    result += text.substr(begin, end - begin);
    last = end;
  }
  return result + text.substr(last);
}

// That the meaning stays is checked by `format`, which throws otherwise.
TEST(Format, WhateverCanBeParsedCanBeFormatted) {
  std::mt19937 random(2);
  size_t parsed = 0;
  for (const std::string &text : modelFiles()) {
    // One declaration after the other, so that most results can be parsed.
    for (size_t begin = 0, end; begin < text.size(); begin = end) {
      end = std::min(text.find("\n\n", begin), text.size() - 1) + 1;
      std::string part = text.substr(begin, end - begin);
      for (int repetition = 0; repetition < 20; ++repetition) {
        std::string once = formatted(disturbed(part, random));
        EXPECT_EQ(formatted(once), once);
        parsed += !once.empty();
      }
    }
  }
  EXPECT_GE(parsed, 1000u);
}

} // namespace
