#include "runtime/data/Csv.h"

#include "test/unit/runtime/ScratchFolder.h"

#include <cmath>

using namespace gradus;

namespace {

CsvTable parse(const std::string &text,
               std::optional<bool> header = std::nullopt) {
  return CsvTable(DataText("t.csv", {text.begin(), text.end()}), header);
}

std::vector<std::string> texts(const CsvTable &table, size_t row) {
  std::vector<std::string> out;
  CsvRow cells;
  table.read(row, cells);
  for (const CsvCell &cell : cells)
    out.emplace_back(cell.text);
  return out;
}

std::string messageFor(const std::string &text) {
  try {
    parse(text);
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

using Texts = std::vector<std::string>;

} // namespace

TEST(Csv, CutsRowsAndCells) {
  CsvTable table = parse("1,2\n3,4\n");
  EXPECT_EQ(table.rows(), 2u);
  EXPECT_EQ(table.columns(), 2u);
  EXPECT_TRUE(table.header().empty());
  EXPECT_EQ(texts(table, 1), (Texts{"3", "4"}));
}

TEST(Csv, FirstRowIsAHeaderIfACellIsNoNumber) {
  EXPECT_EQ(parse("a,b\n1,2\n").header(), (Texts{"a", "b"}));
  EXPECT_EQ(parse("1,b\n1,2\n").header(), (Texts{"1", "b"}));
  EXPECT_TRUE(parse("1,2e5\n1,2\n").header().empty());
  EXPECT_TRUE(parse("1,\n1,2\n").header().empty());
  EXPECT_TRUE(parse("1,nan\n1,2\n").header().empty());
}

TEST(Csv, HeaderCanBeDecided) {
  EXPECT_EQ(parse("a,b\n", false).rows(), 1u);
  EXPECT_EQ(parse("1,2\n3,4\n", true).header(), (Texts{"1", "2"}));
}

TEST(Csv, TakesBlankLinesCarriageReturnsBlanksAndAMark) {
  CsvTable table = parse("\xEF\xBB\xBF"
                         "a,b\r\n\r\n 1 ,\t2\r\n\n3,4");
  EXPECT_EQ(table.header(), (Texts{"a", "b"}));
  EXPECT_EQ(table.rows(), 2u);
  EXPECT_EQ(texts(table, 0), (Texts{"1", "2"}));
  EXPECT_EQ(texts(table, 1), (Texts{"3", "4"}));
  EXPECT_EQ(table.place(1, 0).line, 5u);
}

TEST(Csv, TakesQuotedCells) {
  CsvTable table =
      parse("\"a,b\",\"say \"\"hi\"\"\"\n\"two\nlines\",x\ny,z\n", false);
  EXPECT_EQ(texts(table, 0), (Texts{"a,b", "say \"hi\""}));
  EXPECT_EQ(texts(table, 1), (Texts{"two\nlines", "x"}));
  EXPECT_EQ(table.place(2, 0).line, 4u);
}

TEST(Csv, EmptyCellsAreCells) {
  CsvTable table = parse("1,,3\n,,\n");
  EXPECT_EQ(texts(table, 0), (Texts{"1", "", "3"}));
  EXPECT_EQ(texts(table, 1), (Texts{"", "", ""}));
}

TEST(Csv, RowsHaveOneLength) {
  EXPECT_EQ(messageFor("a,b,c\n1,2,3\n4,5\n"),
            "error[E0816]: this row has 2 cells, the first one has 3\n"
            " --> t.csv:3\n"
            "3 | 4,5\n"
            "  |   ^ the last one\n"
            "  = help: an empty cell still needs its comma\n");
  EXPECT_EQ(messageFor("1,2\n1,5,6\n"),
            "error[E0816]: this row has 3 cells, the first one has 2\n"
            " --> t.csv:2\n"
            "2 | 1,5,6\n"
            "  |     ^ the last one\n"
            "  = help: a cell that contains a comma is written in quotes\n");
}

TEST(Csv, QuotesAreClosed) {
  EXPECT_EQ(messageFor("1,2\n3,\"4\n5,6\n"),
            "error[E0823]: this quoted cell is never closed\n"
            " --> t.csv:2\n"
            "2 | 3,\"4\n"
            "  |   ^ opened here\n");
  EXPECT_NE(messageFor("\"1\n2\",\"4\n").find("2 | 2\",\"4\n  |    ^"),
            std::string::npos);
}

TEST(Csv, HeaderIsUtf8) {
  EXPECT_EQ(messageFor("gr\xFC"
                       "n,b\n1,2\n"),
            "error[E0827]: line 1 of `t.csv` is not UTF-8 text\n");
  EXPECT_EQ(messageFor(std::string("\xFF\xFE"
                                   "1\0",
                                   4)),
            "error[E0827]: line 1 of `t.csv` is not UTF-8 text\n"
            "  = help: it seems to be UTF-16; save it as UTF-8\n");
}

TEST(Csv, EmptyTextHasNoRows) {
  EXPECT_EQ(parse("").rows(), 0u);
  EXPECT_EQ(parse("\n\n").rows(), 0u);
}

TEST(Csv, Numbers) {
  EXPECT_EQ(parseNumber("1.5"), 1.5);
  EXPECT_EQ(parseNumber("+2"), 2.0);
  EXPECT_EQ(parseNumber("-1e-3"), -1e-3);
  EXPECT_TRUE(std::isinf(*parseNumber("1e999")));
  EXPECT_EQ(parseNumber("1e-999"), 0.0);
  EXPECT_TRUE(std::isnan(*parseNumber("NaN")));
  EXPECT_TRUE(std::isinf(*parseNumber("-inf")));
  for (const char *text : {"", "+", "+-1", "1.5x", "0x10", "1,5", " 1", "abc"})
    EXPECT_FALSE(parseNumber(text)) << text;
}
