// One split in memory: for each field a tensor of all rows, in the field's own
// element type; or a text, of which rows are windows.
#pragma once

#include "runtime/Tensor.h"
#include "runtime/data/Schema.h"

#include <map>
#include <optional>

namespace gradus {

/// Rows that overlap: row i is `length` elements of a text, from the element
/// i * `stride` on.
struct Windows {
  int64_t length, stride;
};

struct Dataset {
  /// `mnist` and `train`.
  std::string data, split;
  int64_t rows = 0;
  /// The declared fields and, in the same order, their values [rows, shape...].
  std::vector<Field> fields;
  std::vector<Tensor> values;
  /// If there are windows, the value of the only field is the text, of bytes if
  /// all its numbers fit in one.
  std::optional<Windows> windows = std::nullopt;

  /// Index of a field, or -1.
  int64_t find(std::string_view field) const {
    for (size_t i = 0; i < fields.size(); ++i)
      if (fields[i].name == field)
        return int64_t(i);
    return -1;
  }
};

/// The names of text labels, and the characters of a text: field -> names of
/// 0, 1, ... in alphabetical order.
using ClassNames = std::map<std::string, std::vector<std::string>>;

} // namespace gradus
