// Bytes that someone else wrote, as text: whether they are UTF-8, and what of
// them may be printed. Numbers of bytes as text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gradus {

/// Length in bytes of the UTF-8 character that starts `text`, which is not
/// empty; 0 if these bytes are not valid UTF-8 (overlong forms and surrogates
/// are not).
size_t characterLength(std::string_view text);

/// Whether these bytes are UTF-8 without control characters.
bool isText(std::string_view text);

/// The text as a terminal may print it: a tab becomes a space; control
/// characters, those that change the direction of text, and bytes that are not
/// UTF-8 become `?`.
std::string printable(std::string_view text);

/// The code point of a character as `characterLength` delimits it.
char32_t codePoint(std::string_view character);

/// A character as a message names it: `"é"`, or `U+000A` if it does not show.
std::string characterName(std::string_view character);

/// `0 bytes`, `1.5 KiB`, `3 MiB`: four digits at most.
std::string bytesText(double bytes);

} // namespace gradus
