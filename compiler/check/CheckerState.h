// What the parts of the checker share: the program under construction, the
// files, and resolution of declarations on demand. Internal to check.
#pragma once

#include "compiler/DiagnosticKinds.h"
#include "compiler/check/Checker.h"
#include "compiler/check/Scope.h"

#include <deque>
#include <set>

namespace gradus::typed {

class CheckerState {
public:
  CheckerState(const CheckOptions &options, SourceManager &sources,
               Diagnostics &diagnostics);

  /// Everything of a file; its imports first. The prelude is a file without
  /// imports.
  void checkMain(const ast::File &file);
  /// After a DimTooComplex.
  void reportComplexDim();
  std::unique_ptr<Program> take() { return std::move(program); }

  // Declarations, checked when they are first needed. Null after an error.
  const Symbol *resolveDim(Declaration &declaration);
  const Const *resolveConst(Declaration &declaration);
  const Data *resolveData(Declaration &declaration);
  const Param *resolveParam(Declaration &declaration);
  const State *resolveState(Declaration &declaration);
  const LayerDecl *resolveLayer(Declaration &declaration);
  /// Generics, config and the names of the members.
  ModuleScope *resolveModule(Declaration &declaration);
  /// With its body.
  const Function *resolveFunction(Declaration &declaration);
  const Optimizer *resolveOptimizer(Declaration &declaration);
  ModuleScope &scopeOf(const Module &module) {
    return *scopeOfModule.at(&module);
  }

  /// How many numbers the parameters of an instance hold, in terms of the
  /// generics of its module.
  Dim parameterCount(const ModuleScope &scope);

  /// Bounds how deep a declaration leads into others and into expressions, so
  /// that no program overflows a stack: one for each that is resolved. It holds
  /// whether this is the first time. Nothing of it is undone by an exception,
  /// which then tells where it was thrown.
  class Resolving {
  public:
    Resolving(CheckerState &state, Declaration &declaration);
    ~Resolving();
    explicit operator bool() const { return isFirst; }

  private:
    CheckerState &state;
    Declaration &declaration;
    bool isFirst = false;
  };
  /// The same for a level of an expression or a block.
  class Level {
  public:
    explicit Level(CheckerState &state) : state(state) { ++state.level; }
    ~Level() { --state.level; }

  private:
    CheckerState &state;
  };

  /// A new symbol; ids follow the order of creation.
  const Symbol *makeSymbol(Symbol::Kind kind, std::string name,
                           int64_t value = 0, bool isAxis = false);
  /// The counter of a loop.
  const Symbol *makeCounter(const std::string &name, Interval interval);
  Expr *makeExpr(Type type, Range range, Expr::Node node) {
    return program->make(Expr{std::move(type), range, std::move(node)});
  }
  Local *makeLocal(Local::Kind kind, std::string name, Range range, Type type);

  /// "`for` loops are", "`state` is", ...: refuses a construct.
  Diagnostic &refuse(Range range, std::string_view construct);

  /// A named argument that does not exist.
  void reportParameter(const ast::Name &name,
                       const std::vector<std::string> &names);

  // Overrides of the command line.

  /// The expression that replaces the value of a const or dim; null if it keeps
  /// its own.
  const ast::Expr *overrideOf(const Declaration &declaration);
  /// The same for a setting of the main file's `train`.
  const ast::Expr *overrideOf(std::string_view setting);
  /// The same for argument `name` of the optimizer of the minimize at `index`
  /// of `minimizes`.
  const ast::Expr *
  overrideOfArgument(const std::string &name, size_t index,
                     const std::vector<const Optimizer *> &minimizes);

  Diagnostics &diagnostics;
  std::unique_ptr<Program> program;
  /// Locals that some statement assigns.
  std::set<const Local *> assigned;

private:
  // Files (Imports.cpp).
  /// Declares the names of a file, and before that those of its imports.
  FileScope *loadFile(const ast::File &file, bool isPrelude);
  void importFiles(FileScope &scope);
  FileScope *importFile(FileScope &scope, const ast::Import &import);
  void addAlias(FileScope &scope, const ast::Name &name, FileScope *file);
  /// Gives each file the shortest path that leads to it from `main`.
  void namePaths(FileScope &main);
  /// Two things may not be saved under one name.
  void checkPaths();
  void declare(ModuleScope &scope, const ast::Name &name,
               Declaration::Kind kind, const ast::Decl &decl, size_t item = 0);
  void declareMembers(ModuleScope &scope,
                      const std::vector<ast::DeclPtr> &members);
  void checkFile(FileScope &scope);
  void checkMembers(ModuleScope &scope);
  void checkModuleBody(ModuleScope &scope);
  void checkTrains(FileScope &scope, bool isMain);
  void chooseTrain(const Module &main);
  const Train *checkTrain(FileScope &scope, const ast::Decl &decl, bool isMain);
  /// False if it is done already, or reports that it needs itself.
  bool begin(Declaration &declaration);
  /// Something of this depth is used here.
  void leadTo(unsigned depth);
  void reportDepth(Range range);
  /// Layers, once each module is written out wherever it is used.
  void checkSize();

  void readOverrides();
  /// Finds the const or dim that each override means.
  void bindOverrides(const FileScope &main);
  void reportUnusedOverrides();

  struct ParsedOverride {
    std::string key;
    ast::ExprPtr value;
    const Declaration *target = nullptr;
    bool isUsed = false;
    /// An error has been reported.
    bool isReported = false;
  };

  const CheckOptions &options;
  SourceManager &sources;
  unsigned symbolCount = 0;
  /// What is being checked: a declaration, or a `train`.
  struct Open {
    Range place;
    /// At its start.
    unsigned level;
    /// How much deeper it has led so far.
    unsigned depth = 0;
  };
  std::vector<Open> open;
  unsigned level = 0;
  std::deque<Declaration> declarations;
  std::deque<FileScope> files;
  std::deque<ModuleScope> modules;
  std::map<const Module *, ModuleScope *> scopeOfModule;
  std::map<const ModuleScope *, Dim> parameterCounts;
  std::map<std::string, FileScope *> fileOfPath;
  std::set<std::string> filesInProgress;
  std::vector<std::unique_ptr<ast::File>> trees;
  std::vector<ParsedOverride> overrides;
  std::vector<std::string> optimizerArguments;
  FileScope *prelude = nullptr;
  /// Imported files before the files that import them, the prelude first.
  std::vector<FileScope *> loaded;
};

/// The text of std.nn.

/// "1 argument", "3 arguments".
std::string count(size_t number, std::string_view what);

} // namespace gradus::typed
