// Trees of expressions, ranges, recovery, and inputs meant to break a parser.
#include "compiler/ast/AstPrinter.h"
#include "compiler/ast/Lexer.h"
#include "compiler/ast/Parser.h"
#include "compiler/ast/SourceManager.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace gradus;

namespace {

struct Parsed {
  explicit Parsed(std::string text) : source("a.nn", std::move(text)) {
    file = parse(source, diagnostics);
  }
  std::string codes() const {
    std::string result;
    for (const Diagnostic &message : diagnostics.all())
      result += (result.empty() ? "" : " ") + std::string(message.code);
    return result;
  }
  template <typename T> const T &first() const {
    return *file->declarations.at(0)->as<T>();
  }

  Source source;
  Diagnostics diagnostics;
  std::unique_ptr<ast::File> file;
};

std::string expression(std::string text) {
  Parsed parsed("const a = " + text);
  EXPECT_EQ(parsed.diagnostics.render(), "");
  return print(*parsed.first<ast::Const>().value);
}

std::string codes(std::string text) { return Parsed(std::move(text)).codes(); }

/// The codes of the errors in the body of a function.
std::string bodyCodes(std::string text) {
  return codes("fn f(x: real) -> real {\n  " + text + "\nreturn x\n}\n");
}

TEST(Expressions, Precedence) {
  EXPECT_EQ(expression("a + b * c - d"), "(- (+ a (* b c)) d)");
  EXPECT_EQ(expression("a // b % c @ d"), "(@ (% (// a b) c) d)");
  EXPECT_EQ(expression("a or b and not c == d"),
            "(or a (and b (not (== c d))))");
  EXPECT_EQ(expression("a + 1 <= b * 2"), "(<= (+ a 1) (* b 2))");
  EXPECT_EQ(expression("-x^2"), "(- (^ x 2))");
  EXPECT_EQ(expression("2^-x^3"), "(^ 2 (- (^ x 3)))");
  EXPECT_EQ(expression("a^b^c"), "(^ a (^ b c))");
  EXPECT_EQ(expression("--a * -b"), "(* (- (- a)) (- b))");
  EXPECT_EQ(expression("x.T[0](1)^2"), "(^ (call (index (. x T) 0) 1) 2)");
  EXPECT_EQ(expression("(a + b) * c"), "(* (+ a b) c)");
  EXPECT_EQ(expression("(a < b) == (c < d)"), "(== (< a b) (< c d))");
}

TEST(Expressions, Pipes) {
  EXPECT_EQ(expression("x / 2 |> f |> g(1) |> reshape[B, 2]"),
            "(|> (|> (|> (/ x 2) f) (call g 1)) (index reshape B 2))");
  EXPECT_EQ(expression("f(x |> g) + (y |> h)"),
            "(+ (call f (|> x g)) (|> y h))");
}

TEST(Expressions, Slices) {
  EXPECT_EQ(expression("x[1..2, ..3, 4.., .., -1, i: 5]"),
            "(index x (.. 1 2) (.. _ 3) (.. 4 _) (.. _ _) (- 1) i:5)");
  EXPECT_EQ(expression("f(x = -3..3, 0..n + 1)"),
            "(call f x=(.. (- 3) 3) (.. 0 (+ n 1)))");
}

TEST(Expressions, Literals) {
  EXPECT_EQ(expression("[1, 2.0, 1e-3, 1_000, true, \"a\\\"b\",]"),
            "(list 1 2.0 0.001 1000 true \"a\\\"b\")");
  EXPECT_EQ(expression("[]"), "(list)");
  EXPECT_EQ(expression("(a, b)"), "(tuple a b)");
  EXPECT_EQ(expression("(a,)"), "a");
  EXPECT_EQ(expression("9223372036854775807"), "9223372036854775807");
}

TEST(Expressions, RangesCoverWhatIsWritten) {
  Parsed parsed("const a = f((x + y)[0], -z)");
  const ast::Expr &value = *parsed.first<ast::Const>().value;
  EXPECT_EQ(value.range.text(), "f((x + y)[0], -z)");
  const auto &call = *value.as<ast::Call>();
  EXPECT_EQ(call.arguments[0].value->range.text(), "(x + y)[0]");
  const ast::Expr &base = *call.arguments[0].value->as<ast::Index>()->base;
  EXPECT_EQ(base.range.text(), "(x + y)");
  EXPECT_TRUE(base.parenthesized);
  EXPECT_EQ(base.as<ast::Binary>()->opRange.text(), "+");
  EXPECT_EQ(call.arguments[1].value->range.text(), "-z");
}

TEST(Declarations, KeepRangesDocsAndExport) {
  Parsed parsed("## Adds.\n## Twice.\nexport fn f(x: real) -> real = x\n"
                "param w: real[3] ~ he(3)  # no doc\n");
  const ast::Decl &fn = *parsed.file->declarations[0];
  EXPECT_EQ(fn.doc, "Adds.\nTwice.");
  EXPECT_TRUE(fn.exported);
  EXPECT_EQ(fn.range.text(), "export fn f(x: real) -> real = x");
  EXPECT_EQ(fn.as<ast::Fn>()->name.range.text(), "f");
  EXPECT_EQ(fn.as<ast::Fn>()->result->range.text(), "real");
  const ast::Decl &param = *parsed.file->declarations[1];
  EXPECT_EQ(param.doc, "");
  EXPECT_EQ(param.range.text(), "param w: real[3] ~ he(3)");
}

TEST(Declarations, SoftWordsAreNames) {
  EXPECT_EQ(codes("dim data = 3, param = 4, on = 5, step = 6\n"
                  "const train = data + step\n"
                  "data on { state: real; train from csv(layer = 0) }\n"
                  "train on on(state), batch batch = 3 {\n"
                  "  minimize minimize using using every every\n"
                  "  report report = over\n"
                  "  over = 3\n}\n"
                  "fn report(axis: real, from: real) = axis + from\n"),
            "");
}

TEST(Recovery, GoesOnAfterAnError) {
  Parsed parsed("fn f(x: real) -> real {\n  let a = * x\n  let b = x + 1\n"
                "  let c = )\n  return b\n}\nfn g(x: real) = x\n");
  EXPECT_EQ(parsed.codes(), "E0103 E0103");
  ASSERT_EQ(parsed.file->declarations.size(), 2u);
  EXPECT_TRUE(parsed.file->declarations[0]->broken);
  EXPECT_TRUE(parsed.first<ast::Fn>().body->broken);
  EXPECT_EQ(parsed.first<ast::Fn>().body->statements.size(), 4u);
  EXPECT_FALSE(parsed.file->declarations[1]->broken);
}

TEST(Recovery, DeclarationInColumnZeroClosesEverything) {
  Parsed parsed("module M {\n  fn call(x: real) -> real {\n    if x > 0 {\n"
                "      let a = f(x,\n"
                "fn g(x: real) = x\ndim D = 3\n");
  EXPECT_EQ(parsed.codes(), "E0102 E0102 E0102");
  // `fn` may stand in a module, `dim` may not.
  EXPECT_EQ(parsed.file->declarations.size(), 2u);
  EXPECT_TRUE(parsed.file->declarations[1]->as<ast::Dims>());
}

TEST(Recovery, BrokenHeadsSkipTheirBodies) {
  Parsed parsed("fn (x: real) {\n  let a = 3\n  return a\n}\ndim D = 3\n");
  EXPECT_EQ(parsed.codes(), "E0103");
  EXPECT_EQ(parsed.file->declarations.size(), 2u);
}

TEST(Recovery, OneErrorForEachBrokenClause) {
  EXPECT_EQ(codes("train on d(x), batch B = 3 {\n  minimise x\n"
                  "  minimize x over\n  steps 3\n  seed = 1\n}\n"),
            "E0103 E0103 E0103");
}

TEST(Errors, Statements) {
  EXPECT_EQ(bodyCodes("f(x)"), "E0113");
  EXPECT_EQ(bodyCodes("x[0] = 1"), "E0116");
  EXPECT_EQ(bodyCodes("x.y = 1"), "E0116");
  EXPECT_EQ(bodyCodes("x += 1"), "E0117");
  EXPECT_EQ(bodyCodes("let a = x\n + x"), "E0118");
  EXPECT_EQ(bodyCodes("else { }"), "E0115");
  EXPECT_EQ(bodyCodes("param w: real = 0"), "E0115");
  EXPECT_EQ(bodyCodes("let a = x)"), "E0112");
  EXPECT_EQ(bodyCodes("let for = x"), "E0114");
  EXPECT_EQ(bodyCodes("let a = x < x <= x < x"), "E0110");
  EXPECT_EQ(bodyCodes("let a = 1e999"), "E0108");
  EXPECT_EQ(bodyCodes("let a = 9223372036854775808"), "E0108");
  EXPECT_EQ(codes("}"), "E0112");
  EXPECT_EQ(codes("let a = 3"), "E0115");
}

TEST(Errors, ALexicalErrorIsReportedOnce) {
  EXPECT_EQ(bodyCodes("let a = x & x"), "E0101");
  EXPECT_EQ(bodyCodes("let a = \"abc"), "E0105");
  EXPECT_EQ(codes("$"), "E0101");
  EXPECT_EQ(codes("const a = [1, 2x, 3]"), "E0107");
}

std::string repeat(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i)
    result += text;
  return result;
}

