// Loops: written out round by round, or kept as one `graph.loop` if they are
// long and every round is the same but for its number. Then the variables that
// rounds assign are carried, `x[i]` is row i of a tensor that the loop runs
// over, and any other number made of counters comes from a table, row by row,
// too.
#include "compiler/DiagnosticKinds.h"
#include "compiler/construct/Emitter.h"
#include "dialect/Loops.h"
#include "runtime/Philox.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace gradus::construct {

/// A loop is written out if that takes no more ops than this.
static constexpr int64_t kMostUnrolled = 64;

//===-- What can be kept --------------------------------------------------===//

namespace {

/// Whether the rounds of a loop are the same but for numbers that its counter
/// gives.
class Uniform {
public:
  explicit Uniform(const typed::Symbol *counter) : counter(counter) {}

  bool statements(const std::vector<typed::Statement> &list) const {
    return llvm::all_of(list, [&](const typed::Statement &statement) {
      if (auto *let = statement.as<typed::Let>())
        return expression(*let->value);
      if (auto *let = statement.as<typed::LetTuple>())
        return expression(*let->value);
      if (auto *assign = statement.as<typed::Assign>())
        return expression(*assign->value);
      if (auto *branch = statement.as<typed::If>())
        return !dependsOnRound(*branch->condition) &&
               statements(branch->then) && statements(branch->otherwise);
      if (auto *assign = statement.as<typed::AssignState>())
        return instance(assign->target.instance) && expression(*assign->value);
      if (auto *loop = statement.as<typed::For>())
        return isLoop(*loop);
      return statement.as<typed::Require>() != nullptr;
    });
  }

  bool expression(const typed::Expr &expr) const {
    return type(expr.type) &&
           std::visit([&](const auto &node) { return fits(node); },
                      expr.node) &&
           llvm::all_of(typed::operandsOf(expr), [&](const typed::Expr *part) {
             return expression(*part);
           });
  }

private:
  bool mentions(const typed::Dim &dim) const { return dim.mentions(counter); }

  bool type(const typed::Type &type) const {
    return shape(type.shape) && !mentions(type.bound);
  }

  bool shape(const typed::Shape &shape) const {
    return llvm::none_of(
        shape, [&](const typed::Axis &axis) { return mentions(axis.dim); });
  }

  bool isLoop(const typed::For &loop) const {
    const typed::Interval &interval = *loop.counter->interval;
    return !mentions(interval.first) && !mentions(interval.end) &&
           statements(loop.body);
  }

  bool dependsOnRound(const typed::Expr &expr) const {
    auto *dim = expr.as<typed::DimValue>();
    return (dim && mentions(dim->dim)) ||
           llvm::any_of(typed::operandsOf(expr), [&](const typed::Expr *part) {
             return dependsOnRound(*part);
           });
  }

  bool instance(const typed::InstancePath &path) const {
    return llvm::none_of(path.layers, [&](const auto &step) {
      return step.element && mentions(*step.element);
    });
  }

  bool generics(const std::vector<typed::GenericBinding> &bindings) const {
    return llvm::all_of(bindings, [&](const typed::GenericBinding &binding) {
      return !mentions(binding.dim) && shape(binding.pack);
    });
  }

  bool windows(const std::vector<typed::Window> &windows) const {
    return llvm::none_of(windows, [&](const typed::Window &window) {
      return mentions(window.size) || mentions(window.stride) ||
             mentions(window.pad) || mentions(window.dilation);
    });
  }

  bool indices(const std::vector<const typed::Local *> &locals) const {
    return llvm::none_of(locals, [&](const typed::Local *local) {
      return mentions(local->extent);
    });
  }

