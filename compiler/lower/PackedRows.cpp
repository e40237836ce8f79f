// See PackedRows.h.
#include "compiler/lower/PackedRows.h"

namespace gradus::lower {
using namespace mlir;

/// Tiles that are copied at once: lines of memory are then used whole.
static constexpr int64_t kTiles = 8;

static SmallVector<unsigned> allContracted(const Roles &roles) {
  SmallVector<unsigned> loops(roles.parts);
  loops.append(roles.contracted);
  return loops;
}

bool PackedRows::isWorthIt(const Nest &nest, const Roles &roles,
                           const VectorUnit &unit, int64_t panels) {
  constexpr int64_t kFar = 128, kSteps = 256, kPanels = 4;
  const Access &a = nest.accesses[roles.a];
  if (!unit.packsRows || panels < kPanels || roles.m < 0 || roles.whole >= 0 ||
      a.strides[roles.m] != 1 || roles.contracted.empty() ||
      !roles.outside.empty() || !roles.between.empty())
    return false;
  int64_t depth = depthOf(nest, allContracted(roles));
  int64_t bytes = a.element.getIntOrFloatBitWidth() / 8;
  return depth >= kSteps && a.strides[roles.contracted.back()] * bytes >= kFar;
}

PackedRows::PackedRows(const Nest &nest, const Roles &roles, Emitter &emitter,
                       int64_t height)
    : nest(nest), roles(roles), emitter(emitter), a(nest.accesses[roles.a]),
      height(height), loops(allContracted(roles)), depth(depthOf(nest, loops)) {
  // Workers share a copy, but not one that is made anew in each step.
  buffer =
      emitter.buffer(MemRefType::get({depth * nest.sizes[roles.m]}, a.element),
                     /*isPrivate=*/!roles.blocks.empty());
}

/// The copy as a tile of `rows` rows reads its row 0.
Access PackedRows::access(int64_t rows) const {
  Access access;
  access.flat = buffer;
  access.level = level;
  access.element = a.element;
  access.strides.assign(nest.loops() + 1, 0);
  int64_t stride = rows;
  for (unsigned loop : llvm::reverse(loops)) {
    access.strides[loop] = stride;
    stride *= nest.sizes[loop];
  }
  access.strides[roles.m] = depth;
  access.strides.back() = 1;
  return access;
}

/// `point` with one loop more, over the rows of a tile, at row `i`.
static Point inTile(Point point, int64_t i) {
  point.variable.emplace_back();
  point.plus.push_back(i);
  point.level.push_back(0);
  return point;
}

Element PackedRows::load(Point point, int64_t i, int64_t rows) {
  point.vectorLoop = -1;
  return emitter.load(access(rows), inTile(std::move(point), i));
}

void PackedRows::pack(Point point) {
  int64_t size = nest.sizes[roles.m];
  auto copy = [&](int64_t from, int64_t tiles) {
    int64_t end = size - (size - from) % (tiles * height);
    if (end <= from)
      return from;
    Point inside = point;
    inside.plus[roles.m] = from;
    inside.variable[roles.m] =
        emitter.open(nest, roles.m, end - from, tiles * height)
            .getInductionVar();
    inside.level[roles.m] = emitter.innermost();
    copyTiles(inside, tiles, height);
    emitter.close();
    return end;
  };
  int64_t done = copy(copy(0, kTiles), 1);
  if (done < size) {
    point.plus[roles.m] = done;
    copyTiles(point, 1, size - done);
  }
  level = emitter.innermost();
}

/// `tiles` tiles of `rows` rows at `point`, all contracted steps.
void PackedRows::copyTiles(const Point &point, int64_t tiles, int64_t rows) {
  Point from = point;
  for (unsigned loop : loops) {
    from.variable[loop] = emitter.open(nest.sizes[loop], 1).getInductionVar();
    from.level[loop] = emitter.innermost();
  }
  int64_t lanes = emitter.lanes;
  for (int64_t tile = 0; tile < tiles; ++tile)
    for (int64_t row = 0; row < rows; row += lanes) {
      Point place = from;
      place.plus[roles.m] += tile * rows;
      place.active = std::min(lanes, rows - row);
      Point to = inTile(place, row);
      to.vectorLoop = nest.loops();
      place.plus[roles.m] += row;
      place.vectorLoop = roles.m;
      emitter.store(emitter.load(a, place), access(rows), to);
    }
  for (size_t i = 0; i < loops.size(); ++i)
    emitter.close();
}

} // namespace gradus::lower
