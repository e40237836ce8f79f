// Scalar bodies on vectors, at the levels of a nest.
#include "compiler/lower/Emitter.h"

#include "mlir/IR/IRMapping.h"

#include <limits>
#include <numeric>

namespace gradus::lower {
using namespace mlir;

static int64_t bitsOf(const Access &access) {
  return access.element.getIntOrFloatBitWidth();
}

Emitter::Emitter(Operation *before, unsigned lanes, const VectorUnit &unit)
    : loc(before->getLoc()), lanes(lanes), unit(unit) {
  levels.emplace_back(before);
}

Value Emitter::constant(int64_t index) {
  return arith::ConstantIndexOp::create(levels[0], loc, index);
}

Value Emitter::buffer(MemRefType type, bool isPrivate) {
  auto alloc = memref::AllocOp::create(levels[0], loc, type,
                                       levels[0].getI64IntegerAttr(64));
  if (isPrivate)
    alloc->setAttr(kPrivate, levels[0].getUnitAttr());
  return alloc;
}

scf::ForOp Emitter::open(int64_t end, int64_t step, ValueRange carried) {
  auto loop = scf::ForOp::create(levels.back(), loc, constant(0), constant(end),
                                 constant(step), carried);
  // Later ops of the level around go before the loop.
  levels.back().setInsertionPoint(loop);
  levels.push_back(carried.empty() ? OpBuilder(loop.getBody()->getTerminator())
                                   : OpBuilder::atBlockEnd(loop.getBody()));
  openLoops.push_back(loop);
  return loop;
}

scf::ForOp Emitter::open(const Nest &nest, unsigned loop, int64_t end,
                         int64_t step) {
  scf::ForOp opened = open(end, step);
  if (isParallel(nest, loop))
    opened->setAttr(kParallel, levels.back().getUnitAttr());
  return opened;
}

void Emitter::close(ValueRange results) {
  if (!results.empty())
    scf::YieldOp::create(levels.back(), loc, results);
  scf::ForOp loop = openLoops.pop_back_val();
  levels.pop_back();
  levels.back().setInsertionPointAfter(loop);
}

Element Emitter::broadcast(Element element) {
  if (element.isVector())
    return element;
  OpBuilder &builder = at(element.level);
  // Vectors are compared anew: a bit is not easily made a mask.
  if (auto compare = element.value.getDefiningOp<arith::CmpFOp>()) {
    Value lhs = broadcast({compare.getLhs(), element.level}).value;
    Value rhs = broadcast({compare.getRhs(), element.level}).value;
    return {
        arith::CmpFOp::create(builder, loc, compare.getPredicate(), lhs, rhs),
        element.level};
  }
  Value vector = vector::BroadcastOp::create(
      builder, loc, vectorOf(element.value.getType()), element.value);
  return {vector, element.level};
}

Element Emitter::splat(TypedAttr value) {
  auto type = vectorOf(value.getType());
  return {arith::ConstantOp::create(at(0), loc,
                                    DenseElementsAttr::get(type, value)),
          0};
}

void Emitter::exchange(Value &first, Value &second, int64_t half) {
  SmallVector<int64_t> low, high;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    bool upper = lane & half;
    low.push_back(upper ? lanes + lane - half : lane);
    high.push_back(upper ? lanes + lane : lane + half);
  }
  OpBuilder &builder = at(innermost());
  Value old = first;
  first = vector::ShuffleOp::create(builder, loc, old, second, low);
  second = vector::ShuffleOp::create(builder, loc, old, second, high);
}

Value Emitter::maskOf(unsigned active) {
  SmallVector<bool> lanesInUse(lanes, false);
  std::fill_n(lanesInUse.begin(), active, true);
  OpBuilder &builder = at(0);
  return arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(vectorOf(builder.getI1Type()), lanesInUse));
}

Value Emitter::laneNumbers(int64_t first) {
  VectorType type = vectorOf(at(0).getIndexType());
  SmallVector<APInt> numbers;
  for (unsigned lane = 0; lane < lanes; ++lane)
    numbers.emplace_back(IndexType::kInternalStorageBitWidth, first + lane);
  return arith::ConstantOp::create(at(0), loc,
                                   DenseElementsAttr::get(type, numbers));
}

