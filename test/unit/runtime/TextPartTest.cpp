#include "runtime/data/TextPart.h"

#include "runtime/data/DataReader.h"
#include "test/unit/runtime/Gzip.h"
#include "test/unit/runtime/ScratchFolder.h"

using namespace gradus;

namespace {

using Names = std::vector<std::string>;
using Numbers = std::vector<double>;

Field window(int64_t classes, int64_t length) {
  return {"text", Element::I32, {length}, classes, "index(V)[T + 1]", "m.nn:2"};
}

class TextReading : public ScratchFolder {
protected:
  TextPart part(const std::string &text, std::optional<Interval> part = {},
                bool isBytes = false) {
    write("t.txt", text);
    source = {"t.txt", isBytes, part};
    return TextPart(folder + "/t.txt", source);
  }
  static Numbers numbers(const Tensor &tensor) {
    Numbers out;
    for (int64_t i = 0; i < tensor.elements(); ++i)
      out.push_back(tensor.at(i));
    return out;
  }
  TextSource source;
};

} // namespace

TEST_F(TextReading, CharactersAreNumberedByTheirCodePoints) {
  TextPart text = part("zebra \xC3\xA9\xE2\x82\xAC\n\xF0\x9F\x90\x8E");
  Names known = text.characters();
  EXPECT_EQ(known, (Names{"\n", " ", "a", "b", "e", "r", "z", "\xC3\xA9",
                          "\xE2\x82\xAC", "\xF0\x9F\x90\x8E"}));
  Tensor found = text.numbers(window(10, 3), known);
  EXPECT_EQ(found.element(), Element::U8);
  EXPECT_EQ(numbers(found), (Numbers{6, 4, 3, 5, 2, 1, 7, 8, 0, 9}));
}

TEST_F(TextReading, MoreThanABytesWorthOfCharactersTakesWideNumbers) {
  std::string text;
  for (int code = 0x4E00; code < 0x4E00 + 300; ++code)
    text += {char(0xE0 | code >> 12), char(0x80 | (code >> 6 & 0x3F)),
             char(0x80 | (code & 0x3F))};
  TextPart all = part(text);
  Tensor found = all.numbers(window(300, 3), all.characters());
  EXPECT_EQ(found.element(), Element::I32);
  EXPECT_EQ(found.at(299), 299);
}

TEST_F(TextReading, PartsShareNothingAndLeaveNothingOut) {
  std::string text, joined;
  for (int i = 0; i < 1234; ++i)
    text += i % 3 ? "a" : "\xC3\xA9";
  for (int64_t begin : {0, 13, 90})
    for (const std::string &one :
         part(text, Interval{begin, begin == 0    ? 13
                                    : begin == 13 ? 90
                                                  : 100})
             .characters())
      joined += one;
  EXPECT_EQ(joined, "a\xC3\xA9"
                    "a\xC3\xA9"
                    "a\xC3\xA9");
  int64_t total = 0;
  for (auto [begin, end] : {std::pair(0, 13), {13, 90}, {90, 100}})
    total += part(text, Interval{begin, end})
                 .numbers(window(2, 1), {"a", "\xC3\xA9"})
                 .elements();
  EXPECT_EQ(total, 1234);
}

TEST_F(TextReading, AMarkBeforeUtf8IsNoCharacter) {
  TextPart text = part("\xEF\xBB\xBF"
                       "aba");
  EXPECT_EQ(text.characters(), (Names{"a", "b"}));
  EXPECT_NE(messageOf([&] {
              text.numbers(window(2, 1), {"a"});
            }).find("t.txt:1, column 3\n"),
            std::string::npos);
  EXPECT_NE(messageOf([&] {
              part("\xEF\xBB\xBF"
                   "a\xFF");
            }).find("t.txt:1, byte 4\n"),
            std::string::npos);
}

TEST_F(TextReading, BytesStandForThemselves) {
  TextPart text = part("a\xFF\n\x80", Interval{0, 75}, true);
  EXPECT_EQ(numbers(text.bytes()), (Numbers{'a', 255, '\n'}));
}

