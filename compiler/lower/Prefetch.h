// What the tiles of a contraction ask caches for ahead of time, where
// processors do not guess it: prefetches change no result. Takes the nest and
// the roles of its loops; next: ScheduleContraction.cpp asks from within its
// tiles.
#pragma once

#include "compiler/lower/ContractionRoles.h"
#include "compiler/lower/Emitter.h"

namespace gradus::lower {

class Prefetch {
public:
  Prefetch(const Nest &nest, const Roles &roles, const Nest *epilogue,
           Emitter &emitter);

  /// Whether the rows of A are short and follow each other in memory, in more
  /// of it than was written just before: `partOfRows` is of use.
  bool readsShortRows() const;

  /// Asks for a part of `height` rows of A from `next` on, those of the next
  /// tile, in the contracted step at `point`, the `step`-th of some at once:
  /// all of them in all steps. Of several short rows that are read at once, a
  /// processor sees too late where they go on.
  void partOfRows(const Point &next, int64_t height, const Point &point,
                  int64_t step);

  /// Asks for the elements of a transposed A some steps ahead of `point`, if
  /// steps are so far apart that no processor guesses.
  void nextStep(const Point &point);

  /// Asks for what the end of a tile reads and writes at `place`, vector `j` of
  /// a row, if the tile is so short that far caches or memory would be waited
  /// for.
  void end(const Point &place, int64_t j);

private:
  int64_t bytesOfA() const { return a.element.getIntOrFloatBitWidth() / 8; }
  void ask(unsigned level, const Access &access, mlir::Value place,
           bool isWrite, int64_t locality);

  const Nest &nest;
  const Roles &roles;
  const Nest *epilogue;
  Emitter &emitter;
  const Access &a;
  /// Contracted steps.
  int64_t depth;
};

} // namespace gradus::lower
