#include "runtime/data/ArrayFields.h"

#include "runtime/data/DataReader.h"
#include "runtime/run/ResultFiles.h"
#include "test/unit/runtime/NpyBytes.h"
#include "test/unit/runtime/ScratchFolder.h"

using namespace gradus;

namespace {

const Field point{"x", Element::F32, {2}, 0, "real[2]", "m.nn:2"};
const Field label{"y", Element::I32, {}, 3, "index(3)", "m.nn:3"};

class ArrayFields : public ScratchFolder {
protected:
  ArrayFields() {
    source.arrays = {{"x", "x.npy"}, {"y", "y.npy"}};
    writePoints({0, 1, 2, 3, 4, 5, 6, 7});
    writeLabels({0, 2, 1, 0});
  }
  void writePoints(const std::vector<float> &numbers) const {
    write(
        "x.npy",
        npy(headerOf("<f4", "(" + std::to_string(numbers.size() / 2) + ", 2)"),
            bytesOf(numbers)));
  }
  void writeLabels(const std::vector<int64_t> &labels) const {
    write("y.npy",
          npy(headerOf("<i8", "(" + std::to_string(labels.size()) + ",)"),
              bytesOf(labels)));
  }
  Dataset read() const {
    DataInfo info{"d", {point, label}, {{"train", source}}};
    return DataReader(info, {"", folder}).read("train");
  }
  std::string message() const {
    return messageOf([&] { read(); });
  }
  static std::vector<double> numbers(const Tensor &tensor) {
    std::vector<double> out;
    for (int64_t i = 0; i < tensor.elements(); ++i)
      out.push_back(tensor.at(i));
    return out;
  }
  ArraySource source;
};

using Numbers = std::vector<double>;

} // namespace