  bool fits(const typed::Slice &node) const {
    return llvm::all_of(node.parts, [&](const typed::Slice::Part &part) {
      return part.isDropped || !mentions(part.begin);
    });
  }
  bool fits(const typed::At &node) const {
    return llvm::all_of(node.subscripts, [&](const auto &subscript) {
      const typed::Affine &position = subscript.position;
      return (!mentions(position.constant) || position.terms.empty()) &&
             llvm::none_of(position.terms, [&](const auto &term) {
               return mentions(term.second);
             });
    });
  }
  bool fits(const typed::Call &node) const {
    return instance(node.instance) && generics(node.generics);
  }
  bool fits(const typed::FunctionReference &node) const {
    return instance(node.instance) && generics(node.generics);
  }
  bool fits(const typed::ParamReference &node) const {
    return instance(node.instance);
  }
  bool fits(const typed::AllParams &node) const {
    return instance(node.instance);
  }
  bool fits(const typed::Derivative &node) const {
    return llvm::all_of(node.targets, [&](const auto &target) {
      if (auto *param = std::get_if<typed::ParamReference>(&target))
        return instance(param->instance);
      if (auto *all = std::get_if<typed::AllParams>(&target))
        return instance(all->instance);
      return true;
    });
  }
  bool fits(const typed::Stack &node) const { return isLoop(node.loop); }
  bool fits(const typed::ForEach &node) const { return indices(node.indices); }
  bool fits(const typed::IndexReduce &node) const {
    return indices(node.indices);
  }
  bool fits(const typed::Pad &node) const { return !mentions(node.before); }
  bool fits(const typed::Convolve &node) const {
    return windows(node.windows) && !mentions(node.groups);
  }
  bool fits(const typed::Pool &node) const { return windows(node.windows); }
  bool fits(const auto &) const { return true; }

  const typed::Symbol *counter;
};

} // namespace

/// The locals that a statement assigns, each once.
static void
collectAssigned(const typed::Statement &statement,
                llvm::SmallSetVector<const typed::Local *, 4> &locals) {
  auto collect = [&](const std::vector<typed::Statement> &statements) {
    for (const typed::Statement &each : statements)
      collectAssigned(each, locals);
  };
  if (auto *assign = statement.as<typed::Assign>()) {
    locals.insert(assign->local);
  } else if (auto *branch = statement.as<typed::If>()) {
    collect(branch->then);
    collect(branch->otherwise);
  } else if (auto *loop = statement.as<typed::For>()) {
    collect(loop->body);
  }
}

//===-- Numbers of the counters -------------------------------------------===//

bool Emitter::isRolled(const typed::Dim &dim) const {
  return llvm::any_of(
      rolled, [&](const Rolled &loop) { return dim.mentions(loop.counter); });
}

bool Emitter::isOutside(Value value, const Rolled &loop) const {
  return !graph::LoopOp(loop.loop).getBody().isAncestor(
      value.getParentRegion());
}

/// Row i of x, whose first axis has one for each round of `loop`.
Value Emitter::rowInRound(Value x, Rolled &loop) {
  loop.loop.getOverMutable().append(x);
  auto type = cast<RankedTensorType>(x.getType());
  return loop.loop.getBody().addArgument(
      type.clone(type.getShape().drop_front()), location);
}

/// The values of a dim in all rounds of the loops whose counters it mentions,
/// an axis for each, outer ones first.
static void tabulate(const typed::Dim &dim, typed::DimEnvironment &dims,
                     ArrayRef<const Emitter::Rolled *> loops,
                     SmallVectorImpl<int64_t> &values) {
  if (loops.empty()) {
    values.push_back(dim.evaluate(dims));
    return;
  }
  const Emitter::Rolled &loop = *loops.front();
  for (int64_t i = 0; i < loop.rounds; ++i) {
    dims.dims[loop.counter] = loop.first + i;
    tabulate(dim, dims, loops.drop_front(), values);
  }
  dims.dims.erase(loop.counter);
}

Value Emitter::numberInRound(const typed::Dim &dim, RankedTensorType type,
                             Frame &frame) {
  SmallVector<const Rolled *> loops;
  SmallVector<int64_t> shape, values;
  for (const Rolled &loop : rolled)
    if (dim.mentions(loop.counter)) {
      loops.push_back(&loop);
      shape.push_back(loop.rounds);
    }
  tabulate(dim, frame.dims, loops, values);
  SmallVector<Attribute> elements;
  for (int64_t value : values)
    elements.push_back(
        isa<FloatType>(type.getElementType())
            ? Attribute(builder.getFloatAttr(type.getElementType(),
                                             static_cast<double>(value)))
            : builder.getIntegerAttr(type.getElementType(), value));
  auto table = DenseElementsAttr::get(type.clone(shape), elements);
  Value row;
  for (Rolled &loop : rolled) {
    if (!dim.mentions(loop.counter))
      continue;
    if (!row) {
      OpBuilder outside(loop.loop);
      row = graph::ConstantOp::create(outside, location, table);
    }
    row = rowInRound(row, loop);
  }
  return row;
}

