// Element-wise ops: outer loops, then vectors along the axis in which the
// result lies contiguously; the last vector of a row is masked, whatever the
// row's width. So are sums whose windows overlap in the result: each element is
// added to where it lies, in the order of the loops.
#include "compiler/lower/Nest.h"

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

} // namespace

bool schedulePointwise(linalg::LinalgOp op) {
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

  unsigned lanes = lanesOf(*nest);
  Emitter emitter(op, lanes);
  Point point(nest->loops());
  int64_t along = chooseVectorLoop(*nest);
  if (along < 0)
    return false;
  point.vectorLoop = along;
  for (unsigned loop = 0; loop < nest->loops(); ++loop) {
    if (int64_t(loop) == along)
      continue;
    point.variable[loop] = emitter.open(nest->sizes[loop], 1).getInductionVar();
    point.level[loop] = emitter.innermost();
  }
  int64_t whole = nest->sizes[along] / lanes * lanes;
  if (whole > 0) {
    Point inside = point;
    inside.active = lanes;
    inside.variable[along] = emitter.open(whole, lanes).getInductionVar();
    inside.level[along] = emitter.innermost();
    emitPoint(emitter, *nest, inside);
    emitter.close();
  }
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
