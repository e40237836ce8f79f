// See Scope.h.
#include "compiler/check/Scope.h"

#include <algorithm>

namespace gradus::typed {

std::string_view Declaration::what() const {
  switch (kind) {
  case Dim:
    return "a dim";
  case Const:
    return "a constant";
  case Data:
    return "data";
  case Param:
    return "a parameter";
  case State:
    return "state";
  case Layer:
    return "a layer";
  case Module:
    return "a module";
  case Function:
    return "a function";
  case Optimizer:
    return "an optimizer";
  }
  return "";
}

std::string Declaration::path() const {
  const std::string &file = owner->file->module->path;
  return file.empty() ? name->text : file + "." + name->text;
}

// Optimal string alignment.
unsigned editDistance(std::string_view a, std::string_view b) {
  size_t width = b.size() + 1;
  std::vector<unsigned> costs((a.size() + 1) * width);
  auto cost = [&](size_t i, size_t j) -> unsigned & {
    return costs[i * width + j];
  };
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost(i, j) = i + j;
        continue;
      }
      cost(i, j) = std::min({cost(i - 1, j) + 1, cost(i, j - 1) + 1,
                             cost(i - 1, j - 1) + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost(i, j) = std::min(cost(i, j), cost(i - 2, j - 2) + 1);
    }
  return cost(a.size(), b.size());
}

static std::string initials(std::string_view name) {
  std::string result;
  for (size_t i = 0; i < name.size(); ++i)
    if (name[i] != '_' && (i == 0 || name[i - 1] == '_'))
      result += name[i];
  return result;
}

std::string nearest(std::string_view name,
                    const std::vector<std::string> &candidates) {
  std::string best;
  constexpr size_t longest = 64;
  if (name.size() > longest)
    return best;
  unsigned bestDistance = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string &candidate : candidates) {
    size_t least = std::max(candidate.size(), name.size()) -
                   std::min(candidate.size(), name.size());
    if (least >= bestDistance)
      continue;
    unsigned distance = editDistance(name, candidate);
    // One letter for another is no misspelling of a name of one letter.
    if (distance < bestDistance && distance < candidate.size()) {
      bestDistance = distance;
      best = candidate;
    }
  }
  if (!best.empty())
    return best;
  auto lower = [](std::string_view text) {
    std::string result(text);
    for (char &c : result)
      c = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
    return result;
  };
  for (const std::string &candidate : candidates)
    if (lower(candidate) == lower(name) ||
        (candidate.size() > 1 &&
         (initials(name) == candidate || initials(candidate) == name ||
          name.starts_with(candidate))))
      return candidate;
  return best;
}

} // namespace gradus::typed
