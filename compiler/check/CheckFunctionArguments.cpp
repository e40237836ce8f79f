// Parameters that are functions: what may be passed for one, how the generics
// of what is passed are bound, and calls of such a parameter. A function is
// known when compiling, so nothing is left of this in the graph.
#include "compiler/check/Matching.h"

#include <algorithm>

namespace gradus::typed {

Type Body::compoundParameter(const ast::Parameter &parameter,
                             const ast::Fn &tree, const ast::Decl &decl,
                             const Type &type) {
  std::string kind = type.isTuple() ? "tuples" : "functions";
  Range range = parameter.type ? parameter.type->range : parameter.range;
  std::string refused;
  if (tree.library)
    refused = fmt::format("parameters of `extern fn` that are {} are", kind);
  else if (decl.exported)
    refused =
        fmt::format("parameters of exported functions that are {} are", kind);
  else if (tree.backward)
    refused = fmt::format("a `backward` of a function that takes {} is", kind);
  else if (parameter.defaultValue)
    refused = fmt::format("defaults of parameters that are {} are", kind);
  if (refused.empty())
    return type;
  state.refuse(range, refused);
  return Type::poison();
}

const typed::Function *Body::calleeOf(const Entity &entity,
                                      const ast::Expr &expr) {
  if (entity.kind == Entity::Function)
    return entity.function;
  if (entity.kind == Entity::Builtin)
    return builtinFunction(entity.builtin, expr.range);
  ModuleScope &inner = state.scopeOf(*entity.layer->module);
  auto member = inner.members.find("call");
  if (member != inner.members.end() &&
      member->second->kind == Declaration::Function)
    return state.resolveFunction(*member->second);
  state.diagnostics
      .report(diag::UnknownMember, expr.range, entity.layer->module->name,
              "call")
      .help(fmt::format("`{}(x)` runs `fn call` of the module",
                        shortened(expr.range.text())));
  return nullptr;
}

// `fn exp[..S](x: real[..S]) -> real[..S] = exp(x)`
const typed::Function *Body::builtinFunction(Builtin builtin, Range range) {
  typed::Function *function = state.program->make<typed::Function>();
  function->name = str(builtin);
  function->range = range;
  function->module = scope.file->module;
  const Symbol *pack = state.makeSymbol(Symbol::Pack, "S");
  Type type = Type::tensor(ElementType::Real, {Axis(pack)});
  Local *x = state.makeLocal(Local::Argument, "x", range, type);
  function->generics = {pack};
  function->arguments = {x};
  function->defaults = {nullptr};
  function->result = type;
  const Expr *operand = make(type, range, LocalReference{x});
  function->statements.push_back(
      {range,
       Return{make(type, range, Elementwise{builtin, {operand}, range})}});
  return function;
}

bool Body::bindGenerics(const typed::Function &function,
                        const Substitution &all, Range range,
                        std::string_view name,
                        std::vector<GenericBinding> &bindings) {
  for (const Symbol *generic : function.generics) {
    GenericBinding binding = {generic, {}, {}};
    if (auto pack = all.packs.find(generic); pack != all.packs.end()) {
      binding.pack = pack->second;
    } else if (auto dim = all.dims.find(generic); dim != all.dims.end()) {
      binding.dim = dim->second;
    } else {
      state.diagnostics.report(diag::CannotInfer, range, name,
                               (generic->kind == Symbol::Pack ? ".." : "") +
                                   generic->name);
      return false;
    }
    bindings.push_back(std::move(binding));
  }
  return true;
}

bool Body::fitsType(const Type &wanted, const Type &found, Range range) {
  if (wanted.kind != found.kind ||
      wanted.elements.size() != found.elements.size())
    return false;
  for (size_t i = 0; i < wanted.elements.size(); ++i)
    if (!fitsType(wanted.elements[i], found.elements[i], range))
      return false;
  if (!wanted.isTensor())
    return true;
  auto comparison = compareShapes(wanted.shape, found.shape);
  if (wanted.element != found.element || !comparison.isEqual)
    return false;
  require(comparison.deferred, range);
  return wanted.element != ElementType::Index ||
         require(wanted.bound, Relation::Equal, found.bound, range);
}

const Expr *Body::functionArgument(Matching &matching, unsigned index) {
  const typed::Function &function = *matching.function;
  const Local &parameter = *function.arguments[index];
  const CallArgument &argument = *matching.written[index];
  Range range = argument.range;
  auto misfit = [&](const Type &found) {
    state.diagnostics.report(diag::ArgumentElement, range, matching.name(),
                             substitute(parameter.type, matching.all).str(),
                             found.str());
    return poison(range);
  };
  // What is called with these types; the result may bind more of them.
  Type expected = substitute(parameter.type, matching.all);
  std::vector<Type> given(expected.elements.begin(),
                          expected.elements.end() - 1);
  for (const Symbol *generic : function.generics) {
    bool isOpen = false;
    for (const Type &type : given)
      forEachTensor(type, [&](const Type &tensor) {
        isOpen |= tensor.bound.mentions(generic);
        for (const Axis &axis : tensor.shape)
          isOpen |= axis.pack == generic || axis.dim.mentions(generic);
      });
    if (!isOpen)
      continue;
    state.diagnostics.report(
        diag::CannotInfer, matching.site.range, matching.name(),
        (generic->kind == Symbol::Pack ? ".." : "") + generic->name);
    return poison(range);
  }
  auto bindResult = [&](const Type &result) {
    Type pattern = substitute(parameter.type.elements.back(), matching.module);
    bindType(pattern, result, function.generics, matching.all);
    return fitsType(substitute(pattern, matching.all), result, range);
  };

  bool isPath = argument.tree && (argument.tree->as<ast::NameUse>() ||
                                  argument.tree->as<ast::Member>() ||
                                  argument.tree->as<ast::Index>());
  Entity found = isPath ? entity(*argument.tree) : Entity();
  if (isPath && found.kind == Entity::Unknown)
    return poison(range);
  if (found.local && found.local->type.isPoison())
    return poison(range);
  if (found.local && found.local->type.isFunction()) {
    const Type &type = found.local->type;
    if (type.elements.size() != expected.elements.size())
      return misfit(type);
    for (size_t i = 0; i < given.size(); ++i)
      if (!fitsType(given[i], type.elements[i], range))
        return misfit(type);
    if (!bindResult(type.elements.back()))
      return misfit(type);
    return make(type, range, LocalReference{found.local});
  }
  bool isCallable =
      found.kind == Entity::Function ||
      (found.kind == Entity::Layer && !found.instance.isArray()) ||
      (found.kind == Entity::Builtin && isElementwise(found.builtin));
  if (!isCallable) {
    state.diagnostics.report(diag::NeedsFunction, range, matching.name(),
                             parameter.name, shortened(range.text()),
                             found.what.empty() ? "a value" : found.what);
    return poison(range);
  }
  const typed::Function *callee = calleeOf(found, *argument.tree);
  if (!callee)
    return poison(range);

  Substitution module = substitutionOf(found.instance), all = module;
  std::vector<Type> parameters;
  for (const Local *local : callee->arguments)
    parameters.push_back(substitute(local->type, module));
  auto signature = [&] {
    return Type::function(parameters, substitute(callee->result, module));
  };
  for (size_t i = 0; i < parameters.size(); ++i)
    if (i < given.size()
            ? !bindType(parameters[i], given[i], callee->generics, all)
            : !callee->defaults[i])
      return misfit(signature());
  if (given.size() > parameters.size())
    return misfit(signature());
  for (size_t i = 0; i < given.size(); ++i)
    if (!fitsType(substitute(parameters[i], all), given[i], range))
      return misfit(signature());
  FunctionReference reference = {callee, found.instance, {}};
  if (!bindGenerics(*callee, all, range, callee->name, reference.generics))
    return poison(range);
  Type result = substitute(callee->result, all);
  if (result.isPoison())
    return poison(range);
  if (!bindResult(result))
    return misfit(signature());
  if (!checkRequirements(*callee, all, range, callee->name))
    return poison(range);
  return make(Type::function(given, std::move(result)), range,
              std::move(reference));
}

// Checked like a call of a function of that signature.
const Expr *Body::callLocal(Local *local, CallSite &site) {
  typed::Function *signature = state.program->make<typed::Function>();
  signature->name = local->name;
  signature->range = local->range;
  signature->module = scope.file->module;
  const std::vector<Type> &types = local->type.elements;
  for (size_t i = 0; i + 1 < types.size(); ++i) {
    signature->arguments.push_back(
        state.makeLocal(Local::Argument, fmt::format("argument {}", i + 1),
                        local->range, types[i]));
    signature->defaults.push_back(nullptr);
  }
  signature->result = types.back();
  const Expr *result = callFunction(signature, InstancePath(), site);
  if (result->type.isPoison())
    return result;
  const Call &call = *result->as<Call>();
  return make(result->type, result->range,
              CallLocal{local, call.arguments, call.number});
}

} // namespace gradus::typed
