// `grad`, `vjp`, `jvp`, `hvp`, `jacobian`, `hessian`: what they are taken of,
// by, and along.
#include "compiler/check/Body.h"

namespace gradus::typed {

static bool takesDirection(Builtin op) {
  return op == Builtin::Vjp || op == Builtin::Jvp || op == Builtin::Hvp;
}

std::optional<DerivativeTarget>
Body::derivativeTarget(Builtin op, const ast::Expr &tree, Type &type) {
  auto reject = [&](std::string_view why = "") {
    Diagnostic &error = state.diagnostics.report(
        diag::GradTarget, tree.range, str(op), shortened(tree.range.text()));
    if (why.empty())
      error.help(fmt::format("give the value a name: `let v = ...`, then "
                             "`{}(y, v{})` for a `y` made of `v`",
                             str(op), takesDirection(op) ? ", ..." : ""));
    else
      error.here(std::string(why));
    return std::nullopt;
  };
  if (!tree.as<ast::NameUse>() && !tree.as<ast::Member>())
    return reject();
  Entity found = entity(tree);
  DerivativeTarget target;
  switch (found.kind) {
  case Entity::Unknown:
    return std::nullopt;
  case Entity::Local:
    if (found.local->kind == Local::Config)
      return reject("a setting of the module");
    target = found.local;
    break;
  case Entity::Param:
    target = ParamReference{found.instance, found.param};
    break;
  case Entity::AllParams:
    target = AllParams{found.instance};
    break;
  case Entity::State:
    return reject("state gets no gradient");
  case Entity::Value:
    return reject();
  default:
    return reject(found.what);
  }
  type = entityValue(found, tree)->type;
  if (type.isPoison())
    return std::nullopt;
  if (!type.isTensor() || !isReal(type.element)) {
    state.diagnostics.report(diag::NoDerivative, tree.range,
                             shortened(tree.range.text()), type.str());
    return std::nullopt;
  }
  if (found.local)
    found.local->isGradientTarget = true;
  return target;
}

bool Body::isAlong(const DerivativeSite &site, const Type &found, Range range,
                   const Type &wanted) {
  if (found.element != wanted.element) {
    state.diagnostics
        .report(diag::MixedElements, site.opRange, str(site.op),
                str(found.element), str(wanted.element))
        .label(range, found.str())
        .label(site.likeRange, wanted.str());
    return false;
  }
  auto comparison = compareShapes(wanted.shape, found.shape);
  if (!comparison.isEqual) {
    state.diagnostics
        .report(diag::SameShape, site.opRange, str(site.op), "v", site.like)
        .label(range, found.str())
        .label(site.likeRange, wanted.str());
    return false;
  }
  require(comparison.deferred, range);
  return true;
}

const Expr *Body::along(const DerivativeSite &site, const Expr *v,
                        const Type &wanted) {
  if (!wanted.isTuple()) {
    if (v->type.isPoison() ||
        !isNumeric(str(site.op), site.opRange, v, /*needsReal=*/true))
      return nullptr;
    if (isWeak(v->type.element))
      v = adapt(v, wanted.element, Dim());
    return isAlong(site, v->type, v->range, wanted) ? v : nullptr;
  }
  size_t size = wanted.elements.size();
  if (!v->type.isTuple() || v->type.elements.size() != size) {
    if (!v->type.isPoison())
      state.diagnostics.report(diag::NeedsTuple, v->range, size, v->type.str());
    return nullptr;
  }
  auto *tuple = v->as<Tuple>();
  if (!tuple) {
    for (size_t i = 0; i < size; ++i)
      if (!isAlong(site, v->type.elements[i], v->range, wanted.elements[i]))
        return nullptr;
    return v;
  }
  Tuple result;
  for (size_t i = 0; i < size; ++i) {
    result.elements.push_back(
        along(site, tuple->elements[i], wanted.elements[i]));
    if (!result.elements.back())
      return nullptr;
  }
  return make(wanted, v->range, std::move(result));
}

/// The axes `front`, then those of the type, or of each type of the tuple.
static Type withAxesInFront(const Shape &front, const Type &type) {
  if (type.isTuple()) {
    std::vector<Type> elements;
    for (const Type &element : type.elements)
      elements.push_back(withAxesInFront(front, element));
    return Type::tuple(std::move(elements));
  }
  Shape shape = front;
  shape.insert(shape.end(), type.shape.begin(), type.shape.end());
  return type.withShape(std::move(shape));
}

const Expr *Body::derivative(Builtin op, CallSite &site,
                             std::string_view names) {
  std::vector<CallArgument *> arguments;
  if (!takeArguments(site, names, arguments))
    return poison(site.range);
  const Expr *y = strong(valueOf(*arguments[0]));
  if (!arguments[1]->tree) {
    state.diagnostics.report(diag::GradTarget, arguments[1]->range, str(op),
                             shortened(arguments[1]->range.text()));
    return poison(site.range);
  }
  const ast::Expr &x = *arguments[1]->tree;
  Derivative result = {op, y, {}, {}, x.range};
  std::vector<Type> types;
  bool isBroken = y->type.isPoison();
  auto add = [&](const ast::Expr &tree) {
    Type type;
    auto target = derivativeTarget(op, tree, type);
    isBroken |= !target;
    if (!target)
      return;
    result.targets.push_back(*target);
    result.names.push_back(shortened(tree.range.text()));
    types.push_back(std::move(type));
  };
  auto *tuple = x.as<ast::Tuple>();
  if (tuple)
    for (const auto &element : tuple->elements)
      add(*element);
  else
    add(x);
  const Expr *v = arguments.size() > 2 ? valueOf(*arguments[2]) : nullptr;
  if (isBroken)
    return poison(site.range);

  bool isOfNumber =
      op == Builtin::Grad || op == Builtin::Hvp || op == Builtin::Hessian;
  if (isOfNumber && (!y->type.isScalar() || !isReal(y->type.element))) {
    Diagnostic &error =
        state.diagnostics.report(diag::GradOfMany, arguments[0]->range, str(op),
                                 quoted(*y), y->type.str());
    if (y->type.isTensor() && isReal(y->type.element))
      error.help(fmt::format("sum it first: `{}(sum({}), {}{})`", str(op),
                             quoted(*y), shortened(x.range.text()),
                             v ? ", " + quoted(*v) : ""),
                 Edit::around(y->range, "sum(", ")"));
    return poison(site.range);
  }
  if (!isNumeric(str(op), site.calleeRange, y, /*needsReal=*/true))
    return poison(site.range);
  const Type typeOfX = tuple ? Type::tuple(types) : types.front();
  if (v) {
    DerivativeSite like = {op, site.calleeRange, "x", x.range};
    if (op == Builtin::Vjp)
      like = {op, site.calleeRange, "y", y->range};
    result.v = along(like, v, op == Builtin::Vjp ? y->type : typeOfX);
    if (!result.v)
      return poison(site.range);
  }
  Type type = op == Builtin::Jvp ? y->type : typeOfX;
  if (op == Builtin::Hessian) {
    if (tuple) {
      state.diagnostics
          .report(diag::HessianOfTuple, x.range, shortened(x.range.text()))
          .help("a layer or model `net` has all its parameters in one vector, "
                "`net.params`");
      return poison(site.range);
    }
    type = withAxesInFront(type.shape, type);
  } else if (op == Builtin::Jacobian) {
    for (const Type &each : types)
      if (each.element != y->type.element) {
        state.diagnostics
            .report(diag::MixedElements, site.calleeRange, str(op),
                    str(y->type.element), str(each.element))
            .label(y->range, y->type.str())
            .label(x.range, each.str());
        return poison(site.range);
      }
    type = withAxesInFront(y->type.shape, type);
  }
  return make(std::move(type), site.range, std::move(result));
}

} // namespace gradus::typed
