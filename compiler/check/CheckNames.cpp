// Names: what a name means inside a body, and what a member of it means.
#include "compiler/check/Body.h"

#include <algorithm>

namespace gradus::typed {

namespace {
struct BuiltinName {
  std::string_view name;
  Builtin builtin;
  std::string_view signature;
};
} // namespace

static const BuiltinName builtinNames[] = {
#define BUILTIN(ID, NAME, CLASS, PARAMETERS, DOC) {NAME, Builtin::ID, #CLASS},
#include "compiler/check/Builtins.def"
};

static const BuiltinName *findBuiltin(std::string_view name) {
  for (const BuiltinName &entry : builtinNames)
    if (entry.name == name && entry.signature != "Operator" &&
        entry.signature != "Internal")
      return &entry;
  return nullptr;
}

// Builtins and names of the prelude that this version does not have.
static const std::string_view futureNames[] = {"top_k", "gather"};

static const std::pair<std::string_view, ElementType> elements[] = {
    {"real", ElementType::Real}, {"f32", ElementType::F32},
    {"f64", ElementType::F64},   {"i32", ElementType::I32},
    {"i64", ElementType::I64},   {"u8", ElementType::U8},
    {"bool", ElementType::Bool}};

static const std::pair<std::string_view, Scalar> scalars[] = {
    {"t", Scalar::T},         {"epoch", Scalar::Epoch},
    {"steps", Scalar::Steps}, {"pi", Scalar::Pi},
    {"inf", Scalar::Inf},     {"training", Scalar::Training}};

static const std::string_view distributions[] = {"normal", "uniform",
                                                 "bernoulli", "he", "xavier"};

void Body::addGenerics(const std::vector<ast::Generic> &list,
                       std::vector<const Symbol *> &symbols) {
  for (const ast::Generic &generic : list) {
    auto kind = generic.kind == ast::Generic::Kind::Rest ? Symbol::Pack
                                                         : Symbol::Generic;
    const Symbol *symbol = state.makeSymbol(
        kind, generic.name.text, 0, generic.kind == ast::Generic::Kind::Axis);
    symbols.push_back(symbol);
    addGeneric(generic.name, symbol);
  }
}

void Body::addGeneric(const ast::Name &name, const Symbol *symbol) {
  // Each dim name is declared once: a generic must not hide a dim.
  auto member = scope.file->members.find(name.text);
  if (member != scope.file->members.end() &&
      member->second->kind == Declaration::Dim)
    state.diagnostics.report(diag::DeclaredTwice, name.range, name.text)
        .label(member->second->name->range, "a dim of this file")
        .help("give one of them another name: each dim name means one thing");
  else if (generics.contains(name.text) || scope.generics.contains(name.text))
    state.diagnostics.report(diag::DeclaredTwice, name.range, name.text);
  generics.emplace(name.text, symbol);
}

void Body::claim(const ast::Name &name) {
  auto [used, isNew] = usedNames.emplace(name.text, name.range);
  if (!isNew)
    state.diagnostics.report(diag::DeclaredTwice, name.range, name.text)
        .label(used->second, "declared here first")
        .help("no local name is used again; take another one");
}

Local *Body::declare(Local::Kind kind, const ast::Name &name, Type type) {
  Local *local = state.makeLocal(kind, name.text, name.range, std::move(type));
  claim(name);
  blocks.back()[name.text] = local;
  return local;
}

std::vector<std::string> Body::visibleNames() const {
  std::vector<std::string> names;
  for (const auto &block : blocks)
    for (const auto &[name, local] : block)
      names.push_back(name);
  for (const auto &[name, meaning] : loopNames)
    names.push_back(name);
  for (const auto *map :
       {&std::as_const(generics), &std::as_const(scope.generics)})
    for (const auto &[name, symbol] : *map)
      names.push_back(name);
  for (const auto &[name, local] : scope.config)
    names.push_back(name);
  for (const auto &[name, declaration] : scope.members)
    names.push_back(name);
  for (const auto &[name, declaration] : scope.file->members)
    names.push_back(name);
  for (const auto &[name, alias] : scope.file->aliases)
    names.push_back(name);
  for (const FileScope *import : scope.file->imports)
    for (const auto &[name, declaration] : import->members)
      if (declaration->decl->exported)
        names.push_back(name);
  for (const auto &[name, scalar] : scalars)
    names.emplace_back(name);
  for (const BuiltinName &entry : builtinNames)
    if (findBuiltin(entry.name))
      names.emplace_back(entry.name);
  return names;
}

static std::string notExported(const FileScope &file, std::string_view text) {
  return fmt::format("`{}` stands in {}, but is not exported: write `export` "
                     "before it",
                     text, file.tree->source->name());
}

Diagnostic &Body::unknownName(Range range, const std::string &text) {
  Diagnostic &error = state.diagnostics.report(diag::UnknownName, range, text);
  for (const FileScope *import : scope.file->imports)
    if (import->members.contains(text) && !import->isPrelude)
      return error.help(
          notExported(*import, text),
          {Edit::before(import->members.at(text)->decl->range, "export ")});
  for (const auto &[name, alias] : scope.file->aliases)
    if (alias.file)
      if (auto found = alias.file->members.find(text);
          found != alias.file->members.end() && found->second->decl->exported)
        return error.meant(fmt::format("{}.{}", name, text));
  // No more are printed; a file of garbage must not take hours.
  constexpr size_t most = 20;
  if (state.diagnostics.errorCount() > most)
    return error;
  std::string near = nearest(text, visibleNames());
  if (!near.empty())
    error.meant(near);
  return error;
}

Entity Body::declarationEntity(Declaration &declaration) {
  Entity result;
  result.what = declaration.what();
  result.declaration = &declaration;
  // A file has one instance; members of a module belong to the instance the
  // code runs in.
  if (!declaration.owner->ast)
    result.instance.file = declaration.owner->module;
  switch (declaration.kind) {
  case Declaration::Dim:
    result.symbol = state.resolveDim(declaration);
    if (result.symbol)
      result.kind = Entity::Dim;
    break;
  case Declaration::Const:
    result.constant = state.resolveConst(declaration);
    if (result.constant)
      result.kind = Entity::Const;
    break;
  case Declaration::Data:
    result.data = state.resolveData(declaration);
    if (result.data)
      result.kind = Entity::Data;
    break;
  case Declaration::Param:
    result.param = state.resolveParam(declaration);
    if (result.param)
      result.kind = Entity::Param;
    break;
  case Declaration::State:
    result.state = state.resolveState(declaration);
    if (result.state)
      result.kind = Entity::State;
    break;
  case Declaration::Layer:
    result.layer = state.resolveLayer(declaration);
    if (result.layer) {
      result.kind = Entity::Layer;
      result.instance.layers.push_back({result.layer, std::nullopt});
      if (result.layer->count)
        result.what = "an array of layers";
    }
    break;
  case Declaration::Module:
    result.kind = Entity::Module;
    break;
  case Declaration::Function:
    result.function = state.resolveFunction(declaration);
    if (result.function)
      result.kind = Entity::Function;
    break;
  case Declaration::Optimizer:
    result.kind = Entity::Optimizer;
    break;
  }
  return result;
}

Entity Body::nameEntity(const ast::Expr &expr, const std::string &text) {
  Entity result;
  auto local = [&](Local *found) {
    result.kind = Entity::Local;
    result.local = found;
    result.what = "a value";
    return result;
  };
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block)
    if (auto found = block->find(text); found != block->end())
      return local(found->second);
  if (auto found = loopNames.find(text); found != loopNames.end())
    return found->second;
  for (const auto *map : {&generics, &scope.generics})
    if (auto found = map->find(text); found != map->end()) {
      result.symbol = found->second;
      result.kind =
          found->second->kind == Symbol::Pack ? Entity::Pack : Entity::Dim;
      result.what =
          result.kind == Entity::Pack ? "any number of axes" : "a dim";
      return result;
    }
  if (auto found = scope.config.find(text); found != scope.config.end())
    return local(found->second);
  for (ModuleScope *place : {&scope, static_cast<ModuleScope *>(scope.file)})
    if (auto found = place->members.find(text); found != place->members.end())
      return declarationEntity(*found->second);
  if (auto found = scope.file->aliases.find(text);
      found != scope.file->aliases.end()) {
    result.kind = Entity::File;
    result.file = found->second.file;
    result.what = "an imported file";
    return result;
  }
  Declaration *imported = nullptr;
  for (FileScope *import : scope.file->imports) {
    auto found = import->members.find(text);
    if (found == import->members.end() || !found->second->decl->exported)
      continue;
    // What the user imports hides the prelude.
    if (imported && import->isPrelude)
      break;
    if (imported) {
      state.diagnostics.report(diag::ImportedTwice, expr.range, text)
          .label(imported->name->range, "here")
          .label(found->second->name->range, "and here");
      return result;
    }
    imported = found->second;
  }
  if (imported)
    return declarationEntity(*imported);
  for (const auto &[name, scalar] : scalars)
    if (name == text) {
      result.kind = Entity::Scalar;
      result.scalar = scalar;
      result.what = "a value";
      return result;
    }
  if (const BuiltinName *builtin = findBuiltin(text)) {
    result.kind = Entity::Builtin;
    result.builtin = builtin->builtin;
    result.what = "a function";
    return result;
  }
  for (const auto &[name, element] : elements)
    if (name == text) {
      result.kind = Entity::Element;
      result.element = element;
      result.what = "an element type";
      return result;
    }
  if (std::ranges::find(distributions, text) != std::end(distributions)) {
    result.kind = Entity::Distribution;
    result.what = "a distribution";
    return result;
  }
  if (std::ranges::find(futureNames, text) != std::end(futureNames)) {
    state.refuse(expr.range, fmt::format("`{}` is", text));
    return result;
  }
  // What could not be read may have declared it.
  if (!scope.file->isBroken)
    unknownName(expr.range, text);
  return result;
}

