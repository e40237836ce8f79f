// Contractions as register tiles: rows x columns accumulators live in vector
// registers over the whole contracted range, each step multiplies a broadcast
// element of A with a row of B. B is packed into panels as wide as a tile, so
// that every form (A B, A^T B, A B^T) runs the same inner loop. An element-wise
// reader of the result is evaluated on the registers before they are stored.
// Edges have tiles of their own, chosen up front; nothing is padded in memory
// but the packed panel.
#include "compiler/lower/Panel.h"

#include "mlir/IR/Matchers.h"

namespace gradus::lower {
using namespace mlir;

namespace {

/// Contracted steps after which partial sums are added to the total, so that
/// rounding errors grow with the block and not with the whole range.
constexpr int64_t kBlock = 512;

class ContractionSchedule {
public:
  ContractionSchedule(Nest &nest, const Roles &roles, Value start,
                      Nest *epilogue, const VectorUnit &unit)
      : nest(nest), roles(roles), start(start), epilogue(epilogue),
        emitter(epilogue ? epilogue->op : nest.op, lanesOf(nest, unit.bytes),
                unit),
        a(nest.accesses[roles.a]), b(nest.accesses[roles.b]),
        element(nest.output(0).element) {}

  void emit() {
    int64_t lanes = emitter.lanes, n = nest.sizes[roles.n];
    int64_t m = sizeOf(roles.m), each = sizeOf(roles.whole);
    int64_t vectors = std::min<int64_t>(chooseVectors(m * each, emitter.unit),
                                        llvm::divideCeil(n, lanes));
    int64_t tiles =
        llvm::divideCeil(m, chooseSteps(m, each, vectors, emitter.unit));
    for (unsigned loop : roles.between)
      tiles *= nest.sizes[loop];
    // Columns that lie next to each other in steps that do are a panel already.
    bool isPanel = b.strides[roles.n] == 1 && n <= vectors * lanes &&
                   !roles.contracted.empty() &&
                   b.strides[roles.contracted.back()] == n;
    packs = b.strides[roles.n] != 1 || (tiles > 2 && !isPanel);
    depth = 1;
    for (unsigned loop : roles.contracted)
      depth *= nest.sizes[loop];

    Point point(nest.loops());
    point.vectorLoop = roles.n;
    for (unsigned loop : roles.blocks)
      enter(loop, point)->setAttr(kAdds, emitter.at(0).getUnitAttr());
    for (unsigned loop : roles.outside)
      enter(loop, point);
    int64_t whole = n / (vectors * lanes) * (vectors * lanes);
    if (whole > 0) {
      Point inside = point;
      inside.variable[roles.n] =
          emitter.open(nest, roles.n, whole, vectors * lanes).getInductionVar();
      inside.level[roles.n] = emitter.innermost();
      emitPanel(inside, vectors, lanes);
      emitter.close();
    }
    if (int64_t rest = n - whole) {
      point.plus[roles.n] = whole;
      point.level[roles.n] = emitter.innermost();
      int64_t needed = (rest + lanes - 1) / lanes;
      emitPanel(point, needed, rest - (needed - 1) * lanes);
    }
  }

private:
  int64_t sizeOf(int64_t loop) const { return loop < 0 ? 1 : nest.sizes[loop]; }

  /// `point` moved to row `i` of the tile there.
  Point row(Point point, int64_t i) const {
    int64_t each = sizeOf(roles.whole);
    if (roles.m >= 0)
      point.plus[roles.m] += i / each;
    if (roles.whole >= 0)
      point.plus[roles.whole] += i % each;
    return point;
  }

  scf::ForOp enter(unsigned loop, Point &point) {
    scf::ForOp opened = emitter.open(nest, loop, nest.sizes[loop], 1);
    point.variable[loop] = opened.getInductionVar();
    point.level[loop] = emitter.innermost();
    return opened;
  }

  Point column(Point point, int64_t j, int64_t vectors, int64_t active) {
    return columnAt(std::move(point), roles, emitter.lanes, j, vectors, active);
  }

