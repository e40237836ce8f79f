// `gradus fmt`: a model file in the one layout there is.
//
// Where lines end is the author's choice; spaces, indentation, blank lines and
// where comments stand in their lines follow from the tokens.
#pragma once

#include "compiler/Diagnostics.h"

#include <optional>
#include <string>

namespace gradus {

/// The formatted text. Nothing, with errors in `diagnostics`, if the file
/// cannot be parsed. The syntax tree and all comments of the result are those
/// of the file: this is checked, and std::logic_error thrown if it is not so.
std::optional<std::string> format(const Source &source,
                                  Diagnostics &diagnostics);

} // namespace gradus
