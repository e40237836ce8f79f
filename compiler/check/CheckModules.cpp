// Modules, functions and optimizers: what has generics and a body.
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"

#include <algorithm>

namespace gradus::typed {

// The type of a parameter of a module or an optimizer: a real scalar, or a bool
// where that may be.
Type Body::configType(const ast::Parameter &parameter, bool takesBool) {
  if (!parameter.type && !parameter.defaultValue)
    state.diagnostics
        .report(diag::ParameterNeedsType, parameter.name.range,
                parameter.name.text)
        .help(fmt::format("write `{}: real`", parameter.name.text),
              {Edit::after(parameter.name.range, ": real")});
  bool isFlag = takesBool && !parameter.type && parameter.defaultValue &&
                parameter.defaultValue->as<ast::Bool>();
  Type type = parameter.type ? this->type(*parameter.type)
              : isFlag       ? Type::tensor(ElementType::Bool)
                             : Type();
  if (type.isPoison() || type == Type() ||
      (takesBool && type == Type::tensor(ElementType::Bool)))
    return type;
  state.refuse(
      parameter.type->range,
      takesBool ? "settings of another type than `real`, `int` and `bool` are"
                : "parameters of another type than `real` are");
  return Type::poison();
}

// The default: it knows neither generics nor other parameters.
const Expr *Body::configValue(const ast::Parameter &parameter,
                              const Type &type) {
  const Expr *value =
      declared(*parameter.defaultValue, type, parameter.name.text);
  if (!value->type.isPoison() && !isFixedByConfig(*value))
    state.diagnostics.report(diag::NotConstant, value->range, quoted(*value));
  return value;
}

// The settings of a module: real or bool values, and whole numbers, which are
// dims as far as the body is concerned.
static void readSettings(CheckerState &state, Body &body, Body &values,
                         const std::vector<ast::Parameter> &parameters,
                         ModuleScope &scope) {
  Module &module = *scope.module;
  for (const ast::Parameter &parameter : parameters) {
    const auto *tensor =
        parameter.type ? parameter.type->as<ast::TensorType>() : nullptr;
    Setting setting;
    setting.name = parameter.name.text;
    if (tensor && tensor->element.text == "int" && tensor->axes.empty()) {
      setting.whole = state.makeSymbol(Symbol::Whole, setting.name);
      if (parameter.defaultValue)
        setting.dim = values.dim(*parameter.defaultValue);
      body.addGeneric(parameter.name, setting.whole);
      scope.generics.emplace(setting.name, setting.whole);
      module.generics.push_back(setting.whole);
    } else {
      Type type = body.configType(parameter, /*takesBool=*/true);
      if (parameter.defaultValue)
        setting.value = values.configValue(parameter, type);
      setting.local = body.declare(Local::Config, parameter.name, type);
      scope.config.emplace(setting.name, setting.local);
      module.config.push_back(setting.local);
    }
    module.settings.push_back(std::move(setting));
  }
}

ModuleScope *CheckerState::resolveModule(Declaration &declaration) {
  Resolving resolving(*this, declaration);
  if (!resolving)
    return declaration.module;
  declaration.progress = Declaration::Done;
  const auto &tree = *declaration.decl->as<ast::Module>();
  ModuleScope &scope = modules.emplace_back();
  scope.file = declaration.owner->file;
  scope.ast = &tree;
  Module module;
  module.name = tree.name.text;
  module.doc = declaration.decl->doc;
  module.range = tree.name.range;
  module.source = scope.file->tree->source;
  module.isExported = declaration.decl->exported;
  scope.module = program->make(std::move(module));
  scopeOfModule[scope.module] = &scope;
  declaration.module = &scope;
  Body body(*this, scope, Body::Constant, &scope.module->requirements);
  for (const ast::Generic &generic : tree.generics)
    if (generic.kind != ast::Generic::Kind::Dim)
      refuse(generic.range, "modules over packs or axes are");
  body.addGenerics(tree.generics, scope.module->generics);
  for (const Symbol *symbol : scope.module->generics)
    scope.generics.emplace(symbol->name, symbol);
  Body values(*this, *scope.file, Body::Constant, nullptr);
  readSettings(*this, body, values, tree.parameters, scope);
  if (tree.requirement)
    body.addRequirement(*tree.requirement);
  declareMembers(scope, tree.members);
  return &scope;
}

const Function *CheckerState::resolveFunction(Declaration &declaration) {
  Resolving resolving(*this, declaration);
  if (!resolving)
    return declaration.function;
  const auto &tree = *declaration.decl->as<ast::Fn>();
  auto fail = [&]() {
    declaration.progress = Declaration::Done;
    return nullptr;
  };
  if (declaration.decl->broken || (tree.body && tree.body->broken))
    return fail();
  ModuleScope &scope = *declaration.owner;
  size_t errors = diagnostics.errorCount();
  Function *function = program->make<Function>();
  function->name = tree.name.text;
  function->doc = declaration.decl->doc;
  function->range = tree.name.range;
  function->module = scope.module;
  function->isExported = declaration.decl->exported;
  Body body(*this, scope, Body::Function, &function->requirements);
  body.name = tree.name.text;
  body.addGenerics(tree.generics, function->generics);
  for (const ast::Parameter &parameter : tree.parameters) {
    Type type = parameter.type ? body.type(*parameter.type) : Type();
    if (!parameter.type && !parameter.defaultValue) {
      diagnostics
          .report(diag::ParameterNeedsType, parameter.name.range,
                  parameter.name.text)
          .help(fmt::format("write `{}: real`", parameter.name.text),
                {Edit::after(parameter.name.range, ": real")});
      type = Type::poison();
    }
    if (!type.isTensor() && !type.isPoison())
      type = body.compoundParameter(parameter, tree, *declaration.decl, type);
    const Expr *value = nullptr;
    if (parameter.defaultValue && !type.isPoison()) {
      Body values(*this, *scope.file, Body::Constant, nullptr);
      value =
          values.declared(*parameter.defaultValue, type, parameter.name.text);
    }
    function->defaults.push_back(value);
    function->arguments.push_back(
        body.declare(Local::Argument, parameter.name, type));
  }
  if (tree.requirement)
    body.addRequirement(*tree.requirement);
  if (tree.result) {
    body.result = body.type(*tree.result);
    body.isResultDeclared = true;
    body.resultRange = tree.result->range;
  }
  body.hasBackward = tree.backward.has_value();
  if (tree.body)
    body.statements(*tree.body, function->statements);
  else
    body.resultExpression(*tree.value, function->statements);
  if (errors == diagnostics.errorCount() &&
      !alwaysReturns(function->statements))
    diagnostics.report(diag::NoReturn, tree.name.range, tree.name.text);
  function->result = body.result.value_or(Type::poison());
  if (tree.backward && errors == diagnostics.errorCount())
    body.backward(*tree.backward, *function);
  bool isSignatureGood = std::none_of(
      function->arguments.begin(), function->arguments.end(),
      [](const Local *argument) { return argument->type.isPoison(); });
  // A call of itself has been reported and made this Done.
  if (declaration.progress == Declaration::Done || !isSignatureGood)
    return fail();
  declaration.progress = Declaration::Done;
  return declaration.function = function;
}

const Optimizer *CheckerState::resolveOptimizer(Declaration &declaration) {
  Resolving resolving(*this, declaration);
  if (!resolving)
    return declaration.optimizer;
  declaration.progress = Declaration::Done;
  const auto &tree = *declaration.decl->as<ast::Optimizer>();
  if (declaration.decl->broken || tree.step.broken)
    return nullptr;
  if (tree.generics.size() != 1 ||
      tree.generics[0].kind != ast::Generic::Kind::Rest) {
    refuse(tree.name.range, "an optimizer that is not over one `..S` is")
        .help(fmt::format("`optimizer {}[..S]` runs once for each parameter",
                          tree.name.text));
    return nullptr;
  }
  size_t errors = diagnostics.errorCount();
  Optimizer *optimizer = program->make<Optimizer>();
  optimizer->name = tree.name.text;
  optimizer->doc = declaration.decl->doc;
  optimizer->range = tree.name.range;
  optimizer->isExported = declaration.decl->exported;
  std::vector<const Symbol *> generics;
  Body values(*this, *declaration.owner, Body::Constant, nullptr);
  Body body(*this, *declaration.owner, Body::Step, nullptr);
  body.addGenerics(tree.generics, generics);
  optimizer->pack = generics[0];
  for (const ast::Parameter &parameter : tree.parameters) {
    Type type = body.configType(parameter, /*takesBool=*/false);
    optimizer->defaults.push_back(
        parameter.defaultValue ? values.configValue(parameter, type) : nullptr);
    optimizer->arguments.push_back(
        body.declare(Local::Config, parameter.name, type));
  }
  for (const auto &decl : tree.states) {
    const auto &state = *decl->as<ast::State>();
    Type type = body.type(*state.type);
    const Expr *initial = body.declared(*state.value, type, state.name.text);
    if (!type.isPoison() &&
        (!type.isTensor() || type.element != ElementType::Real))
      diagnostics.report(diag::NeedsReal, state.type->range, "state",
                         state.name.text, type.str());
    auto *spread = initial->as<Broadcast>();
    const Expr *start = spread ? spread->operand : initial;
    if (!initial->type.isPoison() && !isFixedByConfig(*start))
      diagnostics.report(diag::NotConstant, state.value->range,
                         shortened(state.value->range.text()));
    optimizer->states.push_back(
        {body.declare(Local::Slot, state.name, type), initial});
  }
  Type wanted = Type::tensor(ElementType::Real, {Axis(optimizer->pack)});
  if (tree.stepParameters.size() > 2) {
    refuse(tree.stepParameters[2].range,
           "more than two parameters of `step` are");
    return nullptr;
  }
  std::vector<Local *> parameters;
  for (size_t i = 0; i < tree.stepParameters.size(); ++i) {
    const ast::Parameter &parameter = tree.stepParameters[i];
    Type type = parameter.type ? body.type(*parameter.type) : wanted;
    if (parameter.defaultValue || !(type == wanted || type.isPoison()))
      diagnostics.report(diag::StepSignature, parameter.range, wanted.str());
    parameters.push_back(body.declare(i == 0 ? Local::Updated : Local::Gradient,
                                      parameter.name, wanted));
  }
  if (parameters.size() != 2) {
    diagnostics.report(diag::StepSignature, tree.stepKeyword, wanted.str());
    return nullptr;
  }
  optimizer->updated = parameters[0];
  optimizer->gradient = parameters[1];
  body.statements(tree.step, optimizer->statements);
  if (errors != diagnostics.errorCount())
    return nullptr;
  if (!assigned.contains(optimizer->updated))
    diagnostics.report(diag::UpdatesNothing, tree.stepKeyword, tree.name.text,
                       optimizer->updated->name);
  return declaration.optimizer = optimizer;
}

} // namespace gradus::typed