Value Emitter::takeInRound(Value x, int64_t axis, const typed::Dim &position,
                           Frame &frame) {
  OpBuilder::InsertionGuard guard(builder);
  auto type = cast<RankedTensorType>(x.getType());
  auto toFront = [&] {
    SmallVector<int64_t> order{axis};
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (i != axis)
        order.push_back(i);
    return axis == 0 ? x
                     : graph::TransposeOp::create(builder, location, x, order)
                           .getResult();
  };
  SmallVector<Rolled *> loops;
  for (Rolled &loop : rolled)
    if (position.mentions(loop.counter))
      loops.push_back(&loop);
  if (loops.size() > 1 || !isOutside(x, *loops.front())) {
    auto index = RankedTensorType::get({}, builder.getI32Type());
    return graph::GatherOp::create(builder, location, toFront(),
                                   numberInRound(position, index, frame));
  }

  // The tensor with the rows in the order of the rounds.
  Rolled &loop = *loops.front();
  SmallVector<int64_t> rows;
  tabulate(position, frame.dims, &loop, rows);
  builder.setInsertionPoint(loop.loop);
  Value ordered = toFront();
  bool areInOrder = true;
  for (auto [i, row] : llvm::enumerate(rows))
    areInOrder &= row == rows.front() + static_cast<int64_t>(i);
  SmallVector<int64_t> sizes(
      cast<RankedTensorType>(ordered.getType()).getShape()),
      offsets(sizes.size());
  if (!areInOrder) {
    SmallVector<int32_t> positions(rows.begin(), rows.end());
    Value index = graph::ConstantOp::create(
        builder, location, builder.getI32TensorAttr(positions));
    ordered = graph::GatherOp::create(builder, location, ordered, index);
  } else if (static_cast<int64_t>(rows.size()) != sizes.front()) {
    offsets[0] = rows.front();
    sizes[0] = rows.size();
    ordered =
        graph::SliceOp::create(builder, location, ordered, offsets, sizes);
  }
  return rowInRound(ordered, loop);
}

//===-- Loops -------------------------------------------------------------===//

/// Whether what a derivative in the body is taken of, or by, is hidden in a
/// value from outside: there the path between them would be lost.
static bool hidesPath(Block &body, const llvm::SetVector<Value> &captured) {
  auto dependsOn = [](Value value, Value target) {
    DenseSet<Value> seen{value};
    SmallVector<Value> pending{value};
    while (!pending.empty()) {
      Value next = pending.pop_back_val();
      if (next == target)
        return true;
      if (Operation *op = next.getDefiningOp())
        for (Value operand : op->getOperands())
          if (seen.insert(operand).second)
            pending.push_back(operand);
    }
    return false;
  };
  for (auto derivative : body.getOps<graph::Derivative>()) {
    if (llvm::any_of(derivative.getYs(),
                     [&](Value y) { return captured.contains(y); }))
      return true;
    for (Value target : derivative.getWrt())
      for (Value value : captured)
        if (value != target && dependsOn(value, target))
          return true;
  }
  return false;
}

/// The values from outside that the ops of a body read; they become arguments
/// of the body and operands of the loop.
void Emitter::capture(Rolled &loop, MutableArrayRef<Value> yielded) {
  Block &body = loop.loop.getBody().front();
  llvm::SetVector<Value> captured;
  auto see = [&](Value value) {
    if (isOutside(value, loop))
      captured.insert(value);
  };
  for (Operation &op : body)
    llvm::for_each(op.getOperands(), see);
  llvm::for_each(yielded, see);
  bool hasStops = false;
  body.walk([&](graph::StopOp) { hasStops = true; });
  if ((hasStops && unrollsStops) || hidesPath(body, captured))
    throw CannotRoll();
  for (Value value : captured) {
    loop.loop.getWithMutable().append(value);
    Value inside = body.addArgument(value.getType(), value.getLoc());
    value.replaceUsesWithIf(inside, [&](OpOperand &use) {
      return use.getOwner()->getBlock() == &body;
    });
    llvm::replace(yielded, value, inside);
  }
}

