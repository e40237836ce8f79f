// See Shapes.h.
#include "compiler/check/Shapes.h"

#include <algorithm>

namespace gradus::typed {

ShapeComparison compareShapes(const Shape &a, const Shape &b) {
  ShapeComparison result;
  if (a.size() != b.size())
    return result;
  for (unsigned i = 0; i < a.size(); ++i) {
    bool isSame = a[i].pack == b[i].pack;
    if (isSame && !a[i].isPack()) {
      Verdict verdict = compareEqual(a[i].dim, b[i].dim);
      isSame = verdict != Verdict::Refuted;
      if (verdict == Verdict::Deferred)
        result.deferred.push_back({a[i].dim, b[i].dim});
    }
    if (!isSame) {
      result.deferred.clear();
      result.differs = i;
      return result;
    }
  }
  result.isEqual = true;
  return result;
}

static void place(const Shape &small, const Shape &large, size_t limit,
                  std::vector<unsigned> &taken,
                  std::vector<std::vector<unsigned>> &found) {
  if (taken.size() == small.size()) {
    found.push_back(taken);
    return;
  }
  size_t missing = small.size() - taken.size();
  for (unsigned i = taken.empty() ? 0 : taken.back() + 1;
       i + missing <= large.size() && found.size() < limit; ++i) {
    if (!(small[taken.size()] == large[i]))
      continue;
    taken.push_back(i);
    place(small, large, limit, taken, found);
    taken.pop_back();
  }
}

std::vector<std::vector<unsigned>>
placements(const Shape &small, const Shape &large, size_t limit) {
  std::vector<std::vector<unsigned>> found;
  std::vector<unsigned> taken;
  place(small, large, limit, taken, found);
  return found;
}

Join join(const Shape &left, const Shape &right) {
  Join result;
  ShapeComparison comparison = compareShapes(left, right);
  if (comparison.isEqual) {
    result.kind = Join::Same;
    result.deferred = std::move(comparison.deferred);
    return result;
  }
  if (left.size() == right.size())
    return result;
  bool isLeftSmaller = left.size() < right.size();
  auto ways = isLeftSmaller ? placements(left, right) : placements(right, left);
  if (ways.empty())
    return result;
  result.ways = ways.size();
  result.entries = ways.front();
  if (ways.size() > 1) {
    result.other = ways[1];
    result.kind = Join::Ambiguous;
  } else {
    result.kind = isLeftSmaller ? Join::SpreadLeft : Join::SpreadRight;
  }
  return result;
}

bool bindShape(const Shape &parameter, const Shape &argument,
               const std::vector<const Symbol *> &open,
               Substitution &bindings) {
  auto isOpen = [&](const Symbol *symbol) {
    return symbol &&
           std::find(open.begin(), open.end(), symbol) != open.end() &&
           !bindings.dims.contains(symbol) && !bindings.packs.contains(symbol);
  };
  // Packs that are bound already become the axes they stand for.
  Substitution packs;
  packs.packs = bindings.packs;
  Shape pattern = substitute(parameter, packs);

  auto bindOne = [&](const Axis &from, const Axis &to) {
    if (from.isPack() || to.isPack())
      return from.pack == to.pack;
    if (isOpen(from.dim.symbol()))
      bindings.dims[from.dim.symbol()] = to.dim;
    return true;
  };
  auto pack = std::find_if(pattern.begin(), pattern.end(),
                           [&](const Axis &axis) { return isOpen(axis.pack); });
  if (pack == pattern.end()) {
    if (pattern.size() != argument.size())
      return false;
    for (size_t i = 0; i < pattern.size(); ++i)
      if (!bindOne(pattern[i], argument[i]))
        return false;
    return true;
  }
  if (std::any_of(pack + 1, pattern.end(),
                  [&](const Axis &axis) { return isOpen(axis.pack); }))
    return false;
  size_t before = pack - pattern.begin();
  size_t after = pattern.end() - pack - 1;
  if (argument.size() < before + after)
    return false;
  for (size_t i = 0; i < before; ++i)
    if (!bindOne(pattern[i], argument[i]))
      return false;
  for (size_t i = 0; i < after; ++i)
    if (!bindOne(pattern[pattern.size() - after + i],
                 argument[argument.size() - after + i]))
      return false;
  bindings.packs[pack->pack] =
      Shape(argument.begin() + before, argument.end() - after);
  return true;
}

bool bindType(const Type &parameter, const Type &argument,
              const std::vector<const Symbol *> &open, Substitution &bindings) {
  if (parameter.kind != argument.kind ||
      parameter.elements.size() != argument.elements.size())
    return false;
  for (size_t i = 0; i < parameter.elements.size(); ++i)
    if (!bindType(parameter.elements[i], argument.elements[i], open, bindings))
      return false;
  if (!parameter.isTensor())
    return true;
  bool fits = bindShape(parameter.shape, argument.shape, open, bindings);
  const Symbol *bound = parameter.bound.symbol();
  if (bound && argument.element == ElementType::Index &&
      std::find(open.begin(), open.end(), bound) != open.end())
    bindings.dims.try_emplace(bound, argument.bound);
  return fits;
}

std::vector<unsigned> entriesNamed(const Shape &shape, const Axis &axis) {
  std::vector<unsigned> found;
  for (unsigned i = 0; i < shape.size(); ++i)
    if (shape[i] == axis)
      found.push_back(i);
  return found;
}

std::optional<unsigned> entryAt(const Shape &shape, int64_t position) {
  int64_t size = shape.size();
  int64_t entry = position < 0 ? size + position : position;
  if (entry < 0 || entry >= size)
    return std::nullopt;
  // Counted from its end, a position must not step over a pack.
  auto first = shape.begin() + (position < 0 ? entry : 0);
  auto last = position < 0 ? shape.end() : shape.begin() + entry + 1;
  if (std::any_of(first, last, [](const Axis &axis) { return axis.isPack(); }))
    return std::nullopt;
  return entry;
}

ElementCount elementCount(const Shape &shape) {
  ElementCount count;
  for (const Axis &axis : shape) {
    if (axis.isPack())
      count.packs.push_back(axis.pack);
    else
      count.dims = count.dims * axis.dim;
  }
  std::sort(count.packs.begin(), count.packs.end(),
            [](auto *a, auto *b) { return a->id < b->id; });
  return count;
}

} // namespace gradus::typed
