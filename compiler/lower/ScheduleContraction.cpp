// Contractions as register tiles: rows x columns accumulators live in vector
// registers over the whole contracted range, each step multiplies a broadcast
// element of A with a row of B. B is packed into panels as wide as a tile, so
// that every form (A B, A^T B, A B^T) runs the same inner loop. An element-wise
// reader of the result is evaluated on the registers before they are stored.
// Edges have tiles of their own, chosen up front; nothing is padded in memory
// but the packed panel.
#include "compiler/lower/Combination.h"
#include "compiler/lower/DotProducts.h"
#include "compiler/lower/Epilogue.h"
#include "compiler/lower/PackedRows.h"
#include "compiler/lower/Panel.h"
#include "compiler/lower/Prefetch.h"

#include "mlir/IR/Matchers.h"

namespace gradus::lower {
using namespace mlir;

namespace {

class ContractionSchedule {
public:
  ContractionSchedule(Nest &nest, const Roles &roles, Value start,
                      Nest *epilogue, const VectorUnit &unit)
      : nest(nest), roles(roles), start(start), epilogue(epilogue),
        emitter(epilogue ? epilogue->op : nest.op, lanesOf(nest, unit.bytes),
                unit),
        prefetch(nest, roles, epilogue, emitter), a(nest.accesses[roles.a]),
        b(nest.accesses[roles.b]), element(nest.output(0).element) {}

