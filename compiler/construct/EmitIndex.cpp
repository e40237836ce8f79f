// Index notation. A number that depends on indices is emitted for all their
// values at once, as a tensor with an axis for each ("lanes"). Lanes are lined
// up by their indices; functions of numbers are inlined lane by lane.
#include "compiler/construct/Emitter.h"
#include "dialect/Graph.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace gradus::construct {

using typed::Builtin;

int64_t Lanes::axisOf(const typed::Local *index) const {
  const auto *found = llvm::find(indices, index);
  return found == indices.end() ? -1 : found - indices.begin();
}

//===-- Which indices -----------------------------------------------------===//

int64_t Emitter::sizeOf(const typed::Local *index) const {
  return llvm::find_if(open, [&](auto &entry) { return entry.first == index; })
      ->second;
}

bool Emitter::isIndexed(const Expr &expr, const Frame &frame) const {
  return !indicesOf(expr, frame).empty();
}

Indices Emitter::unite(ArrayRef<Lanes> values) const {
  Indices result;
  for (auto [index, size] : open)
    if (llvm::any_of(values,
                     [&](const Lanes &lanes) { return lanes.has(index); }))
      result.push_back(index);
  return result;
}

Value Emitter::align(const Lanes &lanes, ArrayRef<const typed::Local *> to) {
  Value value = lanes.value;
  SmallVector<int64_t> order, dims, sizes;
  for (auto [axis, index] : llvm::enumerate(to)) {
    if (lanes.has(index)) {
      order.push_back(lanes.axisOf(index));
      continue;
    }
    dims.push_back(axis);
    sizes.push_back(sizeOf(index));
  }
  if (!llvm::is_sorted(order))
    value = graph::TransposeOp::create(builder, location, value, order);
  if (!dims.empty())
    value = graph::BroadcastOp::create(builder, location, value, dims, sizes);
  return value;
}

Value Emitter::sumTo(const Lanes &lanes, ArrayRef<const typed::Local *> to) {
  Indices superfluous;
  for (const typed::Local *index : lanes.indices)
    if (!llvm::is_contained(to, index))
      superfluous.push_back(index);
  return align(sumLanes(lanes, superfluous), to);
}

//===-- Numbers -----------------------------------------------------------===//

Lanes Emitter::combine(Builtin op, ArrayRef<Lanes> operands, const Expr &expr) {
  Indices indices = unite(operands);
  SmallVector<Value> values;
  for (const Lanes &operand : operands)
    values.push_back(align(operand, indices));
  return {pointwise(op, values, expr), indices};
}

