// Layers: what they give the dims and settings of their module; and as values
// see them: elements of arrays, members of an instance, all its parameters as
// one vector.
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"

#include <algorithm>

namespace gradus::typed {

bool InstancePath::isArray() const {
  return !layers.empty() && layers.back().layer->count &&
         !layers.back().element;
}

Dim CheckerState::parameterCount(const ModuleScope &scope) {
  if (auto known = parameterCounts.find(&scope); known != parameterCounts.end())
    return known->second;
  Dim total;
  for (Declaration *member : scope.order) {
    if (member->kind == Declaration::Param) {
      if (const Param *param = resolveParam(*member))
        total = total + elementCount(param->type.shape).dims;
    } else if (member->kind == Declaration::Layer) {
      const LayerDecl *layer = resolveLayer(*member);
      if (!layer)
        continue;
      Substitution dims;
      for (size_t i = 0; i < layer->dims.size(); ++i)
        dims.dims[layer->module->generics[i]] = layer->dims[i];
      Dim one = parameterCount(scopeOf(*layer->module)).substitute(dims);
      total = total + (layer->count ? *layer->count * one : one);
    }
  }
  return parameterCounts[&scope] = total;
}

// `[784, 10]` of `Linear[784, 10]`; null if there is none.
bool Body::layerDims(const ast::Index *tree, const ast::Expr &value,
                     LayerDecl &layer) {
  const Module &module = *layer.module;
  size_t wanted =
      std::ranges::count_if(module.generics, [](const Symbol *symbol) {
        return symbol->kind != Symbol::Whole;
      });
  size_t given = tree ? tree->subscripts.size() : 0;
  if (wanted != given) {
    std::string dims;
    for (size_t i = 0; i < wanted; ++i)
      dims += (i ? ", " : "") + module.generics[i]->name;
    state.diagnostics
        .report(diag::GenericCount, value.range, module.name,
                count(wanted, "dim"), given)
        .label(module.range, dims.empty() ? "no dims" : dims);
    return false;
  }
  for (size_t i = 0; i < given; ++i) {
    auto found = tree->subscripts[i].index ? std::nullopt
                                           : size(*tree->subscripts[i].value);
    if (!found)
      return false;
    layer.dims.push_back(*found);
  }
  return true;
}

// `(stride = 2)` of `Conv[1, 6, 5](stride = 2)`; null if there is none.
bool Body::layerSettings(const ast::Call *tree, const ast::Expr &value,
                         LayerDecl &layer) {
  const Module &module = *layer.module;
  std::vector<std::string> names;
  for (const Setting &setting : module.settings)
    names.push_back(setting.name);
  std::vector<const ast::Expr *> given(names.size(), nullptr);
  size_t position = 0;
  for (size_t i = 0; tree && i < tree->arguments.size(); ++i) {
    const ast::Argument &argument = tree->arguments[i];
    size_t at = position;
    if (argument.name)
      at = std::ranges::find(names, argument.name->text) - names.begin();
    else
      ++position;
    if (argument.name && at == names.size()) {
      state.reportParameter(*argument.name, names);
      return false;
    }
    if (at >= names.size()) {
      state.diagnostics.report(diag::TooManyArguments, argument.value->range,
                               module.name, count(names.size(), "argument"),
                               tree->arguments.size());
      return false;
    }
    if (given[at]) {
      state.diagnostics.report(diag::ArgumentTwice, argument.value->range,
                               names[at]);
      return false;
    }
    given[at] = argument.value.get();
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const Setting &setting = module.settings[i];
    const ast::Expr *argument = given[i];
    bool hasDefault =
        setting.whole ? setting.dim.has_value() : setting.value != nullptr;
    if (!argument && !hasDefault) {
      state.diagnostics.report(diag::MissingArgument, value.range, module.name,
                               names[i]);
      return false;
    }
    if (setting.whole) {
      auto found = argument ? dim(*argument) : setting.dim;
      if (!found)
        return false;
      layer.dims.push_back(*found);
      continue;
    }
    const Expr *found = setting.value;
    if (argument)
      found = declared(*argument, setting.local->type, names[i]);
    if (found->type.isPoison())
      return false;
    // A default is checked where it is declared.
    if (argument && !isFixedByConfig(*found)) {
      state.diagnostics.report(diag::NotConstant, argument->range,
                               shortened(argument->range.text()));
      return false;
    }
    layer.config.push_back(found);
  }
  return true;
}

bool Body::checkPosition(const Dim &at, const Dim &extent, Range range,
                         const std::string &what, const Dim &written) {
  if (require(Dim(0), Relation::LessEqual, at, range) &&
      require(at, Relation::Less, extent, range))
    return true;
  if (!at.hasCounter()) {
    state.diagnostics.report(diag::IndexOutside, range, written.str(), what);
    return false;
  }
  Dim least = at.leastOverLoops(), greatest = at.greatestOverLoops();
  Dim last = extent - Dim(1);
  if (compare(Dim(0), Relation::LessEqual, at) == Verdict::Refuted)
    state.diagnostics.report(diag::IndexBeforeStart, range, what)
        .here(fmt::format("reaches {}", least.str()));
  else
    state.diagnostics.report(diag::IndexPastEnd, range, what)
        .here(fmt::format("reaches {}, but this axis stops at {}",
                          greatest.str(), last.str()));
  return false;
}

// The number of layers of an array.
Dim Body::countOf(const InstancePath &array) const {
  InstancePath outer = array;
  outer.layers.pop_back();
  return array.layers.back().layer->count->substitute(substitutionOf(outer));
}

// `blocks[2]`
Entity Body::elementEntity(const ast::Expr &expr, const ast::Index &tree,
                           Entity array) {
  Dim size = countOf(array.instance);
  const ast::Expr *subscript = tree.subscripts[0].value.get();
  std::string name = shortened(tree.base->range.text());
  std::string what = fmt::format("`{}`, which has {} layers", name, size.str());
  if (tree.subscripts.size() != 1) {
    state.diagnostics.report(diag::TooManySubscripts, expr.range,
                             fmt::format("`{}`", name), "1 axis",
                             count(tree.subscripts.size(), "subscript"));
    return Entity();
  }
  if (tree.subscripts[0].index || subscript->as<ast::Slice>()) {
    state.refuse(subscript->range, "a part of an array of layers is")
        .help(fmt::format("loop over it: `for i in 1..3 {{ h = {}[i](h) }}`",
                          name));
    return Entity();
  }
  auto at = dim(*subscript);
  if (!at)
    return Entity();
  auto number = at->constant();
  Dim position = number && *number < 0 ? size + *at : *at;
  if (!checkPosition(position, size, subscript->range, what, *at))
    return Entity();
  array.instance.layers.back().element = position;
  array.what = "a layer";
  return array;
}

Entity Body::layerMember(const Entity &layer, const ast::Member &member) {
  const std::string &text = member.member.text;
  ModuleScope &inner = state.scopeOf(*layer.layer->module);
  if (text == "params" || text == "size") {
    Entity result;
    result.kind = text == "size" ? Entity::Size : Entity::AllParams;
    result.what = "all parameters of a layer";
    result.instance = layer.instance;
    result.size =
        state.parameterCount(inner).substitute(substitutionOf(layer.instance));
    if (layer.instance.isArray())
      result.size = result.size * countOf(layer.instance);
    if (result.kind == Entity::AllParams && result.size.constant() == 0) {
      state.diagnostics.report(diag::NoParameters, member.member.range,
                               shortened(member.base->range.text()));
      return Entity();
    }
    return result;
  }
  auto found = inner.members.find(text);
  if (layer.instance.isArray()) {
    Diagnostic &error =
        state.diagnostics.report(diag::UnknownMember, member.member.range,
                                 shortened(member.base->range.text()), text);
    if (found != inner.members.end())
      error.here("an array of layers")
          .help(fmt::format("each of its layers has one: `{}[0].{}`",
                            shortened(member.base->range.text()), text));
    return Entity();
  }
  if (found == inner.members.end()) {
    std::vector<std::string> names = {"params", "size"};
    for (const auto &[name, declaration] : inner.members)
      names.push_back(name);
    return missingMember(member, names);
  }
  Entity result = declarationEntity(*found->second);
  InstancePath path = layer.instance;
  path.layers.insert(path.layers.end(), result.instance.layers.begin(),
                     result.instance.layers.end());
  result.instance = path;
  return result;
}

} // namespace gradus::typed
