// Reductions as trees that depend on the shape only. Lanes lie along the
// contiguous axis: if it is kept, each lane is one result (column sums); if it
// is reduced, the lanes of a row are combined pairwise at its end. Several
// accumulators take turns, to be combined pairwise as well.
#include "compiler/lower/Combination.h"
#include "compiler/lower/Emitter.h"

namespace gradus::lower {
using namespace mlir;

namespace {

class ReductionSchedule {
public:
  ReductionSchedule(Nest &nest, const Combination &combination, Value start,
                    const VectorUnit &unit)
      : nest(nest), combination(combination), start(start),
        emitter(nest.op, lanesOf(nest, kSumBytes), unit), point(nest.loops()) {}

  void emit(unsigned along) {
    point.vectorLoop = along;
    for (unsigned loop = 0; loop < nest.loops(); ++loop) {
      if (loop == along)
        continue;
      if (nest.reduces[loop]) {
        reduced.push_back(loop);
        continue;
      }
      point.variable[loop] =
          emitter.open(nest, loop, nest.sizes[loop], 1).getInductionVar();
      point.level[loop] = emitter.innermost();
    }
    if (nest.reduces[along])
      reduceLanes(along);
    else
      reduceColumns(along);
  }

private:
  Value combine(Value a, Value b) {
    return lower::combine(emitter.at(emitter.innermost()), combination, a, b);
  }

  /// Pairwise: ((a0 + a1) + (a2 + a3)).
  Value combineAll(ArrayRef<Value> values) {
    SmallVector<Value> list(values);
    while (list.size() > 1) {
      SmallVector<Value> half;
      for (size_t i = 0; i + 1 < list.size(); i += 2)
        half.push_back(combine(list[i], list[i + 1]));
      if (list.size() % 2)
        half.push_back(list.back());
      list = std::move(half);
    }
    return list[0];
  }

  /// f(inputs) at `at` as a vector; neutral in lanes not in use.
  Value termAt(const Point &at) {
    Block &body = *nest.body;
    DenseMap<Value, Element> bound;
    for (unsigned i = 0; i < nest.inputs; ++i)
      if (!body.getArgument(i).use_empty())
        bound[body.getArgument(i)] = emitter.load(nest.accesses[i], at);
    bound[body.getArguments().back()] = neutral();
    emitter.evaluate(body, bound, nest, at);
    Value term = emitter
                     .broadcast(bound.contains(combination.term)
                                    ? bound[combination.term]
                                    : Element{combination.term, 0})
                     .value;
    if (at.active == emitter.lanes)
      return term;
    return arith::SelectOp::create(emitter.at(emitter.innermost()), emitter.loc,
                                   emitter.maskOf(at.active), term,
                                   neutral().value);
  }

  Element neutral() { return emitter.splat(combination.neutral); }

  /// Runs `visit` in loops over reduced[from...], carrying `accumulators`.
  SmallVector<Value>
  loopOver(unsigned from, Point &at, SmallVector<Value> accumulators,
           llvm::function_ref<SmallVector<Value>(Point &, SmallVector<Value>)>
               visit) {
    if (from == reduced.size())
      return visit(at, std::move(accumulators));
    unsigned loop = reduced[from];
    scf::ForOp op = emitter.open(nest.sizes[loop], 1, accumulators);
    Point inside = at;
    inside.variable[loop] = op.getInductionVar();
    inside.level[loop] = emitter.innermost();
    SmallVector<Value> carried(op.getRegionIterArgs());
    emitter.close(loopOver(from + 1, inside, std::move(carried), visit));
    return llvm::to_vector_of<Value>(op.getResults());
  }

  /// Lanes along the reduced loop `along`.
  void reduceLanes(unsigned along) {
    int64_t size = nest.sizes[along], lanes = emitter.lanes;
    int64_t turns = std::clamp<int64_t>(size / lanes, 1, 4);
    SmallVector<Value> zero(turns, neutral().value);
    auto row = [&](Point &at, SmallVector<Value> sums) {
      int64_t whole = size / (turns * lanes) * (turns * lanes);
      auto add = [&](Point place, int64_t turn, int64_t plus, unsigned active) {
        place.plus[along] = plus;
        place.active = active;
        sums[turn] = combine(sums[turn], termAt(place));
      };
      if (whole > 0) {
        scf::ForOp op = emitter.open(whole, turns * lanes, sums);
        Point inside = at;
        inside.variable[along] = op.getInductionVar();
        inside.level[along] = emitter.innermost();
        sums.assign(op.getRegionIterArgs().begin(),
                    op.getRegionIterArgs().end());
        for (int64_t turn = 0; turn < turns; ++turn)
          add(inside, turn, turn * lanes, lanes);
        emitter.close(sums);
        sums = llvm::to_vector_of<Value>(op.getResults());
      }
      at.level[along] = emitter.innermost();
      for (int64_t turn = 0; whole < size; whole += lanes, ++turn)
        add(at, turn, whole, std::min(lanes, size - whole));
      return sums;
    };
    Value sum = combineAll(loopOver(0, point, zero, row));
    OpBuilder &builder = emitter.at(emitter.innermost());
    for (int64_t width = lanes / 2; width >= 1; width /= 2) {
      auto half = [&](int64_t from) -> Value {
        return vector::ShuffleOp::create(
            builder, emitter.loc, sum, sum,
            llvm::to_vector(llvm::seq<int64_t>(from, from + width)));
      };
      Value low = half(0), high = half(width);
      sum = combine(low, high);
    }
    Value total = vector::ExtractOp::create(builder, emitter.loc, sum, 0);
    Point at = point;
    at.vectorLoop = -1;
    at.level[along] = 0;
    finish({total, emitter.innermost()}, at);
  }