Emitter::Assigned Emitter::assignedBy(const Work &work, const Frame &frame) {
  Assigned assigned;
  for (const typed::Statement *statement : work)
    collectAssigned(*statement, assigned);
  assigned.remove_if(
      [&](const typed::Local *local) { return !frame.locals.contains(local); });
  return assigned;
}

graph::LoopOp Emitter::keep(
    const Rolled &loop, const Assigned &locals, Frame &frame,
    llvm::function_ref<void(SmallVectorImpl<Value> &, SmallVectorImpl<Value> &)>
        round) {
  StateMark before = markStates();
  // Of the states, and the position of each in what is carried.
  SmallVector<std::pair<States::key_type, size_t>> changed;
  graph::LoopOp finished;
  {
    auto names = frame.locals;
    auto outer = location;
    rolled.push_back(loop);
    auto leave = llvm::scope_exit([&] {
      rolled.pop_back();
      frame.locals = std::move(names);
      location = outer;
      rewindStates(before);
    });
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&rolled.back().loop.getBody().front());
    SmallVector<Value> carriedOn, carried, stacked;
    try {
      auto arguments = rolled.back().loop.carriedArguments();
      for (const typed::Local *local : locals) {
        size_t count = names[local].size();
        bind(local, Values(arguments.take_front(count)), frame);
        arguments = arguments.drop_front(count);
      }
      round(carried, stacked);
      for (const typed::Local *local : locals)
        llvm::append_range(carriedOn, frame.locals[local]);
      for (auto [key, start] : rolled.back().states) {
        if (states.lookup(key) != start)
          changed.emplace_back(key, carriedOn.size());
        carriedOn.push_back(states.lookup(key));
      }
      llvm::append_range(carriedOn, carried);
      SmallVector<Value> yielded(carriedOn);
      llvm::append_range(yielded, stacked);
      capture(rolled.back(), yielded);
      llvm::copy(ArrayRef(yielded).take_front(carriedOn.size()),
                 carriedOn.begin());
      llvm::copy(ArrayRef(yielded).drop_front(carriedOn.size()),
                 stacked.begin());
    } catch (CannotRoll) {
      rolled.back().loop.erase();
      throw;
    }
    finished = graph::finishLoop(rolled.back().loop, carriedOn, stacked);
  }
  for (auto [key, position] : changed)
    states[key] = finished.getResult(position);
  return finished;
}

void Emitter::takeCarried(graph::LoopOp loop, const Assigned &locals,
                          Frame &frame) {
  ValueRange results = loop.getResults();
  for (const typed::Local *local : locals) {
    Values &values = frame.locals[local];
    size_t count = values.size();
    values = Values(results.take_front(count));
    results = results.drop_front(count);
  }
}

/// Keeps a loop as one. Throws CannotRoll, with nothing changed, if that is
/// impossible or not worth it.
Value Emitter::roll(const typed::For &tree, int64_t first, int64_t rounds,
                    const Expr *yield, Frame &frame) {
  Work body = workOf(tree.body);
  Assigned locals = assignedBy(body, frame);
  graph::LoopOperands operands;
  for (const typed::Local *local : locals)
    llvm::append_range(operands.carried, frame.locals[local]);

  llvm::SaveAndRestore outerRound(site.round, site.round * roundsApart);
  levels.push_back(tree.counter);
  auto leave = llvm::scope_exit([&] { levels.pop_back(); });
  graph::LoopOp loop = keep(
      {tree.counter, first, rounds,
       graph::beginLoop(builder, locate(tree.keyword), rounds,
                        /*reverse=*/false, operands)},
      locals, frame,
      [&](SmallVectorImpl<Value> &, SmallVectorImpl<Value> &stacked) {
        run(body, frame);
        if (yield)
          stacked.push_back(emit(*yield, frame));
        int64_t ops = 0;
        rolled.back().loop.getBody().walk([&](Operation *op) {
          ops +=
              !isa<graph::ConstantOp, graph::BroadcastOp, graph::ReshapeOp>(op);
        });
        if (ops * rounds <= kMostUnrolled)
          throw CannotRoll();
      });
  takeCarried(loop, locals, frame);
  return yield ? Value(loop.stacks().front()) : Value();
}