TEST(Depth, NestingHasABound) {
  auto nested = [](size_t n) {
    return "const a = " + repeat("(", n) + "x" + repeat(")", n);
  };
  EXPECT_EQ(codes(nested(255)), "");
  EXPECT_EQ(codes(nested(256)), "E0111");
  for (const char *opening :
       {"(", "[", "-", "f(", "x[", "not ", "2^", "f(-(", "x |> f("})
    EXPECT_EQ(codes("const a = " + repeat(opening, 100000)), "E0111")
        << opening;
  EXPECT_EQ(codes("const a: " + repeat("fn(", 100000)), "E0111");
  EXPECT_EQ(codes("const a: " + repeat("(", 100000)), "E0111");
  EXPECT_EQ(codes("fn f() {" + repeat("if x {", 100000) + repeat("}", 100001)),
            "E0111");
  EXPECT_EQ(codes("fn f() { if x {}" + repeat(" else if x {}", 100000) + "}"),
            "E0111");
}

TEST(Depth, LongChainsHaveABound) {
  EXPECT_EQ(codes("const a = x" + repeat(" + x", 1000)), "");
  for (const char *link :
       {" + x", " * x", " and x", "(x)", "[0]", ".y", " |> f"})
    EXPECT_EQ(codes("const a = x" + repeat(link, 100000)), "E0111") << link;
  // Wide is not deep.
  EXPECT_EQ(codes("const a = [" + repeat("x, ", 100000) + "]"), "");
}

