// The frame of emission: types, places, names, statements, calls.
// Pointwise nodes are in EmitPointwise.cpp, nodes that move or reduce axes in
// EmitAxes.cpp.
#include "compiler/construct/Emitter.h"
#include "compiler/DiagnosticKinds.h"
#include "compiler/check/Constants.h"
#include "dialect/Duals.h"
#include "dialect/Origins.h"

#include "llvm/Support/SaveAndRestore.h"

#include <numbers>

using namespace mlir;

namespace gradus::construct {

//===-- Types and places --------------------------------------------------===//

Type Emitter::elementOf(const typed::Type &type) {
  switch (type.element) {
  case typed::ElementType::Real:
  case typed::ElementType::WeakReal:
  case typed::ElementType::WeakWhole:
    return model.real;
  case typed::ElementType::F32:
    return builder.getF32Type();
  case typed::ElementType::F64:
    return builder.getF64Type();
  case typed::ElementType::I32:
  case typed::ElementType::Index:
    return builder.getI32Type();
  case typed::ElementType::I64:
    return builder.getI64Type();
  case typed::ElementType::U8:
    return builder.getIntegerType(8, /*isSigned=*/false);
  case typed::ElementType::Bool:
    return builder.getI1Type();
  }
  llvm_unreachable("an element type beyond the enumeration");
}

RankedTensorType Emitter::typeOf(const typed::Type &type, const Frame &frame) {
  return RankedTensorType::get(typed::evaluate(type.shape, frame.dims),
                               elementOf(type));
}

Location Emitter::locate(Range range) {
  if (!range)
    return builder.getUnknownLoc();
  auto begin = range.source->position(range.begin);
  auto end = range.source->position(range.end);
  Location place =
      FileLineColRange::get(builder.getStringAttr(range.source->name()),
                            begin.line, begin.column, end.line, end.column);
  return caller ? graph::inlinedAt(place, *caller) : place;
}

void Emitter::refuse(Range range, const std::string &construct) {
  model.diagnostics.report(diag::NotSupportedYet, range, construct);
  throw Refused();
}

std::pair<int64_t, int64_t> axesOf(const typed::Shape &shape, unsigned entry,
                                   const typed::DimEnvironment &dims) {
  auto width = [&](const typed::Axis &axis) -> int64_t {
    return axis.isPack() ? typed::evaluate({axis}, dims).size() : 1;
  };
  int64_t first = 0;
  for (unsigned i = 0; i < entry; ++i)
    first += width(shape[i]);
  return {first, first + width(shape[entry])};
}

//===-- Leaves ------------------------------------------------------------===//

Value Emitter::constant(RankedTensorType type, double number) {
  return graph::ConstantOp::create(builder, location,
                                   graph::splatOf(type, number));
}

Value Emitter::spread(Value scalar, Value like) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(like.getType()).getShape();
  if (shape.empty())
    return scalar;
  return graph::BroadcastOp::create(
      builder, location, scalar,
      llvm::to_vector(llvm::seq<int64_t>(0, shape.size())), shape);
}

Value Emitter::argument(const std::string &name, RankedTensorType type,
                        Range range) {
  if (!function) {
    model.diagnostics.report(diag::BackwardReadsOutside, range,
                             std::string(range.text()));
    throw Refused();
  }
  return function->argument(name, type);
}

Value Emitter::parameter(const Parameter &parameter) {
  if (auto known = updated.find(&parameter); known != updated.end())
    return known->second;
  Frame frame;
  frame.dims = parameter.instance->dims;
  return argument("param/" + parameter.name,
                  typeOf(parameter.declaration->type, frame),
                  parameter.declaration->range);
}

Value Emitter::visit(const typed::Number &node, const Expr &expr,
                     Frame &frame) {
  return constant(typeOf(expr.type, frame), node.value);
}

Value Emitter::visit(const typed::DimValue &node, const Expr &expr,
                     Frame &frame) {
  if (isRolled(node.dim))
    return numberInRound(node.dim, typeOf(expr.type, frame), frame);
  return constant(typeOf(expr.type, frame), node.dim.evaluate(frame.dims));
}

