#include "runtime/data/ArrayFields.h"

#include "runtime/data/FieldText.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace gradus {

int64_t rowsOf(const NpyArray &array, const Field &field) {
  const std::vector<int64_t> &shape = array.shape;
  if (!shape.empty() && std::equal(shape.begin() + 1, shape.end(),
                                   field.shape.begin(), field.shape.end()))
    return shape.front();
  Error error(fault::ItemShape, field.name, typeText(field), array.origin,
              shape.size() > 1
                  ? typeText(field.element, {shape.begin() + 1, shape.end()})
                  : "one number");
  throw error.note(declared(field))
      .note("`" + array.origin + "` holds " + array.text() +
            ", its first axis counts the rows");
}

/// Complains about the first label that does not fit.
static void checkLabels(const NpyArray &array, const Field &field) {
  if (array.kind == 'f' || array.kind == 'b' || !array.elements())
    return;
  int64_t low = array.whole(0), high = low, bad = -1;
  for (int64_t i = 0; i < array.elements(); ++i) {
    int64_t label = array.whole(i);
    low = std::min(low, label);
    high = std::max(high, label);
    if (bad < 0 && (label < 0 || label >= field.classes))
      bad = i;
  }
  if (bad >= 0)
    throw Error(fault::LabelOutOfRange, array.whole(bad), field.classes)
        .at(array.place(bad))
        .note(declared(field))
        .help(labelsRead(array.shape.front(), low, high));
}

static void checkFinite(const NpyArray &array, const Field &field,
                        std::span<const size_t> rows, Tensor &values,
                        std::optional<double> missing) {
  int64_t width = field.elements();
  for (int64_t i = 0; i < values.elements(); ++i) {
    double value = values.at(i);
    if (std::isfinite(value))
      continue;
    if (missing) {
      values.set(i, *missing);
      continue;
    }
    int64_t from = int64_t(rows[size_t(i / width)]) * width + i % width;
    throw Error(fault::NotFinite, std::isnan(array.real(from))
                                      ? std::string("nan")
                                  : std::isfinite(array.real(from))
                                      ? std::to_string(array.real(from))
                                      : std::string(value < 0 ? "-inf" : "inf"))
        .at(array.place(from))
        .note(declared(field))
        .help("`missing = 0` in the source gives all such numbers a value");
  }
}

Tensor arrayValues(const NpyArray &array, const Field &field,
                   std::span<const size_t> rows,
                   std::optional<double> missing) {
  if (field.classes)
    checkLabels(array, field);
  Tensor all;
  try {
    all = toTensor(array,
                   {field.name, typeText(field), field.element, field.classes});
  } catch (Error &error) {
    error.note(declared(field));
    throw;
  }
  bool isReal = field.element == Element::F32 || field.element == Element::F64;
  if (rows.size() != size_t(array.shape.front())) {
    std::vector<int64_t> shape = array.shape;
    shape.front() = int64_t(rows.size());
    Tensor chosen(field.element, shape);
    size_t width = size_t(field.bytes());
    for (size_t i = 0; i < rows.size(); ++i)
      std::memcpy(static_cast<uint8_t *>(chosen.data()) + i * width,
                  static_cast<const uint8_t *>(all.data()) + rows[i] * width,
                  width);
    all = std::move(chosen);
  }
  if (isReal)
    checkFinite(array, field, rows, all, missing);
  return all;
}

} // namespace gradus
