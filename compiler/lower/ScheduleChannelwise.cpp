// Sums of products in which all operands share a loop, the channels, along
// which the lanes lie: the forward, input gradient and weight gradient of a
// depthwise convolution. In a tile of some steps of kept loops an element of
// one operand meets several of the other: weights meet positions of an image,
// or positions of a gradient the taps of a window. Operands and results whose
// channels do not lie side by side are small and are copied.
#include "compiler/lower/Combination.h"
#include "compiler/lower/ContractionRoles.h"
#include "compiler/lower/Emitter.h"

namespace gradus::lower {
using namespace mlir;

namespace {

/// Elements of an operand or result that is worth a copy.
constexpr int64_t kMostCopied = 1 << 16;

/// Products that are written out one by one.
constexpr int64_t kMostUnrolled = 96;

/// The loops by their part in c[i, n] += a[i, k, n] * b[k, n].
struct Channels {
  /// Operand numbers: one lacks the loops of the tile.
  unsigned moving = 0, shared = 1;
  /// Lanes.
  unsigned channel = 0;
  /// Reduced loops around everything, in whose steps the result is added to in
  /// memory; kept loops without lanes outside of the tile; reduced loops
  /// inside.
  SmallVector<unsigned> blocks, outside, inside;
  /// A kept loop of which a tile takes `some` steps; -1: none.
  int64_t split = -1, some = 1;
  /// Kept loops of which a tile takes all steps.
  SmallVector<unsigned> tile;
};

bool has(const Access &access, unsigned loop) {
  return access.strides[loop] != 0;
}

int64_t elementsOf(const Nest &nest, const Access &access) {
  int64_t elements = 1;
  for (unsigned loop = 0; loop < nest.loops(); ++loop)
    elements *= has(access, loop) ? nest.sizes[loop] : 1;
  return elements;
}

/// The longest kept loop along which one operand lies contiguously and that all
/// have; -1 if there is none.
int64_t channelOf(const Nest &nest) {
  int64_t best = -1;
  for (unsigned loop = 0; loop < nest.loops(); ++loop) {
    auto lies = [&](unsigned i) { return nest.accesses[i].strides[loop] == 1; };
    if (!nest.reduces[loop] && (lies(0) || lies(1)) &&
        llvm::all_of(nest.accesses,
                     [&](const Access &access) { return has(access, loop); }) &&
        (best < 0 || nest.sizes[loop] > nest.sizes[best]))
      best = loop;
  }
  return best;
}

/// At most `most` steps of a loop of `size`, so that few are left over.
int64_t evenly(int64_t size, int64_t most) {
  for (int64_t steps = most; 2 * steps > most; --steps)
    if (size % steps == 0)
      return steps;
  return llvm::divideCeil(size, llvm::divideCeil(size, most));
}

/// Makes a reduced loop that is longer than a block two.
void splitLongSums(Nest &nest) {
  for (unsigned loop = nest.loops(); loop-- > 0;) {
    int64_t part = partOf(nest.sizes[loop], kBlock);
    if (nest.reduces[loop] && nest.sizes[loop] > kBlock && part > 1)
      splitLoop(nest, loop, part);
  }
}

std::optional<Channels> channelsOf(const Nest &nest, const VectorUnit &unit) {
  Channels roles;
  int64_t channel = channelOf(nest);
  if (channel < 0)
    return std::nullopt;
  roles.channel = channel;
  std::array<bool, 2> lacks{};
  for (unsigned loop = 0; loop < nest.loops(); ++loop)
    for (unsigned i = 0; i < 2; ++i)
      lacks[i] |= !nest.reduces[loop] && !has(nest.accesses[i], loop);
  // With loops of both it would be a product of matrices.
  if (lacks[0] == lacks[1])
    return std::nullopt;
  roles.shared = lacks[0] ? 0 : 1;
  roles.moving = 1 - roles.shared;
  for (const Access &access : nest.accesses)
    if (access.strides[channel] != 1 && elementsOf(nest, access) > kMostCopied)
      return std::nullopt;

  // Beside the accumulators one element of each operand is in a register.
  int64_t most = unit.registers - 4, steps = 1;
  bool isOpen = true;
  for (unsigned loop = nest.loops(); loop-- > 0;) {
    int64_t size = nest.sizes[loop];
    if (loop == roles.channel)
      continue;
    if (nest.reduces[loop]) {
      bool fits = roles.blocks.empty() && steps * size <= kBlock;
      steps *= size;
      auto &list = fits ? roles.inside : roles.blocks;
      list.insert(list.begin(), loop);
      continue;
    }
    isOpen &= !has(nest.accesses[roles.shared], loop);
    if (isOpen && size <= most) {
      roles.tile.insert(roles.tile.begin(), loop);
      most /= size;
      continue;
    }
    if (isOpen && most > 1) {
      roles.split = loop;
      roles.some = evenly(size, most);
    } else {
      roles.outside.insert(roles.outside.begin(), loop);
    }
    isOpen = false;
  }
  return roles;
}

class ChannelwiseSchedule {
public:
  ChannelwiseSchedule(const Nest &nest, const Channels &roles, Value start,
                      const VectorUnit &unit)
      : nest(nest), roles(roles), start(start),
        emitter(nest.op, lanesOf(nest, unit.bytes), unit),
        moving(nest.accesses[roles.moving]),
        shared(nest.accesses[roles.shared]), result(nest.output(0)),
        isCopied(result.strides[roles.channel] != 1) {}

