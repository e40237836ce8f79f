// See DotProducts.h.
#include "compiler/lower/DotProducts.h"

namespace gradus::lower {
using namespace mlir;

bool areDotProducts(const Nest &nest, const Roles &roles) {
  if (roles.m >= 0 || roles.whole >= 0 || !roles.between.empty() ||
      roles.contracted.size() != 1)
    return false;
  unsigned inner = roles.contracted[0];
  return nest.accesses[roles.b].strides[roles.n] != 1 &&
         nest.accesses[roles.b].strides[inner] == 1 &&
         nest.accesses[roles.a].strides[inner] == 1 &&
         nest.sizes[inner] >= lanesOf(nest, kSumBytes);
}

namespace {

class DotProducts {
public:
  DotProducts(const Nest &nest, const Roles &roles, Emitter &emitter)
      : nest(nest), roles(roles), emitter(emitter), inner(roles.contracted[0]),
        lanes(emitter.lanes), parts(kSumBytes / emitter.unit.bytes) {
    Type element = nest.accesses[roles.b].element;
    zero = emitter.splat(cast<TypedAttr>(emitter.at(0).getZeroAttr(element)))
               .value;
  }

  /// As many columns at a time as have their sums in registers.
  Value columns(Point point) {
    int64_t all = point.active;
    int64_t most =
        llvm::bit_floor(uint64_t((emitter.unit.registers - parts) / parts));
    SmallVector<Value> sums;
    while (int64_t(sums.size()) < all) {
      int64_t some = std::min<int64_t>(most, all - sums.size());
      sums.append(sumsOf(point, some));
      point.plus[roles.n] += some;
    }
    sums.resize(lanes, zero);
    return addAcross(std::move(sums));
  }

private:
  /// One vector for each of `columns` columns.
  SmallVector<Value> sumsOf(const Point &point, int64_t columns) {
    int64_t size = nest.sizes[inner], step = parts * lanes;
    int64_t whole = size / step * step;
    SmallVector<Value> sums(columns * parts, zero);
    scf::ForOp loop = emitter.open(whole, step, sums);
    Point inside = point;
    inside.variable[inner] = loop.getInductionVar();
    inside.level[inner] = emitter.innermost();
    sums = llvm::to_vector_of<Value>(loop.getRegionIterArgs());
    addProducts(inside, columns, step, sums);
    emitter.close(sums);
    sums = llvm::to_vector_of<Value>(loop.getResults());
    Point rest = point;
    rest.plus[inner] += whole;
    rest.level[inner] = emitter.innermost();
    addProducts(rest, columns, size - whole, sums);
    OpBuilder &builder = emitter.at(emitter.innermost());
    SmallVector<Value> totals;
    for (int64_t column = 0; column < columns; ++column) {
      MutableArrayRef<Value> own =
          MutableArrayRef(sums).slice(column * parts, parts);
      for (int64_t half = parts / 2; half >= 1; half /= 2)
        for (int64_t i = 0; i < half; ++i)
          own[i] = arith::AddFOp::create(builder, emitter.loc, own[i],
                                         own[i + half]);
      totals.push_back(own[0]);
    }
    return totals;
  }

  /// `steps` contracted steps at `point`, added to the sums of each column.
  void addProducts(const Point &point, int64_t columns, int64_t steps,
                   SmallVector<Value> &sums) {
    OpBuilder &builder = emitter.at(emitter.innermost());
    for (int64_t part = 0; part * lanes < steps; ++part) {
      Point place = point;
      place.vectorLoop = inner;
      place.plus[inner] += part * lanes;
      place.active = std::min(lanes, steps - part * lanes);
      Value row = emitter.load(nest.accesses[roles.a], place).value;
      for (int64_t column = 0; column < columns; ++column) {
        Value own = emitter.load(nest.accesses[roles.b], place).value;
        Value &sum = sums[column * parts + part];
        sum = math::FmaOp::create(builder, emitter.loc, row, own, sum);
        ++place.plus[roles.n];
      }
    }
  }

  /// The sum of all lanes of vector i in lane i: halves of two vectors are
  /// added until one is left.
  Value addAcross(SmallVector<Value> vectors) {
    OpBuilder &builder = emitter.at(emitter.innermost());
    for (int64_t half = lanes / 2; half >= 1; half /= 2)
      for (int64_t i = 0; i < half; ++i) {
        emitter.exchange(vectors[i], vectors[i + half], half);
        vectors[i] = arith::AddFOp::create(builder, emitter.loc, vectors[i],
                                           vectors[i + half]);
      }
    return vectors.front();
  }

  const Nest &nest;
  const Roles &roles;
  Emitter &emitter;
  unsigned inner;
  /// A column is summed up in `parts` vectors of `lanes` lanes.
  int64_t lanes, parts;
  Value zero;
};

} // namespace

Value dotProducts(const Nest &nest, const Roles &roles, Emitter &emitter,
                  const Point &point) {
  return DotProducts(nest, roles, emitter).columns(point);
}

} // namespace gradus::lower