void Emitter::writeOut(const typed::For &tree, Frame &frame,
                       llvm::function_ref<void()> round) {
  // All of these also if the body turns out to be no body of a kept loop.
  llvm::SaveAndRestore outermost(outermostLoop,
                                 outermostLoop ? outermostLoop : tree.keyword);
  llvm::SaveAndRestore outerRound(site.round);
  levels.push_back(nullptr);
  auto leave = llvm::scope_exit([&] {
    levels.pop_back();
    frame.dims.dims.erase(tree.counter);
  });
  const typed::Interval &interval = *tree.counter->interval;
  int64_t end = interval.end.evaluate(frame.dims);
  for (int64_t i = interval.first.evaluate(frame.dims); i < end; ++i) {
    frame.dims.dims[tree.counter] = i;
    site.round = outerRound.get() * roundsApart + static_cast<uint32_t>(i);
    round();
  }
}

Value Emitter::loop(const typed::For &tree, const Expr *yield, Frame &frame) {
  const typed::Interval &interval = *tree.counter->interval;
  int64_t first = interval.first.evaluate(frame.dims);
  int64_t rounds = interval.end.evaluate(frame.dims) - first;
  // A loop may turn out to run no round.
  if (rounds <= 0 && yield)
    refuse(tree.keyword, "a loop without rounds as a value is");
  constexpr int64_t least = 4;
  Uniform uniform(tree.counter);
  if (rounds >= least && rolls && open.empty() &&
      uniform.statements(tree.body) && (!yield || uniform.expression(*yield))) {
    size_t emitted = unrolled;
    try {
      return roll(tree, first, rounds, yield, frame);
    } catch (CannotRoll) {
      unrolled = emitted;
    }
  }

  SmallVector<Value> yields;
  writeOut(tree, frame, [&] {
    run(tree.body, frame);
    if (!yield)
      return;
    // Not a reshape: in that an axis of one row cannot be told from the new
    // one.
    yields.push_back(
        graph::BroadcastOp::create(builder, location, emit(*yield, frame),
                                   ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1}));
  });
  if (yields.size() > 1)
    return graph::ConcatOp::create(builder, location, yields, 0);
  return yields.empty() ? Value() : yields.front();
}

Value Emitter::visit(const typed::Stack &node, const Expr &, Frame &frame) {
  return loop(node.loop, node.yield, frame);
}

/// In every round of the loops that are kept.
void Emitter::requireInRound(const typed::Requirement &requirement,
                             Frame &frame, size_t depth) {
  typed::Dim difference = requirement.left - requirement.right;
  while (depth < rolled.size() && !difference.mentions(rolled[depth].counter))
    ++depth;
  if (depth < rolled.size()) {
    const Rolled &loop = rolled[depth];
    for (int64_t i = 0; i < loop.rounds; ++i) {
      frame.dims.dims[loop.counter] = loop.first + i;
      requireInRound(requirement, frame, depth + 1);
    }
    frame.dims.dims.erase(loop.counter);
    return;
  }
  if (typed::holds(requirement.left.evaluate(frame.dims), requirement.relation,
                   requirement.right.evaluate(frame.dims)))
    return;
  std::string round;
  for (const typed::Symbol *symbol : difference.symbols())
    if (symbol->kind == typed::Symbol::Counter)
      round += fmt::format("{}{} is {}", round.empty() ? "" : " and ",
                           symbol->name, frame.dims.dims.at(symbol));
  model.diagnostics.report(diag::RequirementOfBody, requirement.range,
                           requirement.str(), round);
  throw Refused();
}

} // namespace gradus::construct
