// Rules about shapes, as pure functions: how operands line up by name, how a
// call binds generics, which entries a reduction means.
#pragma once

#include "compiler/check/Types.h"

#include <optional>
#include <utility>
#include <vector>

namespace gradus::typed {

/// Two dims whose equality waits for actual sizes.
using DeferredEquality = std::pair<Dim, Dim>;

/// Whether two shapes are equal by value, entry by entry.
struct ShapeComparison {
  bool isEqual = false;
  /// The first entry that differs, if the number of entries agrees.
  std::optional<unsigned> differs;
  /// What has to hold besides; empty unless `isEqual`.
  std::vector<DeferredEquality> deferred;
};
ShapeComparison compareShapes(const Shape &a, const Shape &b);

/// All ways to find the entries of `small` in `large` by name and in order,
/// each a list of positions in `large`; at most `limit` of them.
std::vector<std::vector<unsigned>>
placements(const Shape &small, const Shape &large, size_t limit = 8);

/// How two operands line up.
struct Join {
  enum Kind : uint8_t {
    /// Equal shapes; the result has the names of the left one.
    Same,
    /// The left one is spread to the shape of the right one.
    SpreadLeft,
    SpreadRight,
    /// Neither contains the other.
    None,
    /// More than one way.
    Ambiguous
  } kind = None;
  /// Spread*: where the entries of the smaller operand go.
  std::vector<unsigned> entries;
  /// Ambiguous: the number of ways, and the first two.
  size_t ways = 0;
  std::vector<unsigned> other;
  /// Same: what has to hold besides.
  std::vector<DeferredEquality> deferred;
};
Join join(const Shape &left, const Shape &right);

/// Binds the symbols of `open` that stand bare in `parameter` and are not bound
/// yet so that it fits `argument`. False if the number of axes cannot agree.
/// Dims that were bound before are left to compareShapes.
bool bindShape(const Shape &parameter, const Shape &argument,
               const std::vector<const Symbol *> &open, Substitution &bindings);

/// The same for all tensors of a type and the bounds of its indices.
bool bindType(const Type &parameter, const Type &argument,
              const std::vector<const Symbol *> &open, Substitution &bindings);

/// The entries that are this dim by name.
std::vector<unsigned> entriesNamed(const Shape &shape, const Axis &axis);

/// The entry at a position counted in axes, from the end if negative. None if
/// it is out of range or a pack stands in between.
std::optional<unsigned> entryAt(const Shape &shape, int64_t position);

/// Product of all sizes without packs, and the packs sorted by id.
struct ElementCount {
  Dim dims = 1;
  std::vector<const Symbol *> packs;
};
ElementCount elementCount(const Shape &shape);

} // namespace gradus::typed
