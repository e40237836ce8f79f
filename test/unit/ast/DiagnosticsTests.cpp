// The drawing of diagnostics, character for character.
#include "compiler/DiagnosticKinds.h"
#include "compiler/Diagnostics.h"
#include "compiler/ast/Parser.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>

using namespace gradus;

namespace {

/// Reports into a source that is given by its text.
class DiagnosticsTest : public testing::Test {
protected:
  void open(std::string name, std::string text) {
    source.emplace(std::move(name), std::move(text));
  }

  /// The range of the nth `text` in the source, or of its first `length` bytes.
  Range at(std::string_view text, unsigned nth = 1, size_t length = 0) {
    size_t found = std::string_view::npos;
    for (unsigned i = 0; i < nth; ++i)
      found = source->text().find(text, i == 0 ? 0 : found + 1);
    EXPECT_NE(found, std::string_view::npos) << text;
    size_t end = found + (length ? length : text.size());
    return {&*source, static_cast<uint32_t>(found), static_cast<uint32_t>(end)};
  }

  template <typename... Args> Diagnostic &report(const Args &...args) {
    return diagnostics.report(args...);
  }

  std::optional<Source> source;
  Diagnostics diagnostics;
};

TEST_F(DiagnosticsTest, LabelsOfTwoDistantLines) {
  open("mlp.nn", R"(dim H = 256
layer fc2 = Linear[128, 10]


fn f(h: real[H]) -> real[10] {
  return fc2(h)
})");
  report(diag::ArgumentShape, at("h)", 1, 1), "fc2", "real[B, 128]",
         "real[B, 256]")
      .here("axis 1 is 256, not 128")
      .label(at("Linear[128, 10]"), "In = 128");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0304]: `fc2` expects real[B, 128], found real[B, 256]
 --> mlp.nn:6:14
2 | layer fc2 = Linear[128, 10]
  |             --------------- In = 128
 ...
6 |   return fc2(h)
  |              ^ axis 1 is 256, not 128
)");
}

TEST_F(DiagnosticsTest, MarksWithAndWithoutLabels) {
  open("linear.nn", R"(dim D = 3, C = 4

fn scores[B](x: real[B, D]) -> real[B, C] = x @ W)");
  report(diag::InnerDims, at("@"), "D", "C")
      .label(at("x @", 1, 1), "real[B, D]")
      .label(at("W"), "real[C, D]")
      .help(
          "the inner dims agree if the right side is transposed: write `W.T`");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0321]: inner dims of `@` differ: D and C
 --> linear.nn:3:47
3 | fn scores[B](x: real[B, D]) -> real[B, C] = x @ W
  |                                             - ^ - real[C, D]
  |                                             real[B, D]
  = help: the inner dims agree if the right side is transposed: write `W.T`
)");
}

TEST_F(DiagnosticsTest, LabelBelowAndPrimaryBeside) {
  open("housing.nn", R"(






  minimize mean(squared_error(net(x), y)) using adam())");
  report(diag::SameShape, at("y)", 1, 1), "squared_error", "p", "y")
      .here("real[B]")
      .label(at("net(x)"), "real[B, 1]")
      .help("`net(x)` has a last axis of size 1; drop it with `net(x)[.., 0]`");
  EXPECT_EQ(
      diagnostics.render(),
      R"(error[E0305]: `squared_error` needs the same shape for `p` and `y`
 --> housing.nn:8:39
8 |   minimize mean(squared_error(net(x), y)) using adam()
  |                               ------  ^ real[B]
  |                               real[B, 1]
  = help: `net(x)` has a last axis of size 1; drop it with `net(x)[.., 0]`
)");
}

TEST_F(DiagnosticsTest, StemOfALabelFurtherBelow) {
  open("center.nn", R"(fn center[N](A: real[N, N]) = A - mean(A, axis = 0))");
  report(diag::AmbiguousBroadcast, at("- mean", 1, 1), "-", "real[N]",
         "real[N, N]", 2)
      .here("axis 0 or axis 1?")
      .label(at("A -", 1, 1), "real[N, N]")
      .label(at("mean(A, axis = 0)"), "real[N]")
      .help("say which with indices: `let z[i, j] = a[i, j] - b[j]`; or give "
            "the two axes different dim names");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0312]: `-` could line up real[N] with real[N, N] in 2 ways
 --> center.nn:1:33
1 | fn center[N](A: real[N, N]) = A - mean(A, axis = 0)
  |                               - ^ ----------------- real[N]
  |                               | axis 0 or axis 1?
  |                               real[N, N]
  = help: say which with indices: `let z[i, j] = a[i, j] - b[j]`; or give the two axes different dim names
)");
}

