// See TextPart.h.
#include "runtime/data/TextPart.h"

#include "runtime/Text.h"
#include "runtime/data/DataFile.h"
#include "runtime/data/FieldText.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace gradus {

constexpr size_t codePoints = 0x110000;

static std::string encoded(char32_t code) {
  if (code < 0x80)
    return {char(code)};
  size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  std::string text(length, '\0');
  for (size_t i = length - 1; i > 0; --i, code >>= 6)
    text[i] = char(0x80 | (code & 0x3F));
  text[0] = char(0xF00u >> length | code);
  return text;
}

/// Per cent of `count`, rounded down, so that 0..90 and 90..100 share nothing
/// and leave nothing out.
static int64_t share(int64_t count, int64_t percent) {
  return count / 100 * percent + count % 100 * percent / 100;
}

/// The bytes that the first `count` characters of valid UTF-8 take.
static size_t lengthOf(std::string_view text, int64_t count) {
  size_t at = 0;
  for (int64_t i = 0; i < count; ++i)
    at += characterLength(text.substr(at));
  return at;
}

TextPart::TextPart(std::string from, const TextSource &source)
    : path(std::move(from)), source(source), file(readDataFile(path)),
      text(reinterpret_cast<const char *>(file.data()), file.size()) {
  // What editors put before UTF-8 is no part of the text.
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (!source.isBytes && text.starts_with(mark))
    text.remove_prefix(mark.size());
  int64_t total = source.isBytes ? int64_t(file.size()) : countCharacters();
  Interval part = source.part.value_or(Interval());
  int64_t first = share(total, part.begin.value_or(0));
  elements = share(total, part.end.value_or(100)) - first;
  if (source.isBytes) {
    text = text.substr(size_t(first), size_t(elements));
  } else {
    text.remove_prefix(lengthOf(text, first));
    text = text.substr(0, lengthOf(text, elements));
  }
}

int64_t TextPart::countCharacters() const {
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) {
    size_t length = characterLength(text.substr(at));
    if (length == 0) {
      bool isUtf16 =
          text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
      throw Error(fault::NotUtf8, path)
          .at(placeOf(at, 1, true))
          .help(isUtf16 ? "it seems to be UTF-16; save it as UTF-8"
                        : "`bytes(...)` takes any file, for a field of type "
                          "`index(256)[N]`");
    }
    at += length;
  }
  return count;
}

/// Of what stands from byte `at` of the text on: its byte in the file, or its
/// column.
DataPlace TextPart::placeOf(size_t at, size_t length, bool asByte) const {
  std::string_view all(reinterpret_cast<const char *>(file.data()),
                       file.size());
  at += size_t(text.data() - all.data());
  std::string_view before = all.substr(0, at);
  size_t start = before.rfind('\n') + 1; // Past the end is 0.
  std::string_view line = all.substr(start);
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  int64_t column = 1;
  for (size_t i = start; i < at && !asByte; ++column)
    i += characterLength(all.substr(i));
  size_t begin = std::min(at - start, line.size());
  return {path,
          uint64_t(std::ranges::count(before, '\n')) + 1,
          asByte ? fmt::format("byte {}", at)
                 : fmt::format("column {}", column),
          std::string(line),
          begin,
          std::min(begin + length, line.size()),
          {}};
}

std::vector<std::string> TextPart::characters() const {
  std::vector<bool> occurs(codePoints);
  for (size_t at = 0; at < text.size();) {
    size_t length = characterLength(text.substr(at));
    occurs[codePoint(text.substr(at, length))] = true;
    at += length;
  }
  std::vector<std::string> result;
  for (size_t code = 0; code < codePoints; ++code)
    if (occurs[code])
      result.push_back(encoded(char32_t(code)));
  return result;
}

Windows TextPart::windows(const Field &field) const {
  int64_t length = field.elements();
  if (elements >= length)
    return {length, std::max<int64_t>(1, length - 1)};
  std::string_view unit = source.isBytes ? "byte" : "character";
  throw Error(fault::TextTooShort,
              source.part ? fmt::format("`part = {}..{}` of `{}`",
                                        source.part->begin.value_or(0),
                                        source.part->end.value_or(100), path)
                          : fmt::format("`{}`", path),
              counted(uint64_t(elements), unit), field.name, length)
      .note(declared(field));
}

int64_t TextPart::count(const Windows &windows) const {
  return (elements - windows.length) / windows.stride + 1;
}

Tensor TextPart::bytes() const {
  Tensor result(Element::U8, {elements});
  std::ranges::copy(text, result.as<uint8_t>().begin());
  return result;
}

/// What to write so that a field holds this many: the dim if it has a name.
static std::string sizeToWrite(const Field &field, size_t size) {
  std::string_view type = field.type;
  if (type.starts_with("index(") && std::isalpha(uint8_t(type[6]))) {
    std::string_view name = type.substr(6, type.find(')') - 6);
    if (std::ranges::all_of(
            name, [](char c) { return std::isalnum(uint8_t(c)) || c == '_'; }))
      return fmt::format("write `dim {} = {}`", name, size);
  }
  return fmt::format("`index({})` would hold them", size);
}

Tensor TextPart::numbers(const Field &field,
                         const std::vector<std::string> &vocabulary) const {
  if (int64_t(vocabulary.size()) > field.classes)
    throw Error(fault::TooManyCharacters, path,
                counted(vocabulary.size(), "different character"), field.name,
                typeText(field))
        .note(declared(field))
        .help(sizeToWrite(field, vocabulary.size()));
  std::vector<int32_t> places(codePoints, -1);
  for (size_t i = 0; i < vocabulary.size(); ++i)
    places[codePoint(vocabulary[i])] = int32_t(i);
  Tensor result(vocabulary.size() <= 256 ? Element::U8 : Element::I32,
                {elements});
  size_t at = 0;
  auto fill = [&](auto numbers) {
    for (auto &number : numbers) {
      size_t length = characterLength(text.substr(at));
      int32_t place = places[codePoint(text.substr(at, length))];
      if (place < 0)
        throw Error(fault::UnknownCharacter,
                    characterName(text.substr(at, length)))
            .at(placeOf(at, length, false))
            .note(fmt::format("there are numbers for {}",
                              counted(vocabulary.size(), "character")))
            .help("take it out of the file, or let `train` see it");
      number = place;
      at += length;
    }
  };
  if (result.element() == Element::U8)
    fill(result.as<uint8_t>());
  else
    fill(result.as<int32_t>());
  return result;
}

} // namespace gradus
