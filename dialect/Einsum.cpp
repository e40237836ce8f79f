// See Einsum.h.
#include "dialect/Einsum.h"

#include <cctype>
#include <map>

namespace gradus::graph {

static bool contains(const std::string &list, char index) {
  return list.find(index) != std::string::npos;
}

static bool isIndexList(std::string_view text) {
  for (char c : text)
    if (!std::isalpha(static_cast<unsigned char>(c)))
      return false;
  return true;
}

std::string EinsumSpec::contracted() const {
  std::string result;
  for (char index : a)
    if (contains(b, index) && !contains(y, index))
      result += index;
  return result;
}

std::optional<EinsumSpec> parseEinsum(std::string_view text) {
  size_t comma = text.find(','), arrow = text.find("->");
  if (comma == text.npos || arrow == text.npos || arrow < comma)
    return std::nullopt;
  std::string_view a = text.substr(0, comma);
  std::string_view b = text.substr(comma + 1, arrow - comma - 1);
  std::string_view y = text.substr(arrow + 2);
  if (!isIndexList(a) || !isIndexList(b) || !isIndexList(y))
    return std::nullopt;
  return EinsumSpec{std::string(a), std::string(b), std::string(y)};
}

std::optional<std::string> einsumLawBroken(const EinsumSpec &spec) {
  std::map<char, int> occurrences;
  for (const std::string *list : {&spec.a, &spec.b, &spec.y})
    for (size_t i = 0; i < list->size(); ++i) {
      char index = (*list)[i];
      if (list->find(index, i + 1) != std::string::npos)
        return std::string("index '") + index + "' occurs twice in '" + *list +
               "'";
      ++occurrences[index];
    }
  for (auto [index, count] : occurrences)
    if (count < 2)
      return std::string("index '") + index +
             "' occurs in only one of the operands and the result";
  return std::nullopt;
}

std::optional<std::vector<int64_t>> einsumShape(const EinsumSpec &spec,
                                                std::span<const int64_t> a,
                                                std::span<const int64_t> b) {
  if (spec.a.size() != a.size() || spec.b.size() != b.size())
    return std::nullopt;
  std::map<char, int64_t> sizes;
  auto bind = [&](const std::string &list, std::span<const int64_t> shape) {
    for (size_t i = 0; i < list.size(); ++i)
      if (!sizes.try_emplace(list[i], shape[i]).second &&
          sizes[list[i]] != shape[i])
        return false;
    return true;
  };
  if (!bind(spec.a, a) || !bind(spec.b, b))
    return std::nullopt;
  std::vector<int64_t> result;
  for (char index : spec.y) {
    auto size = sizes.find(index);
    if (size == sizes.end())
      return std::nullopt;
    result.push_back(size->second);
  }
  return result;
}

} // namespace gradus::graph
