// Builtins that move values along one axis: pad and cumsum.
#include "compiler/check/Body.h"

namespace gradus::typed {

/// A number of elements, at least 0.
std::optional<Dim> Body::room(const CallArgument &given) {
  if (!given.tree || given.tree->as<ast::Tuple>()) {
    state.diagnostics.report(diag::NotADim, given.range, given.range.text());
    return std::nullopt;
  }
  auto found = dim(*given.tree);
  if (found &&
      !require(Dim(0), Relation::LessEqual, *found, given.tree->range)) {
    state.diagnostics.report(diag::NegativeRoom, given.range, "pad",
                             found->str());
    return std::nullopt;
  }
  return found;
}

// pad(x, axis, before, after, value = 0); `over = D` names the axis.
const Expr *Body::pad(CallSite &site) {
  bool isByName = false;
  for (CallArgument &argument : site.arguments)
    if (argument.name && argument.name->text == "over") {
      isByName = true;
      break;
    }
  std::vector<CallArgument *> found;
  if (!takeArguments(site,
                     isByName ? "x over before after value=0"
                              : "x axis before after value=0",
                     found))
    return poison(site.range);
  const Expr *operand = strong(valueOf(*found[0]));
  const Expr *value = found[4] ? valueOf(*found[4])
                               : make(Type::tensor(ElementType::WeakWhole),
                                      site.range, Number{0});
  if (operand->type.isPoison() || value->type.isPoison() ||
      !isTensor("pad", operand) || !isTensor("pad", value))
    return poison(site.range);
  if (!found[4] && operand->type.element == ElementType::Bool)
    value = make(Type::tensor(ElementType::Bool), site.range, Number{0});
  if (!sameElement("pad", site.calleeRange, operand, value))
    return poison(site.range);
  if (!value->type.isScalar()) {
    state.diagnostics.report(diag::ArgumentShape, found[4]->range, "pad",
                             operand->type.withShape({}).str(),
                             value->type.str());
    return poison(site.range);
  }
  auto entry = oneEntry(*found[1], isByName, operand->type);
  auto before = room(*found[2]), after = room(*found[3]);
  if (!entry || !before || !after)
    return poison(site.range);
  Type type = operand->type;
  type.shape[*entry] = type.shape[*entry].dim + *before + *after;
  return make(std::move(type), site.range,
              Pad{operand, *entry, *before, value});
}

const Expr *Body::cumulativeSum(CallSite &site) {
  std::vector<CallArgument *> arguments;
  if (!takeArguments(site, "x", arguments, /*takesAxes=*/true))
    return poison(site.range);
  const Expr *operand = strong(valueOf(*arguments[0]));
  if (operand->type.isPoison() ||
      !isNumeric("cumsum", site.calleeRange, operand, /*needsReal=*/false))
    return poison(site.range);
  const Type &type = operand->type;
  auto entries = entriesFor(site, type, /*isOneAxis=*/true);
  if (!entries)
    return poison(site.range);
  if (type.shape[entries->front()].isPack()) {
    state.diagnostics.report(diag::NeedsAxis, site.range, "cumsum", type.str());
    return poison(site.range);
  }
  return make(type, site.range, CumulativeSum{operand, entries->front()});
}

} // namespace gradus::typed
