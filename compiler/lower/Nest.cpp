// Sizes and strides of linalg ops on buffers.
#include "compiler/lower/Nest.h"

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

/// Whether the body refers to a loop by its number.
static bool hasIndices(const Nest &nest) {
  return llvm::any_of(
      nest.body->getOps<linalg::IndexOp>(),
      [&](linalg::IndexOp index) { return nest.loopOf[index.getDim()] >= 0; });
}

/// Whether loop `outer` and the next are walked as one.
static bool areOne(const Nest &nest, unsigned outer) {
  unsigned inner = outer + 1;
  return nest.reduces[outer] == nest.reduces[inner] &&
         llvm::all_of(nest.accesses, [&](const Access &access) {
           return access.strides.empty() ||
                  access.strides[outer] ==
                      access.strides[inner] * nest.sizes[inner];
         });
}

static void mergeWithNext(Nest &nest, unsigned outer) {
  nest.sizes[outer + 1] *= nest.sizes[outer];
  nest.sizes.erase(nest.sizes.begin() + outer);
  nest.reduces.erase(nest.reduces.begin() + outer);
  for (Access &access : nest.accesses)
    if (!access.strides.empty())
      access.strides.erase(access.strides.begin() + outer);
}

void mergeLoops(Nest &nest, Nest *other) {
  if (hasIndices(nest) || (other && hasIndices(*other)))
    return;
  for (unsigned outer = 0; outer + 1 < nest.loops();) {
    if (!areOne(nest, outer) || (other && !areOne(*other, outer))) {
      ++outer;
      continue;
    }
    mergeWithNext(nest, outer);
    if (other)
      mergeWithNext(*other, outer);
  }
  // No body refers to loops by number any more.
  for (Nest *each : {&nest, other})
    if (each)
      each->loopOf.assign(each->loopOf.size(), -1);
}

void splitLoop(Nest &nest, unsigned loop, int64_t steps) {
  nest.sizes.insert(nest.sizes.begin() + loop, nest.sizes[loop] / steps);
  nest.sizes[loop + 1] = steps;
  nest.reduces.insert(nest.reduces.begin() + loop, nest.reduces[loop]);
  for (Access &access : nest.accesses)
    if (!access.strides.empty())
      access.strides.insert(access.strides.begin() + loop,
                            access.strides[loop] * steps);
  for (int64_t &own : nest.loopOf)
    own += own >= int64_t(loop);
}

int64_t partOf(int64_t size, int64_t most) {
  int64_t part = std::clamp<int64_t>(most, 1, size);
  while (size % part)
    --part;
  return part;
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

unsigned lanesOf(const Nest &nest, int64_t bytes) {
  auto isWide = [](Type type) {
    return type.isIntOrFloat() && type.getIntOrFloatBitWidth() > 32;
  };
  for (const Access &access : nest.accesses)
    if (isWide(access.element))
      return bytes / 8;
  for (Operation &op : *nest.body)
    if (llvm::any_of(op.getResultTypes(), isWide))
      return bytes / 8;
  return bytes / 4;
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

} // namespace gradus::lower
