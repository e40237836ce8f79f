// One split in memory: for each field a tensor of all rows, in the field's own
// element type.
#pragma once

#include "runtime/Tensor.h"
#include "runtime/data/Schema.h"

#include <map>

namespace gradus {

struct Dataset {
  /// `mnist` and `train`.
  std::string data, split;
  int64_t rows = 0;
  /// The declared fields and, in the same order, their values [rows, shape...].
  std::vector<Field> fields;
  std::vector<Tensor> values;

  /// Index of a field, or -1.
  int64_t find(std::string_view field) const {
    for (size_t i = 0; i < fields.size(); ++i)
      if (fields[i].name == field)
        return int64_t(i);
    return -1;
  }
};

/// The names of text labels: field -> names of 0, 1, ... in alphabetical order.
using ClassNames = std::map<std::string, std::vector<std::string>>;

} // namespace gradus
