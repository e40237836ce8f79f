// Declarations that are one value: dims, constants, parameters, layers.
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"

#include <algorithm>

namespace gradus::typed {

const Symbol *CheckerState::resolveDim(Declaration &declaration) {
  Resolving resolving(*this, declaration);
  if (!resolving)
    return declaration.dim;
  const ast::Expr *value =
      declaration.decl->as<ast::Dims>()->items[declaration.item].value.get();
  if (const ast::Expr *other = overrideOf(declaration))
    value = other;
  Body body(*this, *declaration.owner, Body::Constant, nullptr);
  auto found = body.dim(*value);
  bool isDone = declaration.progress == Declaration::Done;
  declaration.progress = Declaration::Done;
  if (!found || isDone || body.isTooLarge(*found, *value))
    return nullptr;
  int64_t size = found->constant().value_or(0);
  if (size < 1) {
    diagnostics.report(diag::DimTooSmall, value->range, size);
    return nullptr;
  }
  return declaration.dim =
             makeSymbol(Symbol::Declared, declaration.name->text, size);
}

/// What every declared value has.
template <typename T>
static void describe(T &value, const Declaration &declaration,
                     const ast::Name &name) {
  value.name = name.text;
  value.range = name.range;
  value.doc = declaration.decl->doc;
  value.isExported = declaration.decl->exported;
}

const Const *CheckerState::resolveConst(Declaration &declaration) {
  Resolving resolving(*this, declaration);
  if (!resolving)
    return declaration.constant;
  const auto &tree = *declaration.decl->as<ast::Const>();
  const ast::Expr *value = tree.value.get();
  if (const ast::Expr *other = overrideOf(declaration))
    value = other;
  Body body(*this, *declaration.owner, Body::Constant, nullptr);
  const Expr *expr =
      tree.type ? body.declared(*value, body.type(*tree.type), tree.name.text)
                : body.value(*value);
  bool isDone = declaration.progress == Declaration::Done;
  declaration.progress = Declaration::Done;
  if (expr->type.isPoison() || isDone)
    return nullptr;
  auto number = evaluate(*expr);
  if (!number) {
    Diagnostic &error = diagnostics.report(diag::NotConstant, value->range,
                                           shortened(value->range.text()));
    error.note("a `const` is one number");
    return nullptr;
  }
  Const constant;
  describe(constant, declaration, tree.name);
  constant.path = declaration.path();
  constant.element = expr->type.element;
  constant.value = *number;
  return declaration.constant = program->make(std::move(constant));
}

const Param *CheckerState::resolveParam(Declaration &declaration) {
  Resolving resolving(*this, declaration);
  if (!resolving)
    return declaration.param;
  const auto &tree = *declaration.decl->as<ast::Param>();
  if (declaration.decl->broken)
    return nullptr;
  Module &owner = *declaration.owner->module;
  Body body(*this, *declaration.owner, Body::Constant, &owner.requirements);
  Param param;
  describe(param, declaration, tree.name);
  param.type = body.type(*tree.type);
  if (param.type.isPoison())
    return nullptr;
  if (!param.type.isTensor() || param.type.element != ElementType::Real) {
    diagnostics.report(diag::NeedsReal, tree.type->range, "param",
                       tree.name.text, param.type.str());
    return nullptr;
  }
  if (tree.draw) {
    auto distribution = body.distribution(*tree.value);
    if (!distribution)
      return nullptr;
    param.initial = std::move(*distribution);
  } else {
    const Expr *initial =
        body.declared(*tree.value, param.type, tree.name.text);
    if (initial->type.isPoison())
      return nullptr;
    if (!areElementsFixed(*initial)) {
      diagnostics.report(diag::NotConstant, tree.value->range,
                         shortened(tree.value->range.text()));
      return nullptr;
    }
    param.initial = initial;
  }
  return declaration.param = program->make(std::move(param));
}

const State *CheckerState::resolveState(Declaration &declaration) {
  Resolving resolving(*this, declaration);
  if (!resolving)
    return declaration.state;
  const auto &tree = *declaration.decl->as<ast::State>();
  if (declaration.decl->broken)
    return nullptr;
  Module &owner = *declaration.owner->module;
  Body body(*this, *declaration.owner, Body::Constant, &owner.requirements);
  State result;
  describe(result, declaration, tree.name);
  result.type = body.type(*tree.type);
  if (result.type.isPoison())
    return nullptr;
  bool isStored = result.type.isTensor() &&
                  result.type.element != ElementType::Index &&
                  result.type.element != ElementType::U8;
  if (!isStored) {
    refuse(tree.type->range,
           fmt::format("state of type {} is", result.type.str()));
    return nullptr;
  }
  result.initial = body.declared(*tree.value, result.type, tree.name.text);
  if (result.initial->type.isPoison())
    return nullptr;
  if (!areElementsFixed(*result.initial)) {
    diagnostics.report(diag::NotConstant, tree.value->range,
                       shortened(tree.value->range.text()));
    return nullptr;
  }
  return declaration.state = program->make(std::move(result));
}

const LayerDecl *CheckerState::resolveLayer(Declaration &declaration) {
  Resolving resolving(*this, declaration);
  if (!resolving)
    return declaration.layer;
  const auto &tree = *declaration.decl->as<ast::Layer>();
  auto fail = [&]() {
    declaration.progress = Declaration::Done;
    return nullptr;
  };
  if (declaration.decl->broken)
    return fail();
  Module &owner = *declaration.owner->module;
  Body body(*this, *declaration.owner, Body::Constant, &owner.requirements);
  LayerDecl layer;
  if (tree.count) {
    layer.count = body.size(*tree.count);
    if (!layer.count)
      return fail();
  }
  const ast::Expr *target = tree.value.get();
  const auto *call = target->as<ast::Call>();
  if (call)
    target = call->callee.get();
  const auto *index = target->as<ast::Index>();
  if (index)
    target = index->base.get();
  Entity found = body.entity(*target);
  if (found.kind == Entity::Unknown)
    return fail();
  if (found.kind != Entity::Module) {
    diagnostics
        .report(diag::NotAModule, target->range,
                shortened(target->range.text()), found.what)
        .help("write a module with its dims: `Linear[784, 10]`");
    return fail();
  }
  Declaration *module = found.declaration;
  ModuleScope *inner = resolveModule(*module);
  if (!inner)
    return fail();
  describe(layer, declaration, tree.name);
  layer.valueRange = tree.value->range;
  layer.module = inner->module;
  if (!body.layerDims(index, *tree.value, layer) ||
      !body.layerSettings(call, *tree.value, layer))
    return fail();
  Substitution dims;
  for (size_t i = 0; i < layer.dims.size(); ++i)
    dims.dims[inner->module->generics[i]] = layer.dims[i];
  // Resolving what the module holds finds modules that contain themselves, and
  // all that its dims must satisfy.
  for (Declaration *member : inner->order) {
    if (member->kind == Declaration::Layer)
      resolveLayer(*member);
    if (member->kind == Declaration::Param)
      resolveParam(*member);
    if (member->kind == Declaration::State)
      resolveState(*member);
  }
  for (const Requirement &requirement : inner->module->requirements)
    if (!body.require(requirement.left.substitute(dims), requirement.relation,
                      requirement.right.substitute(dims), tree.value->range)) {
      body.reportRequirement(requirement, dims, tree.value->range,
                             inner->module->name);
      return fail();
    }
  if (declaration.progress == Declaration::Done)
    return nullptr;
  declaration.progress = Declaration::Done;
  return declaration.layer = program->make(std::move(layer));
}

} // namespace gradus::typed
