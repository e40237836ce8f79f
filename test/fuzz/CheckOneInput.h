// What the fuzzer does with one text, and test/unit/check with each text of the
// corpus.
#pragma once

#include <string_view>

namespace gradus {

/// Parses and checks a model, formats it twice, and prints all that came of it.
/// Reads no file: `other.nn` is the only one there is to import.
/// Throws std::logic_error if formatting twice is not formatting once.
void checkOneInput(std::string_view text);

} // namespace gradus
