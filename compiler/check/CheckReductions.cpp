// Reductions: over axes by name, by position, or all.
#include "compiler/check/Body.h"

#include <algorithm>
#include <cmath>

namespace gradus::typed {

std::optional<int64_t> Body::wholeNumber(const ast::Expr &expr) {
  auto found = dim(expr);
  if (!found)
    return std::nullopt;
  if (auto number = found->constant())
    return number;
  state.diagnostics.report(diag::NotConstant, expr.range,
                           shortened(expr.range.text()));
  return std::nullopt;
}

std::optional<unsigned> Body::entryFor(bool isByName, const ast::Expr &tree,
                                       const Type &type) {
  if (!isByName) {
    auto position = wholeNumber(tree);
    if (!position)
      return std::nullopt;
    auto entry = entryAt(type.shape, *position);
    if (!entry) {
      Diagnostic &error = state.diagnostics.report(
          diag::AxisOutOfRange, tree.range, type.str(), *position);
      if (type.hasPack())
        error.note("positions do not count past `..`, which stands for any "
                   "number of axes");
    }
    return entry;
  }
  auto wanted = axis(tree);
  if (!wanted)
    return std::nullopt;
  auto entries = entriesNamed(type.shape, *wanted);
  if (entries.size() == 1)
    return entries[0];
  if (entries.size() > 1) {
    state.diagnostics
        .report(diag::RepeatedAxis, tree.range, type.str(), entries.size(),
                wanted->str())
        .help(fmt::format("say which by position: `axis = {}`", entries[0]));
    return std::nullopt;
  }
  Diagnostic &error = state.diagnostics.report(diag::NoSuchAxis, tree.range,
                                               type.str(), wanted->str());
  for (unsigned i = 0; i < type.shape.size(); ++i)
    if (!wanted->isPack() && !type.shape[i].isPack() &&
        compareEqual(type.shape[i].dim, wanted->dim) == Verdict::Proved) {
      error.help(fmt::format("axis {} has this size but another name: `{}`", i,
                             type.shape[i].str()));
      break;
    }
  return std::nullopt;
}

std::optional<unsigned> Body::oneEntry(const CallArgument &given, bool isByName,
                                       const Type &type) {
  if (!given.tree || given.tree->as<ast::Tuple>()) {
    state.diagnostics.report(diag::NotADim, given.range, given.range.text());
    return std::nullopt;
  }
  auto entry = entryFor(isByName, *given.tree, type);
  if (entry && type.shape[*entry].isPack()) {
    state.diagnostics.report(diag::NoSuchAxis, given.range, type.str(),
                             given.range.text());
    return std::nullopt;
  }
  return entry;
}

// The entries that `over =` or `axis =` names, ascending; all without either.
std::optional<std::vector<unsigned>>
Body::entriesFor(const CallSite &site, const Type &type, bool isOneAxis) {
  const CallArgument *given = nullptr;
  for (const CallArgument &argument : site.arguments) {
    if (!argument.name ||
        (argument.name->text != "over" && argument.name->text != "axis"))
      continue;
    if (given) {
      state.diagnostics
          .report(diag::ArgumentTwice, argument.name->range,
                  argument.name->text)
          .label(given->name->range, "the axes are given here");
      return std::nullopt;
    }
    given = &argument;
  }
  std::vector<unsigned> entries;
  if (!given) {
    bool isClear = type.shape.size() == 1 && !type.shape[0].isPack();
    if (isOneAxis && !isClear) {
      state.diagnostics
          .report(diag::NeedsAxis, site.range, site.name(), type.str())
          .help("along the last axis: `axis = -1`");
      return std::nullopt;
    }
    for (unsigned i = 0; i < type.shape.size(); ++i)
      entries.push_back(i);
    return entries;
  }
  auto *tuple = given->tree->as<ast::Tuple>();
  if (isOneAxis && tuple) {
    state.diagnostics.report(diag::NeedsAxis, given->range, site.name(),
                             type.str());
    return std::nullopt;
  }
  std::vector<const ast::Expr *> axes;
  if (tuple)
    for (const auto &element : tuple->elements)
      axes.push_back(element.get());
  else
    axes.push_back(given->tree);
  for (const ast::Expr *tree : axes) {
    auto entry = entryFor(given->name->text == "over", *tree, type);
    if (!entry)
      return std::nullopt;
    if (std::find(entries.begin(), entries.end(), *entry) != entries.end()) {
      state.diagnostics.report(diag::ArgumentTwice, tree->range,
                               tree->range.text());
      return std::nullopt;
    }
    entries.push_back(*entry);
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

const Expr *Body::reduction(Builtin op, CallSite &site) {
  std::vector<CallArgument *> arguments;
  if (!takeArguments(site, "x", arguments, /*takesAxes=*/true))
    return poison(site.range);
  std::string name = site.name();
  const Expr *operand = strong(valueOf(*arguments[0]));
  if (operand->type.isPoison() || !isTensor(name, operand))
    return poison(site.range);
  bool isBoolean = operand->type.element == ElementType::Bool;
  bool isArg = op == Builtin::ArgMax || op == Builtin::ArgMin;
  if (op == Builtin::Any || op == Builtin::All) {
    if (!isBool(name, operand))
      return poison(site.range);
  } else if (op == Builtin::Mean && isBoolean) {
    operand = make(operand->type.withElement(ElementType::Real), operand->range,
                   Convert{operand});
  } else if (!isNumeric(name, site.calleeRange, operand,
                        /*needsReal=*/op == Builtin::Mean)) {
    return poison(site.range);
  }
  const Type &type = operand->type;
  auto entries = entriesFor(site, type, isArg);
  if (!entries)
    return poison(site.range);
  // A number is its own sum, mean, ...
  if (entries->empty())
    return operand;
  Type result = type;
  result.shape.clear();
  for (unsigned i = 0; i < type.shape.size(); ++i)
    if (std::find(entries->begin(), entries->end(), i) == entries->end())
      result.shape.push_back(type.shape[i]);
  if (isArg) {
    const Axis &axis = type.shape[entries->front()];
    if (axis.isPack()) {
      state.diagnostics.report(diag::NeedsAxis, site.range, name, type.str());
      return poison(site.range);
    }
    result = Type::tensor(ElementType::Index, result.shape, axis.dim);
  }
  return make(std::move(result), site.range,
              Reduce{op, operand, std::move(*entries)});
}

} // namespace gradus::typed
