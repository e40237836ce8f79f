// Element-wise ops: outer loops, then vectors along the axis in which the
// result lies contiguously; the last vector of a row is masked, whatever the
// row's width. So are sums whose windows overlap in the result: each element is
// added to where it lies, in the order of the loops.
#include "compiler/lower/Emitter.h"
#include "runtime/Philox.h"

namespace gradus::lower {
using namespace mlir;

namespace {

/// Loads the operands at `point`, evaluates the body, stores the results.
void emitPoint(Emitter &emitter, const Nest &nest, const Point &point) {
  Block &body = *nest.body;
  DenseMap<Value, Element> bound;
  for (auto [argument, access] : llvm::zip(body.getArguments(), nest.accesses))
    if (!argument.use_empty())
      bound[argument] = emitter.load(access, point);
  SmallVector<Element> results = emitter.evaluate(body, bound, nest, point);
  for (auto [i, result] : llvm::enumerate(results))
    emitter.store(result, nest.output(i), point);
}

/// The loop along which to put lanes: contiguous in most results, then longest.
/// Lanes must not meet in a result: never a loop that reduces; -1 if all do.
int64_t chooseVectorLoop(const Nest &nest) {
  auto worth = [&](unsigned loop) {
    int64_t contiguous = 0;
    for (unsigned i = nest.inputs; i < nest.accesses.size(); ++i)
      contiguous += nest.accesses[i].strides[loop] == 1;
    return std::make_pair(contiguous, nest.sizes[loop]);
  };
  int64_t best = -1;
  for (unsigned loop = nest.loops(); loop-- > 0;)
    if (!nest.reduces[loop] && (best < 0 || worth(loop) > worth(best)))
      best = loop;
  return best;
}

/// Whether random numbers are computed: vectors of one group of places then
/// take their words from the same blocks.
bool draws(const Nest &nest) {
  return !nest.body->getOps<arith::MulUIExtendedOp>().empty();
}

} // namespace

bool schedulePointwise(linalg::LinalgOp op, const VectorUnit &unit) {
  if (!hasVectorForm(*op.getBlock()))
    return false;
  OpBuilder builder(op);
  std::optional<Nest> nest = nestOf(builder, op);
  bool reduces = op.getNumLoops() != op.getNumParallelLoops();
  if (!nest || (reduces && !nest->scatters()))
    return false;
  mergeLoops(*nest);
  if (nest->loops() == 0)
    return false;

  unsigned lanes = lanesOf(*nest, unit.bytes);
  Emitter emitter(op, lanes, unit);
  Point point(nest->loops());
  int64_t along = chooseVectorLoop(*nest);
  if (along < 0)
    return false;
  point.vectorLoop = along;
  for (unsigned loop = 0; loop < nest->loops(); ++loop) {
    if (int64_t(loop) == along)
      continue;
    point.variable[loop] =
        emitter.open(*nest, loop, nest->sizes[loop], 1).getInductionVar();
    point.level[loop] = emitter.innermost();
  }
  // Vectors from `begin` on, `together` of them in one round of a loop.
  auto emitVectors = [&](int64_t begin, int64_t together) {
    int64_t end = nest->sizes[along] / lanes * lanes;
    int64_t size = (end - begin) / (together * lanes) * together * lanes;
    if (size == 0)
      return begin;
    Point inside = point;
    inside.active = lanes;
    inside.variable[along] =
        emitter.open(*nest, along, size, together * lanes).getInductionVar();
    inside.level[along] = emitter.innermost();
    for (int64_t i = 0; i < together; ++i) {
      inside.plus[along] = begin + i * lanes;
      emitPoint(emitter, *nest, inside);
    }
    emitter.close();
    return begin + size;
  };
  int64_t whole = draws(*nest) ? emitVectors(0, groupOfDraws / lanes) : 0;
  whole = emitVectors(whole, 1);
  if (whole < nest->sizes[along]) {
    point.plus[along] = whole;
    point.level[along] = emitter.innermost();
    point.active = nest->sizes[along] - whole;
    emitPoint(emitter, *nest, point);
  }
  op->erase();
  return true;
}

} // namespace gradus::lower