  /// All rows of the columns at `point`: `vectors` vectors, of the last only
  /// `active` lanes.
  void emitPanel(Point point, int64_t vectors, int64_t active) {
    if (packs) {
      panel.emplace(nest, roles, emitter, vectors);
      panel->pack(point, vectors, active);
    }
    unsigned opened = 0;
    for (unsigned loop : roles.between) {
      enter(loop, point);
      ++opened;
    }
    int64_t size = sizeOf(roles.m), each = sizeOf(roles.whole);
    int64_t perTile = chooseSteps(size, each, vectors, emitter.unit);
    int64_t whole = size / perTile * perTile;
    if (roles.m < 0) {
      emitTile(point, 1, vectors, active);
    } else {
      Point inside = point;
      inside.variable[roles.m] =
          emitter.open(nest, roles.m, whole, perTile).getInductionVar();
      inside.level[roles.m] = emitter.innermost();
      emitTile(inside, perTile * each, vectors, active);
      emitter.close();
      if (whole < size) {
        point.plus[roles.m] = whole;
        point.level[roles.m] = emitter.innermost();
        emitTile(point, (size - whole) * each, vectors, active);
      }
    }
    while (opened--)
      emitter.close();
  }

  //===--- tiles ----------------------------------------------------------===//

  Value zero() {
    return emitter.splat(cast<TypedAttr>(emitter.at(0).getZeroAttr(element)))
        .value;
  }

  void emitTile(const Point &point, int64_t height, int64_t vectors,
                int64_t active) {
    prefetchResults(point, height, vectors, active);
    SmallVector<Value> sums(height * vectors, zero());
    sums = contract(point, height, vectors, active, std::move(sums));
    if (isLong(height * vectors)) {
      finishInLoop(sums, point, height, vectors, active);
      return;
    }
    for (int64_t i = 0; i < height; ++i)
      for (int64_t j = 0; j < vectors; ++j) {
        Point place = column(row(point, i), j, vectors, active);
        finish(sums[i * vectors + j], place);
      }
  }

  /// Whether the epilogue, written out for every vector of a tile, would take
  /// longer to compile than the rest.
  bool isLong(int64_t vectorsOfTile) {
    constexpr int64_t kOps = 96;
    return epilogue && roles.m >= 0 &&
           vectorsOfTile * llvm::range_size(*epilogue->body) > kOps;
  }

  /// The epilogue as a loop over the rows of the tile, which go through a
  /// buffer in the nearest cache.
  void finishInLoop(ArrayRef<Value> sums, const Point &point, int64_t height,
                    int64_t vectors, int64_t active) {
    int64_t lanes = emitter.lanes;
    auto type = MemRefType::get({height * vectors * lanes}, element);
    Value tile = emitter.buffer(type, /*isPrivate=*/true);
    Access rows;
    rows.flat = tile;
    rows.level = emitter.innermost();
    rows.element = element;
    int64_t each = sizeOf(roles.whole);
    rows.strides = {each * vectors * lanes, vectors * lanes, 1};
    Point inTile(3);
    inTile.vectorLoop = 2;
    inTile.active = lanes;
    for (int64_t i = 0; i < height; ++i)
      for (int64_t j = 0; j < vectors; ++j) {
        inTile.plus = {i / each, i % each, j * lanes};
        emitter.store({sums[i * vectors + j], emitter.innermost()}, rows,
                      inTile);
      }
    Point place = point;
    walkRows(roles.m, height / each, inTile, 0, place);
    if (roles.whole >= 0)
      walkRows(roles.whole, each, inTile, 1, place);
    for (int64_t j = 0; j < vectors; ++j) {
      inTile.plus = {0, 0, j * lanes};
      finish(emitter.load(rows, inTile).value,
             column(place, j, vectors, active));
    }
    if (roles.whole >= 0)
      emitter.close();
    emitter.close();
  }

  /// Opens a loop over `steps` rows of a tile along `loop`, which are loop
  /// `own` of the buffer at `inTile`.
  void walkRows(int64_t loop, int64_t steps, Point &inTile, unsigned own,
                Point &place) {
    Value variable = emitter.open(steps, 1).getInductionVar();
    unsigned level = emitter.innermost();
    inTile.variable[own] = variable;
    inTile.level[own] = level;
    if (Value first = place.variable[loop])
      variable = arith::AddIOp::create(emitter.at(level), emitter.loc, first,
                                       variable);
    place.variable[loop] = variable;
    place.level[loop] = level;
  }

