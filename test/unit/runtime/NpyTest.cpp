#include "runtime/data/Npy.h"

#include "runtime/run/ResultFiles.h"
#include "test/unit/runtime/NpyBytes.h"
#include "test/unit/runtime/ScratchFolder.h"

#include <cmath>

using namespace gradus;

namespace {

class NpyFiles : public ScratchFolder {
protected:
  NpyArray read(const std::string &bytes) const {
    return readNpy(write("x.npy", bytes));
  }
  std::string messageFor(const std::string &bytes) const {
    return messageOf([&] { read(bytes); });
  }
  /// Why a file is refused.
  std::string reason(const std::string &bytes) const {
    std::string text = messageFor(bytes);
    std::string start = "error[E1006]: `x.npy` is not a valid npy file: ";
    return text.starts_with(start)
               ? text.substr(start.size(), text.find('\n') - start.size())
               : text;
  }
  ValueType real{"x", "real[B]", Element::F32, 0};
  ValueType label{"y", "index(10)", Element::I32, 10};
};

} // namespace

TEST_F(NpyFiles, RoundTripEveryElementType) {
  for (Element element : {Element::F32, Element::F64, Element::I32,
                          Element::I64, Element::U8, Element::Bool}) {
    for (std::vector<int64_t> shape :
         {std::vector<int64_t>{}, {3}, {2, 3}, {0, 2}}) {
      Tensor tensor(element, shape);
      for (int64_t i = 0; i < tensor.elements(); ++i)
        tensor.set(i, double(i % 2));
      writeNpy(path("x.npy"), tensor);
      NpyArray array = readNpy(path("x.npy"));
      EXPECT_EQ(array.shape, shape);
      Tensor back = toTensor(array, {"x", "", element, 0});
      EXPECT_EQ(back.element(), element);
      for (int64_t i = 0; i < tensor.elements(); ++i)
        EXPECT_EQ(back.at(i), tensor.at(i));
    }
  }
}

TEST_F(NpyFiles, AreWrittenAsNumpyDoes) {
  Tensor tensor(Element::F32, {2, 3});
  std::string bytes = npyBytes(tensor);
  EXPECT_EQ(bytes.size(), 128u + 24);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(bytes.substr(10, 60),
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } ");
  EXPECT_EQ(bytes[127], '\n');
  EXPECT_NE(npyBytes(Tensor(Element::F64, {5})).find("'shape': (5,), }"),
            std::string::npos);
  EXPECT_NE(npyBytes(Tensor(Element::F64, {})).find("'shape': (), }"),
            std::string::npos);
}

TEST_F(NpyFiles, IndicesAreWrittenAsInt64) {
  Tensor tensor(Element::I32, {2});
  tensor.set(1, 7);
  NpyArray array = read(npyBytes(tensor, true));
  EXPECT_EQ(array.text(), "int64[2]");
  EXPECT_EQ(array.whole(1), 7);
}

TEST_F(NpyFiles, OfEveryWidthAreRead) {
  EXPECT_EQ(read(npy(headerOf("|i1", "(1,)"), bytesOf<int8_t>({-5}))).whole(0),
            -5);
  EXPECT_EQ(
      read(npy(headerOf("<u2", "(1,)"), bytesOf<uint16_t>({65535}))).whole(0),
      65535);
  EXPECT_EQ(
      read(npy(headerOf("<i2", "(1,)"), bytesOf<int16_t>({-300}))).whole(0),
      -300);
  EXPECT_EQ(
      read(npy(headerOf("<u4", "(1,)"), bytesOf<uint32_t>({~0u}))).whole(0),
      0xFFFFFFFF);
  EXPECT_EQ(
      read(npy(headerOf("<u8", "(1,)"), bytesOf<uint64_t>({~0ull}))).whole(0),
      INT64_MAX);
  NpyArray half = read(npy(headerOf("<f2", "(4,)"),
                           bytesOf<uint16_t>({0x3C00, 0xC500, 1, 0x7C00})));
  EXPECT_EQ(half.real(0), 1);
  EXPECT_EQ(half.real(1), -5);
  EXPECT_EQ(half.real(2), std::ldexp(1, -24));
  EXPECT_TRUE(std::isinf(half.real(3)));
}

TEST_F(NpyFiles, Version2AndBigEndianAndColumnMajorAreRead) {
  EXPECT_EQ(read(npy(headerOf("<f4", "(1,)"), bytesOf<float>({2}), 2)).real(0),
            2);
  EXPECT_EQ(
      read(npy(headerOf(">i4", "(1,)"), {"\x00\x00\x01\x02", 4})).whole(0),
      258);
  // Columns (1, 2), (3, 4), (5, 6).
  NpyArray array = read(npy(headerOf("<f8", "(2, 3)", true),
                            bytesOf<double>({1, 2, 3, 4, 5, 6})));
  std::vector<double> rows;
  for (int64_t i = 0; i < 6; ++i)
    rows.push_back(array.real(i));
  EXPECT_EQ(rows, (std::vector<double>{1, 3, 5, 2, 4, 6}));
}

