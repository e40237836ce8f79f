// What the schedules share: an emitter that evaluates scalar bodies on vectors
// at a point of a nest. Next: SchedulePointwise, ScheduleReduction,
// ScheduleContraction.
#pragma once

#include "compiler/lower/Nest.h"

#include "llvm/ADT/DenseMap.h"

namespace gradus::lower {

/// A value at a level of the nest: a scalar, equal in all lanes, or a vector.
struct Element {
  mlir::Value value;
  unsigned level = 0;

  bool isVector() const { return mlir::isa<mlir::VectorType>(value.getType()); }
};

/// Where in the nest something is evaluated.
struct Point {
  /// Per loop: the variable, or null for 0; a constant added to it; the level
  /// whose body defines the variable.
  llvm::SmallVector<mlir::Value> variable;
  llvm::SmallVector<int64_t> plus;
  llvm::SmallVector<unsigned> level;
  /// The loop along which the lanes lie; none if negative.
  int64_t vectorLoop = -1;
  /// Lanes in use: the others are neither read nor written.
  unsigned active = 0;

  explicit Point(unsigned loops)
      : variable(loops), plus(loops, 0), level(loops, 0) {}
};

/// Creates ops at the levels of a nest: level 0 is before the nest, level n in
/// the body of the n-th loop opened. What depends on outer loops only is
/// created at their level.
class Emitter {
public:
  Emitter(mlir::Operation *before, unsigned lanes, const VectorUnit &unit);

  mlir::Location loc;
  unsigned lanes;
  const VectorUnit &unit;

  mlir::OpBuilder &at(unsigned level) { return levels[level]; }
  unsigned innermost() const { return levels.size() - 1; }
  mlir::Value constant(int64_t index);
  /// A buffer of the kernel's own, allocated before the nest; each step of a
  /// parallel loop may work in one of its own if it is private.
  mlir::Value buffer(mlir::MemRefType type, bool isPrivate);

  /// Opens a loop over [0, end) in the innermost level and enters its body.
  mlir::scf::ForOp open(int64_t end, int64_t step,
                        mlir::ValueRange carried = {});
  /// The same over a loop of `nest`, marked if its steps may run at once.
  mlir::scf::ForOp open(const Nest &nest, unsigned loop, int64_t end,
                        int64_t step);
  /// Leaves the innermost loop, yielding `results`.
  void close(mlir::ValueRange results = {});

  mlir::VectorType vectorOf(mlir::Type element) const {
    return mlir::VectorType::get({lanes}, element);
  }
  Element broadcast(Element element);
  /// A vector with `value` in each lane, at level 0.
  Element splat(mlir::TypedAttr value);
  mlir::Value maskOf(unsigned active);
  /// Exchanges the lanes of `first` whose number has bit `half` with those of
  /// `second` that lack it, in the innermost level.
  void exchange(mlir::Value &first, mlir::Value &second, int64_t half);

  Element load(const Access &access, const Point &point);
  void store(Element element, const Access &access, const Point &point);

  /// Evaluates `body` with its arguments and earlier values bound in `bound`;
  /// gives what it yields.
  llvm::SmallVector<Element>
  evaluate(mlir::Block &body, llvm::DenseMap<mlir::Value, Element> &bound,
           const Nest &nest, const Point &point);

  /// The index of `access` at `point` in its flat view.
  Element indexOf(const Access &access, const Point &point);

private:
  /// The first `active` lanes as vectors that one instruction moves each: first
  /// lane and number of lanes, a power of two.
  static llvm::SmallVector<std::pair<int64_t, int64_t>>
  partsOf(unsigned active);
  mlir::Value loadParts(const Access &access, const Element &index,
                        unsigned active);
  void storeParts(mlir::Value vector, const Access &access,
                  const Element &index, unsigned active);

  /// The vector (first, first + 1, ...).
  mlir::Value laneNumbers(int64_t first);

  /// 1 / `divisor`, for all lanes at once.
  Element reciprocal(Element divisor);

  llvm::SmallVector<mlir::OpBuilder> levels;
  llvm::SmallVector<mlir::scf::ForOp> openLoops;
};

/// Each replaces the op by loops of vectors and is false, with nothing done,
/// if its schedule does not fit.
bool schedulePointwise(mlir::linalg::LinalgOp op, const VectorUnit &unit);
bool scheduleReduction(mlir::linalg::LinalgOp op, mlir::Value start,
                       const VectorUnit &unit);
/// Sums of products where every channel has its own, as in a depthwise
/// convolution.
bool scheduleChannelwise(mlir::linalg::LinalgOp op, mlir::Value start,
                         const VectorUnit &unit);
/// `start` is what the accumulators begin with; `epilogue`, if any, is a
/// pointwise op that is the only reader of the contraction's result.
bool scheduleContraction(mlir::linalg::LinalgOp op, mlir::Value start,
                         mlir::linalg::LinalgOp epilogue,
                         const VectorUnit &unit);

} // namespace gradus::lower
