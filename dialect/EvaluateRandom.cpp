// What `random` means: its type, its numbers, and which words they are made of.
#include "dialect/Graph.h"
#include "runtime/Philox.h"

#include <cmath>
#include <numbers>

using namespace mlir;

namespace gradus::graph {

LogicalResult RandomOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  if (llvm::any_of(op.getShape(), [](int64_t size) { return size < 0; }))
    return emitOptionalError(loc, "has a negative size");
  if (!op.getElement().isF32() && !op.getElement().isF64())
    return emitOptionalError(loc, "draws real numbers only");
  types.push_back(RankedTensorType::get(op.getShape(), op.getElement()));
  return success();
}

/// The block of a place of which each place takes `words` words.
static std::array<uint32_t, 4> blockAt(uint32_t place, uint32_t words,
                                       const DrawKey &key) {
  uint32_t perGroup = 4 / words * 16;
  uint32_t block = place / perGroup * 16 + place % 16;
  return philox({block, key[2], 0, 0}, {key[0], key[1]});
}

static double uniformAt(uint32_t place, const DrawKey &key) {
  uint32_t word = blockAt(place, 1, key)[place / 16 % 4];
  return (word >> 8) * 0x1p-24;
}

static double normalAt(uint32_t place, const DrawKey &key) {
  auto block = blockAt(place, 2, key);
  uint32_t first = place / 16 % 2 * 2;
  double u = static_cast<float>(block[first] | 1) * 0x1p-32;
  double v = (static_cast<int32_t>(block[first + 1]) >> 8) * 0x1p-24;
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

SmallVector<Array> RandomOp::evaluate(ArrayRef<Array> x) {
  DrawKey key;
  for (auto [word, number] : llvm::zip_equal(key, x[0].wholes))
    word = static_cast<uint32_t>(number);
  if (x.size() > 1)
    key[2] += static_cast<uint32_t>(x[1].wholes[0]);
  Array y(cast<RankedTensorType>(getType()));
  int64_t width = y.shape().empty() ? 1 : y.shape().back();
  int64_t pitch = llvm::alignTo(width, groupOfDraws);
  for (int64_t i = 0; i < y.size(); ++i) {
    auto place = static_cast<uint32_t>(i / width * pitch + i % width);
    y.reals[i] =
        getLaw() == Law::uniform ? uniformAt(place, key) : normalAt(place, key);
  }
  return {y};
}

} // namespace gradus::graph