  void emit() {
    pack(moving);
    pack(shared);
    const Access &target = nest.output(0);
    if (isCopied) {
      result = denseCopy(target);
      overAll(target,
              [&](const Point &at) { emitter.store(zero(), result, at); });
    }
    Point point(nest.loops());
    point.vectorLoop = roles.channel;
    for (unsigned loop : roles.blocks)
      enter(point, loop)->setAttr(kAdds, emitter.at(0).getUnitAttr());
    for (unsigned loop : roles.outside)
      enter(point, loop, &nest);
    auto tiles = [&](const Point &at, int64_t steps) {
      overChannels(at, [&](const Point &at) { tile(at, steps); });
    };
    if (roles.split >= 0)
      inParts(point, roles.split, roles.some, tiles);
    else
      tiles(point, 1);
    for (size_t i = roles.blocks.size() + roles.outside.size(); i-- > 0;)
      emitter.close();
    if (isCopied)
      overAll(target, [&](const Point &at) {
        finish(emitter.load(result, at).value, start, target, at);
      });
  }

private:
  Element zero() {
    return emitter.splat(
        cast<TypedAttr>(emitter.at(0).getZeroAttr(result.element)));
  }

  /// Opens a loop over all steps of `loop`, of `nest` if they write to places
  /// of their own.
  scf::ForOp enter(Point &point, unsigned loop, const Nest *nest = nullptr) {
    int64_t size = this->nest.sizes[loop];
    scf::ForOp op =
        nest ? emitter.open(*nest, loop, size, 1) : emitter.open(size, 1);
    point.variable[loop] = op.getInductionVar();
    point.level[loop] = emitter.innermost();
    return op;
  }

  /// `visit` at every `step` steps of `loop`, and at what is left.
  void inParts(const Point &point, unsigned loop, int64_t step,
               llvm::function_ref<void(const Point &, int64_t)> visit) {
    int64_t size = nest.sizes[loop], whole = size / step * step;
    if (whole > 0) {
      Point inside = point;
      inside.variable[loop] =
          emitter.open(nest, loop, whole, step).getInductionVar();
      inside.level[loop] = emitter.innermost();
      visit(inside, step);
      emitter.close();
    }
    if (whole < size) {
      Point rest = point;
      rest.plus[loop] = whole;
      rest.level[loop] = emitter.innermost();
      visit(rest, size - whole);
    }
  }

  void overChannels(const Point &point,
                    llvm::function_ref<void(const Point &)> visit) {
    inParts(point, roles.channel, emitter.lanes,
            [&](const Point &at, int64_t active) {
              Point inside = at;
              inside.active = active;
              visit(inside);
            });
  }

  /// `visit` at every vector of what `access` reaches.
  void overAll(const Access &access,
               llvm::function_ref<void(const Point &)> visit) {
    Point point(nest.loops());
    point.vectorLoop = roles.channel;
    unsigned opened = 0;
    for (unsigned loop = 0; loop < nest.loops(); ++loop)
      if (loop != roles.channel && has(access, loop)) {
        enter(point, loop)->setAttr(kParallel, emitter.at(0).getUnitAttr());
        ++opened;
      }
    overChannels(point, visit);
    while (opened--)
      emitter.close();
  }

  /// A buffer for what `access` reaches, channels side by side.
  Access denseCopy(const Access &access) {
    Access copy = access;
    copy.base = 0;
    int64_t stride = 1;
    auto place = [&](unsigned loop) {
      copy.strides[loop] = has(access, loop) ? stride : 0;
      stride *= has(access, loop) ? nest.sizes[loop] : 1;
    };
    place(roles.channel);
    for (unsigned loop = nest.loops(); loop-- > 0;)
      if (loop != roles.channel)
        place(loop);
    copy.flat = emitter.buffer(MemRefType::get({stride}, access.element),
                               /*isPrivate=*/false);
    return copy;
  }

  void pack(Access &operand) {
    if (operand.strides[roles.channel] == 1)
      return;
    Access copy = denseCopy(operand);
    overAll(operand, [&](const Point &at) {
      emitter.store(emitter.load(operand, at), copy, at);
    });
    operand = copy;
  }

