// Files: what an import means, and the path of every file from the main one,
// which names its parameters in weights and its constants on the command line.
#include "compiler/ast/Parser.h"
#include "compiler/check/CheckerState.h"

#include <algorithm>
#include <filesystem>

namespace gradus::typed {

static std::string identityOf(const std::string &path) {
  std::error_code error;
  auto canonical = std::filesystem::weakly_canonical(path, error);
  return error ? path : canonical.string();
}

// A file that is imported twice, by whatever way of writing its path, is one
// file. Null after an error.
FileScope *CheckerState::importFile(FileScope &scope,
                                    const ast::Import &import) {
  namespace fs = std::filesystem;
  fs::path folder = fs::path(scope.tree->source->name()).parent_path();
  std::string path = (folder / import.path).string();
  fs::path importing = fs::path(scope.tree->source->name()).lexically_normal();
  auto moved = options.moved.find({importing.string(), import.path});
  if (moved != options.moved.end())
    path = moved->second;
  std::string identity = identityOf(path);
  if (filesInProgress.contains(identity)) {
    diagnostics.report(diag::ImportCycle, import.pathRange, import.path);
    return nullptr;
  }
  if (auto found = fileOfPath.find(identity); found != fileOfPath.end())
    return found->second;
  constexpr size_t deepest = 256;
  if (filesInProgress.size() > deepest) {
    diagnostics.report(diag::TooDeep, import.pathRange, deepest);
    scope.isBroken = true;
    return nullptr;
  }
  fileOfPath[identity] = nullptr;
  const Source *source = sources.load(path, diagnostics, import.pathRange);
  if (!source) {
    scope.isBroken = true;
    return nullptr;
  }
  trees.push_back(parse(*source, diagnostics));
  FileScope *file = loadFile(*trees.back(), /*isPrelude=*/false);
  fileOfPath[identity] = file;
  scope.isBroken |= file->isBroken;
  return file;
}

void CheckerState::addAlias(FileScope &scope, const ast::Name &name,
                            FileScope *file) {
  auto [known, isNew] = scope.aliases.emplace(name.text, Alias{&name, file});
  if (!isNew)
    diagnostics.report(diag::DeclaredTwice, name.range, name.text)
        .label(known->second.name->range, "the name of another import");
}

void CheckerState::importFiles(FileScope &scope) {
  for (const auto &decl : scope.tree->declarations) {
    auto *import = decl->as<ast::Import>();
    if (!import || decl->broken)
      continue;
    FileScope *file = importFile(scope, *import);
    if (file)
      scope.module->imports.emplace_back(import->path, file->module);
    if (import->alias)
      addAlias(scope, *import->alias, file);
    else if (file &&
             std::ranges::find(scope.imports, file) == scope.imports.end())
      scope.imports.push_back(file);
  }
  for (const auto &[text, alias] : scope.aliases)
    for (const FileScope *import : scope.imports)
      if (auto other = import->members.find(text);
          other != import->members.end() && other->second->decl->exported)
        diagnostics.report(diag::DeclaredTwice, alias.name->range, text)
            .label(other->second->name->range, "imported from here");
  if (prelude)
    scope.imports.push_back(prelude);
}

FileScope *CheckerState::loadFile(const ast::File &file, bool isPrelude) {
  FileScope &scope = files.emplace_back();
  scope.file = &scope;
  scope.tree = &file;
  scope.isPrelude = isPrelude;
  Module module;
  module.name = std::filesystem::path(file.source->name()).stem().string();
  module.source = file.source;
  module.isFile = true;
  scope.module = program->make(std::move(module));
  scopeOfModule[scope.module] = &scope;
  if (!isPrelude) {
    std::string identity = identityOf(file.source->name());
    filesInProgress.insert(identity);
    importFiles(scope);
    filesInProgress.erase(identity);
  }
  declareMembers(scope, file.declarations);
  loaded.push_back(&scope);
  return &scope;
}

void CheckerState::namePaths(FileScope &main) {
  std::set<const FileScope *> named = {&main, prelude};
  std::vector<FileScope *> level = {&main};
  while (!level.empty()) {
    std::vector<FileScope *> next;
    for (FileScope *from : level) {
      auto reach = [&](FileScope *file, std::string path) {
        if (!file || !named.insert(file).second)
          return;
        file->module->path = std::move(path);
        next.push_back(file);
      };
      const std::string &path = from->module->path;
      for (FileScope *import : from->imports)
        reach(import, path);
      for (const auto &[name, alias] : from->aliases)
        reach(alias.file, path.empty() ? name : path + "." + name);
    }
    level = std::move(next);
  }
}

void CheckerState::checkPaths() {
  if (diagnostics.hasErrors())
    return;
  std::map<std::string, const Declaration *> models, data;
  std::set<std::string> filePaths;
  for (const FileScope &file : files)
    filePaths.insert(file.module->path);
  for (const FileScope *file : loaded)
    for (const Declaration *declaration : file->order) {
      bool isData = declaration->kind == Declaration::Data;
      if (!isData && declaration->kind != Declaration::Param &&
          declaration->kind != Declaration::State &&
          declaration->kind != Declaration::Layer)
        continue;
      std::string path = declaration->path();
      auto [other, isNew] = (isData ? data : models).emplace(path, declaration);
      bool isFile = !isData && filePaths.contains(path);
      if (isNew && !isFile)
        continue;
      Diagnostic &error =
          diagnostics.report(diag::PathTwice, declaration->name->range, path);
      if (isNew)
        error.note(fmt::format("an imported file is called `{}` too", path));
      else
        error.label(other->second->name->range, "the other one");
      error.note("weights are saved under these names");
      error.help("import one of the files under a name: `import \"...\" as "
                 "base`");
    }
}

} // namespace gradus::typed