Value Emitter::visit(const typed::ConstReference &node, const Expr &expr,
                     Frame &frame) {
  return constant(typeOf(expr.type, frame), node.constant->value);
}

Value Emitter::visit(const typed::LocalReference &node, const Expr &expr,
                     Frame &frame) {
  if (auto known = frame.locals.find(node.local); known != frame.locals.end())
    return known->second.front();
  // What is left is the config of a module: a scalar of the layer.
  if (auto value = model.instances.evaluate(expr, *frame.self))
    return constant(typeOf(expr.type, frame), *value);
  refuse(expr.range, "a config value that is not one number is");
}

Value Emitter::visit(const typed::ParamReference &node, const Expr &expr,
                     Frame &frame) {
  const Instance &instance =
      model.instances.find(*frame.self, node.instance, frame.dims);
  const Parameter &known = model.instances.parameter(instance, node.param);
  if (!function) // Reports with the place of the use.
    return argument(known.name, {}, expr.range);
  return parameter(known);
}

Value Emitter::flattened(ArrayRef<Value> values, int64_t first) {
  SmallVector<Value> parts;
  for (Value value : values) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> shape(type.getShape().take_front(first));
    shape.push_back(llvm::product_of(type.getShape().drop_front(first)));
    parts.push_back(graph::ReshapeOp::create(builder, location, value, shape));
  }
  if (parts.size() == 1)
    return parts.front();
  return graph::ConcatOp::create(builder, location, parts, first);
}

Value Emitter::visit(const typed::AllParams &node, const Expr &expr,
                     Frame &frame) {
  SmallVector<Value> values;
  for (const Parameter &each :
       model.instances.parameters(*frame.self, node.instance, frame.dims)) {
    if (!function) // Reports with the place of the use.
      return argument(each.name, {}, expr.range);
    values.push_back(parameter(each));
  }
  return flattened(values);
}

Value Emitter::visit(const typed::StatisticReference &node, const Expr &expr,
                     Frame &frame) {
  return argument("data/" + node.data->path + "." +
                      node.data->fields[node.field].name + "." +
                      typed::str(node.statistic),
                  typeOf(expr.type, frame), expr.range);
}

Value Emitter::visit(const typed::ScalarReference &node, const Expr &expr,
                     Frame &frame) {
  RankedTensorType type = typeOf(expr.type, frame);
  switch (node.scalar) {
  case typed::Scalar::Pi:
    return constant(type, std::numbers::pi);
  case typed::Scalar::Inf:
    return constant(type, std::numeric_limits<double>::infinity());
  case typed::Scalar::Training:
    return constant(type, training);
  case typed::Scalar::T:
    if (updateNumber)
      return updateNumber;
    [[fallthrough]];
  case typed::Scalar::Epoch:
  case typed::Scalar::Steps:
    return argument(typed::str(node.scalar), type, expr.range);
  }
  llvm_unreachable("a scalar beyond the enumeration");
}

Value Emitter::visit(const typed::Rank &node, const Expr &expr, Frame &frame) {
  return constant(typeOf(expr.type, frame),
                  typeOf(node.operand->type, frame).getRank());
}

Value Emitter::visit(const typed::Stop &node, const Expr &, Frame &frame) {
  Value operand = emit(*node.operand, frame);
  return graph::StopOp::create(builder, location, operand);
}

//===-- Expressions -------------------------------------------------------===//

Value Emitter::emit(const Expr &expr, Frame &frame) {
  return emitAll(expr, frame).front();
}

// Functions that call others twice grow without bound when they are inlined.
void Emitter::countExpression(Range range) {
  constexpr size_t most = 500000;
  if (++model.emitted > most)
    refuse(range, fmt::format("a model of more than {} operations is", most));
}