  /// The loops over the contracted range, carrying the accumulators.
  SmallVector<Value> contract(const Point &point, int64_t height,
                              int64_t vectors, int64_t active,
                              SmallVector<Value> sums) {
    if (roles.contracted.size() != 1 || depth <= 2 * kBlock)
      return contractLoops(0, point, height, vectors, active, std::move(sums));
    // Fresh accumulators for every block.
    unsigned loop = roles.contracted[0];
    int64_t whole = depth / kBlock * kBlock;
    SmallVector<Value> fresh = sums;
    auto addTo = [&](SmallVector<Value> totals, ArrayRef<Value> parts) {
      OpBuilder &builder = emitter.at(emitter.innermost());
      for (auto [total, part] : llvm::zip(totals, parts))
        total = arith::AddFOp::create(builder, emitter.loc, total, part);
      return totals;
    };
    scf::ForOp blocks = emitter.open(whole, kBlock, sums);
    Value base = blocks.getInductionVar();
    SmallVector<Value> totals(blocks.getRegionIterArgs());
    scf::ForOp steps = emitter.open(kBlock, 1, fresh);
    Point inside = point;
    inside.variable[loop] =
        arith::AddIOp::create(emitter.at(emitter.innermost()), emitter.loc,
                              base, steps.getInductionVar());
    inside.level[loop] = emitter.innermost();
    SmallVector<Value> carried(steps.getRegionIterArgs());
    emitter.close(step(inside, height, vectors, active, std::move(carried)));
    emitter.close(addTo(totals, llvm::to_vector_of<Value>(steps.getResults())));
    totals = llvm::to_vector_of<Value>(blocks.getResults());
    if (whole == depth)
      return totals;
    scf::ForOp rest = emitter.open(depth - whole, 1, fresh);
    inside = point;
    inside.variable[loop] = rest.getInductionVar();
    inside.plus[loop] = whole;
    inside.level[loop] = emitter.innermost();
    carried = llvm::to_vector_of<Value>(rest.getRegionIterArgs());
    emitter.close(step(inside, height, vectors, active, std::move(carried)));
    return addTo(totals, llvm::to_vector_of<Value>(rest.getResults()));
  }

  SmallVector<Value> contractLoops(unsigned from, const Point &point,
                                   int64_t height, int64_t vectors,
                                   int64_t active, SmallVector<Value> sums) {
    if (from == roles.contracted.size())
      return step(point, height, vectors, active, std::move(sums));
    unsigned loop = roles.contracted[from];
    scf::ForOp op = emitter.open(nest.sizes[loop], 1, sums);
    Point inside = point;
    inside.variable[loop] = op.getInductionVar();
    inside.level[loop] = emitter.innermost();
    SmallVector<Value> carried(op.getRegionIterArgs());
    emitter.close(contractLoops(from + 1, inside, height, vectors, active,
                                std::move(carried)));
    return llvm::to_vector_of<Value>(op.getResults());
  }

  /// One contracted step: an outer product of a column of A and a row of B.
  SmallVector<Value> step(const Point &point, int64_t height, int64_t vectors,
                          int64_t active, SmallVector<Value> sums) {
    OpBuilder &builder = emitter.at(emitter.innermost());
    SmallVector<Value> columns;
    for (int64_t j = 0; j < vectors; ++j)
      columns.push_back(
          panel ? panel->load(point, j, vectors)
                : emitter.load(b, column(point, j, vectors, active)).value);
    prefetchNextRow(point);
    for (int64_t i = 0; i < height; ++i) {
      Point place = row(point, i);
      place.vectorLoop = -1;
      Value factor = emitter.broadcast(emitter.load(a, place)).value;
      for (int64_t j = 0; j < vectors; ++j) {
        Value &sum = sums[i * vectors + j];
        sum =
            math::FmaOp::create(builder, emitter.loc, columns[j], factor, sum);
      }
    }
    return sums;
  }

