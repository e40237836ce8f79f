// Names and what they mean: declarations of a file or module, resolved on
// demand because they stand in any order. Internal to check.
#pragma once

#include "compiler/ast/Ast.h"
#include "compiler/check/TypedAst.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::typed {

struct ModuleScope;
struct FileScope;

/// One declared name. What it was resolved to stands in the field of its kind;
/// that is null before, and after an error, which has been reported.
struct Declaration {
  enum Kind : uint8_t {
    Dim,
    Const,
    Data,
    Param,
    State,
    Layer,
    Module,
    Function,
    Optimizer
  } kind = Dim;
  enum Progress : uint8_t { Untouched, InProgress, Done } progress = Untouched;
  const ast::Name *name = nullptr;
  const ast::Decl *decl = nullptr;
  /// Of `Dims::items`.
  size_t item = 0;
  /// How many levels of expressions and other declarations it leads to.
  unsigned depth = 0;
  ModuleScope *owner = nullptr;

  const Symbol *dim = nullptr;
  const typed::Const *constant = nullptr;
  const typed::Data *data = nullptr;
  const typed::Param *param = nullptr;
  const typed::State *state = nullptr;
  const LayerDecl *layer = nullptr;
  ModuleScope *module = nullptr;
  const typed::Function *function = nullptr;
  const typed::Optimizer *optimizer = nullptr;

  /// `a layer`, `a function`, ...
  std::string_view what() const;
  /// What the main file calls it: `fc`, `base.fc`.
  std::string path() const;
};

using Declarations = std::map<std::string, Declaration *, std::less<>>;

/// The names inside a module.
struct ModuleScope {
  Module *module = nullptr;
  FileScope *file = nullptr;
  /// Null for a file.
  const ast::Module *ast = nullptr;
  Declarations members;
  /// In the order of the text.
  std::vector<Declaration *> order;
  std::map<std::string, const Symbol *, std::less<>> generics;
  std::map<std::string, Local *, std::less<>> config;
};

/// `base` of `import "base.nn" as base`.
struct Alias {
  const ast::Name *name = nullptr;
  /// Null if it could not be read.
  FileScope *file = nullptr;
};

/// The names inside a file.
struct FileScope : ModuleScope {
  const ast::File *tree = nullptr;
  /// Files whose exported names are known as they are; the prelude last.
  std::vector<FileScope *> imports;
  /// Files imported `as` a name.
  std::map<std::string, Alias, std::less<>> aliases;
  bool isPrelude = false;
  /// A declaration could not be read, so names may be missing.
  bool isBroken = false;
};

/// The candidate a misspelt name most likely means; empty if none is close.
/// Besides small edit distances it knows initials: `learning_rate` is `lr`.
std::string nearest(std::string_view name,
                    const std::vector<std::string> &candidates);

/// Number of insertions, deletions, changes and swaps of neighbours between two
/// words.
unsigned editDistance(std::string_view a, std::string_view b);

} // namespace gradus::typed
