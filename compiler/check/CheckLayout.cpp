// Values made, reordered and cut: zeros, reshape, concat, pick, subscripts.
#include "compiler/check/Body.h"

#include <algorithm>

namespace gradus::typed {

void Body::refuseRange(const ast::Name &index, std::string_view where) {
  state.diagnostics
      .report(diag::Misplaced, index.range, index.text + ":", where)
      .help("the range of an index stands behind `let` or a reduction: "
            "`let y[i: 3] = ...`");
}

std::optional<Shape> Body::shapeArguments(const ast::Index &tree) {
  Shape shape;
  bool isBroken = false;
  for (const ast::Subscript &subscript : tree.subscripts) {
    if (subscript.index) {
      refuseRange(*subscript.index, "in a shape");
      return std::nullopt;
    }
    auto entry = axis(*subscript.value);
    if (entry)
      shape.push_back(*entry);
    else
      isBroken = true;
  }
  return isBroken ? std::nullopt : std::optional(std::move(shape));
}

const Expr *Body::reshape(const ast::Index &callee, CallSite &site) {
  std::vector<CallArgument *> arguments;
  site.calleeRange = callee.base->range;
  if (!takeArguments(site, "x", arguments))
    return poison(site.range);
  const Expr *operand = strong(valueOf(*arguments[0]));
  auto shape = shapeArguments(callee);
  if (operand->type.isPoison() || !shape || !isTensor("reshape", operand))
    return poison(site.range);
  Type type = operand->type.withShape(std::move(*shape));
  ElementCount from = elementCount(operand->type.shape);
  ElementCount to = elementCount(type.shape);
  if (from.packs != to.packs ||
      !require(from.dims, Relation::Equal, to.dims, site.range)) {
    Diagnostic &error = state.diagnostics.report(
        diag::ReshapeCount, site.range, type.str(), operand->type.str());
    if (from.packs.empty() && to.packs.empty())
      error.here(fmt::format("{} elements of {}", to.dims.expanded().str(),
                             from.dims.expanded().str()));
    return poison(site.range);
  }
  return make(std::move(type), site.range, Reshape{operand});
}

const Expr *Body::creation(Builtin builtin, const ast::Expr &expr,
                           const ast::Index &tree) {
  auto shape = shapeArguments(tree);
  if (!shape)
    return poison(expr.range);
  if (builtin == Builtin::Zeros || builtin == Builtin::Ones) {
    const Expr *number = make(Type::tensor(ElementType::Real), expr.range,
                              Number{builtin == Builtin::Ones ? 1.0 : 0.0});
    return spread(number, *shape, {});
  }
  if (shape->size() != 1 || shape->front().isPack()) {
    state.diagnostics.report(diag::GenericCount, expr.range, str(builtin),
                             "one dim", shape->size());
    return poison(expr.range);
  }
  const Axis &axis = shape->front();
  if (builtin == Builtin::Eye)
    return make(Type::tensor(ElementType::Real, {axis, axis}), expr.range,
                Eye{});
  return make(Type::tensor(ElementType::Index, {axis}, axis.dim), expr.range,
              Iota{});
}

const Expr *Body::concat(CallSite &site) {
  std::vector<const Expr *> operands;
  const CallArgument *given = nullptr;
  for (CallArgument &argument : site.arguments) {
    if (argument.name && argument.name->text != "axis" &&
        argument.name->text != "over") {
      state.reportParameter(*argument.name, {"axis", "over"});
      return poison(site.range);
    }
    if (argument.name)
      given = &argument;
    else
      operands.push_back(strong(valueOf(argument)));
  }
  for (const Expr *operand : operands)
    if (operand->type.isPoison() || !isTensor("concat", operand))
      return poison(site.range);
  if (operands.size() < 2) {
    state.diagnostics.report(diag::MissingArgument, site.range, "concat",
                             operands.empty() ? "a" : "b");
    return poison(site.range);
  }
  if (!given) {
    state.diagnostics
        .report(diag::NeedsAxis, site.range, "concat", operands[0]->type.str())
        .help("along the first axis: `axis = 0`");
    return poison(site.range);
  }
  Type type = operands[0]->type;
  auto entry = oneEntry(*given, given->name->text == "over", type);
  if (!entry)
    return poison(site.range);
  for (size_t i = 1; i < operands.size(); ++i) {
    const Type &other = operands[i]->type;
    const Expr *left = operands[0], *right = operands[i];
    if (!sameElement("concat", site.calleeRange, left, right))
      return poison(site.range);
    Shape expected = type.shape;
    bool fits = other.shape.size() == expected.size() &&
                !other.shape[*entry].isPack() && other.bound == type.bound;
    if (fits) {
      expected[*entry] = other.shape[*entry];
      auto comparison = compareShapes(expected, other.shape);
      fits = comparison.isEqual;
      require(comparison.deferred, site.range);
    }
    if (!fits) {
      state.diagnostics
          .report(diag::ConcatShapes, site.calleeRange, operands[0]->type.str(),
                  other.str())
          .label(operands[0]->range, operands[0]->type.str())
          .label(operands[i]->range, other.str());
      return poison(site.range);
    }
    type.shape[*entry] = type.shape[*entry].dim + other.shape[*entry].dim;
  }
  return make(std::move(type), site.range, Concat{std::move(operands), *entry});
}

// pick(z, y): z[..S, C], y: index(C)[..S].
const Expr *Body::pick(CallSite &site) {
  std::vector<CallArgument *> arguments;
  if (!takeArguments(site, "z y", arguments))
    return poison(site.range);
  const Expr *operand = strong(valueOf(*arguments[0]));
  const Expr *index = strong(valueOf(*arguments[1]));
  if (operand->type.isPoison() || index->type.isPoison() ||
      !isTensor("pick", operand) || !isTensor("pick", index))
    return poison(site.range);
  if (index->type.element != ElementType::Index) {
    state.diagnostics.report(diag::NeedsIndex, arguments[1]->range, "pick",
                             quoted(*index), index->type.str());
    return poison(site.range);
  }
  const Shape &shape = operand->type.shape;
  if (shape.empty() || shape.back().isPack()) {
    state.diagnostics.report(diag::OperandRank, arguments[0]->range, "pick",
                             "a last axis to pick from", operand->type.str());
    return poison(site.range);
  }
  Shape leading(shape.begin(), shape.end() - 1);
  Type expected = Type::tensor(ElementType::Index, leading, shape.back().dim);
  auto comparison = compareShapes(leading, index->type.shape);
  if (!comparison.isEqual) {
    state.diagnostics
        .report(diag::ArgumentShape, arguments[1]->range, "pick",
                expected.str(), index->type.str())
        .label(arguments[0]->range, operand->type.str());
    return poison(site.range);
  }
  require(comparison.deferred, site.range);
  if (!require(shape.back().dim, Relation::Equal, index->type.bound,
               site.range)) {
    state.diagnostics
        .report(diag::IndexBound, arguments[1]->range, "pick", expected.str(),
                index->type.str(), "")
        .label(arguments[0]->range, operand->type.str());
    return poison(site.range);
  }
  return make(operand->type.withShape(std::move(leading)), site.range,
              Pick{operand, index});
}

} // namespace gradus::typed
