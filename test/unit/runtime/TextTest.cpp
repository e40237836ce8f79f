#include "runtime/Text.h"

#include <gtest/gtest.h>

using namespace gradus;

TEST(Text, IsUtf8WithoutControlCharacters) {
  EXPECT_TRUE(isText("größe €😀"));
  EXPECT_TRUE(isText(""));
  for (const char *text : {"a\x01", "\xFF", "\xC0\xAF", "\xED\xA0\x80",
                           "\xE2\x82", "\xF5\x80\x80\x80", "\x80"})
    EXPECT_FALSE(isText(text));
}

TEST(Text, OfBytes) {
  EXPECT_EQ(bytesText(0), "0 bytes");
  EXPECT_EQ(bytesText(1023), "1023 bytes");
  EXPECT_EQ(bytesText(1536), "1.5 KiB");
  EXPECT_EQ(bytesText(double(int64_t(3) << 40)), "3 TiB");
  EXPECT_EQ(bytesText(double(int64_t(3) << 50)), "3072 TiB");
}

TEST(Text, ForTerminalsHoldsNothingThatActs) {
  EXPECT_EQ(printable("größe €😀"), "größe €😀");
  EXPECT_EQ(printable("a\tb\nc\x1b[31m\x7f"), "a b?c?[31m?");
  EXPECT_EQ(printable(std::string(1, '\0')), "?");
  EXPECT_EQ(printable("\xFF\xC3x\xE2\x82"), "??x??");
  EXPECT_EQ(printable("\u009B\u202Ex\u2066"), "??x?");
}