// What a file exports, `base.fc`.
Entity Body::fileMember(const FileScope *file, const ast::Member &member) {
  if (!file)
    return Entity();
  const std::string &text = member.member.text;
  auto found = file->members.find(text);
  if (found != file->members.end() && found->second->decl->exported)
    return declarationEntity(*found->second);
  if (found == file->members.end() && file->isBroken)
    return Entity();
  Diagnostic &error =
      state.diagnostics.report(diag::UnknownMember, member.member.range,
                               shortened(member.base->range.text()), text);
  std::vector<std::string> names;
  for (const auto &[name, declaration] : file->members)
    if (declaration->decl->exported)
      names.push_back(name);
  std::string near = nearest(text, names);
  if (found != file->members.end())
    error.help(notExported(*file, text));
  else if (!near.empty())
    error.meant(near);
  else
    error.help(names.empty()
                   ? fmt::format("{} exports nothing: write `export` before a "
                                 "declaration",
                                 file->tree->source->name())
                   : fmt::format("it exports {}", fmt::join(names, ", ")));
  return Entity();
}

Entity Body::memberEntity(const ast::Expr &expr, const ast::Member &member) {
  Entity result;
  const std::string &text = member.member.text;
  Entity base = entity(*member.base);
  switch (base.kind) {
  case Entity::Unknown:
    return result;
  case Entity::File:
    return fileMember(base.file, member);
  case Entity::Layer:
    return layerMember(base, member);
  case Entity::Data: {
    std::vector<std::string> names;
    for (unsigned i = 0; i < base.data->fields.size(); ++i) {
      names.push_back(base.data->fields[i].name);
      if (names.back() != text)
        continue;
      result = base;
      result.kind = Entity::Field;
      result.field = i;
      result.what = "a field of data";
      return result;
    }
    return missingMember(member, names);
  }
  case Entity::Field:
    for (auto statistic :
         {Statistic::Mean, Statistic::Std, Statistic::Min, Statistic::Max})
      if (text == str(statistic)) {
        result = base;
        result.kind = Entity::Statistic;
        result.statistic = statistic;
        result.what = "a value";
        return result;
      }
    return missingMember(member, {"mean", "std", "min", "max"});
  default:
    if (text == "T") {
      result.kind = Entity::Value;
      result.what = "a value";
      return result;
    }
    return missingMember(member, {});
  }
}