TEST_F(TextReading, WindowsOverlapByOne) {
  TextPart text = part("0123456789ab");
  Windows windows = text.windows(window(12, 5));
  EXPECT_EQ(windows.length, 5);
  EXPECT_EQ(windows.stride, 4);
  EXPECT_EQ(text.count(windows), 2);
  Windows single = text.windows(window(12, 1));
  EXPECT_EQ(single.stride, 1);
  EXPECT_EQ(text.count(single), 12);
  EXPECT_EQ(text.count(text.windows(window(12, 12))), 1);
}

TEST_F(TextReading, SplitsShareTheCharactersOfTheTrainingSplit) {
  write("t.txt.gz", gzip("aabbccddab"));
  DataInfo info{"d",
                {window(4, 2)},
                {{"test", TextSource{"t.txt.gz", false, Interval{80, 100}}},
                 {"train", TextSource{"t.txt.gz", false, Interval{0, 80}}}}};
  DataReader reader(info, {"", folder});
  Dataset test = reader.read("test");
  EXPECT_EQ(test.rows, 1);
  EXPECT_EQ(numbers(test.values[0]), (Numbers{0, 1}));
  EXPECT_EQ(reader.classNames().at("text"), (Names{"a", "b", "c", "d"}));
  Dataset train = reader.read("train");
  EXPECT_EQ(train.rows, 7);
  // Those saved with weights come first.
  DataReader saved(info, {"", folder},
                   ClassNames{{"text", {"b", "a", "c", "d"}}});
  EXPECT_EQ(numbers(saved.read("test").values[0]), (Numbers{1, 0}));
}

TEST_F(TextReading, WhatIsNoUtf8IsRefusedWithItsByte) {
  EXPECT_EQ(messageOf([&] { part("one\ntwo \xFF three\n"); }),
            "error[E0829]: `t.txt` is not UTF-8 text\n --> t.txt:2, byte 8\n"
            "2 | two ? three\n"
            "  |     ^\n"
            "  = help: `bytes(...)` takes any file, for a field of type "
            "`index(256)[N]`\n");
  EXPECT_NE(messageOf([&] {
              part("\xFF\xFE"
                   "a");
            }).find("UTF-16"),
            std::string::npos);
}

TEST_F(TextReading, TooManyCharactersSayWhatToWrite) {
  TextPart text = part("abcd");
  std::string message =
      messageOf([&] { text.numbers(window(3, 2), text.characters()); });
  EXPECT_EQ(message, "error[E0830]: the training part of `t.txt` has 4 "
                     "different characters, but `text` is "
                     "index(V)[T + 1]\n"
                     "  = note: field `text: index(V)[T + 1]` is declared "
                     "at m.nn:2\n"
                     "  = help: write `dim V = 4`\n");
  Field number = window(3, 2);
  number.type = "index(3)[2]";
  message = messageOf([&] { text.numbers(number, text.characters()); });
  EXPECT_NE(message.find("`index(4)` would hold them"), std::string::npos);
}

TEST_F(TextReading, ANewCharacterIsShownWhereItStands) {
  TextPart text = part("abc\nab\xC3\xA9\xE2\x82\xAC"
                       "a\n");
  EXPECT_EQ(messageOf([&] {
              text.numbers(window(5, 2), {"\n", "a", "b", "c", "\xC3\xA9"});
            }),
            "error[E0831]: the character \"\xE2\x82\xAC\" does not occur in "
            "the training part\n --> t.txt:2, column 4\n"
            "2 | ab\xC3\xA9\xE2\x82\xAC"
            "a\n"
            "  |    ^\n"
            "  = note: there are numbers for 5 characters\n"
            "  = help: take it out of the file, or let `train` see it\n");
  EXPECT_NE(messageOf([&] {
              text.numbers(window(5, 2), {"a", "b", "c"});
            }).find("the character U+000A"),
            std::string::npos);
}

TEST_F(TextReading, TooShortForOneWindow) {
  std::string message = messageOf(
      [&] { part("abcdef", Interval{50, 100}).windows(window(9, 4)); });
  EXPECT_NE(message.find("error[E0832]: `part = 50..100` of `t.txt` has 3 "
                         "characters, but one window of `text` "
                         "takes 4\n"),
            std::string::npos)
      << message;
  message = messageOf([&] { part("", {}, true).windows(window(256, 4)); });
  EXPECT_NE(message.find("` has 0 bytes, but"), std::string::npos) << message;
}
