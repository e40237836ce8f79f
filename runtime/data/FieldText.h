// How messages of the readers speak about fields.
#pragma once

#include "runtime/Error.h"
#include "runtime/Tensor.h"
#include "runtime/data/Schema.h"

namespace gradus {

/// The type as declared, `index(Class)`.
inline std::string typeText(const Field &field) {
  return field.type.empty() ? typeText(field.element, field.shape) : field.type;
}

/// A note: where the field is declared.
inline std::string declared(const Field &field) {
  return "field `" + field.name + ": " + typeText(field) + "` is declared" +
         (field.place.empty() ? " so" : " at " + field.place);
}

/// A help: which labels there are, and the type that holds them.
inline std::string labelsRead(int64_t rows, int64_t low, int64_t high) {
  std::string text = counted(uint64_t(rows), "row") +
                     " read, labels run from " + std::to_string(low) + " to " +
                     std::to_string(high);
  if (low >= 0)
    text += "; `index(" + std::to_string(high + 1) + ")` would hold them";
  return text;
}

} // namespace gradus
