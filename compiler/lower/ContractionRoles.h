// What the loops of a contraction are to its register tiles, and how many rows
// a tile has. Takes a loop nest; next: ScheduleContraction.cpp emits the tiles.
#pragma once

#include "compiler/lower/Nest.h"

namespace gradus::lower {

/// The loops of a contraction by their part in c[m, n] += a[m, k] b[k, n].
struct Roles {
  /// Operand numbers; the lanes lie along a loop of b.
  unsigned a = 0, b = 1;
  /// Lanes; -1 never. Rows of a tile; -1: a tile has one row.
  int64_t n = -1, m = -1;
  /// A second loop of rows, short, that every tile takes whole for each row of
  /// m: the columns of a small image, the taps of a window. -1: none.
  int64_t whole = -1;
  /// Kept loops around the panels, kept loops around the tiles of a panel, and
  /// contracted loops; outermost first.
  llvm::SmallVector<unsigned> outside, between, contracted;
  /// Contracted loops around everything: the result is added to in memory, once
  /// a step. A weight gradient sums over a batch of images, of which one fits
  /// the caches; partial sums of one image are exact enough to be added up.
  llvm::SmallVector<unsigned> blocks;
};

/// Nothing if no loop can hold the lanes.
std::optional<Roles> rolesOf(const Nest &nest);

/// Whether the result has to be there, filled, before the contraction begins.
inline bool addsInMemory(const Roles &roles) { return !roles.blocks.empty(); }

/// Vectors of a row of a tile that has `rows` rows to take.
int64_t chooseVectors(int64_t rows, const VectorUnit &unit);

/// Steps of a tile of `vectors` vectors along a loop of `size` steps, of `rows`
/// rows each, that take the loop in the least time.
int64_t chooseSteps(int64_t size, int64_t rows, int64_t vectors,
                    const VectorUnit &unit);

} // namespace gradus::lower
