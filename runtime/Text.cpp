// See Text.h.
#include "runtime/Text.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace gradus {

size_t characterLength(std::string_view text) {
  unsigned char lead = text[0], next = text.size() > 1 ? text[1] : 0;
  size_t length = lead < 0x80   ? 1
                  : lead < 0xC2 ? 0
                  : lead < 0xE0 ? 2
                  : lead < 0xF0 ? 3
                  : lead < 0xF5 ? 4
                                : 0;
  if (length > text.size())
    return 0;
  for (size_t k = 1; k < length; ++k)
    if ((text[k] & 0xC0) != 0x80)
      return 0;
  // Overlong forms, surrogates, beyond U+10FFFF.
  if ((lead == 0xE0 && next < 0xA0) || (lead == 0xED && next > 0x9F) ||
      (lead == 0xF0 && next < 0x90) || (lead == 0xF4 && next > 0x8F))
    return 0;
  return length;
}

/// One of ASCII.
static bool isControl(unsigned char byte) {
  return byte < 0x20 || byte == 0x7F;
}

bool isText(std::string_view text) {
  while (!text.empty()) {
    size_t length = characterLength(text);
    if (length == 0 || isControl(text[0]))
      return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t length = characterLength(text);
    std::string_view character = text.substr(0, std::max<size_t>(1, length));
    bool hidden = length == 0 || isControl(text[0]) ||
                  (character >= "\u0080" && character <= "\u009F") ||
                  (character >= "\u202A" && character <= "\u202E") ||
                  (character >= "\u2066" && character <= "\u2069");
    if (text[0] == '\t')
      out += ' ';
    else if (hidden)
      out += '?';
    else
      out += character;
    text.remove_prefix(character.size());
  }
  return out;
}

char32_t codePoint(std::string_view character) {
  auto byte = [&](size_t i) { return char32_t(uint8_t(character[i])); };
  if (character.size() == 1)
    return byte(0);
  // The lead byte has a one for each byte, then a zero.
  char32_t code = byte(0) & (0x7Fu >> character.size());
  for (size_t i = 1; i < character.size(); ++i)
    code = code << 6 | (byte(i) & 0x3F);
  return code;
}

std::string characterName(std::string_view character) {
  if (character != " " && printable(character) == character)
    return "\"" + std::string(character) + "\"";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string name;
  char32_t code = codePoint(character);
  for (; code || name.size() < 4; code >>= 4)
    name.insert(name.begin(), digits[code & 0xF]);
  return "U+" + name;
}

std::string bytesText(double bytes) {
  constexpr const char *units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(units); ++unit)
    bytes /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.4g %s", bytes, units[unit]);
  return text;
}

} // namespace gradus
