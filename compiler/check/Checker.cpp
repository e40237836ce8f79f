// What files declare, and the order of checking. Next: Imports.cpp, the files.
#include "compiler/check/Checker.h"
#include "compiler/ast/Parser.h"
#include "compiler/check/CheckerState.h"

#include <algorithm>
#include <exception>

namespace gradus {

namespace typed {

std::string count(size_t number, std::string_view what) {
  if (number == 1)
    return fmt::format("1 {}", what);
  return what == "axis" ? fmt::format("{} axes", number)
                        : fmt::format("{} {}s", number, what);
}

const char *str(Scalar scalar) {
  switch (scalar) {
  case Scalar::T:
    return "t";
  case Scalar::Epoch:
    return "epoch";
  case Scalar::Steps:
    return "steps";
  case Scalar::Pi:
    return "pi";
  case Scalar::Inf:
    return "inf";
  case Scalar::Training:
    return "training";
  }
  return "";
}

const char *str(Statistic statistic) {
  switch (statistic) {
  case Statistic::Mean:
    return "mean";
  case Statistic::Std:
    return "std";
  case Statistic::Min:
    return "min";
  case Statistic::Max:
    return "max";
  }
  return "";
}

const char *str(Distribution::Kind kind) {
  switch (kind) {
  case Distribution::Normal:
    return "normal";
  case Distribution::Uniform:
    return "uniform";
  case Distribution::Bernoulli:
    return "bernoulli";
  case Distribution::He:
    return "he";
  case Distribution::Xavier:
    return "xavier";
  }
  return "";
}

CheckerState::CheckerState(const CheckOptions &options, SourceManager &sources,
                           Diagnostics &diagnostics)
    : diagnostics(diagnostics), program(std::make_unique<Program>()),
      options(options), sources(sources) {}

const Symbol *CheckerState::makeSymbol(Symbol::Kind kind, std::string name,
                                       int64_t value, bool isAxis) {
  Symbol symbol;
  symbol.kind = kind;
  symbol.name = std::move(name);
  symbol.id = ++symbolCount;
  symbol.value = value;
  symbol.isAxis = isAxis;
  return program->make(std::move(symbol));
}

const Symbol *CheckerState::makeCounter(const std::string &name,
                                        Interval interval) {
  Symbol symbol;
  symbol.kind = Symbol::Counter;
  symbol.name = name;
  symbol.id = ++symbolCount;
  symbol.interval = std::make_shared<const Interval>(std::move(interval));
  return program->make(std::move(symbol));
}

Local *CheckerState::makeLocal(Local::Kind kind, std::string name, Range range,
                               Type type) {
  return program->make(
      Local{kind, std::move(name), range, std::move(type), false});
}

Diagnostic &CheckerState::refuse(Range range, std::string_view construct) {
  return diagnostics.report(diag::NotSupportedYet, range, construct);
}

void CheckerState::reportParameter(const ast::Name &name,
                                   const std::vector<std::string> &names) {
  Diagnostic &error =
      diagnostics.report(diag::UnknownParameter, name.range, name.text);
  std::string near = nearest(name.text, names);
  if (!near.empty())
    error.meant(near);
  else if (!names.empty())
    error.help(fmt::format("there are: {}", fmt::join(names, ", ")));
}

/// Levels that a declaration counts for, beside its expressions.
static constexpr unsigned levelsOfDeclaration = 4, deepestLevel = 2048;

void CheckerState::reportComplexDim() {
  Range place = open.empty() ? Range() : open.back().place;
  diagnostics.report(diag::DimTooComplex, place)
      .help("give products of sums names of their own: `[N]` instead of "
            "`[(A + 1) * (B + 1)]`");
}

void CheckerState::reportDepth(Range range) {
  diagnostics.report(diag::TooDeep, range, deepestLevel)
      .here("needs others, which need others, and so on");
}

void CheckerState::leadTo(unsigned depth) {
  if (open.empty())
    return;
  depth += level - open.back().level;
  if (depth <= deepestLevel)
    open.back().depth = std::max(open.back().depth, depth);
  else
    reportDepth(open.back().place);
}

CheckerState::Resolving::Resolving(CheckerState &state,
                                   Declaration &declaration)
    : state(state), declaration(declaration) {
  if (declaration.progress == Declaration::Untouched &&
      state.level > deepestLevel) {
    state.reportDepth(declaration.name->range);
    declaration.progress = Declaration::Done;
  }
  isFirst = state.begin(declaration);
  if (!isFirst) {
    state.leadTo(declaration.depth);
    return;
  }
  state.open.push_back({declaration.name->range, state.level});
  state.level += levelsOfDeclaration;
}

CheckerState::Resolving::~Resolving() {
  if (!isFirst || std::uncaught_exceptions())
    return;
  declaration.progress = Declaration::Done;
  declaration.depth = state.open.back().depth;
  state.level -= levelsOfDeclaration;
  state.open.pop_back();
  state.leadTo(declaration.depth);
}

bool CheckerState::begin(Declaration &declaration) {
  if (declaration.progress == Declaration::Done)
    return false;
  if (declaration.progress == Declaration::InProgress) {
    Diagnostic &error = diagnostics.report(
        diag::DefinedByItself, declaration.name->range, declaration.name->text);
    if (declaration.kind == Declaration::Function)
      error.note("functions are inlined, so none may call itself");
    declaration.progress = Declaration::Done;
    return false;
  }
  declaration.progress = Declaration::InProgress;
  return true;
}

void CheckerState::declare(ModuleScope &scope, const ast::Name &name,
                           Declaration::Kind kind, const ast::Decl &decl,
                           size_t item) {
  Declaration &declaration = declarations.emplace_back();
  declaration.kind = kind;
  declaration.name = &name;
  declaration.decl = &decl;
  declaration.item = item;
  declaration.owner = &scope;
  scope.order.push_back(&declaration);
  auto [found, isNew] = scope.members.emplace(name.text, &declaration);
  if (!isNew) {
    diagnostics.report(diag::DeclaredTwice, name.range, name.text)
        .label(found->second->name->range, "declared here first");
    return;
  }
  if (scope.ast)
    return;
  if (auto alias = scope.file->aliases.find(name.text);
      alias != scope.file->aliases.end())
    diagnostics.report(diag::DeclaredTwice, name.range, name.text)
        .label(alias->second.name->range, "the name of an import");
  for (const FileScope *import : scope.file->imports) {
    auto other = import->members.find(name.text);
    if (!import->isPrelude && other != import->members.end() &&
        other->second->decl->exported)
      diagnostics.report(diag::DeclaredTwice, name.range, name.text)
          .label(other->second->name->range, "imported from here");
  }
}

void CheckerState::declareMembers(ModuleScope &scope,
                                  const std::vector<ast::DeclPtr> &members) {
  for (const auto &decl : members) {
    if (auto *dims = decl->as<ast::Dims>())
      for (size_t i = 0; i < dims->items.size(); ++i)
        declare(scope, dims->items[i].name, Declaration::Dim, *decl, i);
    else if (auto *constant = decl->as<ast::Const>())
      declare(scope, constant->name, Declaration::Const, *decl);
    else if (auto *data = decl->as<ast::Data>())
      declare(scope, data->name, Declaration::Data, *decl);
    else if (auto *param = decl->as<ast::Param>())
      declare(scope, param->name, Declaration::Param, *decl);
    else if (auto *state = decl->as<ast::State>())
      declare(scope, state->name, Declaration::State, *decl);
    else if (auto *layer = decl->as<ast::Layer>())
      declare(scope, layer->name, Declaration::Layer, *decl);
    else if (auto *module = decl->as<ast::Module>())
      declare(scope, module->name, Declaration::Module, *decl);
    else if (auto *fn = decl->as<ast::Fn>())
      declare(scope, fn->name, Declaration::Function, *decl);
    else if (auto *optimizer = decl->as<ast::Optimizer>())
      declare(scope, optimizer->name, Declaration::Optimizer, *decl);
    else if (decl->as<ast::Invalid>())
      scope.file->isBroken = true;
  }
}

// The members in the order of the text; what they need is resolved first.
void CheckerState::checkMembers(ModuleScope &scope) {
  for (Declaration *declaration : scope.order) {
    if (diagnostics.isFull())
      return;
    Module &module = *scope.module;
    switch (declaration->kind) {
    case Declaration::Dim:
      if (const Symbol *dim = resolveDim(*declaration))
        program->dims.push_back(dim);
      break;
    case Declaration::Const:
      if (const Const *constant = resolveConst(*declaration))
        program->constants.push_back(constant);
      break;
    case Declaration::Data:
      if (const Data *data = resolveData(*declaration))
        program->data.push_back(data);
      break;
    case Declaration::Param:
      if (const Param *param = resolveParam(*declaration))
        module.params.push_back(param);
      break;
    case Declaration::State:
      if (const State *state = resolveState(*declaration))
        module.states.push_back(state);
      break;
    case Declaration::Layer:
      if (const LayerDecl *layer = resolveLayer(*declaration))
        module.layers.push_back(layer);
      break;
    case Declaration::Module:
      if (ModuleScope *inner = resolveModule(*declaration)) {
        checkMembers(*inner);
        program->modules.push_back(inner->module);
      }
      break;
    case Declaration::Function:
      if (const Function *function = resolveFunction(*declaration))
        module.functions.push_back(function);
      break;
    case Declaration::Optimizer:
      if (const Optimizer *optimizer = resolveOptimizer(*declaration))
        program->optimizers.push_back(optimizer);
      break;
    }
  }
}

// The `train`s of an imported file are checked like the rest of it, but only
// those of the main file are run.
void CheckerState::checkTrains(FileScope &scope, bool isMain) {
  std::vector<const ast::Decl *> all;
  for (const auto &decl : scope.tree->declarations)
    if (decl->as<ast::Train>())
      all.push_back(decl.get());
  std::map<std::string, Range> names;
  for (const ast::Decl *decl : all) {
    const auto &tree = *decl->as<ast::Train>();
    if (tree.name) {
      auto [known, isNew] = names.emplace(tree.name->text, tree.name->range);
      if (!isNew)
        diagnostics
            .report(diag::DeclaredTwice, tree.name->range, tree.name->text)
            .label(known->second, "declared here first");
    } else if (all.size() > 1) {
      diagnostics.report(diag::TrainNeedsName, tree.keyword, all.size())
          .help("as in `train pretrain on ...`");
    }
    if (!decl->broken)
      scope.module->trains.push_back(checkTrain(scope, *decl, isMain));
  }
}

void CheckerState::chooseTrain(const Module &main) {
  program->trains = main.trains;
  std::vector<std::string> names;
  for (const Train *train : main.trains) {
    if (options.train.empty() || train->name == options.train) {
      program->train = train;
      return;
    }
    if (!train->name.empty())
      names.push_back(train->name);
  }
  if (options.train.empty())
    return;
  Diagnostic &error =
      diagnostics.report(diag::UnknownTrain, Range(), options.train);
  std::string near = nearest(options.train, names);
  if (!near.empty())
    error.meant(near);
  else if (!names.empty())
    error.help(fmt::format("there are: {}", fmt::join(names, ", ")));
}

void CheckerState::checkSize() {
  if (diagnostics.hasErrors())
    return;
  constexpr uint64_t most = 100000;
  std::map<const Module *, uint64_t> sizes;
  auto count = [&](auto &count, const Module *module) -> uint64_t {
    if (auto known = sizes.find(module); known != sizes.end())
      return known->second;
    uint64_t size = 1;
    for (const LayerDecl *layer : module->layers) {
      uint64_t times = 1;
      if (layer->count)
        times = std::clamp<int64_t>(layer->count->constant().value_or(1), 1,
                                    most + 1);
      size = std::min(size + times * count(count, layer->module), most + 1);
      if (size > most) {
        refuse(layer->range,
               fmt::format("a model of more than {} layers is", most));
        break;
      }
    }
    return sizes[module] = size;
  };
  for (const FileScope *file : loaded)
    if (count(count, file->module) > most)
      return;
}

void CheckerState::checkMain(const ast::File &file) {
  readOverrides();
  const Source &text = sources.add("std.nn", std::string(preludeText()));
  trees.push_back(parse(text, diagnostics));
  prelude = loadFile(*trees.back(), /*isPrelude=*/true);
  FileScope *main = loadFile(file, /*isPrelude=*/false);
  namePaths(*main);
  bindOverrides(*main);
  for (FileScope *scope : loaded) {
    checkMembers(*scope);
    checkTrains(*scope, scope == main);
    program->files.push_back(scope->module);
  }
  program->main = main->module;
  chooseTrain(*main->module);
  checkPaths();
  checkSize();
  reportUnusedOverrides();
}

} // namespace typed

std::unique_ptr<const typed::Program> check(const ast::File &file,
                                            const CheckOptions &options,
                                            SourceManager &sources,
                                            Diagnostics &diagnostics) {
  typed::CheckerState state(options, sources, diagnostics);
  try {
    state.checkMain(file);
  } catch (const typed::DimTooComplex &) {
    state.reportComplexDim();
  }
  if (diagnostics.hasErrors())
    return nullptr;
  return state.take();
}

} // namespace gradus
