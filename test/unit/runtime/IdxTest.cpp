#include "runtime/data/Idx.h"

#include "test/unit/runtime/Gzip.h"
#include "test/unit/runtime/ScratchFolder.h"

using namespace gradus;

namespace {

Field image() {
  return {"image", Element::U8, {2, 2}, 0, "u8[2, 2]", "m.nn:2"};
}
Field label() {
  return {"label", Element::I32, {}, 10, "index(Class)", "m.nn:3"};
}

class Idx : public ScratchFolder {
protected:
  std::string messageFor(const std::string &bytes, const Field &field) const {
    return messageOf([&] { readIdx(write("x", bytes), field); });
  }
};

} // namespace

TEST_F(Idx, ReadsImagesAndLabels) {
  Tensor images =
      readIdx(write("i.gz", gzip(idx({3, 2, 2}, "abcdefghijkl"))), image());
  EXPECT_EQ(images.shape(), (std::vector<int64_t>{3, 2, 2}));
  EXPECT_EQ(images.element(), Element::U8);
  EXPECT_EQ(images.at(11), 'l');
  Tensor labels = readIdx(write("l", idx({2}, {"\x09\x00", 2})), label());
  EXPECT_EQ(labels.element(), Element::I32);
  EXPECT_EQ(labels.at(0), 9);
  EXPECT_EQ(labels.at(1), 0);
}

TEST_F(Idx, ConvertsBytesToTheFieldsElement) {
  Field real = image();
  real.element = Element::F64;
  EXPECT_EQ(readIdx(write("i", idx({1, 2, 2}, "\xff\x01\x02\x03")), real)
                .as<double>()[0],
            255);
}

TEST_F(Idx, LabelOutOfRangeNamesTheByte) {
  EXPECT_EQ(messageFor(idx({4}, "\x01\x0a\x0c\x02"), label()),
            "error[E0801]: label 10 does not fit index(10)\n"
            " --> x, byte 9\n"
            "  = note: field `label: index(Class)` is declared at m.nn:3\n"
            "  = help: 4 rows read, labels run from 1 to 12; `index(13)` would "
            "hold them\n");
}

TEST_F(Idx, OtherFilesAreNotIdx) {
  EXPECT_EQ(messageFor("1,2,3\n", image()),
            "error[E0808]: `x` is not an idx file\n"
            " --> x, byte 0\n"
            "  = note: an idx file starts with two zero bytes, the code of its "
            "element type and the number of its dims\n");
  EXPECT_EQ(messageFor("", image()).substr(0, 12), "error[E0808]");
  EXPECT_EQ(messageFor(idx({}, "a"), image()).substr(0, 12), "error[E0808]");
  EXPECT_EQ(messageFor(idx({1}, "a", 7), image()).substr(0, 12),
            "error[E0808]");
}

TEST_F(Idx, OnlyBytesAreRead) {
  EXPECT_EQ(
      messageFor(idx({1}, "aaaa", 0x0D), label()),
      "error[E0809]: `x` holds 32-bit real numbers, but only idx files of "
      "bytes are read\n --> x, byte 2\n");
  for (char type : {0x09, 0x0B, 0x0C, 0x0E})
    EXPECT_EQ(messageFor(idx({1}, "a", type), label()).substr(0, 12),
              "error[E0809]");
}

TEST_F(Idx, ShapeMustBeTheFields) {
  EXPECT_EQ(messageFor(idx({1, 4}, "abcd"), image()),
            "error[E0810]: field `image` is u8[2, 2], but each item of `x` is "
            "u8[4]\n"
            " --> x, byte 4\n"
            "  = note: field `image: u8[2, 2]` is declared at m.nn:2\n");
  EXPECT_NE(messageFor(idx({4}, "abcd"), image()).find("is one byte\n"),
            std::string::npos);
}

TEST_F(Idx, SizeMustFollowFromTheHeader) {
  EXPECT_EQ(messageFor(idx({2, 2, 2}, "abcdefg"), image()),
            "error[E0811]: `x` holds 23 bytes, but its header asks for 24\n"
            " --> x, byte 23\n"
            "  = note: the header says u8[2, 2, 2]\n");
  EXPECT_NE(messageFor(idx({1, 2, 2}, "abcdefg"), image())
                .find("holds 23 bytes, but its header asks for 20\n --> x, "
                      "byte 20"),
            std::string::npos);
  EXPECT_EQ(messageFor(idx({1, 2, 2}, "").substr(0, 9), image()),
            "error[E0811]: `x` holds 9 bytes, but its header asks for 16\n"
            " --> x, byte 9\n"
            "  = note: these are the 3 dims alone\n");
}

TEST_F(Idx, AbsurdRowCountIsRefusedBeforeAllocating) {
  EXPECT_EQ(messageFor(idx({~0u, 2, 2}, "abcd"), image()).substr(0, 12),
            "error[E0811]");
}