  /// Asks for the elements of A some steps ahead if steps are so far apart that
  /// no processor guesses: those of a transposed operand.
  void prefetchNextRow(const Point &point) {
    constexpr int64_t kSteps = 16, kFar = 1024;
    int64_t rows = roles.whole >= 0 ? roles.whole : roles.m;
    if (roles.contracted.empty() || rows < 0 || a.strides[rows] != 1)
      return;
    unsigned inner = roles.contracted.back();
    int64_t bytes = a.strides[inner] * a.element.getIntOrFloatBitWidth() / 8;
    if (bytes < kFar || nest.sizes[inner] < 2 * kSteps)
      return;
    Point ahead = point;
    ahead.vectorLoop = -1;
    ahead.plus[inner] += kSteps;
    Element index = emitter.indexOf(a, ahead);
    OpBuilder &builder = emitter.at(index.level);
    auto type = cast<MemRefType>(a.flat.getType());
    Value place =
        arith::MinUIOp::create(builder, emitter.loc, index.value,
                               emitter.constant(type.getNumElements() - 1));
    memref::PrefetchOp::create(builder, emitter.loc, a.flat, place,
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  }

  /// Asks for the results of a tile while it is computed, if that is so short
  /// that stores would come faster than far caches take them.
  void prefetchResults(const Point &point, int64_t height, int64_t vectors,
                       int64_t active) {
    constexpr int64_t kShort = 32, kFar = 64 * 1024;
    if (depth > kShort)
      return;
    const Nest &last = epilogue ? *epilogue : nest;
    for (const Access &result :
         ArrayRef(last.accesses).drop_front(last.inputs)) {
      auto type = cast<MemRefType>(result.flat.getType());
      if (type.getNumElements() * type.getElementTypeBitWidth() / 8 <= kFar)
        continue;
      for (int64_t i = 0; i < height; ++i)
        for (int64_t j = 0; j < vectors; ++j) {
          Point place = column(row(point, i), j, vectors, active);
          memref::PrefetchOp::create(emitter.at(emitter.innermost()),
                                     emitter.loc, result.flat,
                                     emitter.indexOf(result, place).value,
                                     /*isWrite=*/true, /*localityHint=*/3,
                                     /*isDataCache=*/true);
        }
    }
  }

  /// Adds what the result starts from, evaluates the epilogue and stores.
  void finish(Value sum, const Point &place) {
    const Access &c = nest.output(0);
    OpBuilder &builder = emitter.at(emitter.innermost());
    if (!start || !matchPattern(start, m_AnyZeroFloat())) {
      Element first =
          emitter.broadcast(start ? Element{start, 0} : emitter.load(c, place));
      sum = arith::AddFOp::create(builder, emitter.loc, first.value, sum);
    }
    Element result{sum, emitter.innermost()};
    if (!epilogue) {
      emitter.store(result, c, place);
      return;
    }
    Block &body = *epilogue->body;
    DenseMap<Value, Element> bound;
    for (auto [argument, access] :
         llvm::zip(body.getArguments(), epilogue->accesses)) {
      if (argument.use_empty())
        continue;
      bound[argument] = access.flat && access.flat == c.flat
                            ? result
                            : emitter.load(access, place);
    }
    SmallVector<Element> results =
        emitter.evaluate(body, bound, *epilogue, place);
    for (auto [i, value] : llvm::enumerate(results))
      emitter.store(value, epilogue->output(i), place);
  }

  Nest &nest;
  const Roles &roles;
  Value start;
  Nest *epilogue;
  Emitter emitter;
  const Access &a, &b;
  Type element;
  /// What B is read from; nothing where B itself is.
  bool packs = false;
  std::optional<Panel> panel;
  int64_t depth = 1;
};

/// result = accumulator + x * y, as graph.einsum becomes.
bool multipliesAndAdds(linalg::LinalgOp op) {
  Block &body = *op.getBlock();
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      !llvm::hasNItems(body, 3))
    return false;
  auto add = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  Value accumulator = body.getArgument(2);
  Value product = add.getLhs() == accumulator ? add.getRhs() : add.getLhs();
  auto multiply = product.getDefiningOp<arith::MulFOp>();
  if (!multiply || (add.getLhs() != accumulator && add.getRhs() != accumulator))
    return false;
  Value x = body.getArgument(0), y = body.getArgument(1);
  return (multiply.getLhs() == x && multiply.getRhs() == y) ||
         (multiply.getLhs() == y && multiply.getRhs() == x);
}

/// `epilogue` as a nest over the loops of the contraction, whose result it
/// reads through `link`.
std::optional<Nest> alignEpilogue(OpBuilder &builder, linalg::LinalgOp op,
                                  const Nest &nest, linalg::LinalgOp epilogue) {
  OpOperand *link = nullptr;
  for (OpOperand *input : epilogue.getDpsInputOperands())
    if (input->get() == op.getDpsInitOperand(0)->get())
      link = input;
  if (!link)
    return std::nullopt;
  for (OpOperand *input : epilogue.getDpsInputOperands())
    if (input->get() == link->get() &&
        epilogue.getMatchingIndexingMap(input) !=
            epilogue.getMatchingIndexingMap(link))
      return std::nullopt;
  AffineMap to = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  AffineMap from = epilogue.getMatchingIndexingMap(link);
  if (!to.isProjectedPermutation() || !from.isPermutation())
    return std::nullopt;
  // Loop of the epilogue -> loop of the contraction.
  SmallVector<unsigned> partner(epilogue.getNumLoops());
  for (unsigned i = 0; i < from.getNumResults(); ++i)
    partner[from.getDimPosition(i)] = to.getDimPosition(i);

  std::optional<Nest> own = nestOf(builder, epilogue);
  if (!own)
    return std::nullopt;
  SmallVector<int64_t> old = own->loopOf;
  for (Access &access : own->accesses) {
    SmallVector<int64_t> strides(nest.loops(), 0);
    for (unsigned loop = 0; loop < old.size(); ++loop)
      if (!access.strides.empty() && old[loop] >= 0)
        strides[nest.loopOf[partner[loop]]] = access.strides[old[loop]];
    access.strides = std::move(strides);
  }
  for (unsigned loop = 0; loop < old.size(); ++loop)
    own->loopOf[loop] = nest.loopOf[partner[loop]];
  own->sizes = nest.sizes;
  own->reduces = nest.reduces;
  return own;
}

} // namespace

bool scheduleContraction(linalg::LinalgOp op, Value start,
                         linalg::LinalgOp epilogue, const VectorUnit &unit) {
  if (!multipliesAndAdds(op))
    return false;
  Operation *last = epilogue ? epilogue.getOperation() : op.getOperation();
  OpBuilder builder(last);
  std::optional<Nest> nest = nestOf(builder, op);
  if (!nest || nest->scatters() || !isa<FloatType>(nest->output(0).element) ||
      nest->accesses[0].element != nest->accesses[1].element ||
      nest->accesses[0].element != nest->output(0).element ||
      !nest->accesses[0].flat || !nest->accesses[1].flat)
    return false;
  std::optional<Roles> roles = rolesOf(*nest);
  if (!roles || (addsInMemory(*roles) && (start || epilogue)))
    return false;
  std::optional<Nest> after;
  if (epilogue) {
    if (!hasVectorForm(*epilogue.getBlock()))
      return false;
    after = alignEpilogue(builder, op, *nest, epilogue);
    if (!after || lanesOf(*after, unit.bytes) != lanesOf(*nest, unit.bytes))
      return false;
    for (unsigned i = after->inputs; i < after->accesses.size(); ++i)
      if (after->accesses[i].strides[roles->n] != 1)
        return false;
    // The aligned nest reads the result under the contraction's own view.
    for (auto [operand, access] :
         llvm::zip(epilogue->getOperands(), after->accesses))
      if (operand == op.getDpsInitOperand(0)->get())
        access.flat = nest->output(0).flat;
  }
  ContractionSchedule(*nest, *roles, start, after ? &*after : nullptr, unit)
      .emit();
  if (epilogue)
    epilogue->erase();
  op->erase();
  return true;
}

} // namespace gradus::lower