TEST_F(ArrayFields, NpyFilesHoldAllRowsOfAField) {
  Dataset data = read();
  EXPECT_EQ(data.rows, 4);
  EXPECT_EQ(data.values[0].shape(), (std::vector<int64_t>{4, 2}));
  EXPECT_EQ(numbers(data.values[0]), (Numbers{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(data.values[1].element(), Element::I32);
  EXPECT_EQ(numbers(data.values[1]), (Numbers{0, 2, 1, 0}));
}

TEST_F(ArrayFields, ColumnMajorAndBigEndianFilesAreTurnedRound) {
  write("x.npy", npy(headerOf("<f8", "(4, 2)", true),
                     bytesOf<double>({0, 2, 4, 6, 1, 3, 5, 7})));
  write("y.npy", npy(headerOf(">i2", "(4,)"), {"\0\0\0\2\0\1\0\0", 8}));
  Dataset data = read();
  EXPECT_EQ(numbers(data.values[0]), (Numbers{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(numbers(data.values[1]), (Numbers{0, 2, 1, 0}));
}

TEST_F(ArrayFields, NpzArchivesHoldAnArrayForEachField) {
  Tensor x(Element::F64, {2, 2}), y(Element::U8, {2});
  x.set(3, 0.5);
  y.set(0, 2);
  writeNpz(path("d.npz"), {{"points", npyBytes(x)}, {"y", npyBytes(y)}});
  source.archive = "d.npz";
  source.arrays = {{"x", "points"}, {"y", "y"}};
  Dataset data = read();
  EXPECT_EQ(numbers(data.values[0]), (Numbers{0, 0, 0, 0.5}));
  EXPECT_EQ(numbers(data.values[1]), (Numbers{2, 0}));
  source.arrays = {{"x", "x"}, {"y", "y"}};
  EXPECT_EQ(message(), "error[E1011]: `d.npz` holds no array `x`\n"
                       "  = note: its arrays are `points`, `y`\n");
}

TEST_F(ArrayFields, RowsAndSplitsAreChosenAsInCsv) {
  source.rows = Interval{1, 3};
  EXPECT_EQ(numbers(read().values[0]), (Numbers{2, 3, 4, 5}));
  EXPECT_EQ(numbers(read().values[1]), (Numbers{2, 1}));
  source.rows = std::nullopt;
  source.split = Interval{0, 50};
  Dataset first = read();
  source.split = Interval{50, 100};
  Dataset second = read();
  EXPECT_EQ(first.rows + second.rows, 4);
  EXPECT_EQ(first.values[0].at(0) + first.values[0].at(2) +
                second.values[0].at(0) + second.values[0].at(2),
            12);
  source.split = std::nullopt;
  source.rows = Interval{2, 5};
  EXPECT_EQ(message(), "error[E0820]: rows 2..5 reach past the end of `x.npy`, "
                       "which has 4 rows\n");
}

TEST_F(ArrayFields, LabelOutOfRangeNamesRowAndByte) {
  writeLabels({0, 1, 3, 2});
  size_t start = 10 + headerOf("<i8", "(4,)").size();
  EXPECT_EQ(message(),
            "error[E0801]: label 3 does not fit index(3)\n"
            " --> y.npy, row 2, byte " +
                std::to_string(start + 16) +
                "\n"
                "  = note: field `y: index(3)` is declared at m.nn:3\n"
                "  = help: 4 rows read, labels run from 0 to 3; `index(4)` "
                "would hold them\n");
  writeLabels({0, -1, 0, 0});
  EXPECT_EQ(message().substr(0, 30), "error[E0801]: label -1 does no");
}

TEST_F(ArrayFields, NumbersAreFinite) {
  writePoints({0, 1, 2, NAN, 4, 5, 6, -INFINITY});
  size_t start = 10 + headerOf("<f4", "(4, 2)").size();
  std::string rest =
      "  = note: field `x: real[2]` is declared at m.nn:2\n"
      "  = help: `missing = 0` in the source gives all such numbers a value\n";
  EXPECT_EQ(message(), "error[E0815]: `nan` is not a finite number\n"
                       " --> x.npy, row 1, byte " +
                           std::to_string(start + 12) + "\n" + rest);
  source.rows = Interval{2, 4};
  EXPECT_EQ(message(), "error[E0815]: `-inf` is not a finite number\n"
                       " --> x.npy, row 3, byte " +
                           std::to_string(start + 28) + "\n" + rest);
  source.missing = 9;
  EXPECT_EQ(numbers(read().values[0]), (Numbers{4, 5, 6, 9}));
}

TEST_F(ArrayFields, ShapeAndNumberOfRowsMustFit) {
  write("x.npy", npy(headerOf("<f4", "(4, 1)"), bytesOf<float>({0, 1, 2, 3})));
  EXPECT_EQ(message(),
            "error[E0810]: field `x` is real[2], but each item of `x.npy` is "
            "f32[1]\n"
            "  = note: field `x: real[2]` is declared at m.nn:2\n"
            "  = note: `x.npy` holds float32[4, 1], its first axis counts the "
            "rows\n");
  write("x.npy", npy(headerOf("<f4", "()"), bytesOf<float>({0})));
  EXPECT_NE(message().find("is one number\n"), std::string::npos);
  writePoints({0, 1});
  EXPECT_EQ(message(), "error[E0812]: field `y` has 4 rows, but field `x` has "
                       "1\n"
                       " --> y.npy\n"
                       "  = note: this is split `train` of data `d`\n");
  writePoints({});
  EXPECT_EQ(message(), "error[E0821]: `x.npy` holds no rows\n");
}

TEST_F(ArrayFields, KindOfNumberMustFit) {
  write("x.npy", npy(headerOf("<i8", "(1, 2)"), bytesOf<int64_t>({1, 2})));
  EXPECT_EQ(message(), "error[E1007]: `x.npy` holds int64[1, 2], but `x` is "
                       "real[2]\n"
                       "  = help: convert it: `x.astype('float32')`\n"
                       "  = note: field `x: real[2]` is declared at m.nn:2\n");
}

TEST_F(ArrayFields, TruncatedAndMissingFilesAreNamed) {
  std::string bytes = contents("x.npy");
  write("x.npy", bytes.substr(0, bytes.size() - 3));
  EXPECT_EQ(message(), "error[E1006]: `x.npy` is not a valid npy file: it "
                       "holds 29 bytes of elements, but its header says "
                       "float32[4, 2]\n --> x.npy, byte " +
                           std::to_string(bytes.size() - 3) + "\n");
  source.arrays[0].second = "no.npy";
  EXPECT_EQ(message(), "error[E0802]: `no.npy` does not exist\n"
                       "  = help: `--data DIR` changes the folder in which "
                       "data files are found\n");
}
