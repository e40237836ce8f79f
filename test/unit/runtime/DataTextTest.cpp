#include "runtime/data/DataText.h"

#include "test/unit/runtime/Gzip.h"
#include "test/unit/runtime/ScratchFolder.h"

#include "runtime/data/CsvFields.h"

#include <numeric>

using namespace gradus;

namespace {

class DataTextFile : public ScratchFolder {
protected:
  static std::vector<std::string> texts(const CsvTable &table, size_t row) {
    CsvRow cells;
    table.read(row, cells);
    std::vector<std::string> out;
    for (const CsvCell &cell : cells)
      out.emplace_back(cell.text);
    return out;
  }
};

/// More than is in memory at once.
constexpr size_t kLong = 1'000'000;

/// Lines `0,0`, `1,1`, ... up to about kLong bytes.
std::string manyRows(const std::string &lineEnd) {
  std::string text;
  for (int i = 0; text.size() < kLong; ++i)
    text += std::to_string(i) + "," + std::to_string(i) + lineEnd;
  return text;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_F(DataTextFile, ShowsWhatIsAskedFor) {
  std::string bytes = manyRows("\n");
  DataText text(write("t", bytes));
  EXPECT_EQ(text.size(), bytes.size());
  EXPECT_LT(text.from(0).size(), bytes.size());
  // Forwards, backwards, all of it, and less than is asked for at the end.
  for (size_t at : {size_t(0), kLong - 10, kLong / 2, size_t(17)})
    EXPECT_EQ(text.from(at, 10).substr(0, 10), bytes.substr(at, 10)) << at;
  EXPECT_EQ(text.from(0, bytes.size()), bytes);
  EXPECT_EQ(text.from(bytes.size() - 3, 100), bytes.substr(bytes.size() - 3));
}

TEST_F(DataTextFile, TakesEmptyAndCompressedFiles) {
  EXPECT_EQ(DataText(write("empty", "")).size(), 0u);
  std::string bytes = manyRows("\n");
  DataText text(write("t", gzip(bytes)));
  EXPECT_EQ(text.size(), bytes.size());
  EXPECT_EQ(text.from(kLong / 2, 10).substr(0, 10),
            bytes.substr(kLong / 2, 10));
  EXPECT_NE(messageOf([&] { DataText(write("t.gz", "1,2\n")); }).find("E0807"),
            std::string::npos);
}

TEST_F(DataTextFile, TakesFilesWhoseSizeTheSystemDoesNotTell) {
  ASSERT_EQ(std::filesystem::file_size("/proc/self/stat"), 0u);
  EXPECT_GT(DataText("/proc/self/stat").size(), 0u);
}

TEST_F(DataTextFile, MissingFilesSaySo) {
  std::string message = messageOf([&] { DataText(path("none.csv")); });
  EXPECT_NE(message.find("error[E0802]: `none.csv` does not exist"),
            std::string::npos);
  EXPECT_NE(message.find("--data DIR"), std::string::npos);
}

TEST_F(DataTextFile, RowsMayCrossTheEndOfWhatIsInMemory) {
  for (const char *lineEnd : {"\n", "\r\n", "\n\n"}) {
    CsvTable table(DataText(write("t.csv", manyRows(lineEnd))), {});
    ASSERT_GT(table.rows(), 50'000u);
    // In order and from the back.
    for (size_t row = 0; row < table.rows(); row += 7)
      ASSERT_EQ(texts(table, row), Texts(2, std::to_string(row)));
    for (size_t row = table.rows(); row-- > 0;
         row -= std::min<size_t>(row, 997))
      ASSERT_EQ(texts(table, row), Texts(2, std::to_string(row)));
  }
}

TEST_F(DataTextFile, RowsMayBeLongerThanWhatIsInMemory) {
  std::string wide(kLong, '1'), lines(kLong, '\n');
  CsvTable table(
      DataText(write("t.csv", "1," + wide + "\n2,\"" + lines + "\"\n\"3\",4")),
      false);
  EXPECT_EQ(table.rows(), 3u);
  EXPECT_EQ(texts(table, 0), (Texts{"1", wide}));
  EXPECT_EQ(texts(table, 1), (Texts{"2", lines}));
  EXPECT_EQ(texts(table, 2), (Texts{"3", "4"}));
  EXPECT_EQ(table.place(2, 0).line, 3 + kLong);
}

TEST_F(DataTextFile, QuotesThatStayOpenAreFoundWhereTheyAre) {
  std::string message = messageOf([&] {
    CsvTable(DataText(write("t.csv", "1,2\n3,\"" + manyRows("\n"))), false);
  });
  EXPECT_NE(message.find("error[E0823]: this quoted cell is never closed\n"
                         " --> t.csv:2\n"),
            std::string::npos)
      << message;
}

TEST_F(DataTextFile, NoticesThatTheFileChanged) {
  const std::string changed =
      "error[E0803]: `t.csv` cannot be read: it changed while it was read\n"
      "  = help: start again when nobody writes to it\n";
  std::string text = manyRows("\n");
  CsvTable table(DataText(write("t.csv", text)), {});
  table.checkUnchanged();
  CsvRow cells;
  // Shorter: the rows behind are gone.
  write("t.csv", text.substr(0, 1000));
  EXPECT_EQ(messageOf([&] { table.read(table.rows() / 2, cells); }), changed);
  EXPECT_EQ(messageOf([&] { table.checkUnchanged(); }), changed);
  // As long, but other rows.
  write("t.csv", std::string(text.size(), ','));
  EXPECT_EQ(messageOf([&] { table.read(table.rows() / 2, cells); }), changed);
}

TEST_F(DataTextFile, MessagesOutliveTheTextTheyPointAt) {
  // Pointing at a cell may load another part of the file, or a longer one.
  for (auto [column, bad] :
       {std::pair(size_t(300'000), size_t(0)), {size_t(3), size_t(32'767)}}) {
    std::string first(column, '1'), text;
    for (size_t row = 0; row < 100'000 && text.size() < 2 * kLong; ++row)
      text += first + (row == bad ? ",1;2\n" : ",122\n");
    CsvTable table(DataText(write("t.csv", text)), false);
    std::vector<size_t> rows(table.rows());
    std::iota(rows.begin(), rows.end(), size_t(0));
    Field field;
    field.name = "x";
    const std::vector<std::string> noNames;
    std::vector<CsvField> fields{{field, {1}, noNames}};
    std::string message =
        messageOf([&] { csvValues(table, fields, rows, std::nullopt); });
    EXPECT_NE(message.find("error[E0813]: `1;2` is not a number"),
              std::string::npos)
        << message;
    EXPECT_NE(message.find("cells are separated by commas"), std::string::npos)
        << message;
  }
}
