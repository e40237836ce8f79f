// Sizes and strides of linalg ops on buffers; scalar bodies on vectors.
#include "compiler/lower/Nest.h"

#include "mlir/IR/IRMapping.h"

#include <limits>

namespace gradus::lower {
using namespace mlir;

namespace {

/// A one-dimensional view of all elements between the first and the last.
Value flatten(OpBuilder &builder, Location loc, Value buffer, int64_t offset,
              int64_t span) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.getRank() == 1 && type.getLayout().isIdentity())
    return buffer;
  auto layout = StridedLayoutAttr::get(builder.getContext(), offset, {1});
  // A row that is known when running.
  OpFoldResult start = builder.getIndexAttr(offset);
  if (ShapedType::isDynamic(offset))
    start = memref::ExtractStridedMetadataOp::create(builder, loc, buffer)
                .getOffset();
  auto flat = MemRefType::get({span}, type.getElementType(),
                              offset ? MemRefLayoutAttrInterface(layout)
                                     : MemRefLayoutAttrInterface());
  return memref::ReinterpretCastOp::create(
      builder, loc, flat, buffer, start,
      ArrayRef<OpFoldResult>{builder.getIndexAttr(span)},
      ArrayRef<OpFoldResult>{builder.getIndexAttr(1)});
}

/// Adds `factor` times the linear form `expr` to the access; false if it is
/// none.
bool addLinear(AffineExpr expr, int64_t factor, Access &access) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    access.strides[dim.getPosition()] += factor;
    return true;
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    access.base += factor * constant.getValue();
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (expr.getKind() == AffineExprKind::Add)
    return addLinear(binary.getLHS(), factor, access) &&
           addLinear(binary.getRHS(), factor, access);
  auto scale = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return expr.getKind() == AffineExprKind::Mul && scale &&
         addLinear(binary.getLHS(), factor * scale.getValue(), access);
}

/// The strides of `buffer` per loop, for a map whose results are linear in the
/// loops.
std::optional<Access> accessOf(OpBuilder &builder, Location loc, Value buffer,
                               AffineMap map) {
  Access access;
  access.strides.assign(map.getNumDims(), 0);
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type) {
    access.scalar = buffer;
    access.element = buffer.getType();
    return access;
  }
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  if (failed(type.getStridesAndOffset(strides, offset)) ||
      !type.hasStaticShape())
    return std::nullopt;
  int64_t span = 1;
  for (auto [stride, size] : llvm::zip(strides, type.getShape())) {
    if (ShapedType::isDynamic(stride) || stride < 0 || size == 0)
      return std::nullopt;
    span += stride * (size - 1);
  }
  for (auto [result, stride] : llvm::zip(map.getResults(), strides))
    if (!addLinear(result, stride, access))
      return std::nullopt;
  access.element = type.getElementType();
  access.flat = flatten(builder, loc, buffer, offset, span);
  return access;
}

template <typename T> void dropAt(T &list, ArrayRef<int64_t> loopOf) {
  T kept;
  for (auto [i, loop] : llvm::enumerate(loopOf))
    if (loop >= 0)
      kept.push_back(list[i]);
  list = std::move(kept);
}

} // namespace

std::optional<Nest> nestOf(OpBuilder &builder, linalg::LinalgOp op) {
  Nest nest;
  nest.op = op;
  nest.body = op.getBlock();
  nest.inputs = op.getNumDpsInputs();
  nest.sizes = op.getStaticLoopRanges();
  for (utils::IteratorType type : op.getIteratorTypesArray())
    nest.reduces.push_back(type == utils::IteratorType::reduction);
  if (llvm::any_of(nest.sizes, [](int64_t size) {
        return ShapedType::isDynamic(size) || size == 0;
      }))
    return std::nullopt;
  for (OpOperand &operand : op->getOpOperands()) {
    auto access = accessOf(builder, op.getLoc(), operand.get(),
                           op.getMatchingIndexingMap(&operand));
    if (!access)
      return std::nullopt;
    nest.accesses.push_back(*access);
  }
  int64_t kept = 0;
  for (int64_t size : nest.sizes)
    nest.loopOf.push_back(size == 1 ? -1 : kept++);
  for (Access &access : nest.accesses)
    dropAt(access.strides, nest.loopOf);
  dropAt(nest.sizes, nest.loopOf);
  dropAt(nest.reduces, nest.loopOf);
  return nest;
}

