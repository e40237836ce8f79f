#include "runtime/data/DataReader.h"

#include "test/unit/runtime/Gzip.h"
#include "test/unit/runtime/ScratchFolder.h"

#include <cmath>
#include <set>

using namespace gradus;

namespace {

Field realField(std::string name, std::vector<int64_t> shape = {}) {
  std::string type = shape.empty() ? "real" : "real[D]";
  return {std::move(name), Element::F32, std::move(shape), 0, type, "m.nn:2"};
}
Field labelField(int64_t classes) {
  return {"y",
          Element::I32,
          {},
          classes,
          "index(" + std::to_string(classes) + ")",
          "m.nn:3"};
}

class DataReading : public ScratchFolder {
protected:
  /// The split `train` of a file with this text.
  DataInfo csv(const std::string &text, std::vector<Field> fields,
               CsvSource source = {}) const {
    source.file = "t.csv";
    write("t.csv", text);
    return {"d", std::move(fields), {{"train", source}}};
  }
  DataReader reader(DataInfo info,
                    std::optional<ClassNames> names = std::nullopt) const {
    return DataReader(std::move(info), {"", folder}, std::move(names));
  }
  std::string messageFor(DataInfo info, std::string split = "train") const {
    return messageOf([&] { reader(info).read(split); });
  }
  std::string messageFor(const std::string &text, std::vector<Field> fields,
                         CsvSource source = {}) const {
    return messageFor(csv(text, std::move(fields), std::move(source)));
  }
  static std::vector<double> numbers(const Tensor &tensor) {
    std::vector<double> out;
    for (int64_t i = 0; i < tensor.elements(); ++i)
      out.push_back(tensor.at(i));
    return out;
  }
};

using Numbers = std::vector<double>;

} // namespace