Lanes Emitter::lanes(const Expr &expr, Frame &frame) {
  if (!isIndexed(expr, frame))
    return {emit(expr, frame), {}};
  countExpression(expr.range);
  auto outer = location;
  location = locate(expr.range);
  llvm::scope_exit restore([&] { location = outer; });
  auto isNumber = [&](const Expr &expr) {
    return expr.type.isTensor() &&
           typed::evaluate(expr.type.shape, frame.dims).empty();
  };
  if (!isNumber(expr))
    refuse(expr.range, "computing with arrays for each index is");

  if (auto *reference = expr.as<typed::LocalReference>()) {
    const typed::Local *local = reference->local;
    if (local->kind != typed::Local::Index)
      return {frame.locals.lookup(local).front(), frame.lanes.lookup(local)};
    Value value = graph::IotaOp::create(builder, location, sizeOf(local),
                                        builder.getI32Type());
    Type element = elementOf(expr.type);
    if (!element.isInteger(32))
      value = graph::ConvertOp::create(builder, location, value, element);
    return {value, {local}};
  }
  if (auto *node = expr.as<typed::Elementwise>()) {
    if (const Expr *one = taken(*node, frame))
      return lanes(*one, frame);
    SmallVector<Lanes> operands;
    for (const Expr *operand : node->operands)
      operands.push_back(lanes(*operand, frame));
    if (node->op >= Builtin::Equal && node->op <= Builtin::GreaterEqual)
      location = locate(node->opRange);
    return combine(node->op, operands, expr);
  }
  if (auto *node = expr.as<typed::Convert>()) {
    Lanes operand = lanes(*node->operand, frame);
    return {graph::ConvertOp::create(builder, location, operand.value,
                                     elementOf(expr.type)),
            operand.indices};
  }
  if (auto *node = expr.as<typed::Stop>()) {
    Lanes operand = lanes(*node->operand, frame);
    return {graph::StopOp::create(builder, location, operand.value),
            operand.indices};
  }
  if (auto *node = expr.as<typed::Call>())
    return lanesOfCall(
        resolve(*node->callee, node->instance, node->generics, frame),
        node->arguments, node->number, expr, frame);
  if (auto *node = expr.as<typed::CallLocal>()) {
    const Callee &callee = frame.functions.at(node->local);
    if (callee.loss)
      refuse(expr.range, "the loss for each index is");
    return lanesOfCall(callee, node->arguments, node->number, expr, frame);
  }
  if (auto *node = expr.as<typed::IndexReduce>())
    return reduce(*node, expr, frame);
  if (auto *node = expr.as<typed::At>())
    return lanesAt(*node, expr, frame);
  // In a function of any number of axes, called for none.
  for (const Expr *operand : typed::operandsOf(expr))
    if (!isNumber(*operand))
      refuse(expr.range, "computing with arrays for each index is");
  if (auto *node = expr.as<typed::Broadcast>())
    return lanes(*node->operand, frame);
  if (auto *node = expr.as<typed::Reshape>())
    return lanes(*node->operand, frame);
  if (auto *node = expr.as<typed::Reduce>();
      node && node->op != Builtin::ArgMax && node->op != Builtin::ArgMin)
    return lanes(*node->operand, frame);
  refuse(expr.range, "this for each index is");
}

//===-- Functions ---------------------------------------------------------===//

void Emitter::bindLanes(const typed::Local *local, const Expr &value,
                        Frame &frame) {
  if (!isIndexed(value, frame))
    return bind(local, emitAll(value, frame), frame);
  // The value of a variable may be made of its last one.
  Lanes found = lanes(value, frame);
  bind(local, {found.value}, frame);
  frame.lanes[local] = found.indices;
}

std::optional<Lanes>
Emitter::runLanes(const std::vector<typed::Statement> &statements,
                  Frame &frame) {
  return runLanes(workOf(statements), frame);
}

std::optional<Lanes> Emitter::runLanes(const Work &work, Frame &frame) {
  Work left(llvm::reverse(work));
  while (!left.empty()) {
    const typed::Statement &statement = *left.pop_back_val();
    countStatement();
    if (auto *let = statement.as<typed::Let>()) {
      bindLanes(let->local, *let->value, frame);
    } else if (auto *assign = statement.as<typed::Assign>()) {
      bindLanes(assign->local, *assign->value, frame);
    } else if (auto *assign = statement.as<typed::AssignState>()) {
      if (isIndexed(*assign->value, frame))
        refuse(statement.range, "changing state for each index is");
      assignState(*assign, frame);
    } else if (auto *let = statement.as<typed::LetTuple>()) {
      if (isIndexed(*let->value, frame))
        refuse(statement.range, "a tuple for each index is");
      Values values = emitAll(*let->value, frame);
      for (auto [local, value] : llvm::zip_equal(let->locals, values))
        bind(local, {value}, frame);
    } else if (auto *back = statement.as<typed::Return>()) {
      return lanes(*back->value, frame);
    } else if (auto *choice = statement.as<typed::If>()) {
      if (auto taken = known(*choice->condition, frame)) {
        enter(*taken ? choice->then : choice->otherwise, left);
        continue;
      }
      bool ends = false;
      auto result =
          branchLanes(*choice, Work(llvm::reverse(left)), frame, ends);
      if (ends)
        return result;
    } else if (auto *rounds = statement.as<typed::For>()) {
      writeOut(*rounds, frame, [&] { runLanes(rounds->body, frame); });
    } else if (auto *needed = statement.as<typed::Require>()) {
      requireInRound(needed->requirement, frame);
    }
  }
  return std::nullopt;
}