bool Nest::scatters() const {
  for (unsigned loop = 0; loop < loops(); ++loop)
    for (unsigned i = inputs; i < accesses.size(); ++i)
      if (reduces[loop] && accesses[i].strides[loop] != 0)
        return true;
  return false;
}

void mergeLoops(Nest &nest) {
  for (auto index : nest.body->getOps<linalg::IndexOp>())
    if (nest.loopOf[index.getDim()] >= 0)
      return;
  for (unsigned outer = 0; outer + 1 < nest.loops();) {
    unsigned inner = outer + 1;
    bool asOne = nest.reduces[outer] == nest.reduces[inner] &&
                 llvm::all_of(nest.accesses, [&](const Access &access) {
                   return access.strides[outer] ==
                          access.strides[inner] * nest.sizes[inner];
                 });
    if (!asOne) {
      ++outer;
      continue;
    }
    nest.sizes[inner] *= nest.sizes[outer];
    nest.sizes.erase(nest.sizes.begin() + outer);
    nest.reduces.erase(nest.reduces.begin() + outer);
    for (Access &access : nest.accesses)
      access.strides.erase(access.strides.begin() + outer);
  }
  // No body refers to loops by number any more.
  nest.loopOf.assign(nest.loopOf.size(), -1);
}

bool hasVectorForm(Block &body) {
  return llvm::all_of(body, [](Operation &op) {
    if (isa<linalg::YieldOp, linalg::IndexOp>(op))
      return true;
    auto isNumber = [](Type type) { return type.isIntOrIndexOrFloat(); };
    return op.getNumRegions() == 0 &&
           llvm::all_of(op.getResultTypes(), isNumber) &&
           llvm::all_of(op.getOperandTypes(), isNumber) &&
           (isa<arith::ConstantOp>(op) ||
            OpTrait::hasElementwiseMappableTraits(&op));
  });
}

unsigned lanesOf(const Nest &nest) {
  auto isWide = [](Type type) {
    return type.isIntOrFloat() && type.getIntOrFloatBitWidth() > 32;
  };
  for (const Access &access : nest.accesses)
    if (isWide(access.element))
      return 8;
  for (Operation &op : *nest.body)
    if (llvm::any_of(op.getResultTypes(), isWide))
      return 8;
  return 16;
}

bool isParallel(const Nest &nest, unsigned loop) {
  if (nest.reduces[loop])
    return false;
  for (unsigned i = nest.inputs; i < nest.accesses.size(); ++i) {
    const SmallVector<int64_t> &strides = nest.accesses[i].strides;
    if (strides.empty() || strides[loop] == 0)
      return false;
    // One step covers less than the way to the next, other loops jump over all.
    int64_t way = std::abs(strides[loop]), covered = 0;
    for (unsigned other = 0; other < nest.loops(); ++other) {
      int64_t stride = std::abs(strides[other]);
      if (other == loop || stride == 0 || stride >= way * nest.sizes[loop])
        continue;
      covered += (nest.sizes[other] - 1) * stride;
    }
    if (covered >= way)
      return false;
  }
  return true;
}

Emitter::Emitter(Operation *before, unsigned lanes)
    : loc(before->getLoc()), lanes(lanes) {
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
  Value vector = vector::BroadcastOp::create(
      at(element.level), loc, vectorOf(element.value.getType()), element.value);
  return {vector, element.level};
}

Element Emitter::splat(TypedAttr value) {
  auto type = vectorOf(value.getType());
  return {arith::ConstantOp::create(at(0), loc,
                                    DenseElementsAttr::get(type, value)),
          0};
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
