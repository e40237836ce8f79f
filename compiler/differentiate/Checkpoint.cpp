// See Checkpoint.h.
#include "compiler/differentiate/Checkpoint.h"
#include "dialect/Costs.h"

#include "mlir/IR/IRMapping.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace gradus::differentiate {

/// Whether a carried value only gathers a sum, whose pullback does not read it.
static bool isSum(graph::LoopOp loop, BlockArgument argument) {
  Value next = loop.carriedOn()[argument.getArgNumber() - 1];
  return argument.hasOneUse() &&
         next.getDefiningOp<graph::AddOp>() == *argument.user_begin();
}

int64_t bytesForPullback(graph::LoopOp loop) {
  int64_t bytes = 0;
  for (BlockArgument argument : loop.carriedArguments())
    if (!isSum(loop, argument))
      bytes += graph::bytesOf(argument.getType());
  return bytes * static_cast<int64_t>(loop.getRounds());
}

namespace {

/// A loop in the making that runs some of the rounds of another one.
class Segments {
public:
  Segments(graph::LoopOp loop, int64_t length)
      : loop(loop), builder(loop), rounds(loop.getRounds()), length(length),
        carried(loop.getCarried()) {}

  void replaceLoop();

private:
  /// A loop over the body of `loop`, whose counter starts at `first`.
  graph::LoopOp body(OpBuilder &at, int64_t count, ValueRange carriedIn,
                     ValueRange over, ValueRange with, Value first);
  void inSegments();
  void alone(int64_t first);
  /// Rows `first` up to `first + count` of a tensor.
  Value rowsOf(Value tensor, int64_t first, int64_t count);
  Value reshaped(Value tensor, ArrayRef<int64_t> leading, unsigned instead);
  Value whole(OpBuilder &at, int64_t value) {
    auto type = RankedTensorType::get({}, at.getI32Type());
    return graph::ConstantOp::create(
        at, loop.getLoc(),
        DenseElementsAttr::get(type, at.getI32IntegerAttr(int32_t(value))));
  }

  graph::LoopOp loop;
  OpBuilder builder;
  int64_t rounds, length;
  /// What has been carried so far.
  SmallVector<Value> carried;
  /// The rows of each stack, in the order of rounds.
  SmallVector<SmallVector<Value>> parts;
};

} // namespace

Value Segments::rowsOf(Value tensor, int64_t first, int64_t count) {
  if (count == rounds)
    return tensor;
  auto shape = cast<RankedTensorType>(tensor.getType()).getShape();
  SmallVector<int64_t> offsets(shape.size()), sizes(shape);
  offsets[0] = first;
  sizes[0] = count;
  return graph::SliceOp::create(builder, loop.getLoc(), tensor, offsets, sizes);
}

/// With `leading` sizes instead of the first axes.
Value Segments::reshaped(Value tensor, ArrayRef<int64_t> leading,
                         unsigned instead) {
  SmallVector<int64_t> shape(leading);
  llvm::append_range(
      shape,
      cast<RankedTensorType>(tensor.getType()).getShape().drop_front(instead));
  return graph::ReshapeOp::create(builder, loop.getLoc(), tensor, shape);
}

graph::LoopOp Segments::body(OpBuilder &at, int64_t count, ValueRange carriedIn,
                             ValueRange over, ValueRange with, Value first) {
  graph::LoopOperands operands{llvm::to_vector(carriedIn),
                               llvm::to_vector(over), llvm::to_vector(with)};
  bool counts = !loop.counter().use_empty();
  if (counts)
    operands.with.push_back(first);
  graph::LoopOp part =
      graph::beginLoop(at, loop.getLoc(), count, loop.getReverse(), operands);
  OpBuilder inside = OpBuilder::atBlockEnd(&part.getBody().front());
  IRMapping mapping;
  mapping.map(loop.carriedArguments(), part.carriedArguments());
  mapping.map(loop.overArguments(), part.overArguments());
  mapping.map(loop.withArguments(),
              part.withArguments().take_front(loop.getWith().size()));
  if (counts)
    mapping.map(
        loop.counter(),
        graph::WholeOp::create(inside, loop.getLoc(), graph::Arithmetic::add,
                               part.withArguments().back(), part.counter()));
  for (Operation &op : loop.getBody().front().without_terminator())
    inside.clone(op, mapping);
  auto mapped = [&](ValueRange values) {
    return llvm::map_to_vector(
        values, [&](Value value) { return mapping.lookup(value); });
  };
  return graph::finishLoop(part, mapped(loop.carriedOn()),
                           mapped(loop.stacked()));
}

