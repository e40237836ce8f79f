// See Prefetch.h.
#include "compiler/lower/Prefetch.h"

#include "compiler/lower/Epilogue.h"

namespace gradus::lower {
using namespace mlir;

/// Bytes of a line of a cache.
static constexpr int64_t kLine = 64;

/// Localities of a prefetch: into the nearest cache, into the next.
static constexpr int64_t kNearest = 3, kSecond = 2;

Prefetch::Prefetch(const Nest &nest, const Roles &roles, const Nest *epilogue,
                   Emitter &emitter)
    : nest(nest), roles(roles), epilogue(epilogue), emitter(emitter),
      a(nest.accesses[roles.a]), depth(depthOf(nest, roles.contracted)) {}

void Prefetch::ask(unsigned level, const Access &access, Value place,
                   bool isWrite, int64_t locality) {
  memref::PrefetchOp::create(emitter.at(level), emitter.loc, access.flat, place,
                             isWrite, locality, /*isDataCache=*/true);
}

bool Prefetch::readsShortRows() const {
  constexpr int64_t kLeastSteps = 16, kLongRow = 2 << 10, kNear = 64 << 10;
  if (roles.m < 0 || roles.whole >= 0 || roles.contracted.size() != 1 ||
      depth < kLeastSteps || a.strides[roles.contracted[0]] != 1 ||
      a.strides[roles.m] != depth)
    return false;
  int64_t row = depth * bytesOfA(), rows = nest.sizes[roles.m];
  for (unsigned loop : roles.between)
    rows *= nest.sizes[loop];
  return row <= kLongRow && rows * row > kNear;
}

void Prefetch::partOfRows(const Point &next, int64_t height, const Point &point,
                          int64_t step) {
  // Step k asks for what lies k times the height of the tile behind its start:
  // often the line of the step before.
  int64_t bytes = height * bytesOfA();
  if (step > 0 && step * bytes / kLine == (step - 1) * bytes / kLine)
    return;
  unsigned loop = roles.contracted[0];
  Point place = next;
  place.variable[loop] = point.variable[loop];
  place.plus[loop] = point.plus[loop];
  place.level[loop] = point.level[loop];
  Access rows = a;
  rows.strides[loop] = height;
  Element index = emitter.indexOf(rows, place);
  // The nearest cache is left to the panel.
  ask(index.level, a, index.value, /*isWrite=*/false, kSecond);
}

void Prefetch::nextStep(const Point &point) {
  constexpr int64_t kSteps = 16, kFar = 1024;
  int64_t rows = roles.whole >= 0 ? roles.whole : roles.m;
  if (roles.contracted.empty() || rows < 0 || a.strides[rows] != 1)
    return;
  unsigned inner = roles.contracted.back();
  if (a.strides[inner] * bytesOfA() < kFar || nest.sizes[inner] < 2 * kSteps)
    return;
  Point ahead = point;
  ahead.vectorLoop = -1;
  ahead.plus[inner] += kSteps;
  Element index = emitter.indexOf(a, ahead);
  auto type = cast<MemRefType>(a.flat.getType());
  Value place =
      arith::MinUIOp::create(emitter.at(index.level), emitter.loc, index.value,
                             emitter.constant(type.getNumElements() - 1));
  ask(index.level, a, place, /*isWrite=*/false, kNearest);
}

void Prefetch::end(const Point &place, int64_t j) {
  constexpr int64_t kShort = 32, kLong = 256;
  constexpr int64_t kFar = 64 << 10, kMemory = 1 << 20;
  if (depth > kLong)
    return;
  const Nest &last = epilogue ? *epilogue : nest;
  for (auto [i, access] : llvm::enumerate(last.accesses)) {
    bool isResult = i >= last.inputs;
    // What is updated in place is asked for once, to be written.
    if (!access.flat || access.strides[roles.n] != 1 ||
        (!isResult && (!epilogue || access.flat == nest.output(0).flat ||
                       writes(*epilogue, access))))
      continue;
    auto type = cast<MemRefType>(access.flat.getType());
    int64_t bytes = type.getElementTypeBitWidth() / 8;
    if (type.getNumElements() * bytes <= (depth > kShort ? kMemory : kFar) ||
        j % std::max<int64_t>(kLine / (emitter.lanes * bytes), 1) != 0)
      continue;
    ask(emitter.innermost(), access, emitter.indexOf(access, place).value,
        isResult, kNearest);
  }
}

} // namespace gradus::lower
