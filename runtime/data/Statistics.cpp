#include "runtime/data/Statistics.h"

#include <cmath>

namespace gradus {

/// Two passes, so that a large mean costs no digits of the deviation.
template <typename T>
static Statistics overRows(std::span<const T> values, size_t rows,
                           size_t width) {
  Statistics result{std::vector<double>(width),
                    std::vector<double>(width),
                    {values.begin(), values.begin() + width},
                    {values.begin(), values.begin() + width}};
  for (size_t row = 0; row < rows; ++row)
    for (size_t i = 0; i < width; ++i) {
      double value = double(values[row * width + i]);
      result.mean[i] += value;
      result.min[i] = value < result.min[i] ? value : result.min[i];
      result.max[i] = value > result.max[i] ? value : result.max[i];
    }
  for (double &mean : result.mean)
    mean /= double(rows);
  for (size_t row = 0; row < rows; ++row)
    for (size_t i = 0; i < width; ++i) {
      double away = double(values[row * width + i]) - result.mean[i];
      result.std[i] += away * away;
    }
  for (double &deviation : result.std)
    deviation = std::sqrt(deviation / double(rows));
  return result;
}

Statistics statisticsOf(const Tensor &values) {
  size_t rows = size_t(values.shape().front());
  size_t width = size_t(values.elements()) / rows;
  switch (values.element()) {
  case Element::F32:
    return overRows(values.as<float>(), rows, width);
  case Element::F64:
    return overRows(values.as<double>(), rows, width);
  case Element::I32:
    return overRows(values.as<int32_t>(), rows, width);
  case Element::I64:
    return overRows(values.as<int64_t>(), rows, width);
  case Element::U8:
  case Element::Bool:
    return overRows(values.as<uint8_t>(), rows, width);
  }
  return {};
}

} // namespace gradus