void Segments::inSegments() {
  int64_t segments = rounds / length, count = segments * length;
  graph::LoopOperands operands{carried, {}, llvm::to_vector(loop.getWith())};
  for (Value tensor : loop.getOver())
    operands.over.push_back(
        reshaped(rowsOf(tensor, 0, count), {segments, length}, 1));
  graph::LoopOp outer = graph::beginLoop(builder, loop.getLoc(), segments,
                                         loop.getReverse(), operands);
  outer->setAttr(graph::everyAttr, builder.getI64IntegerAttr(length));
  OpBuilder inside = OpBuilder::atBlockEnd(&outer.getBody().front());
  Value first =
      graph::WholeOp::create(inside, loop.getLoc(), graph::Arithmetic::mul,
                             outer.counter(), whole(inside, length));
  auto values = [](ArrayRef<BlockArgument> arguments) {
    return SmallVector<Value>(arguments);
  };
  graph::LoopOp inner =
      body(inside, length, values(outer.carriedArguments()),
           values(outer.overArguments()), values(outer.withArguments()), first);
  outer = graph::finishLoop(
      outer, inner.getResults().take_front(carried.size()), inner.stacks());
  carried = llvm::to_vector(
      ValueRange(outer.getResults().take_front(carried.size())));
  for (auto [stack, part] : llvm::zip_equal(outer.stacks(), parts))
    part.push_back(reshaped(stack, {count}, 2));
}

void Segments::alone(int64_t first) {
  SmallVector<Value> over;
  for (Value tensor : loop.getOver())
    over.push_back(rowsOf(tensor, first, rounds - first));
  graph::LoopOp rest = body(builder, rounds - first, carried, over,
                            loop.getWith(), whole(builder, first));
  carried =
      llvm::to_vector(ValueRange(rest.getResults().take_front(carried.size())));
  for (auto [stack, part] : llvm::zip_equal(rest.stacks(), parts))
    part.push_back(stack);
}

void Segments::replaceLoop() {
  parts.resize(loop.stacks().size());
  int64_t first = rounds / length * length;
  bool hasRest = first != rounds;
  if (hasRest && loop.getReverse())
    alone(first);
  inSegments();
  if (hasRest && !loop.getReverse())
    alone(first);
  SmallVector<Value> results(carried);
  for (SmallVector<Value> &part : parts) {
    if (hasRest && loop.getReverse())
      std::reverse(part.begin(), part.end());
    results.push_back(hasRest ? graph::ConcatOp::create(builder, loop.getLoc(),
                                                        part, /*dim=*/0)
                                    .getResult()
                              : part.front());
  }
  loop.replaceAllUsesWith(results);
  loop.erase();
}

void checkpoint(graph::LoopOp loop, int64_t budget) {
  auto rounds = static_cast<int64_t>(loop.getRounds());
  int64_t bytes = bytesForPullback(loop) / rounds;
  auto root = static_cast<int64_t>(std::sqrt(static_cast<double>(rounds)));
  if (rounds < 4 || loop.getWhen())
    return;
  int64_t segments =
      std::clamp<int64_t>(budget / 2 / std::max<int64_t>(bytes, 1), 2, root);
  int64_t length = rounds / segments;
  // Nothing remains if a length near to it divides the rounds.
  for (int64_t near = length; near <= 2 * length; ++near)
    if (rounds % near == 0) {
      length = near;
      break;
    }
  Segments(loop, length).replaceLoop();
}

} // namespace gradus::differentiate
