// See ResultText.h.
#include "tools/gradus/ResultText.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace gradus {

static bool isWhole(Element element) {
  return element != Element::F32 && element != Element::F64;
}

/// The list of axis `axis` that begins at element `at`, which moves on.
static nlohmann::json nested(const Tensor &tensor, size_t axis, int64_t &at) {
  if (axis == tensor.shape().size()) {
    double value = tensor.at(at++);
    if (tensor.element() == Element::Bool)
      return value != 0;
    if (isWhole(tensor.element()))
      return int64_t(value);
    if (tensor.element() == Element::F32)
      return std::isfinite(value)
                 ? nlohmann::json::parse(fmt::format("{}", float(value)))
                 : nlohmann::json();
    return value;
  }
  nlohmann::json list = nlohmann::json::array();
  for (int64_t i = 0; i < tensor.shape()[axis]; ++i)
    list.push_back(nested(tensor, axis + 1, at));
  return list;
}

std::string jsonText(const std::vector<NamedTensor> &results) {
  nlohmann::ordered_json json;
  for (const NamedTensor &result : results) {
    int64_t at = 0;
    json[result.name] = nested(result.value, 0, at);
  }
  return json.dump();
}

static std::string numberText(const Tensor &tensor, int64_t i) {
  if (tensor.element() == Element::Bool)
    return tensor.at(i) != 0 ? "true" : "false";
  return isWhole(tensor.element()) ? fmt::format("{}", int64_t(tensor.at(i)))
                                   : fmt::format("{:.6g}", tensor.at(i));
}

std::string plainText(const std::vector<NamedTensor> &results) {
  std::string text;
  for (const NamedTensor &result : results) {
    const Tensor &tensor = result.value;
    const std::vector<int64_t> &shape = tensor.shape();
    if (results.size() > 1)
      text += result.name + ":\n";
    int64_t width = shape.empty() ? 1 : std::max<int64_t>(shape.back(), 1);
    int64_t block = shape.size() > 2 ? shape[shape.size() - 2] : 0;
    for (int64_t i = 0; i < tensor.elements(); ++i) {
      int64_t row = i / width;
      if (block && i && i % width == 0 && row % block == 0)
        text += "\n";
      text += numberText(tensor, i) + ((i + 1) % width ? " " : "\n");
    }
  }
  return text;
}

} // namespace gradus