TEST_F(DiagnosticsTest, PrimaryLabelBeside) {
  open("wrong.nn", R"(

fn nll[B](h: real[B, 64], y: index(Class)[B]) -> real[B] = cross_entropy(head(h), y))");
  report(diag::IndexBound, at("y)", 1, 1), "cross_entropy", "index(12)[B]",
         "index(Class)[B]", " where Class = 10")
      .here("values 0 to 9")
      .label(at("head(h)"), "real[B, 12]");
  EXPECT_EQ(
      diagnostics.render(),
      R"(error[E0333]: `cross_entropy` expects index(12)[B], found index(Class)[B] where Class = 10
 --> wrong.nn:3:83
3 | fn nll[B](h: real[B, 64], y: index(Class)[B]) -> real[B] = cross_entropy(head(h), y)
  |                                                                          -------  ^ values 0 to 9
  |                                                                          real[B, 12]
)");
}

TEST_F(DiagnosticsTest, OneMark) {
  open("blur.nn", R"(fn blur[N](x: real[N]) {
  let y[i: N] = (x[i] + x[i + 1]) / 2)");
  report(diag::IndexPastEnd, at("i + 1"), "real[N]")
      .here("reaches N, but this axis stops at N - 1")
      .help("shorten the range of the index on the left, or `pad` the input");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0331]: this index can run past the end of real[N]
 --> blur.nn:2:27
2 |   let y[i: N] = (x[i] + x[i + 1]) / 2
  |                           ^^^^^ reaches N, but this axis stops at N - 1
  = help: shorten the range of the index on the left, or `pad` the input
)");
}

TEST_F(DiagnosticsTest, SecondaryBeforePrimary) {
  open("prod.nn", R"(fn f() {
  let c[i, j] = sum[k](a[i, k] * b[k, j]))");
  report(diag::IndexOverTwoDims, at("k, j", 1, 1), "k")
      .here("M here")
      .label(at("k] *", 1, 1), "K here");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0341]: index `k` runs over two different dims
 --> prod.nn:2:36
2 |   let c[i, j] = sum[k](a[i, k] * b[k, j])
  |                             -      ^ M here
  |                             K here
)");
}

TEST_F(DiagnosticsTest, PrimaryWithoutLabel) {
  open("prep.nn", R"(fn prep[B](image: u8[B, 28, 28]) = image / 255)");
  report(diag::NeedsReal, at("/"), "/", "image", "u8[B, 28, 28]")
      .help("convert it first: `real(image)`");
  EXPECT_EQ(
      diagnostics.render(),
      R"(error[E0403]: `/` needs real numbers, but `image` is u8[B, 28, 28]
 --> prep.nn:1:42
1 | fn prep[B](image: u8[B, 28, 28]) = image / 255
  |                                          ^
  = help: convert it first: `real(image)`
)");
}

TEST_F(DiagnosticsTest, SecondaryInTheLineBefore) {
  open("acc.nn", R"(
fn f() {
  let accuracy = mean(argmax(x @ W, axis = -1) == y)
  return grad(accuracy, W))");
  report(diag::ZeroDerivative, at("grad(accuracy, W)"), "accuracy", "W")
      .label(at("=="), "a comparison has derivative zero")
      .help("if zero is what you want, write `0 * W`");
  EXPECT_EQ(
      diagnostics.render(),
      R"(error[E0504]: the derivative of `accuracy` with respect to `W` is always zero
 --> acc.nn:4:10
3 |   let accuracy = mean(argmax(x @ W, axis = -1) == y)
  |                                                -- a comparison has derivative zero
4 |   return grad(accuracy, W)
  |          ^^^^^^^^^^^^^^^^^
  = help: if zero is what you want, write `0 * W`
)");
}

TEST_F(DiagnosticsTest, LabelBesideTheOnlyMark) {
  open("scale.nn", R"(fn scale(x: real, k: real) -> real {
  return k * x
} backward (y, dy) {)");
  report(diag::MissingGradient, at("backward"), "scale", "k")
      .here("missing `grad k = ...`")
      .help("if it is meant to be zero, say so: `grad k = 0 * k`");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0510]: `backward` of `scale` gives no gradient for `k`
 --> scale.nn:3:3
3 | } backward (y, dy) {
  |   ^^^^^^^^ missing `grad k = ...`
  = help: if it is meant to be zero, say so: `grad k = 0 * k`
)");
}

