// The packed operand of a contraction: columns of B as wide as a tile, one
// contracted step after another. Takes the nest and the roles of its loops;
// next: ScheduleContraction.cpp reads the panel in its tiles.
#pragma once

#include "compiler/lower/ContractionRoles.h"
#include "compiler/lower/Emitter.h"

namespace gradus::lower {

/// `point` at the j-th of `vectors` vectors of columns, of the last of which
/// `active` lanes are in use.
Point columnAt(Point point, const Roles &roles, unsigned lanes, int64_t j,
               int64_t vectors, int64_t active);

/// A buffer for the panels that are packed at one place of the nest.
class Panel {
public:
  /// A panel of up to `vectors` vectors, to be packed in the innermost level of
  /// the emitter; allocates before the nest.
  Panel(const Nest &nest, const Roles &roles, Emitter &emitter,
        int64_t vectors);

  /// Copies the columns at `point`, in the innermost level of the emitter.
  void pack(Point point, int64_t vectors, int64_t active);

  /// Vector `j` of the contracted step at `point`.
  mlir::Value load(const Point &point, int64_t j, int64_t vectors);

private:
  Access access(int64_t width) const;
  Point inPanel(Point point) const;
  mlir::Value steps(int64_t end, int64_t step);
  void packTurned(const Access &packed, const Point &point, unsigned inner,
                  int64_t vectors, int64_t active, int64_t steps);
  void transpose(llvm::SmallVector<mlir::Value> &block);

  const Nest &nest;
  const Roles &roles;
  Emitter &emitter;
  const Access &b;
  mlir::Value buffer;
  /// Where the panel has been packed.
  unsigned level = 0;
};

} // namespace gradus::lower
