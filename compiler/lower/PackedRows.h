// The rows of a contraction where they lie side by side, in steps that lie far
// apart: a transposed operand. Copied, each tile reads one contracted step
// behind the other; where it lies, every step is another page, and all may fall
// into one set of the cache. Takes the nest and the roles of its loops; next:
// ScheduleContraction.cpp reads the copy in its tiles.
#pragma once

#include "compiler/lower/ContractionRoles.h"
#include "compiler/lower/Emitter.h"

namespace gradus::lower {

class PackedRows {
public:
  /// Whether a copy is worth it when it is read for `panels` panels.
  static bool isWorthIt(const Nest &nest, const Roles &roles,
                        const VectorUnit &unit, int64_t panels);

  /// For tiles of `height` rows; allocates before the nest.
  PackedRows(const Nest &nest, const Roles &roles, Emitter &emitter,
             int64_t height);

  /// Copies all rows, in the innermost level of the emitter.
  void pack(Point point);

  /// The element of row `i` of the tile of `rows` rows at `point`.
  Element load(Point point, int64_t i, int64_t rows);

private:
  /// Its loops are those of the nest, and one over the rows of a tile.
  Access access(int64_t rows) const;
  void copyTiles(const Point &point, int64_t tiles, int64_t rows);

  const Nest &nest;
  const Roles &roles;
  Emitter &emitter;
  const Access &a;
  int64_t height;
  /// Contracted loops, outermost first, and their steps.
  llvm::SmallVector<unsigned> loops;
  int64_t depth;
  mlir::Value buffer;
  /// Where the copy is complete.
  unsigned level = 0;
};

} // namespace gradus::lower
