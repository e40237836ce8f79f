// Modules, functions and optimizers: what has generics and a body.
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"
#include "compiler/check/LoopReturns.h"

#include <algorithm>
#include <filesystem>

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

// `n: int`
static bool isInt(const ast::Parameter &parameter) {
  const auto *tensor =
      parameter.type ? parameter.type->as<ast::TensorType>() : nullptr;
  return tensor && tensor->element.text == "int" && tensor->axes.empty();
}

// The settings of a module: real or bool values, and whole numbers, which are
// dims as far as the body is concerned.
static void readSettings(CheckerState &state, Body &body, Body &values,
                         const std::vector<ast::Parameter> &parameters,
                         ModuleScope &scope) {
  Module &module = *scope.module;
  for (const ast::Parameter &parameter : parameters) {
    Setting setting;
    setting.name = parameter.name.text;
    if (isInt(parameter)) {
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

std::string Function::libraryPath() const {
  std::filesystem::path file(module->source->name());
  return (file.parent_path() / library->path).lexically_normal().string();
}

// The C function is called with the arguments as they are.
void Body::externCall(const ast::Library &tree, typed::Function &function) {
  function.library = {tree.path, tree.range};
  if (!result->isPoison() && (!result->isTensor() || !isReal(result->element)))
    state.refuse(resultRange, "an `extern fn` that gives anything but one "
                              "real tensor is");
  ExternCall call = {&function, {}};
  for (Local *argument : function.arguments)
    call.arguments.push_back(
        make(argument->type, argument->range, LocalReference{argument}));
  function.statements.push_back(
      {function.range, Return{make(*result, function.range, std::move(call))}});
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
  if (tree.library)
    body.externCall(*tree.library, *function);
  else if (tree.body)
    body.statements(*tree.body, function->statements);
  else
    body.resultExpression(*tree.value, function->statements);
  if (errors == diagnostics.errorCount() &&
      !alwaysReturns(function->statements))
    diagnostics.report(diag::NoReturn, tree.name.range, tree.name.text);
  function->result = body.result.value_or(Type::poison());
  if (errors == diagnostics.errorCount())
    leaveByVariables(*this, *function);
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

// A whole number that an optimizer takes, at least 1 as every dim is.
const Expr *Body::wholeValue(const ast::Expr &expr) {
  auto found = size(expr);
  if (!found)
    return poison(expr.range);
  return make(Type::tensor(ElementType::WeakWhole), expr.range,
              DimValue{*found});
}

// An argument of an optimizer: a real value, or a whole number, which is a dim
// as far as the body is concerned.
static void readArgument(CheckerState &state, Body &body, Body &values,
                         const ast::Parameter &parameter,
                         Optimizer &optimizer) {
  const Symbol *whole = nullptr;
  const Expr *value = nullptr;
  Type type;
  if (isInt(parameter)) {
    whole = state.makeSymbol(Symbol::Generic, parameter.name.text);
    body.addGeneric(parameter.name, whole);
    type = Type::tensor(ElementType::WeakWhole);
    if (parameter.defaultValue)
      value = values.wholeValue(*parameter.defaultValue);
  } else {
    type = body.configType(parameter, /*takesBool=*/false);
    if (parameter.defaultValue)
      value = values.configValue(parameter, type);
  }
  optimizer.wholes.push_back(whole);
  optimizer.defaults.push_back(value);
  optimizer.arguments.push_back(
      whole ? state.makeLocal(Local::Config, parameter.name.text,
                              parameter.name.range, type)
            : body.declare(Local::Config, parameter.name, type));
}

// `step(p: real[P], g: real[P], loss: fn(real[P]) -> real)`: false after an
// error that leaves nothing to check the body by.
static bool readStepParameters(CheckerState &state, Body &body,
                               const ast::Optimizer &tree,
                               Optimizer &optimizer) {
  bool isOverVector = optimizer.isOverVector();
  Type vector = Type::tensor(
      ElementType::Real,
      {isOverVector ? Axis(Dim(*optimizer.generic)) : Axis(optimizer.generic)});
  Type loss = Type::function({vector}, Type::tensor(ElementType::Real));
  auto wrong = [&](Range range) {
    if (isOverVector)
      state.diagnostics.report(diag::VectorStepSignature, range, vector.str(),
                               loss.str());
    else
      state.diagnostics.report(diag::StepSignature, range, vector.str());
  };
  size_t most = isOverVector ? 3 : 2;
  Local **places[] = {&optimizer.updated, &optimizer.gradient, &optimizer.loss};
  const Local::Kind kinds[] = {Local::Updated, Local::Gradient, Local::Loss};
  for (size_t i = 0; i < tree.stepParameters.size(); ++i) {
    const ast::Parameter &parameter = tree.stepParameters[i];
    if (i >= most) {
      wrong(parameter.range);
      return false;
    }
    const Type &wanted = i == 2 ? loss : vector;
    Type type = parameter.type ? body.type(*parameter.type) : wanted;
    if (parameter.defaultValue || !(type == wanted || type.isPoison()))
      wrong(parameter.range);
    *places[i] = body.declare(kinds[i], parameter.name, wanted);
  }
  if (tree.stepParameters.size() < 2)
    wrong(tree.stepKeyword);
  return tree.stepParameters.size() >= 2;
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
      tree.generics[0].kind == ast::Generic::Kind::Axis) {
    diagnostics.report(diag::OptimizerGenerics, tree.name.range, tree.name.text)
        .help(fmt::format("`optimizer {0}[..S]` runs once for each parameter, "
                          "`optimizer {0}[P]` once on all as one vector",
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
  optimizer->generic = generics[0];
  for (const ast::Parameter &parameter : tree.parameters)
    readArgument(*this, body, values, parameter, *optimizer);
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
  if (!readStepParameters(*this, body, tree, *optimizer))
    return nullptr;
  body.statements(tree.step, optimizer->statements);
  if (errors != diagnostics.errorCount())
    return nullptr;
  if (!assigned.contains(optimizer->updated))
    diagnostics.report(diag::UpdatesNothing, tree.stepKeyword, tree.name.text,
                       optimizer->updated->name);
  return declaration.optimizer = optimizer;
}

} // namespace gradus::typed