/// A program with every construct in it.
const char *const everything = R"(
import "base.nn" as base
dim D = 10, E = 2 * D
const ridge: real = 1e-3
data d { x: real[D]; y: index(E); train from csv("a.csv", x = 0..10, y = "y") }
param W: real[D, E] ~ normal(0, 0.1)
state s: real = 0
layer fc[3] = Linear[D, E](bias = true)
module M[A, ..S](p: int = 1) requires A > 1 { param w: real[A] = 0
  fn call(x: real[A]) -> real[A] = w * x }
fn f[..A, axis D, ..Z](x: real[..A, D, ..Z], g: fn(real, i32) -> (real, real)) requires D % 2 == 0 {
  let (a, b) = (x, x)
  let c[i, j: D - 1] = sum[k](a[i, k] * b[k, j + 1])
  var h = c
  for i in 0..3 { h = h + i }
  let v = for i in 0..3 { yield h |> g(1) }
  if training and not false { h = 0 } else if h == 1 { h = 1 } else { h = 2 }
  return h[.., 1.., ..2, -1]
} surrogate backward (y, dy) { grad x = dy; grad g = 0 }
extern fn native[B](x: real[B]) -> real[B] from "libx.so"
optimizer o[P](lr = 1e-3) { state m: real[P] = 0; step(p: real[P], g: real[P]) { p = p - lr * g } }
train t on d(x, y), batch B = 32 {
  let z: real[B] ~ uniform(0, 1)
  minimize mean(f(x)) over W, fc using o(lr = 0.1) every 2
  report r = mean(z)
  epochs = 3
}
)";