Values Emitter::emitAll(const Expr &expr, Frame &frame) {
  countExpression(expr.range);
  auto outer = location;
  location = locate(expr.range);
  Values values = std::visit(
      [&](const auto &node) -> Values {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, typed::Call>) {
          return call(
              resolve(*node.callee, node.instance, node.generics, frame),
              node.arguments, node.number, expr, frame);
        } else if constexpr (std::is_same_v<Node, typed::CallLocal>) {
          const Callee &callee = frame.functions.at(node.local);
          if (callee.loss)
            return {callee.loss(emit(*node.arguments.front(), frame))};
          return call(callee, node.arguments, node.number, expr, frame);
        } else if constexpr (std::is_same_v<Node, typed::FunctionReference>) {
          llvm_unreachable("a function is no value");
        } else if constexpr (std::is_same_v<Node, typed::Derivative>) {
          return derivative(node, expr, frame);
        } else if constexpr (std::is_same_v<Node, typed::Tuple>) {
          Values elements;
          for (const Expr *element : node.elements)
            elements.push_back(emit(*element, frame));
          return elements;
        } else if constexpr (std::is_same_v<Node, typed::LocalReference>) {
          if (auto known = frame.locals.find(node.local);
              known != frame.locals.end())
            return known->second;
          return {visit(node, expr, frame)};
        } else {
          return {visit(node, expr, frame)};
        }
      },
      expr.node);
  location = outer;
  return values;
}

// Of loops that are written out.
void Emitter::countStatement() {
  constexpr size_t most = 10000;
  if (outermostLoop && ++unrolled > most)
    refuse(
        outermostLoop,
        fmt::format("loops that run more than {} statements in all are", most));
}

/// Names the op that gave `value` after what the user called it.
static void name(Value value, const typed::Local *local) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<NameLoc>(op->getLoc()))
    return;
  op->setLoc(NameLoc::get(StringAttr::get(op->getContext(), local->name),
                          op->getLoc()));
}

void Emitter::bind(const typed::Local *local, Values values, Frame &frame) {
  if (local->isGradientTarget)
    for (Value &value : values) {
      auto type = cast<RankedTensorType>(value.getType());
      value = graph::ReshapeOp::create(builder, locate(local->range), value,
                                       type.getShape());
    }
  if (values.size() == 1)
    name(values.front(), local);
  frame.locals[local] = std::move(values);
  frame.lanes.erase(local);
}

std::optional<Values>
Emitter::run(const std::vector<typed::Statement> &statements, Frame &frame) {
  return run(workOf(statements), frame);
}

std::optional<Values> Emitter::run(const Work &work, Frame &frame) {
  // What is left, last first.
  Work left(llvm::reverse(work));
  while (!left.empty()) {
    const typed::Statement &statement = *left.pop_back_val();
    countStatement();
    if (auto *let = statement.as<typed::Let>()) {
      bind(let->local, emitAll(*let->value, frame), frame);
    } else if (auto *let = statement.as<typed::LetTuple>()) {
      Values values = emitAll(*let->value, frame);
      for (auto [local, value] : llvm::zip_equal(let->locals, values))
        bind(local, {value}, frame);
    } else if (auto *assign = statement.as<typed::Assign>()) {
      bind(assign->local, emitAll(*assign->value, frame), frame);
    } else if (auto *assign = statement.as<typed::AssignState>()) {
      assignState(*assign, frame);
    } else if (auto *back = statement.as<typed::Return>()) {
      return emitAll(*back->value, frame);
    } else if (auto *choice = statement.as<typed::If>()) {
      if (auto taken = known(*choice->condition, frame)) {
        enter(*taken ? choice->then : choice->otherwise, left);
        continue;
      }
      bool ends = false;
      auto result = branch(*choice, Work(llvm::reverse(left)), frame, ends);
      if (ends)
        return result;
    } else if (auto *rounds = statement.as<typed::For>()) {
      loop(*rounds, /*yield=*/nullptr, frame);
    } else if (auto *needed = statement.as<typed::Require>()) {
      requireInRound(needed->requirement, frame);
    }
  }
  return std::nullopt;
}