  void emit() {
    int64_t lanes = emitter.lanes, n = nest.sizes[roles.n];
    int64_t m = sizeOf(roles.m), each = sizeOf(roles.whole);
    sumsAcross = areDotProducts(nest, roles);
    int64_t vectors =
        sumsAcross ? 1
                   : std::min<int64_t>(chooseVectors(m * each, emitter.unit),
                                       llvm::divideCeil(n, lanes));
    int64_t tiles =
        llvm::divideCeil(m, chooseSteps(m, each, vectors, emitter.unit));
    for (unsigned loop : roles.between)
      tiles *= nest.sizes[loop];
    // Columns that lie next to each other in steps that do are a panel already.
    bool isPanel = b.strides[roles.n] == 1 && n <= vectors * lanes &&
                   !roles.contracted.empty() &&
                   b.strides[roles.contracted.back()] == n;
    widest = vectors;
    stepsAtOnce = chooseStepsAtOnce();
    packs = !sumsAcross && (b.strides[roles.n] != 1 || (tiles > 2 && !isPanel));
    depth = depthOf(nest, roles.contracted);

    Point point(nest.loops());
    point.vectorLoop = roles.n;
    for (unsigned loop : roles.blocks)
      enter(loop, point)->setAttr(kAdds, emitter.at(0).getUnitAttr());
    for (unsigned loop : roles.outside)
      enter(loop, point)->setAttr(kInside, emitter.at(0).getBoolAttr(false));
    if (PackedRows::isWorthIt(nest, roles, emitter.unit,
                              llvm::divideCeil(n, vectors * lanes))) {
      heightOfPacked = chooseSteps(m, each, vectors, emitter.unit);
      packedRows.emplace(nest, roles, emitter, heightOfPacked);
      packedRows->pack(point);
    }
    int64_t whole = n / (vectors * lanes) * (vectors * lanes);
    if (whole > 0) {
      Point inside = point;
      scf::ForOp panels = emitter.open(nest, roles.n, whole, vectors * lanes);
      panels->setAttr(kInside, emitter.at(0).getBoolAttr(sharesRows()));
      inside.variable[roles.n] = panels.getInductionVar();
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
  /// Rows and columns whose accumulators are in registers at the same time: of
  /// the rows at `point` those from `first` on, of the last vector of a row
  /// only `active` lanes.
  struct Tile {
    Point point;
    int64_t height, vectors, active;
    int64_t first = 0;
    /// Where the rows begin that come next, if they are asked for ahead, and
    /// how many they are.
    std::optional<Point> next = std::nullopt;
    int64_t heightOfNext = 0;
    int64_t stepsAtOnce = 1;

    int64_t accumulators() const { return height * vectors; }
  };

  int64_t sizeOf(int64_t loop) const { return loop < 0 ? 1 : nest.sizes[loop]; }

  /// Row `i` of `tile`.
  Point row(const Tile &tile, int64_t i) const {
    Point point = tile.point;
    i += tile.first;
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

  /// `point` moved to vector `j` of a row of `tile`.
  Point column(Point point, const Tile &tile, int64_t j) {
    return columnAt(std::move(point), roles, emitter.lanes, j, tile.vectors,
                    tile.active);
  }

  Point place(const Tile &tile, int64_t i, int64_t j) {
    return column(row(tile, i), tile, j);
  }

  /// All rows of the columns at `point`: `vectors` vectors, of the last only
  /// `active` lanes.
  void emitPanel(Point point, int64_t vectors, int64_t active) {
    unsigned opened = 0;
    auto open = [&](ArrayRef<unsigned> loops) {
      for (unsigned loop : loops)
        enter(loop, point);
      opened += loops.size();
    };
    open(roles.parts);
    if (packs) {
      panel.emplace(nest, roles, emitter, vectors);
      panel->pack(point, vectors, active);
    }
    open(roles.between);
    int64_t size = sizeOf(roles.m), each = sizeOf(roles.whole);
    int64_t perTile = packedRows
                          ? heightOfPacked
                          : chooseSteps(size, each, vectors, emitter.unit);
    int64_t whole = size / perTile * perTile;
    if (roles.m < 0) {
      emitRows({point, 1, vectors, active});
    } else {
      Point inside = point;
      inside.variable[roles.m] =
          emitter.open(nest, roles.m, whole, perTile).getInductionVar();
      inside.level[roles.m] = emitter.innermost();
      Tile rows{inside, perTile * each, vectors, active};
      if (!packedRows && !sumsAcross && prefetch.readsShortRows())
        rows.next = after(inside, perTile, whole);
      if (vectors == widest)
        rows.stepsAtOnce = stepsAtOnce;
      emitRows(rows);
      emitter.close();
      if (whole < size) {
        point.plus[roles.m] = whole;
        point.level[roles.m] = emitter.innermost();
        emitRows({point, (size - whole) * each, vectors, active});
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

  /// `point` moved by `rows` rows, to the first one behind the last of `size`.
  Point after(Point point, int64_t rows, int64_t size) {
    OpBuilder &builder = emitter.at(emitter.innermost());
    Value &row = point.variable[roles.m];
    Value next = arith::AddIOp::create(builder, emitter.loc, row,
                                       emitter.constant(rows));
    Value isLast =
        arith::CmpIOp::create(builder, emitter.loc, arith::CmpIPredicate::eq,
                              next, emitter.constant(size));
    row = arith::SelectOp::create(builder, emitter.loc, isLast,
                                  emitter.constant(0), next);
    return point;
  }

  /// All of `rows`, in as many tiles of about one size as they need registers.
  void emitRows(const Tile &rows) {
    for (int64_t i = 0; i < rows.height; ++i)
      for (int64_t j = 0; j < rows.vectors; ++j)
        prefetch.end(place(rows, i, j), j);
    bool inLoop = isLong(rows.accumulators());
    Access sumsOfRows = inLoop ? bufferOf(rows) : Access();
    int64_t most = mostRows(rows.vectors, emitter.unit);
    int64_t parts = llvm::divideCeil(rows.height, most);
    Tile tile = rows;
    auto heightOf = [&](int64_t part) {
      return rows.height / parts + (part < rows.height % parts);
    };
    for (int64_t part = 0; part < parts; ++part) {
      tile.height = heightOf(part);
      tile.heightOfNext = heightOf((part + 1) % parts);
      if (rows.next && part + 1 < parts) {
        tile.next = tile.point;
        tile.next->plus[roles.m] += tile.first + tile.height;
      } else {
        tile.next = rows.next;
      }
      SmallVector<Value> sums = contract(tile);
      for (int64_t i = 0; i < tile.height; ++i)
        for (int64_t j = 0; j < tile.vectors; ++j) {
          Value sum = sums[i * tile.vectors + j];
          if (inLoop)
            emitter.store({sum, emitter.innermost()}, sumsOfRows,
                          inBuffer(tile.first + i, j));
          else
            finish(sum, place(tile, i, j));
        }
      tile.first += tile.height;
    }
    if (inLoop)
      finishInLoop(sumsOfRows, rows);
  }

  /// Whether the epilogue, written out for every vector of a tile, would take
  /// longer to compile than the rest.
  bool isLong(int64_t vectorsOfTile) {
    constexpr int64_t kOps = 96;
    return epilogue && roles.m >= 0 &&
           vectorsOfTile * llvm::range_size(*epilogue->body) > kOps;
  }

  /// A buffer in the nearest cache for the sums of `rows`: its loops are the
  /// rows of `m`, of `whole`, and the columns.
  Access bufferOf(const Tile &rows) {
    int64_t width = rows.vectors * emitter.lanes;
    auto type = MemRefType::get({rows.height * width}, element);
    Access access;
    access.flat = emitter.buffer(type, /*isPrivate=*/true);
    access.level = emitter.innermost();
    access.element = element;
    access.strides = {sizeOf(roles.whole) * width, width, 1};
    return access;
  }

  /// Vector `j` of row `i` in such a buffer.
  Point inBuffer(int64_t i, int64_t j) {
    int64_t each = sizeOf(roles.whole);
    Point point(3);
    point.vectorLoop = 2;
    point.active = emitter.lanes;
    point.plus = {i / each, i % each, j * emitter.lanes};
    return point;
  }

  /// The epilogue as a loop over the rows, whose sums are in a buffer.
  void finishInLoop(const Access &sums, const Tile &rows) {
    int64_t each = sizeOf(roles.whole);
    Point from = inBuffer(0, 0), to = rows.point;
    walkRows(roles.m, rows.height / each, from, 0, to);
    if (roles.whole >= 0)
      walkRows(roles.whole, each, from, 1, to);
    for (int64_t j = 0; j < rows.vectors; ++j) {
      from.plus[2] = j * emitter.lanes;
      finish(emitter.load(sums, from).value, column(to, rows, j));
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
  SmallVector<Value> contract(const Tile &tile) {
    if (sumsAcross)
      return {dotProducts(nest, roles, emitter, place(tile, 0, 0))};
    SmallVector<Value> sums(tile.accumulators(), zero());
    if (roles.contracted.size() != 1 || depth <= 2 * kBlock)
      return contractLoops(0, tile, std::move(sums));
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
    Tile inside = tile;
    inside.point.variable[loop] = blocks.getInductionVar();
    inside.point.level[loop] = emitter.innermost();
    SmallVector<Value> totals(blocks.getRegionIterArgs());
    emitter.close(addTo(totals, walk(inside, loop, kBlock, fresh)));
    totals = llvm::to_vector_of<Value>(blocks.getResults());
    if (whole == depth)
      return totals;
    inside = tile;
    inside.point.plus[loop] = whole;
    return addTo(totals, walk(inside, loop, depth - whole, fresh));
  }

  SmallVector<Value> contractLoops(unsigned from, const Tile &tile,
                                   SmallVector<Value> sums) {
    if (from == roles.contracted.size())
      return step(tile, std::move(sums));
    unsigned loop = roles.contracted[from];
    if (from + 1 == roles.contracted.size())
      return walk(tile, loop, nest.sizes[loop], std::move(sums));
    scf::ForOp op = emitter.open(nest.sizes[loop], 1, sums);
    Tile inside = tile;
    inside.point.variable[loop] = op.getInductionVar();
    inside.point.level[loop] = emitter.innermost();
    SmallVector<Value> carried(op.getRegionIterArgs());
    emitter.close(contractLoops(from + 1, inside, std::move(carried)));
    return llvm::to_vector_of<Value>(op.getResults());
  }

  /// A processor whose core another thread shares has no time for counting each
  /// step; but what is soon done is not worth the time to compile it.
  int64_t chooseStepsAtOnce() const {
    constexpr int64_t kAtOnce = 4, kSoonDone = 1 << 18;
    int64_t products = 1;
    for (int64_t size : nest.sizes)
      products *= size;
    // Elements that one step and the next read both would be kept in registers,
    // and push sums out of them.
    auto slides = [&](int64_t rows) {
      int64_t step = a.strides[roles.contracted.back()];
      return rows >= 0 && step != 0 && a.strides[rows] % step == 0 &&
             a.strides[rows] / step < kAtOnce;
    };
    return roles.contracted.empty() || products < kSoonDone ||
                   slides(roles.m) || slides(roles.whole)
               ? 1
               : kAtOnce;
  }

  /// `size` contracted steps along `loop` from `tile` on.
  SmallVector<Value> walk(const Tile &tile, unsigned loop, int64_t size,
                          SmallVector<Value> sums) {
    constexpr int64_t kMany = 64;
    bool isEven = size % tile.stepsAtOnce == 0;
    // What steps of a full tile read early pushes sums out of registers.
    int64_t registers = emitter.unit.registers;
    bool isFull =
        tile.accumulators() + tile.vectors + 1 + registers / 16 > registers;
    int64_t atOnce =
        (isEven || size >= kMany) && !isFull ? tile.stepsAtOnce : 1;
    int64_t whole = size / atOnce * atOnce;
    scf::ForOp op = emitter.open(whole, atOnce, sums);
    Tile inside = tile;
    Value &variable = inside.point.variable[loop];
    variable = variable ? arith::AddIOp::create(emitter.at(emitter.innermost()),
                                                emitter.loc, variable,
                                                op.getInductionVar())
                        : op.getInductionVar();
    inside.point.level[loop] = emitter.innermost();
    SmallVector<Value> carried(op.getRegionIterArgs());
    for (int64_t i = 0; i < atOnce; ++i, ++inside.point.plus[loop]) {
      if (inside.next)
        prefetch.partOfRows(*inside.next, inside.heightOfNext, inside.point, i);
      carried = step(inside, std::move(carried));
    }
    emitter.close(carried);
    sums = llvm::to_vector_of<Value>(op.getResults());
    inside = tile;
    inside.point.plus[loop] += whole;
    for (; whole < size; ++whole, ++inside.point.plus[loop])
      sums = step(inside, std::move(sums));
    return sums;
  }

  /// One contracted step: an outer product of a column of A and a row of B.
  SmallVector<Value> step(const Tile &tile, SmallVector<Value> sums) {
    OpBuilder &builder = emitter.at(emitter.innermost());
    SmallVector<Value> columns;
    for (int64_t j = 0; j < tile.vectors; ++j)
      columns.push_back(
          panel ? panel->load(tile.point, j, tile.vectors)
                : emitter.load(b, column(tile.point, tile, j)).value);
    if (!packedRows)
      prefetch.nextStep(tile.point);
    for (int64_t i = 0; i < tile.height; ++i) {
      Point place = row(tile, i);
      place.vectorLoop = -1;
      Element element = packedRows
                            ? packedRows->load(tile.point, i, tile.height)
                            : emitter.load(a, place);
      Value factor = emitter.broadcast(element).value;
      for (int64_t j = 0; j < tile.vectors; ++j) {
        Value &sum = sums[i * tile.vectors + j];
        sum =
            math::FmaOp::create(builder, emitter.loc, columns[j], factor, sum);
      }
    }
    return sums;
  }

  /// Whether workers share the rows of all panels, not the panels: of what they
  /// read in full then, the panels, there is less. But rows from far serve all
  /// of them at once where they share panels, and what is updated in place
  /// stays with the worker that reads its columns in the next step.
  bool sharesRows() const {
    constexpr int64_t kMemory = 4 << 20;
    int64_t rows = sizeOf(roles.m) * sizeOf(roles.whole);
    for (unsigned loop : roles.between)
      rows *= nest.sizes[loop];
    int64_t bytes = rows * depth * a.element.getIntOrFloatBitWidth() / 8;
    return rows > nest.sizes[roles.n] && bytes < kMemory &&
           !(epilogue && updatesInPlace(*epilogue));
  }

  /// Adds what the result starts from, evaluates the epilogue and stores.
  void finish(Value sum, const Point &place) {
    const Access &c = nest.output(0);
    OpBuilder &builder = emitter.at(emitter.innermost());
    if (!start || !matchPattern(start, m_AnyZeroFloat())) {
      // It has changed since the loops around `place` began.
      Access sumSoFar = c;
      sumSoFar.level = emitter.innermost();
      Element first = emitter.broadcast(start ? Element{start, 0}
                                              : emitter.load(sumSoFar, place));
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
  Prefetch prefetch;
  const Access &a, &b;
  Type element;
  /// Whether each column is summed up in a vector of its own.
  bool sumsAcross = false;
  /// Vectors of a row of most tiles, and the contracted steps that these take
  /// without a question whether there are more.
  int64_t widest = 0, stepsAtOnce = 1;
  /// What B is read from; nothing where B itself is.
  bool packs = false;
  std::optional<Panel> panel;
  /// What A is read from; nothing where A itself is. Tiles then have one
  /// height.
  std::optional<PackedRows> packedRows;
  int64_t heightOfPacked = 0;
  int64_t depth = 1;
};

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
  std::optional<Nest> after;
  if (epilogue) {
    if (!hasVectorForm(*epilogue.getBlock()))
      return false;
    after = alignEpilogue(builder, op, *nest, epilogue);
    if (!after || lanesOf(*after, unit.bytes) != lanesOf(*nest, unit.bytes))
      return false;
  }
  mergeLoops(*nest, after ? &*after : nullptr);
  std::optional<Roles> roles = rolesOf(*nest, unit);
  if (!roles || (addsInMemory(*roles) && (start || epilogue)))
    return false;
  takeRowBlocks(*nest, *roles, after ? &*after : nullptr, unit);
  if (epilogue) {
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