TEST(Robustness, EveryPrefixIsSurvived) {
  std::string text = everything;
  EXPECT_EQ(codes(text), "");
  for (size_t length = 0; length < text.size(); ++length)
    print(*Parsed(text.substr(0, length)).file);
}

TEST(Robustness, EveryMissingOrDoubledTokenIsSurvived) {
  Source source("a.nn", everything);
  Diagnostics diagnostics;
  for (const Token &token : lex(source, diagnostics).tokens) {
    std::string text = everything;
    std::string spelled = text.substr(token.begin, token.end - token.begin);
    print(*Parsed(std::string(text).erase(token.begin, spelled.size())).file);
    print(*Parsed(text.insert(token.begin, spelled + " ")).file);
  }
}

TEST(Robustness, GarbageIsSurvived) {
  uint64_t state = 1;
  auto next = [&](uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % bound;
  };
  std::string text = everything;
  for (int round = 0; round < 2000; ++round) {
    std::string mutated = text;
    for (int i = 0; i < 4; ++i) {
      size_t from = next(mutated.size()), to = next(mutated.size());
      size_t length = next(20);
      switch (next(4)) {
      case 0:
        mutated.erase(from, length);
        break;
      case 1:
        mutated.insert(to, mutated.substr(from, length));
        break;
      case 2:
        mutated[from] = next(256);
        break;
      default:
        mutated.insert(from, std::string(1, "(){}[];\n\"#.,=|~"[next(15)]));
      }
    }
    Parsed parsed(mutated);
    print(*parsed.file);
    parsed.diagnostics.render();
  }
}

class FilesTest : public testing::Test {
protected:
  FilesTest()
      : folder(std::filesystem::temp_directory_path() /
               fmt::format("gradus-parser-tests-{}", getpid())) {
    std::filesystem::create_directories(folder);
  }
  ~FilesTest() override { std::filesystem::remove_all(folder); }

  std::string load(const std::string &name) {
    const Source *source = sources.load((folder / name).string(), diagnostics);
    return source ? std::string(source->text()) : "";
  }

  std::filesystem::path folder;
  SourceManager sources;
  Diagnostics diagnostics;
};

TEST_F(FilesTest, AreReadOnce) {
  std::ofstream(folder / "a.nn") << "dim D = 3\n";
  EXPECT_EQ(load("a.nn"), "dim D = 3\n");
  std::string path = (folder / "a.nn").string();
  std::string other = (folder / "." / "a.nn").string();
  EXPECT_EQ(sources.load(path, diagnostics), sources.load(other, diagnostics));
  EXPECT_FALSE(diagnostics.hasErrors());
}

TEST_F(FilesTest, MissingFolderUnreadableAndHugeFilesAreErrors) {
  EXPECT_EQ(load("missing.nn"), "");
  EXPECT_EQ(diagnostics.all().back().code, "E0001");
  std::filesystem::create_directory(folder / "folder.nn");
  load("folder.nn");
  EXPECT_EQ(diagnostics.all().back().code, "E0003");
  std::ofstream(folder / "huge.nn");
  std::filesystem::resize_file(folder / "huge.nn", (size_t(64) << 20) + 1);
  EXPECT_EQ(load("huge.nn"), "");
  EXPECT_EQ(diagnostics.all().back().code, "E0004");
  // Permissions do not stop root, but a file is no folder for anyone.
  std::ofstream(folder / "file");
  load("file/a.nn");
  EXPECT_EQ(diagnostics.errorCount(), 4u);
  std::filesystem::create_symlink("loop.nn", folder / "loop.nn");
  load("loop.nn");
  EXPECT_EQ(diagnostics.all().back().code, "E0002");
}

} // namespace
