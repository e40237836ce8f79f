// See ContractionRoles.h.
#include "compiler/lower/ContractionRoles.h"

namespace gradus::lower {

/// Contracted steps above which sums of parts are worth adding up in memory.
static constexpr int64_t kLong = 2048;

/// Rows whose accumulators are ready again when their turn comes, however the
/// tile's rows lie.
static constexpr int64_t kRowsOfTile = 8;

void Roles::split(Nest &nest, unsigned loop, int64_t steps) {
  splitLoop(nest, loop, steps);
  auto move = [&](auto &number) { number += int64_t(number) >= int64_t(loop); };
  move(n);
  move(m);
  move(whole);
  for (auto *list : {&outside, &between, &contracted, &blocks, &parts})
    llvm::for_each(*list, move);
}

int64_t depthOf(const Nest &nest, llvm::ArrayRef<unsigned> loops) {
  int64_t depth = 1;
  for (unsigned loop : loops)
    depth *= nest.sizes[loop];
  return depth;
}

/// The rows of a tile are close to each other in a: one loop if it fills a
/// tile, two if a tile has place for several steps of the next.
static void chooseRowLoops(const Nest &nest, Roles &roles) {
  llvm::SmallVector<int64_t> loops;
  for (unsigned loop = 0; loop < nest.loops(); ++loop)
    if (!nest.reduces[loop] && int64_t(loop) != roles.n &&
        nest.accesses[roles.a].strides[loop] != 0 &&
        nest.accesses[roles.b].strides[loop] == 0)
      loops.push_back(loop);
  // The innermost of the closest first.
  auto distance = [&](int64_t loop) {
    return std::make_pair(std::abs(nest.accesses[roles.a].strides[loop]),
                          -loop);
  };
  llvm::sort(loops, [&](int64_t left, int64_t right) {
    return distance(left) < distance(right);
  });
  if (loops.empty())
    return;
  roles.m = loops[0];
  if (loops.size() == 1 || nest.sizes[loops[0]] >= kRowsOfTile)
    return;
  roles.whole = loops[0];
  roles.m = loops[1];
}

/// Whether a matrix A falls out of the caches from one panel to the next.
static bool isFar(const Nest &nest, const Roles &roles,
                  const VectorUnit &unit) {
  constexpr int64_t kFar = 2 << 20;
  if (roles.m < 0 || roles.whole >= 0 || roles.contracted.size() != 1 ||
      !roles.outside.empty() || !roles.between.empty())
    return false;
  int64_t elements = nest.sizes[roles.m] * nest.sizes[roles.contracted[0]];
  int64_t bytes = nest.accesses[roles.a].element.getIntOrFloatBitWidth() / 8;
  return elements * bytes >= kFar &&
         nest.sizes[roles.n] > unit.vectors * lanesOf(nest, unit.bytes);
}

/// Of a long sum, leaves so much that a panel stays in a cache: outer loops go
/// around everything, or parts of one.
static void takeBlocks(Nest &nest, Roles &roles, const VectorUnit &unit) {
  int64_t depth = depthOf(nest, roles.contracted);
  // Rows that lie side by side in steps of several loops are not copied.
  bool isAcross = roles.m >= 0 && roles.contracted.size() > 1 &&
                  nest.accesses[roles.a].strides[roles.m] == 1;
  if (depth <= (isAcross ? kBlock : kLong))
    return;
  auto take = [&](llvm::SmallVector<unsigned> &list) {
    list.push_back(roles.contracted.front());
    roles.contracted.erase(roles.contracted.begin());
    depth /= nest.sizes[list.back()];
  };
  // Leaves up to `most` steps of the outermost loop, if not too few.
  auto split = [&](int64_t most, int64_t least) {
    unsigned loop = roles.contracted.front();
    int64_t part = partOf(nest.sizes[loop], most);
    if (part < least)
      return false;
    roles.split(nest, loop, part);
    roles.contracted.insert(roles.contracted.begin(), loop);
    return true;
  };
  while (roles.contracted.size() > 1 && depth > unit.depth) {
    int64_t inner = depth / nest.sizes[roles.contracted.front()];
    if (inner < unit.leastDepth &&
        !split(unit.depth / inner, unit.leastDepth / inner))
      return;
    take(roles.blocks);
  }
  if (roles.contracted.size() == 1 && depth > kLong) {
    bool far = isFar(nest, roles, unit);
    if (split(kBlock, kBlock / 4))
      take(far ? roles.blocks : roles.parts);
  }
}

std::optional<Roles> rolesOf(Nest &nest, const VectorUnit &unit) {
  Roles roles;
  const Access &c = nest.output(0);
  for (unsigned loop = 0; loop < nest.loops(); ++loop)
    if (!nest.reduces[loop] && c.strides[loop] == 1 &&
        (roles.n < 0 || nest.sizes[loop] > nest.sizes[roles.n]))
      roles.n = loop;
  if (roles.n < 0)
    return std::nullopt;
  auto reads = [&](unsigned operand, unsigned loop) {
    return nest.accesses[operand].strides[loop] != 0;
  };
  if (reads(0, roles.n) == reads(1, roles.n))
    return std::nullopt;
  if (reads(0, roles.n))
    std::swap(roles.a, roles.b);
  chooseRowLoops(nest, roles);
  for (int64_t loop = 0; loop < nest.loops(); ++loop) {
    if (loop == roles.n || loop == roles.m || loop == roles.whole)
      continue;
    if (nest.reduces[loop])
      roles.contracted.push_back(loop);
    else if (reads(roles.b, loop))
      roles.outside.push_back(loop);
    else
      roles.between.push_back(loop);
  }
  // What lies close in a is walked last.
  llvm::sort(roles.contracted, [&](unsigned left, unsigned right) {
    const auto &strides = nest.accesses[roles.a].strides;
    return std::make_pair(-std::abs(strides[left]), left) <
           std::make_pair(-std::abs(strides[right]), right);
  });
  takeBlocks(nest, roles, unit);
  return roles;
}

void takeRowBlocks(Nest &nest, Roles &roles, Nest *epilogue,
                   const VectorUnit &unit) {
  // A block and the lines that its rows write stay in the second cache.
  constexpr int64_t kBlockBytes = 128 << 10, kLeastRows = 64;
  const Access &a = nest.accesses[roles.a];
  if (addsInMemory(roles) || !isFar(nest, roles, unit) ||
      a.strides[roles.contracted[0]] != 1 ||
      (epilogue && !epilogue->body->getOps<mlir::linalg::IndexOp>().empty()))
    return;
  unsigned m = roles.m;
  int64_t row =
      nest.sizes[roles.contracted[0]] * a.element.getIntOrFloatBitWidth() / 8;
  int64_t rows = partOf(nest.sizes[m], kBlockBytes / row);
  if (rows < kLeastRows)
    return;
  roles.split(nest, m, rows);
  if (epilogue)
    splitLoop(*epilogue, m, rows);
  roles.outside.push_back(m);
}

/// Cycles of one contracted step of a tile: two multiply-adds and two loads a
/// cycle, and an accumulator is ready again after four, if its loads came in
/// time.
static double stepCost(int64_t rows, int64_t vectors) {
  return std::max({rows * vectors / 2.0, (rows + vectors) / 2.0, 5.0}) + 0.25;
}

int64_t mostRows(int64_t vectors, const VectorUnit &unit) {
  return (unit.registers - 1 - vectors) / vectors;
}

int64_t chooseVectors(int64_t rows, const VectorUnit &unit) {
  // Few rows leave registers for wider tiles.
  return rows <= mostRows(4, unit) ? 4 : unit.vectors;
}

int64_t chooseSteps(int64_t size, int64_t rows, int64_t vectors,
                    const VectorUnit &unit) {
  constexpr int64_t kTiles = 3;
  int64_t ofTile = mostRows(vectors, unit);
  int64_t most = (2 * rows > ofTile ? kTiles * ofTile : ofTile) / rows;
  // The unit's own tile is the best on a tie.
  int64_t best =
      std::clamp<int64_t>(unit.rows * unit.vectors / vectors / rows, 1, size);
  auto costOf = [&](int64_t steps) {
    int64_t all = steps * rows, tiles = llvm::divideCeil(all, ofTile);
    double cost = 0;
    for (int64_t tile = 0; tile < tiles; ++tile)
      cost += stepCost(all / tiles + (tile < all % tiles), vectors);
    return cost;
  };
  auto cost = [&](int64_t steps) {
    int64_t whole = size / steps;
    return double(whole) * costOf(steps) + costOf(size % steps);
  };
  for (int64_t steps = 1; steps <= std::min(most, size); ++steps)
    if (cost(steps) < cost(best) * 0.99)
      best = steps;
  return best;
}

} // namespace gradus::lower
