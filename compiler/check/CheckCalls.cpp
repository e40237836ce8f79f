// Calls of functions and layers: arguments are matched to parameters, generics
// bound by matching bare names, then everything else is checked.
#include "compiler/check/Matching.h"

#include <algorithm>

namespace gradus::typed {

const Expr *Body::valueOf(CallArgument &argument) {
  if (!argument.value)
    argument.value = value(*argument.tree);
  return argument.value;
}

const Expr *Body::pipe(const ast::Expr &expr, const ast::Pipe &tree) {
  CallSite site;
  // Of a chain over several lines each call has its own.
  bool wraps = expr.range.text().find('\n') != std::string_view::npos;
  site.range = wraps ? tree.target->range : expr.range;
  const ast::Expr *callee = tree.target.get();
  CallArgument first;
  first.value = value(*tree.value);
  if (auto *call = callee->as<ast::Call>(); call && !callee->parenthesized) {
    callee = call->callee.get();
    site.arguments.push_back(first);
    for (const ast::Argument &argument : call->arguments)
      site.arguments.push_back({argument.name ? &*argument.name : nullptr,
                                argument.value.get(), argument.value->range,
                                nullptr});
  } else {
    site.arguments.push_back(first);
  }
  site.calleeRange = callee->range;
  // A chain is best pointed at where it is handed on.
  bool isChain = tree.value->as<ast::Pipe>() ||
                 tree.value->range.text().find('\n') != std::string_view::npos;
  site.arguments.front().range = isChain ? callee->range : tree.value->range;
  return call(*callee, std::move(site));
}

/// What `max[k]` and the like reduce with.
static std::optional<Builtin> asReduction(Builtin builtin) {
  switch (builtin) {
  case Builtin::Max:
    return Builtin::MaxOf;
  case Builtin::Min:
    return Builtin::MinOf;
  case Builtin::Sum:
  case Builtin::Mean:
  case Builtin::Prod:
  case Builtin::Any:
  case Builtin::All:
  case Builtin::ArgMax:
  case Builtin::ArgMin:
    return builtin;
  default:
    return std::nullopt;
  }
}

const Expr *Body::call(const ast::Expr &callee, CallSite site) {
  if (auto *index = callee.as<ast::Index>()) {
    Entity base =
        index->base->as<ast::NameUse>() ? entity(*index->base) : Entity();
    if (base.kind == Entity::Builtin && base.builtin == Builtin::Reshape)
      return reshape(*index, site);
    if (base.kind == Entity::Builtin || base.kind == Entity::Function) {
      auto reduction = base.kind == Entity::Builtin ? asReduction(base.builtin)
                                                    : std::nullopt;
      if (reduction)
        return indexReduction(*reduction, *index, site);
      state.diagnostics
          .report(diag::NotCallable, callee.range,
                  shortened(callee.range.text()), "no reduction over an index")
          .help("there are: sum, mean, max, min, prod, any, all, argmax, "
                "argmin");
      return poison(site.range);
    }
    if (base.kind == Entity::Module) {
      state.diagnostics
          .report(diag::NotCallable, callee.range,
                  shortened(callee.range.text()), base.what)
          .help(fmt::format("make a layer of it: `layer a = {}`",
                            shortened(callee.range.text())));
      return poison(site.range);
    }
    if (index->base->as<ast::NameUse>() && base.kind == Entity::Unknown)
      return poison(site.range);
  }
  Entity found = entity(callee);
  switch (found.kind) {
  case Entity::Unknown:
    return poison(site.range);
  case Entity::Function:
    return callFunction(found.function, found.instance, site);
  case Entity::Builtin:
    return callBuiltin(found.builtin, site);
  case Entity::Element:
    return convert(found.element, site);
  case Entity::Layer: {
    if (found.instance.isArray())
      break;
    const typed::Function *function = calleeOf(found, callee);
    return function ? callFunction(function, found.instance, site)
                    : poison(site.range);
  }
  default:
    if (found.local && found.local->type.isPoison())
      return poison(site.range);
    if (found.local && found.local->type.isFunction())
      return callLocal(found.local, site);
    break;
  }
  Diagnostic &error =
      state.diagnostics.report(diag::NotCallable, callee.range,
                               shortened(callee.range.text()), found.what);
  if (found.kind == Entity::Layer)
    error.help(fmt::format("call one, `{0}[0](x)`, or one after another: "
                           "`for a in {0} {{ h = a(h) }}`",
                           shortened(site.name())));
  if (found.kind == Entity::Module)
    error.help(fmt::format("make a layer of it: `layer a = {}`", site.name()));
  if (found.kind == Entity::Optimizer)
    error.help("an optimizer stands behind `using`");
  if (found.kind == Entity::Distribution)
    error.help("random values are drawn with `~`");
  return poison(site.range);
}

Substitution Body::substitutionOf(const InstancePath &instance) const {
  Substitution result;
  for (const auto &[layer, element] : instance.layers) {
    Substitution inner;
    for (size_t i = 0; i < layer->dims.size(); ++i)
      inner.dims[layer->module->generics[i]] =
          layer->dims[i].substitute(result);
    result = std::move(inner);
  }
  return result;
}

bool Body::matchArguments(Matching &matching) {
  const typed::Function &function = *matching.function;
  CallSite &site = matching.site;
  size_t size = function.arguments.size();
  matching.values.resize(size);
  matching.written.resize(size);
  bool takesAxis =
      std::any_of(function.generics.begin(), function.generics.end(),
                  [](const Symbol *symbol) { return symbol->isAxis; });
  std::vector<std::string> names;
  for (const Local *argument : function.arguments)
    names.push_back(argument->name);
  if (takesAxis)
    names.insert(names.end(), {"over", "axis"});
  size_t position = 0;
  bool isGood = true;
  for (CallArgument &argument : site.arguments) {
    size_t index = position;
    if (argument.name) {
      index = std::find(names.begin(), names.end(), argument.name->text) -
              names.begin();
      if (index == names.size()) {
        state.reportParameter(*argument.name, names);
        isGood = false;
        continue;
      }
      if (index >= size) {
        if (matching.axisArgument) {
          state.diagnostics.report(diag::ArgumentTwice, argument.name->range,
                                   argument.name->text);
          isGood = false;
        }
        matching.axisArgument = &argument;
        continue;
      }
    } else {
      ++position;
    }
    if (index >= size) {
      state.diagnostics.report(diag::TooManyArguments, argument.range,
                               matching.name(), count(size, "argument"),
                               site.arguments.size());
      return false;
    }
    if (matching.written[index]) {
      state.diagnostics
          .report(diag::ArgumentTwice, argument.range, names[index])
          .label(matching.written[index]->range, "here already");
      isGood = false;
      continue;
    }
    matching.written[index] = &argument;
    const Local &parameter = *function.arguments[index];
    // Which function is meant is found once the values have bound generics.
    if (parameter.type.isFunction())
      continue;
    const Expr *found = valueOf(argument);
    if (parameter.type.isTensor())
      found = adapt(found, parameter.type.element,
                    parameter.type.bound.substitute(matching.module));
    matching.values[index] = strong(found);
  }
  for (size_t i = 0; i < size && isGood; ++i) {
    if (matching.written[i])
      continue;
    matching.values[i] = function.defaults[i];
    if (matching.values[i])
      continue;
    state.diagnostics.report(diag::MissingArgument, site.range, matching.name(),
                             names[i]);
    isGood = false;
  }
  if (!isGood)
    return false;
  return std::none_of(
      matching.values.begin(), matching.values.end(),
      [](const Expr *value) { return value && value->type.isPoison(); });
}

static bool isMarked(const Axis &axis) {
  return axis.dim.symbol() && axis.dim.symbol()->isAxis;
}

// The entry of an argument that a function works along. Several that stand side
// by side become one by a reshape of the argument.
std::optional<unsigned> Body::axisEntry(Matching &matching,
                                        const Expr *&argument) {
  const Type &type = argument->type;
  auto needsAxis = [&] {
    state.diagnostics
        .report(diag::NeedsAxis, matching.site.range, matching.name(),
                type.str())
        .help("along the last axis: `axis = -1`");
    return std::nullopt;
  };
  // Without an axis it is all of them, if they are gone in the result.
  const Type &result = matching.function->result;
  if (!matching.axisArgument && type.shape.size() != 1 &&
      (type.shape.empty() || !result.isTensor() ||
       std::ranges::any_of(result.shape, isMarked)))
    return needsAxis();
  auto entries = entriesFor(matching.site, type, /*isOneAxis=*/false);
  if (!entries)
    return std::nullopt;
  unsigned first = entries->front();
  for (unsigned entry : *entries)
    if (type.shape[entry].isPack()) {
      if (!matching.axisArgument)
        return needsAxis();
      state.diagnostics.report(diag::NoSuchAxis, matching.site.range,
                               type.str(), matching.axisArgument->range.text());
      return std::nullopt;
    }
  if (entries->size() == 1)
    return first;
  if (entries->back() - first != entries->size() - 1) {
    state.refuse(matching.axisArgument->range,
                 fmt::format("`{}` over axes that do not stand side by side is",
                             matching.name()));
    return std::nullopt;
  }
  Shape shape = type.shape;
  auto begin = shape.begin() + first;
  matching.merged.assign(begin, begin + entries->size());
  for (unsigned i = 1; i < matching.merged.size(); ++i)
    begin->dim = begin->dim * matching.merged[i].dim;
  shape.erase(begin + 1, begin + entries->size());
  argument = make(type.withShape(std::move(shape)), argument->range,
                  Reshape{argument});
  return first;
}

// `over =` or `axis =` splits the shape of the argument at the axis generic.
bool Body::bindAxis(Matching &matching) {
  const typed::Function &function = *matching.function;
  for (unsigned i = 0; i < function.arguments.size(); ++i) {
    const Shape &shape = function.arguments[i]->type.shape;
    auto marked = std::find_if(shape.begin(), shape.end(), isMarked);
    if (marked == shape.end())
      continue;
    if (!isTensor(matching.name(), matching.values[i]))
      return false;
    auto entry = axisEntry(matching, matching.values[i]);
    if (!entry)
      return false;
    const Type &type = matching.values[i]->type;
    Shape before(type.shape.begin(), type.shape.begin() + *entry);
    Shape after(type.shape.begin() + *entry + 1, type.shape.end());
    auto bind = [&](const Axis &axis, const Shape &to) {
      if (axis.isPack()) {
        matching.all.packs[axis.pack] = to;
        matching.boundBy[axis.pack] = i;
      }
    };
    if (marked != shape.begin())
      bind(*(marked - 1), before);
    if (marked + 1 != shape.end())
      bind(*(marked + 1), after);
    matching.all.dims[marked->dim.symbol()] = type.shape[*entry].dim;
    matching.boundBy[marked->dim.symbol()] = i;
    return true;
  }
  return true;
}

static std::string sizesOf(const Dim &dim) {
  std::string text;
  for (const Symbol *symbol : dim.symbols())
    if (symbol->kind == Symbol::Declared)
      text += fmt::format("{}{} = {}", text.empty() ? " where " : ", ",
                          symbol->name, symbol->value);
  return text;
}

void Body::reportShape(Matching &matching, unsigned index,
                       std::optional<unsigned> differs) {
  const typed::Function &function = *matching.function;
  const Local &parameter = *function.arguments[index];
  const Expr &value = *matching.values[index];
  Type expected = substitute(parameter.type, matching.all);
  Range where = matching.written[index] ? matching.written[index]->range
                                        : matching.site.range;
  // Two parameters of one shape: say so instead of naming the shape.
  for (unsigned other = 0; other < index; ++other)
    if (function.arguments[other]->type.shape == parameter.type.shape &&
        matching.written[other] && matching.values[other]->type.isTensor()) {
      const Expr &first = *matching.values[other];
      Diagnostic &error =
          state.diagnostics
              .report(diag::SameShape, where, matching.name(),
                      function.arguments[other]->name, parameter.name)
              .here(value.type.str())
              .label(matching.written[other]->range, first.type.str());
      for (const Expr *longer : {&first, &value}) {
        const Expr *shorter = longer == &first ? &value : &first;
        const Shape &shape = longer->type.shape;
        if (shape.size() == shorter->type.shape.size() + 1 &&
            !shape.back().isPack() && shape.back().dim == Dim(1)) {
          Suffixed dropped = suffixed(*longer, "[.., 0]");
          error.help(fmt::format("`{}` has a last axis of size 1; drop it "
                                 "with `{}`",
                                 quoted(*longer), dropped.text),
                     dropped.edits);
        }
      }
      return;
    }
  Diagnostic &error =
      state.diagnostics.report(diag::ArgumentShape, where, matching.name(),
                               expected.str(), value.type.str());
  if (!differs) {
    if (expected.shape.size() != value.type.shape.size() &&
        !expected.hasPack() && !value.type.hasPack())
      error.here(fmt::format("{}, not {}",
                             count(value.type.shape.size(), "axis"),
                             expected.shape.size()));
    return;
  }
  error.here(fmt::format("axis {} is {}, not {}", *differs,
                         value.type.shape[*differs].str(),
                         expected.shape[*differs].str()));
  // Where the expected size comes from: the layer's dims or another argument.
  std::string sizes;
  std::optional<unsigned> source;
  for (const Axis &axis : parameter.type.shape) {
    if (axis.isPack() ||
        !(axis.dim.substitute(matching.all) == expected.shape[*differs].dim))
      continue;
    for (const Symbol *symbol : axis.dim.symbols()) {
      if (auto found = matching.module.dims.find(symbol);
          found != matching.module.dims.end() && matching.layer)
        sizes += fmt::format("{}{} = {}", sizes.empty() ? "" : ", ",
                             symbol->name, found->second.str());
      if (auto found = matching.boundBy.find(symbol);
          found != matching.boundBy.end() && found->second != index)
        source = found->second;
    }
    if (!sizes.empty() || source)
      break;
  }
  if (!sizes.empty())
    error.label(matching.layer->valueRange, sizes);
  else if (source && matching.written[*source])
    error.label(matching.written[*source]->range,
                matching.values[*source]->type.str());
}

bool Body::checkArgument(Matching &matching, unsigned index) {
  const Local &parameter = *matching.function->arguments[index];
  const Expr &value = *matching.values[index];
  Type expected = substitute(parameter.type, matching.all);
  Range where = matching.written[index] ? matching.written[index]->range
                                        : matching.site.range;
  if (expected.isTuple() && fitsType(expected, value.type, where))
    return true;
  if (!value.type.isTensor() || !expected.isTensor() ||
      value.type.element != expected.element) {
    Diagnostic &error =
        state.diagnostics.report(diag::ArgumentElement, where, matching.name(),
                                 expected.str(), value.type.str());
    if (expected.isTensor() && isReal(expected.element) &&
        value.type.isTensor())
      error.help(fmt::format("convert it first: `{}({})`",
                             str(expected.element), quoted(value)),
                 Edit::around(value.range,
                              fmt::format("{}(", str(expected.element)), ")"));
    return false;
  }
  auto comparison = compareShapes(expected.shape, value.type.shape);
  if (!comparison.isEqual) {
    reportShape(matching, index, comparison.differs);
    return false;
  }
  require(comparison.deferred, where);
  if (expected.element != ElementType::Index ||
      require(expected.bound, Relation::Equal, value.type.bound, where))
    return true;
  Diagnostic &error = state.diagnostics.report(
      diag::IndexBound, where, matching.name(), expected.str(),
      value.type.str(), sizesOf(expected.bound) + sizesOf(value.type.bound));
  if (auto bound = value.type.bound.constant())
    error.here(fmt::format("values 0 to {}", *bound - 1));
  for (const Symbol *symbol : parameter.type.bound.symbols())
    if (auto found = matching.boundBy.find(symbol);
        found != matching.boundBy.end() && matching.written[found->second])
      error.label(matching.written[found->second]->range,
                  matching.values[found->second]->type.str());
  return false;
}

bool Body::checkRequirements(const typed::Function &function,
                             const Substitution &all, Range range,
                             std::string_view name) {
  for (const Requirement &requirement : function.requirements) {
    Dim left = requirement.left.substitute(all);
    Dim right = requirement.right.substitute(all);
    if (require(left, requirement.relation, right, range))
      continue;
    reportRequirement(requirement, all, range, name);
    return false;
  }
  return true;
}

/// Dims of the caller may have the names of those of the callee.
void Body::reportRequirement(const Requirement &requirement,
                             const Substitution &all, Range range,
                             std::string_view callee) {
  std::vector<const Symbol *> symbols = requirement.left.symbols();
  for (const Symbol *symbol : requirement.right.symbols())
    if (!requirement.left.mentions(symbol))
      symbols.push_back(symbol);
  std::vector<std::string> sizes;
  bool isConstant = true;
  for (const Symbol *symbol : symbols)
    if (auto found = all.dims.find(symbol); found != all.dims.end()) {
      sizes.push_back(
          fmt::format("{} is {}", symbol->name, found->second.str()));
      isConstant &= found->second.constant().has_value();
    }
  Diagnostic &error = state.diagnostics.report(
      diag::RequirementFails, range, callee, requirement.str(),
      sizes.empty() ? "that is never so"
                    : fmt::format("{}{}", isConstant ? "" : "its ",
                                  fmt::join(sizes, " and ")));
  error.label(requirement.range, "needed here");
  if (!isConstant && !name.empty())
    error.note(fmt::format(
        "what stands behind `is` is told in the dims of `{}`", name));
}

const Expr *Body::callFunction(const typed::Function *function,
                               const InstancePath &instance, CallSite &site) {
  if (purpose == Constant) {
    state.diagnostics
        .report(diag::NotConstant, site.range, shortened(site.range.text()))
        .note("constants are made of numbers, dims, operators and builtin "
              "functions");
    return poison(site.range);
  }
  Substitution module = substitutionOf(instance);
  Matching matching = {
      site,
      function,
      instance,
      instance.layers.empty() ? nullptr : instance.layers.back().layer,
      module,
      module,
      {},
      {},
      nullptr,
      {},
      {}};
  if (!matchArguments(matching) || !bindAxis(matching))
    return poison(site.range);
  for (unsigned i = 0; i < function->arguments.size(); ++i) {
    const Type &parameter = function->arguments[i]->type;
    if (parameter.isFunction())
      continue;
    const Type &argument = matching.values[i]->type;
    if (!argument.isTensor()) {
      bindType(parameter, argument, function->generics, matching.all);
      continue;
    }
    size_t dims = matching.all.dims.size(), packs = matching.all.packs.size();
    Shape pattern = substitute(parameter.shape, matching.module);
    bool fits =
        bindShape(pattern, argument.shape, function->generics, matching.all);
    const Symbol *bound = parameter.bound.symbol();
    if (bound && argument.element == ElementType::Index &&
        std::find(function->generics.begin(), function->generics.end(),
                  bound) != function->generics.end())
      matching.all.dims.try_emplace(bound, argument.bound);
    if (matching.all.dims.size() != dims || matching.all.packs.size() != packs)
      for (const Symbol *generic : function->generics)
        if (matching.all.dims.contains(generic) ||
            matching.all.packs.contains(generic))
          matching.boundBy.try_emplace(generic, i);
    if (fits)
      continue;
    if (parameter.isTensor() && argument.element == parameter.element)
      reportShape(matching, i, std::nullopt);
    else
      checkArgument(matching, i);
    return poison(site.range);
  }
  for (unsigned i = 0; i < function->arguments.size(); ++i)
    if (function->arguments[i]->type.isFunction()) {
      matching.values[i] = functionArgument(matching, i);
      if (matching.values[i]->type.isPoison())
        return poison(site.range);
    } else if (!checkArgument(matching, i)) {
      return poison(site.range);
    }
  Call call = {function,
               instance,
               {},
               std::move(matching.values),
               ++callCounts[function->name]};
  if (!bindGenerics(*function, matching.all, site.range, matching.name(),
                    call.generics))
    return poison(site.range);
  if (!checkRequirements(*function, matching.all, site.range, matching.name()))
    return poison(site.range);
  if (function->result.isPoison())
    return poison(site.range);
  Type result = substitute(function->result, matching.all);
  const Expr *value = make(result, site.range, std::move(call));
  if (matching.merged.empty())
    return value;
  // The axes are again what they were.
  Shape shape;
  for (const Axis &axis : function->result.shape) {
    Shape part = isMarked(axis) ? matching.merged
                                : substitute(Shape{axis}, matching.all);
    shape.insert(shape.end(), part.begin(), part.end());
  }
  if (shape == result.shape)
    return value;
  return make(result.withShape(std::move(shape)), site.range, Reshape{value});
}

} // namespace gradus::typed