Lanes Emitter::lanesOfCall(const Callee &callee,
                           const std::vector<const Expr *> &arguments,
                           unsigned number, const Expr &expr, Frame &frame) {
  const typed::Function &function = *callee.function;
  Frame inner(callee);
  SmallVector<Lanes> given;
  SmallVector<Values> plain;
  for (auto [i, local] : llvm::enumerate(function.arguments)) {
    given.emplace_back();
    plain.emplace_back();
    if (local->type.isFunction())
      inner.functions[local] = this->callee(*arguments[i], frame);
    else if (i >= arguments.size())
      plain.back() = emitAll(*function.defaults[i], inner);
    else if (isIndexed(*arguments[i], frame))
      given.back() = lanes(*arguments[i], frame);
    else
      plain.back() = emitAll(*arguments[i], frame);
  }
  require(function.requirements, inner.dims, function.name, expr.range);
  // A function with a `backward` takes whole lanes.
  Indices all = unite(given);
  Values values;
  for (auto [local, lane, others] :
       llvm::zip_equal(function.arguments, given, plain)) {
    if (local->type.isFunction())
      continue;
    if (!lane.value) {
      bind(local, others, inner);
      values.push_back(others.front());
      continue;
    }
    if (function.backward)
      lane = {align(lane, all), all};
    bind(local, {lane.value}, inner);
    inner.lanes[local] = lane.indices;
    values.push_back(lane.value);
  }
  if (function.backward)
    return {callCustom(function, inner, values), all};
  llvm::SaveAndRestore at(site, siteOfCall(callee, number, expr.range));
  llvm::SaveAndRestore from(caller, std::optional(location));
  return *runLanes(function.statements, inner);
}

//===-- Indices opened ----------------------------------------------------===//

Value Emitter::visit(const typed::ForEach &node, const Expr &, Frame &frame) {
  size_t outer = open.size();
  for (const typed::Local *index : node.indices)
    open.emplace_back(index, index->extent.evaluate(frame.dims));
  Value value = align(lanes(*node.element, frame), node.indices);
  open.truncate(outer);
  return value;
}

Value Emitter::visit(const typed::IndexReduce &node, const Expr &expr,
                     Frame &frame) {
  return reduce(node, expr, frame).value;
}

Value Emitter::visit(const typed::At &, const Expr &, Frame &) {
  llvm_unreachable("it depends on an index");
}

Lanes Emitter::reduce(const typed::IndexReduce &node, const Expr &expr,
                      Frame &frame) {
  for (const typed::Local *index : node.indices)
    if (frame.batchAxis({index->extent}))
      leaveLoops();
  size_t outer = open.size();
  for (const typed::Local *index : node.indices)
    open.emplace_back(index, index->extent.evaluate(frame.dims));
  llvm::scope_exit close([&] { open.truncate(outer); });
  if (node.op == Builtin::Sum && typed::isReal(node.element->type.element))
    return sumOfProducts(*node.element, node.indices, frame);

  Lanes element = lanes(*node.element, frame);
  Indices kept, all;
  for (auto [index, size] : open) {
    bool isReduced = llvm::is_contained(node.indices, index);
    if (!isReduced && element.has(index))
      kept.push_back(index);
  }
  all = kept;
  all.append(node.indices.begin(), node.indices.end());
  SmallVector<int64_t> dims;
  for (int64_t axis = kept.size(); axis < int64_t(all.size()); ++axis)
    dims.push_back(axis);
  location = locate(expr.range);
  return {reduce(node.op, align(element, all), dims, node.element->type.element,
                 expr.range),
          kept};
}

} // namespace gradus::construct