TEST_F(DiagnosticsTest, SkippedLine) {
  open("deep.nn", R"(

fn f() {
  var h = x
  for b in blocks {}
  h = out(h))");
  report(diag::VarKeepsType, at("out(h)"), "h", "real[B, 64]", "real[B, 10]")
      .label(at("h = x", 1, 1), "its type is fixed here")
      .help("a `var` keeps its type; use a new `let` name");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0308]: `h` is real[B, 64] and cannot become real[B, 10]
 --> deep.nn:6:7
4 |   var h = x
  |       - its type is fixed here
 ...
6 |   h = out(h)
  |       ^^^^^^
  = help: a `var` keeps its type; use a new `let` name
)");
}

TEST_F(DiagnosticsTest, LongMark) {
  open("count.nn", R"(


    seen = seen + sum(x, over = B))");
  report(diag::StateOutsideTraining, at("seen"), "seen")
      .here("assigned outside `if training`")
      .help("put the update inside `if training { ... }`; exported functions "
            "stay pure");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0603]: state `seen` may change only while training
 --> count.nn:4:5
4 |     seen = seen + sum(x, over = B)
  |     ^^^^ assigned outside `if training`
  = help: put the update inside `if training { ... }`; exported functions stay pure
)");
}

TEST_F(DiagnosticsTest, MarkFarRight) {
  open("iris.nn", R"(





  minimize mean(cross_entropy(net(x), y)) using adam(learning_rate = 0.01))");
  report(diag::UnknownParameter, at("learning_rate"), "learning_rate")
      .help("did you mean `lr`?");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0206]: no parameter named `learning_rate`
 --> iris.nn:7:54
7 |   minimize mean(cross_entropy(net(x), y)) using adam(learning_rate = 0.01)
  |                                                      ^^^^^^^^^^^^^
  = help: did you mean `lr`?
)");
}

TEST_F(DiagnosticsTest, UnclosedBracketThroughTheParser) {
  open("text.nn", "fn f(x: real) -> real {\n  let a = exp(x\n  let b = a^2\n"
                  "  return b\n}\n");
  parse(*source, diagnostics);
  EXPECT_EQ(diagnostics.render(), R"(error[E0102]: this `(` is never closed
 --> text.nn:2:14
2 |   let a = exp(x
  |              ^ opened here
3 |   let b = a^2
  |   --- `let` starts a new statement
)");
}

TEST_F(DiagnosticsTest, MarksOfARangeOverSeveralLines) {
  open("a.nn", "let a = f(x,\n\n          y)\n");
  report(diag::UnusedExpression, at("f(x,\n\n          y)")).here("this call");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0113]: the value of this expression is not used
 --> a.nn:1:9
1 | let a = f(x,
  |         ^^^^
 ...
3 |           y)
  |           ^^ this call
)");
}

TEST_F(DiagnosticsTest, LabelsOfARangeInsideAnother) {
  open("a.nn", "f(g(x))");
  report(diag::UnusedExpression, at("f(g(x))"))
      .here("outer")
      .label(at("x"), "inner");
  EXPECT_EQ(diagnostics.render(),
            R"(error[E0113]: the value of this expression is not used
 --> a.nn:1:1
1 | f(g(x))
  | ^^^^^^^ outer
  |     inner
)");
}

TEST_F(DiagnosticsTest, ColumnsCountCharactersAndTabsAsOne) {
  open("a.nn", "\tlet Δβ = \"ü\" & x\r\n");
  report(diag::StrayCharacter, at("&"), "`&`").here("here");
  EXPECT_EQ(diagnostics.render(),
            "error[E0101]: `&` is not part of the language\n"
            " --> a.nn:1:15\n"
            "1 |  let Δβ = \"ü\" & x\n"
            "  |               ^ here\n");
}

TEST_F(DiagnosticsTest, NothingUnprintableIsPrinted) {
  open("a.nn", "a\033[31m\xff b");
  report(diag::InvalidUtf8, at("\xff"), 6, 0xff);
  EXPECT_EQ(diagnostics.render(),
            "error[E0104]: byte 6 of the file, 0xff, is not valid UTF-8\n"
            " --> a.nn:1:7\n"
            "1 | a\xEF\xBF\xBD[31m\xEF\xBF\xBD b\n"
            "  |       ^\n");
}

TEST_F(DiagnosticsTest, DirectionMarksAreNotPrinted) {
  open("a.nn", "a \u202E\u009B b");
  report(diag::UnusedExpression, at("b"));
  EXPECT_TRUE(diagnostics.render().ends_with("1 | a \uFFFD\uFFFD b\n"
                                             "  |      ^\n"));
}