Entity Body::missingMember(const ast::Member &member,
                           const std::vector<std::string> &candidates) {
  Diagnostic &error = state.diagnostics.report(
      diag::UnknownMember, member.member.range,
      shortened(member.base->range.text()), member.member.text);
  std::string near = nearest(member.member.text, candidates);
  if (!near.empty())
    error.meant(near);
  return Entity();
}

Entity Body::entity(const ast::Expr &expr) {
  if (auto *name = expr.as<ast::NameUse>())
    return nameEntity(expr, name->text);
  if (auto *member = expr.as<ast::Member>())
    return memberEntity(expr, *member);
  if (auto *tree = expr.as<ast::Index>()) {
    Entity base = entity(*tree->base);
    if (base.kind == Entity::Unknown)
      return base;
    if (base.kind == Entity::Layer && base.instance.isArray())
      return elementEntity(expr, *tree, std::move(base));
  }
  Entity result;
  result.kind = Entity::Value;
  result.what = "a value";
  return result;
}

const Expr *Body::entityValue(const Entity &entity, const ast::Expr &expr) {
  Range range = expr.range;
  auto outOfPlace = [&]() -> Diagnostic & {
    return state.diagnostics.report(diag::OutOfPlace, range,
                                    shortened(range.text()));
  };
  bool isFixed = purpose == Constant || purpose == Schedule;
  switch (entity.kind) {
  case Entity::Unknown:
    return poison(range);
  case Entity::Local:
    if (entity.local->type.isPoison())
      return poison(range);
    if (entity.local->type.isFunction()) {
      state.diagnostics
          .report(diag::NotAValue, range, shortened(range.text()), "a function")
          .help(fmt::format("call it: `{}(...)`", shortened(range.text())));
      return poison(range);
    }
    return make(entity.local->type, range, LocalReference{entity.local});
  case Entity::Dim:
    return make(Type::tensor(ElementType::WeakWhole), range,
                DimValue{typed::Dim(*entity.symbol)});
  case Entity::Const:
    return make(Type::tensor(entity.constant->element), range,
                ConstReference{entity.constant});
  case Entity::Param:
  case Entity::State: {
    if (isFixed || purpose == Step) {
      outOfPlace().here(fmt::format(
          "{} cannot depend on {}",
          purpose == Constant ? "a constant" : "an optimizer", entity.what));
      return poison(range);
    }
    const Type &type = entity.param ? entity.param->type : entity.state->type;
    Type here = substitute(type, substitutionOf(entity.instance));
    if (entity.state)
      return make(std::move(here), range,
                  StateReference{entity.instance, entity.state});
    return make(std::move(here), range,
                ParamReference{entity.instance, entity.param});
  }
  case Entity::AllParams:
    if (isFixed || purpose == Step)
      break;
    return make(Type::tensor(ElementType::Real, {entity.size}), range,
                AllParams{entity.instance});
  case Entity::Size:
    return make(Type::tensor(ElementType::WeakWhole), range,
                DimValue{entity.size});
  case Entity::Statistic: {
    if (isFixed || purpose == Step) {
      outOfPlace().here("data is not read before training starts");
      return poison(range);
    }
    const auto &field = entity.data->fields[entity.field];
    if (!isReal(field.type.element)) {
      state.diagnostics
          .report(diag::NeedsReal, range, str(entity.statistic), field.name,
                  field.type.str())
          .help("only real fields have statistics");
      return poison(range);
    }
    return make(
        field.type, range,
        StatisticReference{entity.data, entity.field, entity.statistic});
  }
  case Entity::Scalar:
    switch (entity.scalar) {
    case Scalar::Pi:
    case Scalar::Inf:
      return make(Type::tensor(ElementType::WeakReal), range,
                  ScalarReference{entity.scalar});
    case Scalar::Training:
      if (isFixed || purpose == Step) {
        outOfPlace().here("only functions and `train` know it");
        return poison(range);
      }
      return make(Type::tensor(ElementType::Bool), range,
                  ScalarReference{entity.scalar});
    default:
      if (purpose == Constant) {
        outOfPlace().here("this has one value for the whole run");
        return poison(range);
      }
      if (purpose == Function) {
        outOfPlace()
            .here("only `train` and optimizers know it")
            .help("pass it as an argument");
        return poison(range);
      }
      return make(Type::tensor(ElementType::Real), range,
                  ScalarReference{entity.scalar});
    }
  default:
    break;
  }
  Diagnostic &error = state.diagnostics.report(
      diag::NotAValue, range, shortened(range.text()), entity.what);
  if (entity.kind == Entity::Function || entity.kind == Entity::Builtin)
    error.help(fmt::format("call it: `{}(...)`", shortened(range.text())));
  if (entity.kind == Entity::Field)
    error.help("a `train` names the fields it uses: `train on data(x, y)`");
  return poison(range);
}

} // namespace gradus::typed