Element Emitter::indexOf(const Access &access, const Point &point) {
  // Partial sums at their own levels, outermost first.
  int64_t constantPart = access.base;
  SmallVector<unsigned> order;
  for (unsigned loop = 0; loop < access.strides.size(); ++loop) {
    constantPart += access.strides[loop] * point.plus[loop];
    if (access.strides[loop] && point.variable[loop])
      order.push_back(loop);
  }
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::make_pair(point.level[a], a) <
           std::make_pair(point.level[b], b);
  });
  Element sum;
  for (unsigned loop : order) {
    unsigned level = std::max(sum.level, point.level[loop]);
    Value term = point.variable[loop];
    if (access.strides[loop] != 1)
      term = arith::MulIOp::create(at(point.level[loop]), loc, term,
                                   constant(access.strides[loop]),
                                   arith::IntegerOverflowFlags::nsw);
    sum.value = sum.value
                    ? arith::AddIOp::create(at(level), loc, sum.value, term,
                                            arith::IntegerOverflowFlags::nsw)
                    : term;
    sum.level = level;
  }
  if (!sum.value)
    return {constant(constantPart), 0};
  if (constantPart)
    sum.value = arith::AddIOp::create(at(sum.level), loc, sum.value,
                                      constant(constantPart),
                                      arith::IntegerOverflowFlags::nsw);
  return sum;
}

SmallVector<std::pair<int64_t, int64_t>> Emitter::partsOf(unsigned active) {
  SmallVector<std::pair<int64_t, int64_t>> parts;
  int64_t first = 0;
  for (int64_t size = llvm::bit_floor(active); size >= 1; size /= 2)
    if (active & size) {
      parts.emplace_back(first, size);
      first += size;
    }
  return parts;
}

/// Lanes `first`, ... of a vector, as one of `size` lanes, more of which are
/// undefined.
static Value lanesFrom(OpBuilder &builder, Location loc, Value vector,
                       int64_t first, int64_t lanes, int64_t size) {
  SmallVector<int64_t> from(size, -1);
  std::iota(from.begin(), from.begin() + lanes, first);
  return vector::ShuffleOp::create(builder, loc, vector, vector, from);
}

Value Emitter::loadParts(const Access &access, const Element &index,
                         unsigned active) {
  OpBuilder &builder = at(index.level);
  Value vector = splat(builder.getZeroAttr(access.element)).value;
  for (auto [first, size] : partsOf(active)) {
    Value place =
        arith::AddIOp::create(builder, loc, index.value, constant(first));
    auto type = VectorType::get({size}, access.element);
    Value part = vector::LoadOp::create(builder, loc, type, access.flat, place);
    part = lanesFrom(builder, loc, part, 0, size, lanes);
    auto both = llvm::to_vector(llvm::seq<int64_t>(lanes));
    std::iota(both.begin() + first, both.begin() + first + size, lanes);
    vector = vector::ShuffleOp::create(builder, loc, vector, part, both);
  }
  return vector;
}

void Emitter::storeParts(Value vector, const Access &access,
                         const Element &index, unsigned active) {
  OpBuilder &builder = at(innermost());
  for (auto [first, size] : partsOf(active)) {
    Value place =
        arith::AddIOp::create(builder, loc, index.value, constant(first));
    Value part = lanesFrom(builder, loc, vector, first, size, size);
    vector::StoreOp::create(builder, loc, part, access.flat, place);
  }
}

Element Emitter::load(const Access &access, const Point &point) {
  if (access.scalar)
    return {access.scalar, 0};
  Element index = indexOf(access, point);
  index.level = std::max(index.level, access.level);
  OpBuilder &builder = at(index.level);
  int64_t stride = point.vectorLoop < 0 ? 0 : access.strides[point.vectorLoop];
  if (stride == 0)
    return {memref::LoadOp::create(builder, loc, access.flat, index.value),
            index.level};
  VectorType type = vectorOf(access.element);
  if (stride == 1 && point.active == lanes)
    return {
        vector::LoadOp::create(builder, loc, type, access.flat, index.value),
        index.level};
  TypedAttr zero = builder.getZeroAttr(access.element);
  if (stride == 1 && bitsOf(access) < unit.loadsLanes)
    return {loadParts(access, index, point.active), index.level};
  if (stride == 1)
    return {vector::MaskedLoadOp::create(builder, loc, type, access.flat,
                                         index.value, maskOf(point.active),
                                         splat(zero).value),
            index.level};
  SmallVector<Value> elements;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (lane >= point.active) {
      elements.push_back(arith::ConstantOp::create(at(0), loc, zero));
      continue;
    }
    Value place = arith::AddIOp::create(builder, loc, index.value,
                                        constant(lane * stride));
    elements.push_back(
        memref::LoadOp::create(builder, loc, access.flat, place));
  }
  return {vector::FromElementsOp::create(builder, loc, type, elements),
          index.level};
}

