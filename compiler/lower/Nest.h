// What the schedules share: a loop nest seen as sizes and strides, and an
// emitter that evaluates scalar bodies on vectors at a point of a nest.
// Next: SchedulePointwise, ScheduleReduction, ScheduleContraction.
#pragma once

#include "compiler/lower/Passes.h"

#include "llvm/ADT/DenseMap.h"

#include <optional>

namespace gradus::lower {

/// How a nest touches a buffer: loops at (i0, i1, ...) use the element at
/// base + sum of strides[d] * i_d of `flat`, a one-dimensional view. A scalar
/// operand has no `flat`; its value is `scalar`.
struct Access {
  mlir::Value flat;
  mlir::Value scalar;
  mlir::Type element;
  int64_t base = 0;
  llvm::SmallVector<int64_t> strides;
  /// The level at which the nest itself has written the buffer; it is not read
  /// further out. 0 for what is there before the nest.
  unsigned level = 0;
};

/// A linalg op on buffers as numbers. Unit loops are dropped.
struct Nest {
  mlir::Operation *op = nullptr;
  mlir::Block *body = nullptr;
  unsigned inputs = 0;
  llvm::SmallVector<int64_t> sizes;
  llvm::SmallVector<bool> reduces;
  /// One per operand of `op`.
  llvm::SmallVector<Access> accesses;
  /// For each loop of `op` its loop here; -1 if it was dropped.
  llvm::SmallVector<int64_t> loopOf;

  unsigned loops() const { return sizes.size(); }
  /// Whether loops that reduce move through a result, as the windows of a fold:
  /// an element is then added to in several of their steps.
  bool scatters() const;
  const Access &output(unsigned i) const { return accesses[inputs + i]; }
};

/// The nest of `op`; views of its buffers are created before it. Nothing if an
/// operand's address is not a sum of fixed strides.
std::optional<Nest> nestOf(mlir::OpBuilder &builder, mlir::linalg::LinalgOp op);

/// Merges neighbouring loops that every access walks as one.
void mergeLoops(Nest &nest);

/// Whether steps of a loop write to places of their own in every result.
bool isParallel(const Nest &nest, unsigned loop);

/// Whether every op of the body has a form on vectors.
bool hasVectorForm(mlir::Block &body);

/// Lanes of a vector: 16, or 8 if the nest holds 64-bit numbers. The same on
/// every machine, so that sums are the same.
unsigned lanesOf(const Nest &nest);

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
  Emitter(mlir::Operation *before, unsigned lanes);

  mlir::Location loc;
  unsigned lanes;

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
  /// The vector (first, first + 1, ...).
  mlir::Value laneNumbers(int64_t first);

  /// 1 / `divisor`, for all lanes at once.
  Element reciprocal(Element divisor);

  llvm::SmallVector<mlir::OpBuilder> levels;
  llvm::SmallVector<mlir::scf::ForOp> openLoops;
};

/// Each replaces the op by loops of vectors and is false, with nothing done,
/// if its schedule does not fit.
bool schedulePointwise(mlir::linalg::LinalgOp op);
bool scheduleReduction(mlir::linalg::LinalgOp op, mlir::Value start);
/// `start` is what the accumulators begin with; `epilogue`, if any, is a
/// pointwise op that is the only reader of the contraction's result.
bool scheduleContraction(mlir::linalg::LinalgOp op, mlir::Value start,
                         mlir::linalg::LinalgOp epilogue);

} // namespace gradus::lower