TEST_F(DataReading, ColumnsByNameByRangeAndByTheFieldsName) {
  CsvSource source;
  source.columns = {{"x", Columns::range(0, 2)}, {"y", Columns::named("c")}};
  Dataset rows =
      reader(csv("a,b,c,z\n1,2,3,7\n4,5,6,8\n",
                 {realField("x", {2}), realField("y"), realField("z")}, source))
          .read("train");
  EXPECT_EQ(rows.rows, 2);
  EXPECT_EQ(rows.values[0].shape(), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(numbers(rows.values[0]), (Numbers{1, 2, 4, 5}));
  EXPECT_EQ(numbers(rows.values[1]), (Numbers{3, 6}));
  EXPECT_EQ(numbers(rows.values[2]), (Numbers{7, 8}));
  EXPECT_EQ(rows.find("z"), 2);
  EXPECT_EQ(rows.find("w"), -1);
}

/// Rows of numbers and others between each other give the same values: signs,
/// blanks, line ends, quotes around commas and line feeds, in columns that no
/// field reads, too.
TEST_F(DataReading, RowsOfNumbersAmongOthers) {
  CsvSource source;
  source.columns = {{"x", {{{"b", {}}, {"a", {}}}}},
                    {"y", Columns::named("d")}};
  Dataset rows = reader(csv("a,b,c,d\n"
                            "1,2,3,0\n"
                            " +1 ,\t-2e1 , none,1 \r\n"
                            "\"3\",4,\"5,6\n7,8\",2\n"
                            "5,6,\"7,2\n8,9\",1\n"
                            "7,8,\"\"\"9\"\",1\",0\n\n"
                            "9,1e-50,,2",
                            {realField("x", {2}), labelField(3)}, source))
                     .read("train");
  EXPECT_EQ(numbers(rows.values[0]),
            (Numbers{2, 1, -20, 1, 4, 3, 6, 5, 8, 7, 0, 9}));
  EXPECT_EQ(numbers(rows.values[1]), (Numbers{0, 1, 2, 1, 0, 2}));

  source.columns = {{"x", {{{"b", {}}, {"b", {}}}}}};
  EXPECT_EQ(
      numbers(reader(csv("a,b\n1,2\n3,4\n", {realField("x", {2})}, source))
                  .read("train")
                  .values[0]),
      (Numbers{2, 2, 4, 4}));
}

TEST_F(DataReading, ColumnsByListInItsOrderAndFromTheEnd) {
  CsvSource source;
  source.columns = {{"x", {{{"c", {}}, {"a", {}}}}},
                    {"y", Columns::number(-1)}};
  Dataset rows = reader(csv("a,b,c,d\n1,2,3,4\n",
                            {realField("x", {2}), realField("y")}, source))
                     .read("train");
  EXPECT_EQ(numbers(rows.values[0]), (Numbers{3, 1}));
  EXPECT_EQ(numbers(rows.values[1]), (Numbers{4}));
}

TEST_F(DataReading, CompressedFilesAndEveryElementType) {
  CsvSource source;
  source.file = "t.csv.gz";
  source.header = false;
  source.columns = {{"a", Columns::number(0)},
                    {"b", Columns::number(1)},
                    {"c", Columns::number(2)},
                    {"d", Columns::number(3)},
                    {"e", Columns::number(4)}};
  write("t.csv.gz", gzip("1.5,255,-7,true,9007199254740992\n"));
  std::vector<Field> fields = {realField("a"),
                               {"b", Element::U8},
                               {"c", Element::I32},
                               {"d", Element::Bool},
                               {"e", Element::I64}};
  fields[0].element = Element::F64;
  Dataset rows = reader({"d", fields, {{"train", source}}}).read("train");
  EXPECT_EQ(rows.values[0].at(0), 1.5);
  EXPECT_EQ(rows.values[1].at(0), 255);
  EXPECT_EQ(rows.values[2].at(0), -7);
  EXPECT_EQ(rows.values[3].at(0), 1);
  EXPECT_EQ(rows.values[4].as<int64_t>()[0], int64_t(1) << 53);
}

TEST_F(DataReading, RowsAreTakenFromTheirRange) {
  CsvSource source;
  source.columns = {{"y", Columns::number(0)}};
  source.rows = Interval{1, 3};
  EXPECT_EQ(numbers(reader(csv("1\n2\n3\n4\n", {realField("y")}, source))
                        .read("train")
                        .values[0]),
            (Numbers{2, 3}));
  source.rows = Interval{-1, std::nullopt};
  EXPECT_EQ(numbers(reader(csv("1\n2\n3\n4\n", {realField("y")}, source))
                        .read("train")
                        .values[0]),
            (Numbers{4}));
}

TEST_F(DataReading, SplitsAreDisjointCompleteAndSeeded) {
  std::string text;
  for (int i = 0; i < 101; ++i)
    text += std::to_string(i) + "\n";
  auto split = [&](int64_t begin, int64_t end, uint64_t seed) {
    CsvSource source;
    source.columns = {{"y", Columns::number(0)}};
    source.split = Interval{begin, end};
    source.seed = seed;
    return numbers(
        reader(csv(text, {realField("y")}, source)).read("train").values[0]);
  };
  Numbers train = split(0, 80, 3), test = split(80, 100, 3);
  EXPECT_EQ(train.size(), 80u);
  EXPECT_EQ(test.size(), 21u);
  std::set<double> all(train.begin(), train.end());
  all.insert(test.begin(), test.end());
  EXPECT_EQ(all.size(), 101u);
  EXPECT_TRUE(std::is_sorted(train.begin(), train.end()));
  EXPECT_EQ(train, split(0, 80, 3));
  EXPECT_NE(train, split(0, 80, 4));
  // It is a draw, not the head of the file.
  EXPECT_GT(train.back(), 80);
}

TEST_F(DataReading, TextLabelsAreNumberedByTheTrainingSplit) {
  CsvSource first, rest;
  first.rows = Interval{0, 3};
  rest.rows = Interval{3, 5};
  DataInfo info =
      csv("y\nnone\nbig\nsmall\nsmall\nbig\n", {labelField(3)}, first);
  rest.file = "t.csv";
  info.splits.push_back({"test", rest});
  DataReader data = reader(info);
  EXPECT_EQ(numbers(data.read("test").values[0]), (Numbers{2, 0}));
  EXPECT_EQ(numbers(data.read("train").values[0]), (Numbers{1, 0, 2}));
  EXPECT_EQ(data.classNames().at("y"),
            (std::vector<std::string>{"big", "none", "small"}));
}

TEST_F(DataReading, SavedLabelsAreUsed) {
  ClassNames saved{{"y", {"big", "huge", "small"}}};
  EXPECT_EQ(numbers(reader(csv("y\nsmall\n", {labelField(3)}), saved)
                        .read("train")
                        .values[0]),
            (Numbers{2}));
}

TEST_F(DataReading, MissingValuesAreReplaced) {
  CsvSource source;
  source.missing = -1;
  EXPECT_EQ(numbers(reader(csv("y\n1\nNA\n?\nnan\n-inf\n\"\"\n2\n",
                               {realField("y")}, source))
                        .read("train")
                        .values[0]),
            (Numbers{1, -1, -1, -1, -1, -1, 2}));
}

TEST_F(DataReading, LabelOutOfRangeIsShownAsInTheReference) {
  EXPECT_EQ(messageFor("a,y\n1,3\n7,12\n2,11\n", {labelField(10)}),
            R"(error[E0801]: label 12 does not fit index(10)
 --> t.csv:3, column "y"
3 | 7,12
  |   ^^ allowed: 0 to 9
  = note: field `y: index(10)` is declared at m.nn:3
  = help: 3 rows read, labels run from 3 to 12; `index(13)` would hold them
)");
  EXPECT_NE(messageFor("y\n1\n-1\n", {labelField(10)})
                .find("labels run from -1 to 1\n"),
            std::string::npos);
}

TEST_F(DataReading, BadCells) {
  EXPECT_EQ(messageFor("a,x\n1,2\n1,2.x\n", {realField("x")}),
            R"(error[E0813]: `2.x` is not a number
 --> t.csv:3, column "x"
3 | 1,2.x
  |   ^^^
  = note: field `x: real` is declared at m.nn:2
)");
  Field pixel{"x", Element::U8, {}, 0, "u8", ""};
  EXPECT_EQ(messageFor("x\n256\n", {pixel}),
            R"(error[E0813]: `256` is not a whole number from 0 to 255
 --> t.csv:2, column "x"
2 | 256
  | ^^^
  = note: field `x: u8` is declared so
)");
  EXPECT_NE(messageFor("x\n1.5\n", {pixel}).find("E0813"), std::string::npos);
  EXPECT_NE(messageFor("y\n1.5\n", {labelField(3)})
                .find("`1.5` is not a whole number\n"),
            std::string::npos);
  EXPECT_NE(messageFor("x\n1e39\n", {realField("x")})
                .find("`1e39` is not a number that f32 can hold"),
            std::string::npos);
  EXPECT_NE(messageFor("x\nmaybe\n", {{"x", Element::Bool}})
                .find("is not `true`, `false`, 0 or 1"),
            std::string::npos);
  CsvSource noHeader;
  noHeader.header = false;
  noHeader.columns = {{"x", Columns::number(0)}};
  EXPECT_NE(
      messageFor("1;2\n", {realField("x")}, noHeader)
          .find("t.csv:1, column 0\n1 | 1;2\n  | ^^^\n  = note: field `x: "
                "real` is declared at m.nn:2\n  = help: cells are "
                "separated by commas"),
      std::string::npos);
}

TEST_F(DataReading, MissingCells) {
  EXPECT_EQ(messageFor("a,x\n1,\n", {realField("x")}),
            R"(error[E0814]: the value of column "x" is missing
 --> t.csv:2, column "x"
2 | 1,
  |   ^ no value
  = note: field `x: real` is declared at m.nn:2
  = help: `missing = 0` in `csv(...)` gives all such cells a value
)");
  EXPECT_NE(messageFor("y\na\nNA\n", {labelField(3)}).find("E0814"),
            std::string::npos);
  CsvSource test;
  test.file = "t.csv";
  test.rows = Interval{1, 2};
  CsvSource train = test;
  train.rows = Interval{0, 1};
  DataInfo info = csv("y\na\nNA\n", {labelField(3)}, train);
  info.splits.push_back({"test", test});
  EXPECT_NE(messageFor(info, "test").find("E0814"), std::string::npos);
}

TEST_F(DataReading, NotFiniteCells) {
  EXPECT_EQ(messageFor("x\ninf\n", {realField("x")}),
            R"(error[E0815]: `inf` is not a finite number
 --> t.csv:2, column "x"
2 | inf
  | ^^^
  = note: field `x: real` is declared at m.nn:2
  = help: `missing = 0` in `csv(...)` gives all such cells a value
)");
}

TEST_F(DataReading, UnknownColumn) {
  CsvSource source;
  source.columns = {{"x", Columns::named("hight")}};
  EXPECT_EQ(messageFor("width,height\n1,2\n", {realField("x")}, source),
            "error[E0817]: there is no column \"hight\" in `t.csv`\n"
            "  = note: its columns are width, height\n"
            "  = help: did you mean \"height\"?\n");
  source.columns = {{"x", Columns::named("q")}};
  EXPECT_EQ(messageFor("width,height\n1,2\n", {realField("x")}, source),
            "error[E0817]: there is no column \"q\" in `t.csv`\n"
            "  = note: its columns are width, height\n");
}

TEST_F(DataReading, ColumnNamedTwice) {
  EXPECT_EQ(messageFor("\nx, y ,z,y,y\n1,2,3,4,5\n", {realField("y")}),
            R"(error[E0828]: `t.csv` has several columns "y"
 --> t.csv:2
2 | x, y ,z,y,y
  |         ^ column 3; the first is column 1
  = note: field `y: real` is declared at m.nn:2
  = help: say which one by its number: `y = 1` or `y = 3`, or rename one in the file
)");
  // Others may have any names; and a number is never in doubt.
  EXPECT_EQ(messageFor("x,y,y\n1,2,3\n", {realField("x")}), "");
  CsvSource source;
  source.columns = {{"y", Columns::number(2)}};
  EXPECT_EQ(messageFor("x,y,y\n1,2,3\n", {realField("y")}, source), "");
}

TEST_F(DataReading, ColumnPastTheEnd) {
  CsvSource source;
  source.columns = {{"x", Columns::number(2)}};
  EXPECT_EQ(messageFor("1,2\n", {realField("x")}, source),
            "error[E0818]: there is no column 2 in `t.csv`, which has 2 "
            "columns\n  = note: columns are counted from 0\n");
  source.columns = {{"x", Columns::range(1, 5)}};
  EXPECT_NE(messageFor("1,2\n", {realField("x", {4})}, source)
                .find("there is no column 2 in"),
            std::string::npos);
  source.columns = {{"x", Columns::number(-3)}};
  EXPECT_NE(messageFor("1,2\n", {realField("x")}, source)
                .find("there is no column -3 in"),
            std::string::npos);
}

TEST_F(DataReading, ColumnCountIsTheFieldsSize) {
  CsvSource source;
  source.columns = {{"x", Columns::range(0, 2)}};
  EXPECT_EQ(messageFor("1,2,3,4\n", {realField("x", {3})}, source),
            "error[E0819]: field `x` is real[D], which takes 3 columns, but 2 "
            "are given\n"
            "  = note: field `x: real[D]` is declared at m.nn:2\n"
            "  = note: `t.csv` has 4 columns\n");
}

TEST_F(DataReading, RowsPastTheEnd) {
  CsvSource source;
  source.columns = {{"x", Columns::number(0)}};
  source.rows = Interval{2, 5};
  EXPECT_EQ(
      messageFor("1\n2\n3\n", {realField("x")}, source),
      "error[E0820]: rows 2..5 reach past the end of `t.csv`, which has 3 "
      "rows\n");
}

TEST_F(DataReading, NoRows) {
  EXPECT_EQ(messageFor("x\n", {realField("x")}),
            "error[E0821]: `t.csv` holds no rows\n");
  CsvSource source;
  source.rows = Interval{1, 1};
  EXPECT_EQ(messageFor("x\n1\n", {realField("x")}, source),
            "error[E0821]: `t.csv` holds no rows in `rows = 1..1`\n");
  source.rows.reset();
  source.split = Interval{0, 50};
  EXPECT_EQ(messageFor("x\n1\n", {realField("x")}, source),
            "error[E0821]: `t.csv` holds no rows in `split = 0..50`\n");
}

TEST_F(DataReading, ColumnNameWithoutAHeader) {
  EXPECT_EQ(
      messageFor("1,2\n", {realField("x")}),
      "error[E0822]: column \"x\" is asked for by name, but `t.csv` has no "
      "header\n"
      "  = note: field `x: real` is declared at m.nn:2\n"
      "  = help: give its number from 0: `x = 1` is the last column\n");
}

TEST_F(DataReading, TooManyTextLabels) {
  EXPECT_EQ(messageFor("y\na\nc\nb\na\n", {labelField(2)}),
            "error[E0824]: column \"y\" has 3 different labels, but `y` is "
            "index(2)\n"
            "  = note: its labels are a, b, c\n"
            "  = note: field `y: index(2)` is declared at m.nn:3\n");
}

TEST_F(DataReading, LabelUnknownToTheTrainingSplit) {
  CsvSource train, test;
  train.rows = Interval{0, 2};
  test.rows = Interval{2, 3};
  test.file = "t.csv";
  DataInfo info = csv("y\na\nb\nc\n", {labelField(3)}, train);
  info.splits.push_back({"test", test});
  EXPECT_EQ(messageFor(info, "test"),
            R"(error[E0825]: label "c" does not occur in the training split
 --> t.csv:4, column "y"
4 | c
  | ^
  = note: its labels are a, b
)");
}

TEST_F(DataReading, BadSplit) {
  CsvSource source;
  source.split = Interval{80, 120};
  EXPECT_EQ(messageFor("x\n1\n", {realField("x")}, source),
            "error[E0826]: `split = 80..120` is not a part of 0..100 per "
            "cent\n");
}

TEST_F(DataReading, LabelsAreUtf8) {
  EXPECT_EQ(messageFor("y\ngr\xFCn\n", {labelField(2)}),
            "error[E0827]: line 2 of `t.csv` is not UTF-8 text\n");
}

TEST_F(DataReading, UnknownSplit) {
  EXPECT_EQ(messageFor(csv("x\n1\n", {realField("x")}), "valid"),
            "error[E1012]: data `d` has no split `valid`\n"
            "  = note: its splits are `train`\n");
}

TEST_F(DataReading, IdxFilesOfOneSplitHaveEquallyManyRows) {
  Field image{"image", Element::U8, {2}, 0, "u8[2]", ""};
  IdxSource source{{{"y", "labels"}, {"image", "images"}}};
  DataInfo info{"d", {image, labelField(3)}, {{"train", source}}};
  write("images", idx({2, 2}, "abcd"));
  write("labels", idx({2}, {"\x00\x02", 2}));
  Dataset rows = reader(info).read("train");
  EXPECT_EQ(rows.rows, 2);
  EXPECT_EQ(numbers(rows.values[1]), (Numbers{0, 2}));
  write("labels", idx({1}, {"\x00", 1}));
  EXPECT_EQ(messageFor(info),
            "error[E0812]: field `y` has 1 row, but field `image` has 2\n"
            " --> labels, byte 4\n"
            "  = note: this is split `train` of data `d`\n");
  write("images", idx({0, 2}, ""));
  EXPECT_EQ(messageFor(info), "error[E0821]: `images` holds no rows\n");
}

TEST(FashionMnist, IsReadFromDebiansPackage) {
  std::string folder = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  DataInfo info{
      "fashion",
      {{"image", Element::U8, {28, 28}}, {"label", Element::I32, {}, 10}},
      {{"train", IdxSource{{{"image", "train-images-idx3-ubyte.gz"},
                            {"label", "train-labels-idx1-ubyte.gz"}}}}}};
  Dataset train = DataReader(info, {folder, ""}).read("train");
  EXPECT_EQ(train.rows, 60000);
  std::vector<int> counts(10);
  for (int32_t label : train.values[1].as<int32_t>())
    ++counts.at(size_t(label));
  for (int count : counts)
    EXPECT_EQ(count, 6000);
}
