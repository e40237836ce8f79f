// See RandomRows.h.
#include "runtime/run/RandomRows.h"

#include "runtime/Random.h"

namespace gradus {

static void fill(Tensor &tensor, const Field &field, const Stream &stream) {
  switch (field.element) {
  case Element::F32:
  case Element::F64:
    return fillNormal(tensor, stream, 0, 1);
  case Element::Bool:
    return fillBernoulli(tensor, stream, 0.5);
  case Element::I32:
  case Element::I64:
  case Element::U8:
    break;
  }
  uint64_t below = field.classes                  ? uint64_t(field.classes)
                   : field.element == Element::U8 ? 256
                                                  : 10;
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tensor.set(i, double(stream.below(uint64_t(i), below)));
}

Dataset randomRows(const DataInfo &info, int64_t rows, uint64_t seed) {
  Dataset data;
  data.data = info.name;
  data.split = "random";
  data.rows = rows;
  data.fields = info.fields;
  for (const Field &field : info.fields) {
    std::vector<int64_t> shape{rows};
    shape.insert(shape.end(), field.shape.begin(), field.shape.end());
    Tensor &values = data.values.emplace_back(field.element, shape);
    fill(values, field, Stream(seed, siteOf("random/" + field.name)));
  }
  return data;
}

} // namespace gradus