TEST_F(DiagnosticsTest, LongLinesAreCut) {
  std::string text = std::string(500, 'a') + " & " + std::string(500, 'b');
  open("a.nn", text);
  report(diag::StrayCharacter, at("&"), "`&`");
  std::string expected = "error[E0101]: `&` is not part of the language\n"
                         " --> a.nn:1:502\n1 | ..." +
                         std::string(36, 'a') + " & " + std::string(115, 'b') +
                         "...\n  | " + std::string(40, ' ') + "^\n";
  EXPECT_EQ(diagnostics.render(), expected);
}

TEST_F(DiagnosticsTest, TheEndOfTheFileIsAPlace) {
  open("a.nn", "fn f(\n");
  report(diag::Expected, Range{&*source, 6, 6}, "a name",
         "the end of the file");
  EXPECT_EQ(diagnostics.render(),
            "error[E0103]: expected a name, found the end of the file\n"
            " --> a.nn:2:1\n2 |\n  | ^\n");
}

TEST_F(DiagnosticsTest, GutterIsAsWideAsTheLargestNumber) {
  open("a.nn", std::string(8, '\n') + "first\nsecond\n");
  report(diag::UnusedExpression, at("second")).label(at("first"), "because");
  EXPECT_EQ(diagnostics.render(),
            "error[E0113]: the value of this expression is not used\n"
            " --> a.nn:10:1\n"
            " 9 | first\n   | ----- because\n"
            "10 | second\n   | ^^^^^^\n");
}

TEST_F(DiagnosticsTest, LabelsInAnotherFile) {
  open("a.nn", "layer fc = Linear[3]\n");
  Source other("std.nn", "# layers\nmodule Linear[In, Out] {}\n");
  report(diag::GenericCount, at("Linear[3]"), "Linear", "2 dims", "1")
      .label({&other, 16, 31}, "declared here");
  EXPECT_EQ(diagnostics.render(),
            "error[E0319]: `Linear` takes 2 dims, found 1\n"
            " --> a.nn:1:12\n"
            "1 | layer fc = Linear[3]\n"
            "  |            ^^^^^^^^^\n"
            " ::: std.nn:2:8\n"
            "2 | module Linear[In, Out] {}\n"
            "  |        --------------- declared here\n");
}

TEST_F(DiagnosticsTest, ErrorsWithoutAPlaceAndWarnings) {
  diagnostics.warn(diag::FileMissing, Range(), "a.nn");
  EXPECT_FALSE(diagnostics.hasErrors());
  report(diag::FileMissing, Range(), "b.nn").help("look elsewhere");
  EXPECT_EQ(diagnostics.errorCount(), 1u);
  EXPECT_EQ(diagnostics.render(), "warning[E0001]: `a.nn` does not exist\n"
                                  "error[E0001]: `b.nn` does not exist\n"
                                  "  = help: look elsewhere\n");
}

TEST_F(DiagnosticsTest, SortedByPlaceWithoutDoubles) {
  open("a.nn", "a\nb\n");
  report(diag::UnusedExpression, at("b"));
  report(diag::UnusedExpression, at("a"));
  report(diag::UnusedExpression, at("b"));
  std::string head = "error[E0113]: the value of this expression is not used\n";
  EXPECT_EQ(diagnostics.render(), head + " --> a.nn:1:1\n1 | a\n  | ^\n" +
                                      head + " --> a.nn:2:1\n2 | b\n  | ^\n");
}

TEST_F(DiagnosticsTest, AtMostTwentyArePrinted) {
  open("a.nn", std::string(30, 'a'));
  for (uint32_t i = 0; i < 30; ++i)
    report(diag::UnusedExpression, Range{&*source, i, i + 1});
  std::string text = diagnostics.render();
  EXPECT_EQ(diagnostics.errorCount(), 30u);
  EXPECT_NE(text.find("a.nn:1:20\n"), std::string::npos);
  EXPECT_EQ(text.find("a.nn:1:21\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\n... and 10 more\n"));
}

TEST_F(DiagnosticsTest, ColoursOnlyWhenAsked) {
  open("a.nn", "f(x)");
  report(diag::UnusedExpression, at("f(x)")).help("use it");
  EXPECT_EQ(diagnostics.render().find('\033'), std::string::npos);
  EXPECT_NE(diagnostics.render({.colour = true}).find("\033[1;31m^^^^\033[0m"),
            std::string::npos);
}

TEST(DiagnosticTable, CodesAreUniqueAndWellFormed) {
  std::set<std::string_view> codes, names;
  for (const DiagnosticKind &kind : diagnosticKinds()) {
    EXPECT_TRUE(codes.insert(kind.code).second) << kind.code;
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_EQ(kind.code.size(), 5u);
    EXPECT_FALSE(kind.text.ends_with('.')) << kind.text;
  }
}

} // namespace