std::optional<bool> Emitter::known(const Expr &condition,
                                   const Frame &frame) const {
  if (auto *broadcast = condition.as<typed::Broadcast>())
    return known(*broadcast->operand, frame);
  typed::ConstantEnvironment environment;
  environment.dims = &frame.dims;
  environment.training = training;
  environment.local = [&](const typed::Local *local) -> std::optional<double> {
    auto bound = frame.locals.find(local);
    if (bound == frame.locals.end())
      return model.instances.setting(local, *frame.self);
    SplatElementsAttr splat;
    if (bound->second.size() != 1 ||
        !matchPattern(bound->second.front(), m_Constant(&splat)) ||
        !splat.getElementType().isInteger(1))
      return std::nullopt;
    return splat.getSplatValue<bool>();
  };
  if (auto value = typed::evaluate(condition, environment))
    return *value != 0;
  return std::nullopt;
}

//===-- Calls -------------------------------------------------------------===//

void Emitter::require(const std::vector<typed::Requirement> &requirements,
                      const typed::DimEnvironment &dims,
                      const std::string &name, Range call) {
  for (const typed::Requirement &requirement : requirements) {
    int64_t left = requirement.left.evaluate(dims);
    int64_t right = requirement.right.evaluate(dims);
    if (typed::holds(left, requirement.relation, right))
      continue;
    model.diagnostics
        .report(diag::RequirementFails, call, name, requirement.str(),
                fmt::format("{} is {}", requirement.left.str(), left))
        .label(requirement.range);
    throw Refused();
  }
}

Callee Emitter::resolve(const typed::Function &function,
                        const typed::InstancePath &instance,
                        const std::vector<typed::GenericBinding> &generics,
                        const Frame &frame) {
  Callee result;
  result.function = &function;
  result.self = &model.instances.find(*frame.self, instance, frame.dims);
  result.dims = result.self->dims;
  for (const typed::GenericBinding &binding : generics) {
    bool isPack = binding.generic->kind == typed::Symbol::Pack;
    if (isPack)
      result.dims.packs[binding.generic] =
          typed::evaluate(binding.pack, frame.dims);
    else
      result.dims.dims[binding.generic] = binding.dim.evaluate(frame.dims);
    if (auto axis =
            frame.batchAxis(isPack ? binding.pack : typed::Shape{binding.dim}))
      result.batch[binding.generic] = *axis;
  }
  return result;
}

/// What is passed for a parameter that is a function.
Callee Emitter::callee(const Expr &argument, const Frame &frame) {
  if (auto *local = argument.as<typed::LocalReference>())
    return frame.functions.at(local->local);
  const auto &reference = *argument.as<typed::FunctionReference>();
  return resolve(*reference.callee, reference.instance, reference.generics,
                 frame);
}

Values Emitter::call(const Callee &callee,
                     const std::vector<const Expr *> &arguments,
                     unsigned number, const Expr &expr, Frame &frame) {
  const typed::Function &function = *callee.function;
  Frame inner(callee);
  std::vector<Values> values;
  for (auto [i, local] : llvm::enumerate(function.arguments)) {
    // A function that is passed on may have more parameters than are given.
    bool isGiven = i < arguments.size();
    if (local->type.isFunction())
      inner.functions[local] = this->callee(*arguments[i], frame);
    values.push_back(local->type.isFunction() ? Values()
                     : isGiven ? emitAll(*arguments[i], frame)
                               : emitAll(*function.defaults[i], inner));
  }
  require(function.requirements, inner.dims, function.name, expr.range);
  if (function.backward) {
    Values flat;
    for (Values &value : values)
      flat.push_back(value.front());
    return {callCustom(function, inner, flat)};
  }
  for (auto [local, value] : llvm::zip_equal(function.arguments, values))
    if (!local->type.isFunction())
      bind(local, value, inner);
  llvm::SaveAndRestore at(site, siteOfCall(callee, number, expr.range));
  llvm::SaveAndRestore from(caller, std::optional(location));
  return *run(function.statements, inner);
}

} // namespace gradus::construct
