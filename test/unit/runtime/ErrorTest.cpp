#include "runtime/Error.h"

#include <gtest/gtest.h>

using namespace gradus;

TEST(Error, DrawsTheMessageOfTheLanguageReference) {
  std::string line = "7.4,0.66,0,1.8,0.075,13,40,0.9978,3.51,0.56,9.4,10";
  Error error(fault::LabelOutOfRange, 10, 10);
  error
      .at({"wine.csv", 152, "column \"quality\"", line, line.size() - 2,
           line.size(), "allowed: 0 to 9"})
      .note("field `y: index(10)` is declared at wine.nn:3")
      .help("1599 rows read, labels run from 3 to 10; `index(11)` would hold "
            "them");
  EXPECT_STREQ(error.what(), R"(error[E0801]: label 10 does not fit index(10)
 --> wine.csv:152, column "quality"
152 | 7.4,0.66,0,1.8,0.075,13,40,0.9978,3.51,0.56,9.4,10
    |                                                 ^^ allowed: 0 to 9
    = note: field `y: index(10)` is declared at wine.nn:3
    = help: 1599 rows read, labels run from 3 to 10; `index(11)` would hold them
)");
  EXPECT_EQ(error.code(), "E0801");
  EXPECT_EQ(error.exitCode(), 1);
}

TEST(Error, OfTheMachineHasExitCode3) {
  EXPECT_EQ(Error(fault::DiskFull, "x").exitCode(), 3);
  EXPECT_EQ(Error(fault::OutOfMemory, "x").exitCode(), 3);
  EXPECT_EQ(Error(fault::CannotWrite, "x", "y").exitCode(), 1);
}

TEST(Error, WithoutPlaceIsHeadlineAndRemarks) {
  EXPECT_STREQ(Error(fault::DataMissing, "a.csv").help("look").what(),
               "error[E0802]: `a.csv` does not exist\n  = help: look\n");
}

TEST(Error, CropsLongLinesAndControlCharacters) {
  std::string line = std::string(500, 'a') + "\x1b\t" + std::string(500, 'b');
  std::string text =
      Error(fault::NotFinite, "x").at({"f", 1, "", line, 500, 501, ""}).what();
  EXPECT_NE(text.find("...aaa"), std::string::npos);
  EXPECT_NE(text.find("a? b"), std::string::npos);
  EXPECT_NE(text.find("bbb..."), std::string::npos);
  size_t mark = text.find('^'), quoted = text.find('?');
  // Both stand in the same column of their lines.
  EXPECT_EQ(mark - text.rfind('\n', mark), quoted - text.rfind('\n', quoted));
}

TEST(Error, CountsUtf8CharactersAsOneColumn) {
  std::string text =
      Error(fault::NotFinite, "x").at({"f", 1, "", "äöx", 4, 5, ""}).what();
  EXPECT_NE(text.find("1 | äöx\n  |   ^\n"), std::string::npos) << text;
}

TEST(Error, PrintsNothingThatWouldActOnTheTerminal) {
  std::string cell("\0\xFF\x1b[2J", 6);
  std::string text = Error(fault::NotFinite, cell)
                         .at({"f\n", 1, "column \"\x07\"", cell, 1, 2, ""})
                         .note(cell)
                         .what();
  EXPECT_EQ(text, "error[E0815]: `???[2J` is not a finite number\n"
                  " --> f?:1, column \"?\"\n"
                  "1 | ???[2J\n"
                  "  |  ^\n"
                  "  = note: ???[2J\n");
}

TEST(Error, UsesColourOnlyWhenAsked) {
  Error error(fault::DataMissing, "a");
  EXPECT_EQ(error.render(false).find('\033'), std::string::npos);
  EXPECT_NE(error.render(true).find("\033[1;31merror[E0802]\033[0m"),
            std::string::npos);
}
