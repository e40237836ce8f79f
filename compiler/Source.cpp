// Lines, columns and UTF-8.
#include "compiler/Source.h"

#include <algorithm>

namespace gradus {

Source::Source(std::string name, std::string text)
    : sourceName(std::move(name)), contents(std::move(text)), starts{0} {
  for (uint32_t i = 0; i < contents.size(); ++i)
    if (contents[i] == '\n')
      starts.push_back(i + 1);
}

std::string_view Source::line(uint32_t number) const {
  uint32_t begin = starts[number - 1];
  uint32_t end = number < starts.size() ? starts[number] - 1 : contents.size();
  if (end > begin && contents[end - 1] == '\r')
    --end;
  return text().substr(begin, end - begin);
}

Source::Position Source::position(uint32_t offset) const {
  auto next = std::upper_bound(starts.begin(), starts.end(), offset);
  uint32_t line = next - starts.begin();
  uint32_t column = 1;
  for (uint32_t at = starts[line - 1]; at < offset; ++column)
    at += std::max(1u, utf8Length(text().substr(at)));
  return {line, column};
}

unsigned utf8Length(std::string_view text) {
  auto byte = [&](size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  unsigned lead = byte(0);
  if (lead < 0x80)
    return 1;
  // 0xC0, 0xC1 would be overlong, so would 0xE0 and 0xF0 with a small second
  // byte; 0xED 0xA0 starts a surrogate, 0xF4 0x90 is past U+10FFFF.
  if (lead >= 0xC2 && lead <= 0xDF)
    return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2) || (lead == 0xE0 && byte(1) < 0xA0) ||
        (lead == 0xED && byte(1) > 0x9F))
      return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3) ||
        (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F))
      return 0;
    return 4;
  }
  return 0;
}

} // namespace gradus
