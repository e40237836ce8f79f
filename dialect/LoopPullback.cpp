// The pullback of a loop: a loop in the other direction that carries the
// cotangents of the carried values. Each of its rounds computes what the round
// computed once more, from the carried values that were saved, and takes the
// cotangents of that; those of `with` add up (Griewank, Walther: Evaluating
// Derivatives, 2008, chapter 12: the store of states along a time line). What
// is cheaper stored than computed again is decided later, in compiler/fuse.
#include "dialect/Duals.h"
#include "dialect/Loops.h"
#include "dialect/Origins.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace gradus::graph {

bool LoopOp::masksCotangents() {
  return getBody()
      .walk([](Operation *op) {
        auto rule = dyn_cast<Differentiable>(op);
        return op->hasTrait<Masking>() || (rule && rule.masksCotangents())
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

SmallVector<Value> LoopOp::pullback(OpBuilder &builder, ArrayRef<Value> dy,
                                    bool masked) {
  size_t carried = getCarried().size();
  Location loc = marked(getLoc(), derivativeMark);
  // The operands of the loop backwards, part by part.
  LoopOperands operands;
  for (auto [j, init] : llvm::enumerate(getCarried()))
    if (isReal(init))
      operands.carried.push_back(dy[j] ? dy[j]
                                       : fillLike(builder, loc, init, 0));
  size_t sums = operands.carried.size();
  for (Value value : getWith())
    if (isReal(value))
      operands.carried.push_back(fillLike(builder, loc, value, 0));
  for (BlockArgument argument : carriedArguments())
    operands.over.push_back(stackOf(*this, argument));
  llvm::append_range(operands.over, getOver());
  for (Value cotangent : dy.drop_front(carried))
    if (cotangent)
      operands.over.push_back(cotangent);
  llvm::append_range(operands.with, getWith());
  operands.when = getWhen();

  LoopOp back = beginLoop(builder, loc, getRounds(), !getReverse(), operands);
  OpBuilder body = OpBuilder::atBlockEnd(&back.getBody().front());
  IRMapping mapping;
  mapping.map(counter(), back.counter());
  ArrayRef<BlockArgument> over = back.overArguments();
  mapping.map(carriedArguments(), over.take_front(carried));
  mapping.map(overArguments(), over.slice(carried, getOver().size()));
  mapping.map(withArguments(), back.withArguments());
  for (Operation &op : getBody().front().without_terminator())
    body.clone(op, mapping);

  SmallVector<Value> ys, seeds, wrt;
  for (auto [value, cotangent] :
       llvm::zip(llvm::make_filter_range(carriedOn(), isReal),
                 back.carriedArguments())) {
    ys.push_back(mapping.lookup(value));
    seeds.push_back(cotangent);
  }
  ArrayRef<BlockArgument> rows = over.drop_front(carried + getOver().size());
  for (auto [value, cotangent] :
       llvm::zip_equal(stacked(), dy.drop_front(carried)))
    if (cotangent) {
      ys.push_back(mapping.lookup(value));
      seeds.push_back(rows.consume_front());
    }
  for (BlockArgument argument : getBody().getArguments().drop_front())
    if (isReal(argument))
      wrt.push_back(mapping.lookup(argument));
  auto vjp = VjpOp::create(body, loc, ys, seeds, wrt);
  if (masked)
    vjp->setAttr(GraphDialect::maskedAttrName, body.getUnitAttr());

  SmallVector<Value> carriedOn, stacked;
  auto cotangents = vjp.getResults();
  carriedOn.append(cotangents.begin(), cotangents.begin() + sums);
  size_t next = sums;
  for (Value value : getOver())
    if (isReal(value))
      stacked.push_back(cotangents[next++]);
  for (BlockArgument sum : back.carriedArguments().drop_front(sums))
    carriedOn.push_back(AddOp::create(body, loc, sum, cotangents[next++]));
  back = finishLoop(back, carriedOn, stacked);

  SmallVector<Value> gradients;
  size_t nextSum = 0, nextStack = 0;
  for (Value value : getCarried())
    gradients.push_back(isReal(value) ? back.getResult(nextSum++) : Value());
  for (Value value : getOver())
    gradients.push_back(isReal(value) ? back.stacks()[nextStack++] : Value());
  for (Value value : getWith())
    gradients.push_back(isReal(value) ? back.getResult(nextSum++) : Value());
  if (getWhen())
    gradients.push_back(Value());
  return gradients;
}

} // namespace gradus::graph