  /// The places of a tile of `steps` steps of the split loop at `point`.
  SmallVector<Point> placesOf(const Point &point, int64_t steps) {
    SmallVector<Point> places{point};
    auto repeat = [&](unsigned loop, int64_t size) {
      SmallVector<Point> more;
      for (const Point &place : places)
        for (int64_t i = 0; i < size; ++i) {
          more.push_back(place);
          more.back().plus[loop] += i;
        }
      places = std::move(more);
    };
    if (roles.split >= 0)
      repeat(roles.split, steps);
    for (unsigned loop : roles.tile)
      repeat(loop, nest.sizes[loop]);
    return places;
  }

  void tile(const Point &point, int64_t steps) {
    SmallVector<Point> places = placesOf(point, steps);
    SmallVector<Value> sums(places.size(), zero().value);
    Point at = point;
    sums = addUp(0, at, places, std::move(sums));
    bool adds = !roles.blocks.empty() || isCopied;
    for (auto [place, sum] : llvm::zip(places, sums))
      finish(sum, adds ? Value() : start, result, place);
  }

  /// Adds the products of all steps of the loops inside from `from` on.
  SmallVector<Value> addUp(size_t from, Point &at, ArrayRef<Point> places,
                           SmallVector<Value> sums) {
    if (from == roles.inside.size())
      return addProducts(at, places, std::move(sums));
    unsigned loop = roles.inside[from];
    int64_t size = nest.sizes[loop];
    if (stepsFrom(from) * int64_t(places.size()) <= kMostUnrolled) {
      for (int64_t i = 0; i < size; ++i) {
        Point step = at;
        step.plus[loop] = i;
        sums = addUp(from + 1, step, places, std::move(sums));
      }
      return sums;
    }
    scf::ForOp op = emitter.open(size, 1, sums);
    Point step = at;
    step.variable[loop] = op.getInductionVar();
    step.level[loop] = emitter.innermost();
    SmallVector<Value> carried(op.getRegionIterArgs());
    emitter.close(addUp(from + 1, step, places, std::move(carried)));
    return llvm::to_vector_of<Value>(op.getResults());
  }

  int64_t stepsFrom(size_t from) const {
    int64_t steps = 1;
    for (unsigned loop : ArrayRef(roles.inside).drop_front(from))
      steps *= nest.sizes[loop];
    return steps;
  }

  /// One product for each place, at the reduced steps of `at`.
  SmallVector<Value> addProducts(const Point &at, ArrayRef<Point> places,
                                 SmallVector<Value> sums) {
    Value one = emitter.load(shared, at).value;
    for (auto [place, sum] : llvm::zip(places, sums)) {
      Point point = place;
      for (unsigned loop : roles.inside) {
        point.variable[loop] = at.variable[loop];
        point.plus[loop] = at.plus[loop];
        point.level[loop] = at.level[loop];
      }
      Value other = emitter.load(moving, point).value;
      sum = math::FmaOp::create(emitter.at(emitter.innermost()), emitter.loc,
                                other, one, sum);
    }
    return sums;
  }

  /// Adds `sum` to `first`, or to what is in `target`, and stores it there.
  void finish(Value sum, Value first, const Access &target, const Point &at) {
    // It has changed since the loops around `at` began.
    Access sumSoFar = target;
    sumSoFar.level = emitter.innermost();
    Element other =
        first ? emitter.broadcast({first, 0}) : emitter.load(sumSoFar, at);
    Value total = arith::AddFOp::create(emitter.at(emitter.innermost()),
                                        emitter.loc, other.value, sum);
    emitter.store({total, emitter.innermost()}, target, at);
  }

  const Nest &nest;
  const Channels &roles;
  Value start;
  Emitter emitter;
  Access moving, shared;
  /// Where tiles are added up: the result, or a copy of it.
  Access result;
  bool isCopied;
};

} // namespace

bool scheduleChannelwise(linalg::LinalgOp op, Value start,
                         const VectorUnit &unit) {
  if (!multipliesAndAdds(op))
    return false;
  OpBuilder builder(op);
  std::optional<Nest> nest = nestOf(builder, op);
  if (!nest || nest->scatters() ||
      llvm::any_of(nest->accesses, [&](const Access &access) {
        return !isa<FloatType>(access.element) || !access.flat ||
               access.element != nest->output(0).element;
      }))
    return false;
  mergeLoops(*nest);
  splitLongSums(*nest);
  std::optional<Channels> roles = channelsOf(*nest, unit);
  if (!roles)
    return false;
  bool isCopied = nest->output(0).strides[roles->channel] != 1;
  if (start && !roles->blocks.empty() && !isCopied)
    return false;
  ChannelwiseSchedule(*nest, *roles, start, unit).emit();
  op->erase();
  return true;
}

} // namespace gradus::lower
