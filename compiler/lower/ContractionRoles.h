// What the loops of a contraction are to its register tiles, and how many rows
// a tile has. Takes a loop nest; next: ScheduleContraction.cpp emits the tiles.
#pragma once

#include "compiler/lower/Nest.h"

namespace gradus::lower {

/// Contracted steps after which partial sums are added to the total, so that
/// rounding errors grow with the block and not with the whole range.
inline constexpr int64_t kBlock = 512;

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
  /// The same inside of the loop over panels, so that each panel is short and
  /// panels are still computed independently: of one long contracted loop.
  llvm::SmallVector<unsigned> parts;

  /// Makes a loop two, as `splitLoop` does; its role is that of the inner one.
  void split(Nest &nest, unsigned loop, int64_t steps);
};

/// Steps of all these loops of `nest` together.
int64_t depthOf(const Nest &nest, llvm::ArrayRef<unsigned> loops);

/// Nothing if no loop can hold the lanes. A contracted loop of which a part is
/// summed up at once is split.
std::optional<Roles> rolesOf(Nest &nest, const VectorUnit &unit);

/// Lets blocks of rows of a long A, which stay in a cache, pass all panels one
/// after the other, where each panel would read all of A from far. The nest of
/// the epilogue, if any, gets the same loops.
void takeRowBlocks(Nest &nest, Roles &roles, Nest *epilogue,
                   const VectorUnit &unit);

/// Whether the result has to be there, filled, before the contraction begins.
inline bool addsInMemory(const Roles &roles) {
  return !roles.blocks.empty() || !roles.parts.empty();
}

/// Rows of a tile whose accumulators, a row of B of `vectors` vectors and a
/// broadcast element fit the registers.
int64_t mostRows(int64_t vectors, const VectorUnit &unit);

/// Vectors of a row of a tile that has `rows` rows to take.
int64_t chooseVectors(int64_t rows, const VectorUnit &unit);

/// Steps along a loop of `size` steps, of `rows` rows each, that are taken at
/// once in the least time: in one tile of `vectors` vectors, or several if not
/// even two steps fit one.
int64_t chooseSteps(int64_t size, int64_t rows, int64_t vectors,
                    const VectorUnit &unit);

} // namespace gradus::lower