  /// Lanes along the kept loop `along`: chunks of several vectors.
  void reduceColumns(unsigned along) {
    int64_t size = nest.sizes[along], lanes = emitter.lanes;
    constexpr int64_t kColumns = 4;
    int64_t whole = size / (kColumns * lanes) * (kColumns * lanes);
    if (whole > 0) {
      scf::ForOp op = emitter.open(nest, along, whole, kColumns * lanes);
      Point inside = point;
      inside.variable[along] = op.getInductionVar();
      inside.level[along] = emitter.innermost();
      columns(inside, along, kColumns, lanes);
      emitter.close();
    }
    if (int64_t rest = size - whole) {
      Point last = point;
      last.plus[along] = whole;
      last.level[along] = emitter.innermost();
      int64_t vectors = (rest + lanes - 1) / lanes;
      columns(last, along, vectors, rest - (vectors - 1) * lanes);
    }
  }

  /// `vectors` vectors side by side, of the last only `active` lanes. The
  /// innermost reduced loop is taken `turns` steps at once.
  void columns(const Point &corner, unsigned along, int64_t vectors,
               int64_t active) {
    auto column = [&](Point at, int64_t i) {
      at.plus[along] += i * emitter.lanes;
      at.active = i + 1 < vectors ? emitter.lanes : active;
      return at;
    };
    SmallVector<unsigned> all = reduced;
    int64_t inner = reduced.empty() ? -1 : int64_t(reduced.pop_back_val());
    int64_t size = inner < 0 ? 1 : nest.sizes[inner];
    int64_t turns = std::min<int64_t>(size, vectors > 2 ? 2 : 4);
    SmallVector<Value> zero(vectors * turns, neutral().value);
    auto rows = [&](Point &at, SmallVector<Value> sums) {
      auto add = [&](Point place, int64_t turn, int64_t plus) {
        if (inner >= 0)
          place.plus[inner] = plus;
        for (int64_t i = 0; i < vectors; ++i) {
          Value &sum = sums[turn * vectors + i];
          sum = combine(sum, termAt(column(place, i)));
        }
      };
      int64_t even = size / turns * turns;
      if (even > turns) {
        scf::ForOp op = emitter.open(even, turns, sums);
        Point inside = at;
        inside.variable[inner] = op.getInductionVar();
        inside.level[inner] = emitter.innermost();
        sums.assign(op.getRegionIterArgs().begin(),
                    op.getRegionIterArgs().end());
        for (int64_t turn = 0; turn < turns; ++turn)
          add(inside, turn, turn);
        emitter.close(sums);
        sums = llvm::to_vector_of<Value>(op.getResults());
      } else {
        even = 0;
      }
      if (inner >= 0)
        at.level[inner] = emitter.innermost();
      for (int64_t turn = 0; even < size; ++even, ++turn)
        add(at, turn % turns, even);
      return sums;
    };
    Point start = corner;
    SmallVector<Value> sums = loopOver(0, start, zero, rows);
    reduced = all;
    for (int64_t i = 0; i < vectors; ++i) {
      SmallVector<Value> turnsOfColumn;
      for (int64_t turn = 0; turn < turns; ++turn)
        turnsOfColumn.push_back(sums[turn * vectors + i]);
      finish({combineAll(turnsOfColumn), emitter.innermost()},
             column(corner, i));
    }
  }

  /// Combines with what the result starts from and stores it.
  void finish(Element total, const Point &at) {
    const Access &result = nest.output(0);
    Element first = start ? Element{start, 0} : emitter.load(result, at);
    if (total.isVector())
      first = emitter.broadcast(first);
    emitter.store({combine(first.value, total.value), emitter.innermost()},
                  result, at);
  }

  Nest &nest;
  const Combination &combination;
  Value start;
  Emitter emitter;
  Point point;
  /// Reduced loops without lanes, outermost first.
  SmallVector<unsigned> reduced;
};

} // namespace

bool scheduleReduction(linalg::LinalgOp op, Value start,
                       const VectorUnit &unit) {
  if (op.getNumReductionLoops() == 0 || !hasVectorForm(*op.getBlock()))
    return false;
  std::optional<Combination> combination = combinationOf(op);
  if (!combination)
    return false;
  OpBuilder builder(op);
  std::optional<Nest> nest = nestOf(builder, op);
  if (!nest || nest->scatters())
    return false;
  mergeLoops(*nest);
  if (nest->loops() == 0)
    return false;

  // Contiguous in the most operands; a kept loop before a reduced one.
  auto worth = [&](unsigned loop) {
    int64_t contiguous = 0, broken = 0;
    for (const Access &access : nest->accesses) {
      contiguous += access.strides[loop] == 1;
      broken += access.strides[loop] > 1;
    }
    return std::make_tuple(-broken, contiguous, !nest->reduces[loop],
                           nest->sizes[loop]);
  };
  unsigned along = 0;
  for (unsigned loop = 1; loop < nest->loops(); ++loop)
    if (worth(loop) >= worth(along))
      along = loop;
  ReductionSchedule(*nest, *combination, start, unit).emit(along);
  op->erase();
  return true;
}

} // namespace gradus::lower
