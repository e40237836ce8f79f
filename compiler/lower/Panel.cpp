// See Panel.h.
#include "compiler/lower/Panel.h"

namespace gradus::lower {
using namespace mlir;

Point columnAt(Point point, const Roles &roles, unsigned lanes, int64_t j,
               int64_t vectors, int64_t active) {
  point.plus[roles.n] += j * lanes;
  point.active = j + 1 < vectors ? lanes : active;
  return point;
}

Panel::Panel(const Nest &nest, const Roles &roles, Emitter &emitter,
             int64_t vectors)
    : nest(nest), roles(roles), emitter(emitter), b(nest.accesses[roles.b]) {
  int64_t elements = vectors * emitter.lanes * depthOf(nest, roles.contracted);
  buffer = emitter.buffer(MemRefType::get({elements}, b.element),
                          /*isPrivate=*/emitter.innermost() > 0);
}

Value Panel::load(const Point &point, int64_t j, int64_t vectors) {
  Point place =
      columnAt(inPanel(point), roles, emitter.lanes, j, vectors, emitter.lanes);
  return emitter.load(access(vectors * emitter.lanes), place).value;
}

/// The panel as the nest reads it: a contracted step is `width` elements.
Access Panel::access(int64_t width) const {
  Access access;
  access.flat = buffer;
  access.level = level;
  access.element = b.element;
  access.strides.assign(nest.loops(), 0);
  int64_t stride = width;
  for (unsigned loop : llvm::reverse(roles.contracted)) {
    access.strides[loop] = stride;
    stride *= nest.sizes[loop];
  }
  access.strides[roles.n] = 1;
  return access;
}

/// Where in the panel the columns at `point` start: its own column 0.
Point Panel::inPanel(Point point) const {
  point.variable[roles.n] = Value();
  point.plus[roles.n] = 0;
  return point;
}

/// A loop over contracted steps, each of which has a place of its own.
Value Panel::steps(int64_t end, int64_t step) {
  scf::ForOp loop = emitter.open(end, step);
  loop->setAttr(kParallel, emitter.at(0).getUnitAttr());
  return loop.getInductionVar();
}

void Panel::pack(Point point, int64_t vectors, int64_t active) {
  level = emitter.innermost();
  Access packed = access(vectors * emitter.lanes);
  unsigned inner = roles.contracted.empty() ? roles.n : roles.contracted.back();
  bool turned = !roles.contracted.empty() && b.strides[roles.n] != 1 &&
                b.strides[inner] == 1;
  unsigned opened = 0;
  for (unsigned loop : roles.contracted) {
    if (turned && loop == inner)
      break;
    point.variable[loop] = steps(nest.sizes[loop], 1);
    point.level[loop] = emitter.innermost();
    ++opened;
  }
  if (turned) {
    int64_t size = nest.sizes[inner], lanes = emitter.lanes;
    int64_t whole = size / lanes * lanes;
    if (whole > 0) {
      Point inside = point;
      inside.variable[inner] = steps(whole, lanes);
      inside.level[inner] = emitter.innermost();
      packTurned(packed, inside, inner, vectors, active, lanes);
      emitter.close();
    }
    if (whole < size) {
      Point rest = point;
      rest.plus[inner] = whole;
      rest.level[inner] = emitter.innermost();
      packTurned(packed, rest, inner, vectors, active, size - whole);
    }
  } else {
    for (int64_t j = 0; j < vectors; ++j) {
      Point from = columnAt(point, roles, emitter.lanes, j, vectors, active);
      Element row = emitter.load(b, from);
      Point to = columnAt(inPanel(point), roles, emitter.lanes, j, vectors,
                          emitter.lanes);
      emitter.store(row, packed, to);
    }
  }
  while (opened--)
    emitter.close();
}

/// `steps` contracted steps at `point`, which lie contiguously in B: reads
/// a vector of steps for each column and transposes.
void Panel::packTurned(const Access &packed, const Point &point, unsigned inner,
                       int64_t vectors, int64_t active, int64_t steps) {
  int64_t lanes = emitter.lanes;
  Value zero =
      emitter.splat(cast<TypedAttr>(emitter.at(0).getZeroAttr(b.element)))
          .value;
  for (int64_t j = 0; j < vectors; ++j) {
    int64_t columns = j + 1 < vectors ? lanes : active;
    SmallVector<Value> block;
    for (int64_t i = 0; i < lanes; ++i) {
      if (i >= columns) {
        block.push_back(zero);
        continue;
      }
      Point from = point;
      from.plus[roles.n] += j * lanes + i;
      from.vectorLoop = inner;
      from.active = steps;
      block.push_back(emitter.load(b, from).value);
    }
    transpose(block);
    for (int64_t step = 0; step < steps; ++step) {
      Point to = columnAt(inPanel(point), roles, lanes, j, vectors, lanes);
      to.active = lanes;
      to.plus[inner] += step;
      emitter.store({block[step], emitter.innermost()}, packed, to);
    }
  }
}

/// Transposes a square block in registers: exchanges halves of blocks of
/// ever smaller size.
void Panel::transpose(SmallVector<Value> &block) {
  for (int64_t half = emitter.lanes / 2; half >= 1; half /= 2)
    for (int64_t i = 0; i < emitter.lanes; ++i)
      if (!(i & half))
        emitter.exchange(block[i], block[i + half], half);
}

} // namespace gradus::lower