TEST_F(NpyFiles, OthersAreRefused) {
  EXPECT_EQ(messageOf([&] { readNpy(path("no.npy")); }),
            "error[E0802]: `no.npy` does not exist\n");
  EXPECT_EQ(messageFor(npy("{'a': 1}", "")),
            "error[E1006]: `x.npy` is not a valid npy file: its header has the "
            "unknown entry `a`\n --> x.npy, byte 15\n");
  EXPECT_EQ(reason("hello"), "it does not start with the word NUMPY");
  EXPECT_EQ(reason(npy("{}", "", 3)),
            "it has version 3, only 1 and 2 are read");
  EXPECT_EQ(reason(npy(headerOf("<f4", "(1,)"), "").substr(0, 20)),
            "it ends within its header");
  EXPECT_EQ(reason(npy("", "", 2).substr(0, 11)), "it ends within its header");
  std::string noDictionary =
      "its header is not a dictionary with descr, fortran_order and shape";
  for (const char *header :
       {"", "{}", "{'descr': '<f4'}", "{'descr': '<f4", "{'descr' '<f4'}",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x"})
    EXPECT_EQ(reason(npy(header, "")), noDictionary) << header;
  EXPECT_EQ(reason(npy("{'a': 1}", "")),
            "its header has the unknown entry `a`");
  EXPECT_EQ(reason(npy("{'descr': [('a', '<f4')]}", "")),
            "its elements are records, not numbers");
  for (const char *descr : {"<c8", "|O", "<U3", "<f16", "f4"})
    EXPECT_EQ(reason(npy(headerOf(descr, "()"), "")),
              std::string("its elements are `") + descr +
                  "`, which are no numbers Gradus reads");
  EXPECT_EQ(reason(npy(headerOf("<f4", "(2,)"), "1234567")),
            "it holds 7 bytes of elements, but its header says float32[2]");
  EXPECT_EQ(reason(npy(headerOf("<f4", "(4611686018427387904, 4)"), ""))
                .substr(0, 16),
            "it holds 0 bytes");
}

TEST_F(NpyFiles, RealTakesRealNumbersOnly) {
  EXPECT_EQ(
      toTensor(read(npy(headerOf("<f8", "()"), bytesOf<double>({0.5}))), real)
          .as<float>()[0],
      0.5f);
  EXPECT_EQ(messageOf([&] {
              toTensor(read(npy(headerOf("<i4", "(1,)"), bytesOf<int>({1}))),
                       real);
            }),
            "error[E1007]: `x.npy` holds int32[1], but `x` is real[B]\n"
            "  = help: convert it: `x.astype('float32')`\n");
}

TEST_F(NpyFiles, IndexTakesWholeNumbersInRange) {
  EXPECT_EQ(toTensor(read(npy(headerOf("|u1", "(1,)"), "\x09")), label)
                .as<int32_t>()[0],
            9);
  EXPECT_EQ(messageOf([&] {
              toTensor(
                  read(npy(headerOf("<i8", "(2,)"), bytesOf<int64_t>({1, 10}))),
                  label);
            }),
            "error[E1008]: element 1 of `x.npy` is 10, but `y` is index(10)\n"
            " --> x.npy, row 1, byte " +
                std::to_string(10 + headerOf("<i8", "(2,)").size() + 8) +
                "\n"
                "  = help: allowed: 0 to 9\n");
  EXPECT_EQ(
      messageOf([&] {
        toTensor(read(npy(headerOf("<f4", "(1,)"), bytesOf<float>({1}))),
                 label);
      }),
      "error[E1007]: `x.npy` holds float32[1], but `y` is index(10)\n"
      "  = help: convert it to whole numbers, as in `x.astype('int64')`\n");
  ValueType pixel{"p", "u8[B]", Element::U8, 0};
  NpyArray large = read(npy(headerOf("<i8", "()"), bytesOf<int64_t>({256})));
  EXPECT_NE(messageOf([&] { toTensor(large, pixel); }).find("0 to 255"),
            std::string::npos);
  ValueType whole{"p", "i32", Element::I32, 0};
  NpyArray huge =
      read(npy(headerOf("<i8", "()"), bytesOf<int64_t>({int64_t(1) << 31})));
  EXPECT_NE(messageOf([&] { toTensor(huge, whole); }).find("2147483647"),
            std::string::npos);
  ValueType exact{"p", "i64", Element::I64, 0};
  int64_t odd = (int64_t(1) << 60) + 1;
  EXPECT_EQ(
      toTensor(read(npy(headerOf("<i8", "()"), bytesOf<int64_t>({odd}))), exact)
          .as<int64_t>()[0],
      odd);
}

TEST_F(NpyFiles, BoolTakesBoolAndBytesOf0And1) {
  ValueType mask{"m", "bool[B]", Element::Bool, 0};
  EXPECT_EQ(
      toTensor(read(npy(headerOf("|b1", "(2,)"), {"\x00\x01", 2})), mask).at(1),
      1);
  EXPECT_EQ(toTensor(read(npy(headerOf("|u1", "(1,)"), "\x01")), mask).at(0),
            1);
  EXPECT_NE(messageOf([&] {
              toTensor(read(npy(headerOf("|u1", "(1,)"), "\x02")), mask);
            }).find("E1008"),
            std::string::npos);
}

TEST_F(NpyFiles, CsvHasAColumnForEachNumberOfARow) {
  Tensor matrix(Element::F32, {2, 2});
  matrix.set(0, 0.1);
  matrix.set(3, 1e-20);
  writeCsv(path("x.csv"), "p", matrix);
  EXPECT_EQ(contents("x.csv"), "p.0,p.1\n0.1,0\n0,1e-20\n");
  Tensor column(Element::I32, {2});
  column.set(1, -3);
  writeCsv(path("x.csv"), "y", column);
  EXPECT_EQ(contents("x.csv"), "y\n0\n-3\n");
  writeCsv(path("x.csv"), "s", Tensor::scalar(Element::F64, 0.1));
  EXPECT_EQ(contents("x.csv"), "s\n0.1\n");
  EXPECT_EQ(messageOf([&] {
              writeCsv(path("x.csv"), "h", Tensor(Element::F32, {1, 2, 3}));
            }),
            "error[E1015]: `h` is f32[1, 2, 3], which no csv file holds\n"
            "  = help: write it to an `.npy` file\n");
}