void Emitter::store(Element element, const Access &access, const Point &point) {
  Element index = indexOf(access, point);
  OpBuilder &builder = at(innermost());
  int64_t stride = point.vectorLoop < 0 ? 0 : access.strides[point.vectorLoop];
  if (stride == 0) {
    memref::StoreOp::create(builder, loc, element.value, access.flat,
                            index.value);
    return;
  }
  Value vector = broadcast(element).value;
  if (stride == 1 && point.active == lanes) {
    vector::StoreOp::create(builder, loc, vector, access.flat, index.value);
    return;
  }
  if (stride == 1 && bitsOf(access) < unit.storesLanes) {
    storeParts(vector, access, index, point.active);
    return;
  }
  if (stride == 1) {
    vector::MaskedStoreOp::create(builder, loc, access.flat, index.value,
                                  maskOf(point.active), vector);
    return;
  }
  for (unsigned lane = 0; lane < point.active; ++lane) {
    Value place = arith::AddIOp::create(builder, loc, index.value,
                                        constant(lane * stride));
    Value scalar = vector::ExtractOp::create(builder, loc, vector, lane);
    memref::StoreOp::create(builder, loc, scalar, access.flat, place);
  }
}

Element Emitter::reciprocal(Element divisor) {
  OpBuilder &builder = at(divisor.level);
  Value d = divisor.value;
  auto constant = [&](float number) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getF32FloatAttr(number));
  };
  Value r = arith::DivFOp::create(builder, loc, constant(1), d);
  // Only 1 / 0 is infinite: 0 / d stays 0 for a subnormal d.
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Value infinite = arith::CmpFOp::create(
      builder, loc, arith::CmpFPredicate::OEQ,
      math::AbsFOp::create(builder, loc, r), constant(kInfinity));
  Value nonzero = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::ONE,
                                        d, constant(0));
  Value largest = math::CopySignOp::create(
      builder, loc, constant(std::numeric_limits<float>::max()), d);
  Value overflows = arith::AndIOp::create(builder, loc, infinite, nonzero);
  return {arith::SelectOp::create(builder, loc, overflows, largest, r),
          divisor.level};
}

SmallVector<Element> Emitter::evaluate(Block &body,
                                       DenseMap<Value, Element> &bound,
                                       const Nest &nest, const Point &point) {
  auto elementOf = [&](Value value) {
    auto found = bound.find(value);
    return found == bound.end() ? Element{value, 0} : found->second;
  };
  for (Operation &op : body.without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(op)) {
      int64_t loop = nest.loopOf[index.getDim()];
      if (loop < 0) {
        bound[index] = {constant(0), 0};
        continue;
      }
      unsigned level = point.level[loop];
      Value variable = point.variable[loop];
      // Vectors of one round differ in a constant only, which LLVM sees
      // through.
      if (loop == point.vectorLoop) {
        Element lanes{laneNumbers(point.plus[loop]), level};
        if (variable)
          lanes.value = arith::AddIOp::create(
              at(level), loc, broadcast({variable, level}).value, lanes.value);
        bound[index] = lanes;
        continue;
      }
      Value place = constant(point.plus[loop]);
      if (variable)
        place = arith::AddIOp::create(at(level), loc, variable, place);
      bound[index] = {place, level};
      continue;
    }
    unsigned level = 0;
    bool isVector = false;
    for (Value operand : op.getOperands()) {
      Element element = elementOf(operand);
      level = std::max(level, element.level);
      isVector |= element.isVector();
    }
    if (isVector && isa<arith::DivFOp>(op) && op.getResult(0).getType().isF32())
      if (Element divisor = elementOf(op.getOperand(1)); !divisor.isVector()) {
        Value factor = broadcast(reciprocal(divisor)).value;
        Value product = arith::MulFOp::create(
            at(level), op.getLoc(), elementOf(op.getOperand(0)).value, factor);
        bound[op.getResult(0)] = {product, level};
        continue;
      }
    IRMapping operands;
    for (Value operand : op.getOperands()) {
      Element element = elementOf(operand);
      operands.map(operand,
                   isVector ? broadcast(element).value : element.value);
    }
    Operation *clone = at(level).clone(op, operands);
    for (auto [result, old] : llvm::zip(clone->getResults(), op.getResults())) {
      if (isVector)
        result.setType(vectorOf(result.getType()));
      bound[old] = {result, level};
    }
  }
  SmallVector<Element> yielded;
  for (Value value : body.getTerminator()->getOperands())
    yielded.push_back(elementOf(value));
  return yielded;
}

} // namespace gradus::lower
