// Loops: their parts, what they mean, and their simplification. The pullback is
// in LoopPullback.cpp.
#include "dialect/Loops.h"
#include "dialect/Interpreter.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

#include <algorithm>

using namespace mlir;

namespace gradus::graph {

//===-- Parts -------------------------------------------------------------===//

BlockArgument LoopOp::counter() { return getBody().getArgument(0); }

ArrayRef<BlockArgument> LoopOp::carriedArguments() {
  return getBody().getArguments().slice(1, getCarried().size());
}

ArrayRef<BlockArgument> LoopOp::overArguments() {
  return getBody().getArguments().slice(1 + getCarried().size(),
                                        getOver().size());
}

ArrayRef<BlockArgument> LoopOp::withArguments() {
  return getBody().getArguments().take_back(getWith().size());
}

ValueRange LoopOp::carriedOn() {
  return getBody().front().getTerminator()->getOperands().take_front(
      getCarried().size());
}

ValueRange LoopOp::stacked() {
  return getBody().front().getTerminator()->getOperands().drop_front(
      getCarried().size());
}

ResultRange LoopOp::stacks() {
  return getResults().drop_front(getCarried().size());
}

//===-- Building ----------------------------------------------------------===//

RankedTensorType stackedType(Value row, int64_t rounds) {
  auto type = cast<RankedTensorType>(row.getType());
  SmallVector<int64_t> shape{rounds};
  llvm::append_range(shape, type.getShape());
  return type.clone(shape);
}

static RankedTensorType rowType(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return type.clone(type.getShape().drop_front());
}

LoopOp beginLoop(OpBuilder &builder, Location loc, int64_t rounds, bool reverse,
                 const LoopOperands &operands) {
  auto loop = LoopOp::create(builder, loc, TypeRange(), rounds, reverse,
                             operands.carried, operands.over, operands.with,
                             operands.when);
  Block &body = loop.getBody().emplaceBlock();
  body.addArgument(RankedTensorType::get({}, builder.getI32Type()), loc);
  for (Value value : operands.carried)
    body.addArgument(value.getType(), value.getLoc());
  for (Value value : operands.over)
    body.addArgument(rowType(value), value.getLoc());
  for (Value value : operands.with)
    body.addArgument(value.getType(), value.getLoc());
  return loop;
}

LoopOperands operandsOf(LoopOp loop) {
  return {llvm::to_vector(loop.getCarried()), llvm::to_vector(loop.getOver()),
          llvm::to_vector(loop.getWith()), loop.getWhen()};
}

LoopOp finishLoop(LoopOp loop, ValueRange carriedOn, ValueRange stacked) {
  OpBuilder builder = OpBuilder::atBlockEnd(&loop.getBody().front());
  SmallVector<Value> yielded(carriedOn);
  llvm::append_range(yielded, stacked);
  YieldOp::create(builder, loop.getLoc(), yielded);

  SmallVector<Type> types(carriedOn.getTypes());
  for (Value row : stacked)
    types.push_back(stackedType(row, loop.getRounds()));
  builder.setInsertionPoint(loop);
  auto finished = LoopOp::create(
      builder, loop.getLoc(), types, loop.getRounds(), loop.getReverse(),
      loop.getCarried(), loop.getOver(), loop.getWith(), loop.getWhen());
  finished->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  finished.getBody().takeBody(loop.getBody());
  loop.erase();
  return finished;
}

LoopOp stackAlso(LoopOp loop, ValueRange rows) {
  SmallVector<Value> stacked(loop.stacked()), carriedOn(loop.carriedOn());
  for (Value row : rows)
    if (!llvm::is_contained(stacked, row))
      stacked.push_back(row);
  if (stacked.size() == loop.stacked().size())
    return loop;
  OpBuilder builder(loop);
  LoopOp fresh = beginLoop(builder, loop.getLoc(), loop.getRounds(),
                           loop.getReverse(), operandsOf(loop));
  fresh->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  loop.getBody().front().getTerminator()->erase();
  fresh.getBody().takeBody(loop.getBody());
  fresh = finishLoop(fresh, carriedOn, stacked);
  loop.replaceAllUsesWith(fresh.getResults().take_front(loop.getNumResults()));
  loop.erase();
  return fresh;
}

Value stackOf(LoopOp loop, Value row) {
  return loop
      .stacks()[llvm::find(loop.stacked(), row) - loop.stacked().begin()];
}

BlockArgument readAlso(LoopOp loop, Value tensor) {
  unsigned place = 1 + loop.getCarried().size() + loop.getOver().size();
  loop.getOverMutable().append(tensor);
  return loop.getBody().front().insertArgument(place, rowType(tensor),
                                               tensor.getLoc());
}

BlockArgument takeAlso(LoopOp loop, Value value) {
  loop.getWithMutable().append(value);
  return loop.getBody().front().addArgument(value.getType(), value.getLoc());
}

//===-- Verification and meaning ------------------------------------------===//

LogicalResult LoopOp::verify() {
  int64_t rounds = getRounds();
  if (rounds < 1)
    return emitOpError("needs at least one round, found ") << rounds;
  if (getWhen() &&
      getWhen().getType() !=
          RankedTensorType::get({}, IntegerType::get(getContext(), 1)))
    return emitOpError("needs one truth value as a condition, found ")
           << getWhen().getType();
  Block &body = getBody().front();
  SmallVector<Type> expected{
      RankedTensorType::get({}, IntegerType::get(getContext(), 32))};
  llvm::append_range(expected, getCarried().getTypes());
  for (Value tensor : getOver()) {
    auto type = cast<RankedTensorType>(tensor.getType());
    if (type.getRank() == 0 || type.getDimSize(0) != rounds)
      return emitOpError("needs a row for each of ")
             << rounds << " rounds, found " << type;
    expected.push_back(rowType(tensor));
  }
  llvm::append_range(expected, getWith().getTypes());
  if (body.getArgumentTypes() != TypeRange(expected))
    return emitOpError("needs a body of arguments ") << expected;

  auto yield = cast<YieldOp>(body.getTerminator());
  if (yield.getValues().size() != getNumResults() ||
      getNumResults() < getCarried().size())
    return emitOpError("yields ")
           << yield.getValues().size() << " values for " << getNumResults()
           << " results and " << getCarried().size() << " carried values";
  SmallVector<Type> results(carriedOn().getTypes());
  if (TypeRange(results) != getCarried().getTypes())
    return emitOpError("carries on values of other types");
  for (Value row : stacked())
    results.push_back(stackedType(row, rounds));
  if (getResultTypes() != TypeRange(results))
    return emitOpError("has results of other types than ") << results;
  return success();
}

/// Row `row` of a tensor.
static Array rowOf(const Array &tensor, int64_t row) {
  Array result(tensor.type.clone(tensor.shape().drop_front()));
  int64_t begin = row * result.size();
  for (int64_t i = 0; i < result.size(); ++i)
    if (tensor.isReal())
      result.reals[i] = tensor.reals[begin + i];
    else
      result.wholes[i] = tensor.wholes[begin + i];
  return result;
}

SmallVector<Array> interpret(LoopOp loop, ArrayRef<Array> x, Watch watch) {
  size_t carried = loop.getCarried().size(), over = loop.getOver().size();
  SmallVector<Array> results(x.take_front(carried));
  for (Value stack : loop.stacks())
    results.emplace_back(cast<RankedTensorType>(stack.getType()));
  bool runs = !loop.getWhen() || x.back().wholes[0] != 0;
  int64_t rounds = runs ? static_cast<int64_t>(loop.getRounds()) : 0;
  for (int64_t round = 0; round < rounds; ++round) {
    int64_t i = loop.getReverse() ? rounds - 1 - round : round;
    SmallVector<Array> arguments;
    arguments.emplace_back(cast<RankedTensorType>(loop.counter().getType()));
    arguments.back().wholes[0] = i;
    arguments.append(results.begin(), results.begin() + carried);
    for (const Array &tensor : x.slice(carried, over))
      arguments.push_back(rowOf(tensor, i));
    llvm::append_range(arguments,
                       x.slice(carried + over, loop.getWith().size()));
    for (auto [k, value] :
         llvm::enumerate(interpret(loop.getBody().front(), arguments, watch))) {
      if (k < carried) {
        results[k] = std::move(value);
        continue;
      }
      int64_t begin = i * value.size();
      llvm::copy(value.reals,
                 results[k].reals.begin() + (value.isReal() ? begin : 0));
      llvm::copy(value.wholes,
                 results[k].wholes.begin() + (value.isReal() ? 0 : begin));
    }
  }
  return results;
}

SmallVector<Array> LoopOp::evaluate(ArrayRef<Array> x) {
  return interpret(*this, x);
}

//===-- Simplification ----------------------------------------------------===//

namespace {

/// Drops what no result needs, passes once what came twice, takes what no round
/// changes out of the carried values and constants into the body.
struct PruneLoop : OpRewritePattern<LoopOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LoopOp loop,
                                PatternRewriter &rewriter) const override {
    DenseSet<Value> live = liveValues(loop);
    LoopOperands operands;
    operands.when = loop.getWhen();
    SmallVector<BlockArgument> arguments[3];
    // What stands for an argument of the body that goes.
    DenseMap<Value, Value> same;
    DenseMap<Value, Operation *> constants;
    SmallVector<unsigned> kept;
    bool changes = false;

    SmallVector<std::pair<BlockArgument, Value>> with;
    for (auto [argument, value] :
         llvm::zip_equal(loop.withArguments(), loop.getWith()))
      with.emplace_back(argument, value);
    for (auto [j, argument] : llvm::enumerate(loop.carriedArguments())) {
      Value init = loop.getCarried()[j];
      bool isUsed = live.contains(argument) || !loop.getResult(j).use_empty();
      bool stays = loop.carriedOn()[j] == argument;
      changes |= !isUsed || stays;
      if (stays && isUsed)
        with.emplace_back(argument, init);
      if (stays || !isUsed)
        continue;
      operands.carried.push_back(init);
      arguments[0].push_back(argument);
      kept.push_back(j);
    }
    auto take = [&](BlockArgument argument, Value value,
                    SmallVectorImpl<Value> &values,
                    SmallVectorImpl<BlockArgument> &into) {
      auto known = llvm::find(values, value);
      changes |= !live.contains(argument) || known != values.end();
      if (!live.contains(argument))
        return;
      if (known != values.end()) {
        same[argument] = into[known - values.begin()];
        return;
      }
      values.push_back(value);
      into.push_back(argument);
    };
    for (auto [argument, value] :
         llvm::zip_equal(loop.overArguments(), loop.getOver()))
      take(argument, value, operands.over, arguments[1]);
    for (auto [argument, value] : with) {
      if (auto constant = value.getDefiningOp<ConstantOp>()) {
        constants[argument] = constant;
        changes = true;
      } else {
        take(argument, value, operands.with, arguments[2]);
      }
    }
    SmallVector<unsigned> stacks;
    for (auto [k, stack] : llvm::enumerate(loop.stacks()))
      if (!stack.use_empty())
        stacks.push_back(k);
    changes |= stacks.size() != loop.stacks().size();
    if (!changes)
      return failure();

    OpBuilder outside(loop);
    LoopOp pruned = beginLoop(outside, loop.getLoc(), loop.getRounds(),
                              loop.getReverse(), operands);
    pruned->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
    OpBuilder builder = OpBuilder::atBlockEnd(&pruned.getBody().front());
    IRMapping mapping;
    mapping.map(loop.counter(), pruned.counter());
    auto map = [&](ArrayRef<BlockArgument> from, ArrayRef<BlockArgument> to) {
      for (auto [old, fresh] : llvm::zip_equal(from, to))
        mapping.map(old, fresh);
    };
    map(arguments[0], pruned.carriedArguments());
    map(arguments[1], pruned.overArguments());
    map(arguments[2], pruned.withArguments());
    for (auto [argument, other] : same)
      mapping.map(argument, mapping.lookup(other));
    for (auto [argument, constant] : constants)
      mapping.map(argument, builder.clone(*constant)->getResult(0));
    for (Operation &op : loop.getBody().front().without_terminator())
      if (llvm::any_of(op.getResults(),
                       [&](Value result) { return live.contains(result); }))
        builder.clone(op, mapping);
    SmallVector<Value> carriedOn, stacked;
    for (unsigned j : kept)
      carriedOn.push_back(mapping.lookup(loop.carriedOn()[j]));
    for (unsigned k : stacks)
      stacked.push_back(mapping.lookup(loop.stacked()[k]));
    auto finished = finishLoop(pruned, carriedOn, stacked);

    SmallVector<Value> results(loop.getNumResults());
    for (auto [j, argument] : llvm::enumerate(loop.carriedArguments()))
      if (loop.carriedOn()[j] == argument)
        results[j] = loop.getCarried()[j];
    for (auto [fresh, j] : llvm::enumerate(kept))
      results[j] = finished.getResult(fresh);
    for (auto [fresh, k] : llvm::enumerate(stacks))
      results[loop.getCarried().size() + k] = finished.stacks()[fresh];
    for (auto [old, fresh] : llvm::zip_equal(loop.getResults(), results))
      if (fresh)
        rewriter.replaceAllUsesWith(old, fresh);
    rewriter.eraseOp(loop);
    // They have not been seen yet.
    finished.walk([&](Operation *op) { rewriter.modifyOpInPlace(op, [] {}); });
    return success();
  }

  /// The values of the body that a used result depends on.
  static DenseSet<Value> liveValues(LoopOp loop) {
    DenseSet<Value> live;
    SmallVector<Value> open;
    for (auto [result, yielded] :
         llvm::zip_equal(loop.getResults(),
                         loop.getBody().front().getTerminator()->getOperands()))
      if (!result.use_empty())
        open.push_back(yielded);
    while (!open.empty()) {
      Value value = open.pop_back_val();
      if (!live.insert(value).second)
        continue;
      if (Operation *op = value.getDefiningOp()) {
        llvm::append_range(open, op->getOperands());
        continue;
      }
      unsigned number = cast<BlockArgument>(value).getArgNumber();
      if (number >= 1 && number <= loop.getCarried().size())
        open.push_back(loop.carriedOn()[number - 1]);
    }
    return live;
  }
};

} // namespace

void LoopOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<PruneLoop>(context);
}

} // namespace gradus::graph
