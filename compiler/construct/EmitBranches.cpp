// `if` on a value that is known only when running: two loops of no or one round
// each, so that only the branch that is taken runs; or, where that is little
// work or no loop can be made of it, both branches and a choice between what
// they give.
#include "compiler/construct/Emitter.h"
#include "dialect/Duals.h"
#include "dialect/Loops.h"

using namespace mlir;

namespace gradus::construct {

Emitter::Work Emitter::workOf(const std::vector<typed::Statement> &statements) {
  Work work;
  for (const typed::Statement &statement : statements)
    work.push_back(&statement);
  return work;
}

void Emitter::enter(const std::vector<typed::Statement> &statements,
                    Work &left) {
  for (const typed::Statement &statement : llvm::reverse(statements))
    left.push_back(&statement);
}

static bool returns(const std::vector<typed::Statement> &statements) {
  return llvm::any_of(statements, [](const typed::Statement &statement) {
    auto *branch = statement.as<typed::If>();
    return statement.as<typed::Return>() ||
           (branch && (returns(branch->then) || returns(branch->otherwise)));
  });
}

/// What either branch does: what follows, too, if one of them may leave.
static std::pair<Emitter::Work, Emitter::Work>
worksOf(const typed::If &tree, const Emitter::Work &rest, bool &ends) {
  auto then = Emitter::workOf(tree.then),
       otherwise = Emitter::workOf(tree.otherwise);
  ends = returns(tree.then) || returns(tree.otherwise);
  if (ends) {
    llvm::append_range(then, rest);
    llvm::append_range(otherwise, rest);
  }
  return {then, otherwise};
}

std::optional<Values> Emitter::branch(const typed::If &tree, const Work &rest,
                                      Frame &frame, bool &ends) {
  Value condition = emit(*tree.condition, frame);
  auto [then, otherwise] = worksOf(tree, rest, ends);
  if (rolls && open.empty()) {
    size_t emitted = unrolled;
    auto locals = frame.locals;
    StateMark before = markStates();
    try {
      return runOne(condition, then, otherwise, frame);
    } catch (CannotRoll) {
      unrolled = emitted;
      frame.locals = std::move(locals);
      rewindStates(before);
    }
  }
  return runBoth(condition, then, otherwise, frame);
}

/// Whether computing it costs less than asking whether to.
static bool isLittle(ArrayRef<graph::LoopOp> loops) {
  constexpr int64_t most = 32;
  int64_t ops = 0;
  for (graph::LoopOp loop : loops)
    loop.getBody().walk([&](Operation *op) {
      ops += isa<graph::EinsumOp, graph::LoopOp, graph::CustomOp>(op) ? most + 1
                                                                      : 1;
    });
  return ops <= most;
}

std::optional<Values> Emitter::runOne(Value condition, const Work &then,
                                      const Work &otherwise, Frame &frame) {
  std::optional<Values> result;
  SmallVector<graph::LoopOp> loops;
  auto runWhen = [&](Value when, const Work &work) {
    auto assigned = assignedBy(work, frame);
    graph::LoopOperands operands;
    for (const typed::Local *local : assigned)
      llvm::append_range(operands.carried, frame.locals[local]);
    operands.when = when;
    size_t returned = 0;
    auto round = [&](SmallVectorImpl<Value> &carried,
                     SmallVectorImpl<Value> &) {
      std::optional<Values> values = run(work, frame);
      if (!values)
        return;
      returned = values->size();
      // What is returned is carried, too: until then what the other branch has
      // returned.
      graph::LoopOp loop = rolled.back().loop;
      OpBuilder outside(loop);
      for (auto [i, value] : llvm::enumerate(*values)) {
        auto type = cast<RankedTensorType>(value.getType());
        loop.getCarriedMutable().append(
            result ? (*result)[i]
                   : graph::ConstantOp::create(outside, location,
                                               graph::splatOf(type, 0))
                         .getResult());
        loop.getBody().addArgument(type, location);
        carried.push_back(value);
      }
    };
    graph::LoopOp loop = keep({nullptr, 0, 1,
                               graph::beginLoop(builder, location, /*rounds=*/1,
                                                /*reverse=*/false, operands)},
                              assigned, frame, round);
    loops.push_back(loop);
    takeCarried(loop, assigned, frame);
    if (returned > 0) {
      ResultRange values = loop.getResults().take_back(returned);
      result.emplace(values.begin(), values.end());
    }
  };
  try {
    runWhen(condition, then);
    if (!otherwise.empty()) {
      Value no = constant(cast<RankedTensorType>(condition.getType()), 0);
      runWhen(graph::CompareOp::create(builder, location, graph::Predicate::eq,
                                       condition, no),
              otherwise);
    }
    if (isLittle(loops))
      throw CannotRoll();
  } catch (CannotRoll) {
    for (graph::LoopOp loop : llvm::reverse(loops))
      loop.erase();
    throw;
  }
  return result;
}

std::optional<Values> Emitter::runBoth(Value condition, const Work &then,
                                       const Work &otherwise, Frame &frame) {
  auto before = frame.locals;
  StateMark start = markStates();
  auto assigned = assignedBy(then, frame);
  assigned.insert_range(assignedBy(otherwise, frame));
  std::optional<Values> first = run(then, frame);
  auto afterThen = std::exchange(frame.locals, before);
  States statesThen = states;
  rewindStates(start);
  start = markStates();
  std::optional<Values> second = run(otherwise, frame);
  States statesOtherwise = states;
  // And what only the second made the loops around carry.
  start.states = std::move(statesThen);
  rewindStates(start);

  auto pick = [&](Value a, Value b) -> Value {
    return a == b ? a
                  : graph::SelectOp::create(builder, location,
                                            spread(condition, a), a, b);
  };
  auto pickAll = [&](const Values &a, const Values &b) {
    Values picked;
    for (auto [x, y] : llvm::zip_equal(a, b))
      picked.push_back(pick(x, y));
    return picked;
  };
  for (const typed::Local *local : assigned)
    bind(local, pickAll(afterThen[local], frame.locals[local]), frame);
  for (auto &[key, value] : statesOtherwise)
    if (!states.contains(key))
      states[key] = storedState(*key.first, *key.second, key.second->range);
  for (auto &[key, value] : states) {
    auto other = statesOtherwise.find(key);
    value = pick(value,
                 other != statesOtherwise.end()
                     ? other->second
                     : storedState(*key.first, *key.second, key.second->range));
  }
  if (!first || !second)
    return std::nullopt;
  return pickAll(*first, *second);
}

/// A condition for each index: both, and a choice for each.
std::optional<Lanes> Emitter::branchLanes(const typed::If &tree,
                                          const Work &rest, Frame &frame,
                                          bool &ends) {
  Lanes condition = lanes(*tree.condition, frame);
  auto [then, otherwise] = worksOf(tree, rest, ends);
  Assigned assigned = assignedBy(then, frame);
  assigned.insert_range(assignedBy(otherwise, frame));
  auto locals = frame.locals;
  auto indices = frame.lanes;
  StateMark start = markStates();
  std::optional<Lanes> first = runLanes(then, frame);
  auto localsThen = std::exchange(frame.locals, locals);
  auto lanesThen = std::exchange(frame.lanes, indices);
  std::optional<Lanes> second = runLanes(otherwise, frame);
  States after = states;
  rewindStates(start);
  if (llvm::any_of(after, [&](auto &each) {
        return states.lookup(each.first) != each.second;
      }))
    refuse(tree.condition->range, "changing state for each index is");

  auto pick = [&](const Lanes &a, const Lanes &b) -> Lanes {
    Indices all = unite({condition, a, b});
    if (cast<RankedTensorType>(a.value.getType()).getRank() !=
        static_cast<int64_t>(a.indices.size()))
      refuse(tree.condition->range,
             "choosing between arrays for each index is");
    return {graph::SelectOp::create(builder, location, align(condition, all),
                                    align(a, all), align(b, all)),
            all};
  };
  for (const typed::Local *local : assigned) {
    Lanes picked =
        pick({localsThen[local].front(), lanesThen.lookup(local)},
             {frame.locals[local].front(), frame.lanes.lookup(local)});
    bind(local, {picked.value}, frame);
    frame.lanes[local] = picked.indices;
  }
  if (!first || !second)
    return std::nullopt;
  return pick(*first, *second);
}

} // namespace gradus::construct
