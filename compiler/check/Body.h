// Checks what stands inside a declaration: dims, types, expressions,
// statements. One Body per function, optimizer step, train, or constant
// expression. Its methods are spread over Check*.cpp by what they check.
// Internal to check.
#pragma once

#include "compiler/check/CheckerState.h"
#include "compiler/check/Shapes.h"

#include <optional>
#include <span>

namespace gradus::typed {

/// What a name or a chain of members means.
struct Entity {
  enum Kind : uint8_t {
    /// Reported already.
    Unknown,
    Local,
    Dim,
    Pack,
    Const,
    Param,
    State,
    /// One instance of a module, or an array of them.
    Layer,
    /// `net.params` and `net.size`.
    AllParams,
    Size,
    Function,
    Module,
    Optimizer,
    Data,
    /// `base` of `import "base.nn" as base`.
    File,
    Field,
    Statistic,
    Scalar,
    Builtin,
    /// `real`, `u8`, ...: converts when it is called.
    Element,
    /// `normal`, ...: only behind `~`.
    Distribution,
    /// Something whose value is known: `x` in `x.T`.
    Value
  } kind = Unknown;
  typed::Local *local = nullptr;
  const Symbol *symbol = nullptr;
  const typed::Const *constant = nullptr;
  InstancePath instance;
  const typed::Param *param = nullptr;
  const typed::State *state = nullptr;
  const LayerDecl *layer = nullptr;
  /// Of `net.size` and `net.params`.
  typed::Dim size;
  const typed::Function *function = nullptr;
  /// Of a module or optimizer, which are not resolved by being named.
  Declaration *declaration = nullptr;
  const typed::Data *data = nullptr;
  /// Null if it could not be read.
  const FileScope *file = nullptr;
  unsigned field = 0;
  typed::Statistic statistic = typed::Statistic::Mean;
  typed::Scalar scalar = typed::Scalar::Pi;
  typed::Builtin builtin = typed::Builtin::Add;
  ElementType element = ElementType::Real;
  /// "a layer", ...; for messages.
  std::string_view what;
};

/// An argument as it is written; the value of a pipe is the first one.
struct CallArgument {
  const ast::Name *name = nullptr;
  const ast::Expr *tree = nullptr;
  /// Where to point at.
  Range range;
  /// Once it is checked.
  const Expr *value = nullptr;
};

struct CallSite {
  Range range;
  Range calleeRange;
  std::vector<CallArgument> arguments;

  std::string name() const { return std::string(calleeRange.text()); }
};

class Body {
public:
  enum Purpose : uint8_t {
    /// Values of constants and dims, starts of parameters, defaults.
    Constant,
    Function,
    /// Of an optimizer.
    Step,
    /// An argument of an optimizer in a `train`.
    Schedule,
    Train
  };
  Body(CheckerState &state, ModuleScope &scope, Purpose purpose,
       std::vector<Requirement> *requirements)
      : state(state), scope(scope), purpose(purpose),
        requirements(requirements) {}

  // Names (CheckNames.cpp).
  void addGenerics(const std::vector<ast::Generic> &list,
                   std::vector<const Symbol *> &symbols);
  void addGeneric(const ast::Name &name, const Symbol *symbol);
  Local *declare(Local::Kind kind, const ast::Name &name, Type type);
  // Layers (CheckLayers.cpp). False after an error.
  bool layerDims(const ast::Index *tree, const ast::Expr &value,
                 LayerDecl &layer);
  bool layerSettings(const ast::Call *tree, const ast::Expr &value,
                     LayerDecl &layer);
  /// Reports a local name that is used already.
  void claim(const ast::Name &name);
  Entity entity(const ast::Expr &expr);
  const Expr *entityValue(const Entity &entity, const ast::Expr &expr);

  // Dims, types and what they require (CheckTypes.cpp).
  std::optional<Dim> dim(const ast::Expr &expr);
  /// A dim that is the size of an axis: at least 1.
  std::optional<Dim> size(const ast::Expr &expr);
  /// Reports it.
  bool isTooLarge(const Dim &dim, const ast::Expr &expr);
  Type type(const ast::Type &type);
  std::optional<Axis> axis(const ast::Expr &expr);
  /// False if it is refuted. What is neither proved nor refuted joins the
  /// requirements.
  bool require(const Dim &left, Relation relation, const Dim &right,
               Range range);
  /// The same for what a comparison of shapes left open.
  void require(const std::vector<DeferredEquality> &equalities, Range range);
  void reportRequirement(const Requirement &requirement,
                         const Substitution &all, Range range,
                         std::string_view callee);
  /// `requires` of a declaration.
  void addRequirement(const ast::Expr &expr);

  // Expressions. Null is never returned: after an error the type is poison.
  // (CheckExpressions.cpp, CheckOperators.cpp)
  /// A literal may still be weak.
  const Expr *value(const ast::Expr &expr);
  /// Weak numbers become real.
  const Expr *strong(const ast::Expr &expr);
  const Expr *strong(const Expr *expr);
  /// A value for a declared type; a scalar is spread. `name` for messages.
  const Expr *declared(const ast::Expr &expr, const Type &type,
                       std::string_view name);
  const Expr *declared(const Expr *found, Range range, const Type &type,
                       std::string_view name);
  /// A real scalar. `name` for messages.
  const Expr *realScalar(const ast::Expr &expr, std::string_view name);
  const Expr *poison(Range range);
  /// A weak expression as an expression of an element type.
  const Expr *adapt(const Expr *expr, ElementType element, const Dim &bound);

  // Parameters of modules and optimizers (CheckModules.cpp).
  Type configType(const ast::Parameter &parameter, bool takesBool);
  const Expr *configValue(const ast::Parameter &parameter, const Type &type);
  const Expr *wholeValue(const ast::Expr &expr);
  /// The type of a parameter that is a tuple or a function, where it may be
  /// one.
  Type compoundParameter(const ast::Parameter &parameter, const ast::Fn &tree,
                         const ast::Decl &decl, const Type &type);

  // Statements (CheckStatements.cpp).
  void statements(const ast::Block &block, std::vector<Statement> &out);
  /// A body written as `= expr`.
  void resultExpression(const ast::Expr &expr, std::vector<Statement> &out);
  void letStatement(const ast::Let &let, Range range,
                    std::vector<Statement> &out);
  void letTuple(const ast::LetTuple &let, Range range,
                std::vector<Statement> &out);
  void backward(const ast::Backward &tree, typed::Function &function);
  /// What an `extern fn` does.
  void externCall(const ast::Library &tree, typed::Function &function);

  /// `normal(0, 0.01)` of a parameter: its arguments are real scalars that are
  /// fixed by dims and config. Nothing after an error.
  std::optional<typed::Distribution> distribution(const ast::Expr &expr);

  /// The function whose body this is, for messages.
  std::string name;
  /// Type a `return` has to have; set by the first one if it is not declared.
  std::optional<Type> result;
  bool isResultDeclared = false;
  /// It has a derivative of its own, and sees nothing but its arguments.
  bool hasBackward = false;
  Range resultRange;

private:
  Entity elementEntity(const ast::Expr &expr, const ast::Index &tree,
                       Entity array);
  Entity layerMember(const Entity &layer, const ast::Member &member);
  /// Reports a subscript that is outside of an axis, or of an array.
  bool checkPosition(const Dim &at, const Dim &extent, Range range,
                     const std::string &what, const Dim &written);
  Dim countOf(const InstancePath &array) const;

  Entity nameEntity(const ast::Expr &expr, const std::string &text);
  Entity memberEntity(const ast::Expr &expr, const ast::Member &member);
  Entity declarationEntity(Declaration &declaration);
  std::vector<std::string> visibleNames() const;
  Entity missingMember(const ast::Member &member,
                       const std::vector<std::string> &candidates);
  Diagnostic &unknownName(Range range, const std::string &text);
  Entity fileMember(const FileScope *file, const ast::Member &member);

  const Expr *make(Type type, Range range, Expr::Node node) {
    return state.makeExpr(std::move(type), range, std::move(node));
  }

  // What `value` chooses from. A sum of thousands of terms is nested as deep,
  // so that the frames between one term and the next have to be small: what
  // needs room stays outside of them.
  [[gnu::noinline]] const Expr *member(const ast::Expr &expr,
                                       const ast::Member &tree);
  [[gnu::noinline]] const Expr *tuple(Range range, const ast::Tuple &tree);
  [[gnu::noinline]] const Expr *called(Range range, const ast::Call &tree);
  [[gnu::noinline]] const Expr *binary(const ast::Expr &expr,
                                       const ast::Binary &tree,
                                       const Expr *left, const Expr *right);

  // Operators.
  const Expr *unary(const ast::Expr &expr, const ast::Unary &tree);
  const Expr *binary(const ast::Expr &expr, const ast::Binary &tree);
  const Expr *elementwise(Builtin op, std::string_view name, Range opRange,
                          Range range, std::vector<const Expr *> operands,
                          std::optional<ElementType> result = std::nullopt);
  const Expr *arithmetic(Builtin op, std::string_view name, Range opRange,
                         Range range, const Expr *left, const Expr *right);
  const Expr *comparison(Builtin op, std::string_view name, Range opRange,
                         Range range, const Expr *left, const Expr *right);
  const Expr *matmul(Range opRange, Range range, const Expr *left,
                     const Expr *right);
  bool sameElement(std::string_view name, Range opRange, const Expr *&left,
                   const Expr *&right);
  bool isTensor(std::string_view name, const Expr *operand);
  bool isNumeric(std::string_view name, Range opRange, const Expr *operand,
                 bool needsReal);
  bool isBool(std::string_view name, const Expr *operand);
  /// Makes the shapes of all operands the same. False after an error.
  bool lineUp(std::string_view name, Range opRange,
              std::vector<const Expr *> &operands);
  const Expr *spread(const Expr *operand, const Shape &shape,
                     std::vector<unsigned> entries);

  // Calls (CheckCalls.cpp).
  const Expr *pipe(const ast::Expr &expr, const ast::Pipe &tree);
  const Expr *call(const ast::Expr &callee, CallSite site);
  const Expr *callFunction(const typed::Function *function,
                           const InstancePath &instance, CallSite &site);
  struct Matching;
  const Expr *callLocal(Local *function, CallSite &site);
  const Expr *functionArgument(Matching &matching, unsigned index);
  /// What runs when the entity is called, and in which instance.
  const typed::Function *calleeOf(const Entity &entity, const ast::Expr &expr);
  /// An elementwise builtin as a function.
  const typed::Function *builtinFunction(Builtin builtin, Range range);
  bool bindGenerics(const typed::Function &function, const Substitution &all,
                    Range range, std::string_view name,
                    std::vector<GenericBinding> &bindings);
  bool fitsType(const Type &wanted, const Type &found, Range range);
  bool matchArguments(Matching &matching);
  bool bindAxis(Matching &matching);
  std::optional<unsigned> axisEntry(Matching &matching, const Expr *&argument);
  bool checkArgument(Matching &matching, unsigned index);
  bool checkRequirements(const typed::Function &function,
                         const Substitution &all, Range range,
                         std::string_view name);
  void reportShape(Matching &matching, unsigned index,
                   std::optional<unsigned> differs);
  const Expr *valueOf(CallArgument &argument);
  const Expr *list(const ast::Expr &expr, const ast::List &tree);
  Substitution substitutionOf(const InstancePath &instance) const;

  // Builtins (CheckBuiltins.cpp, CheckReductions.cpp, CheckLayout.cpp,
  // CheckPadding.cpp).
  const Expr *callBuiltin(Builtin builtin, CallSite &site);
  /// Arguments by the names of parameters, separated by blanks; one with a
  /// default, `value=0`, may be missing and is then null.
  bool takeArguments(CallSite &site, std::string_view names,
                     std::vector<CallArgument *> &found,
                     bool takesAxes = false);
  const Expr *convert(ElementType element, CallSite &site);
  const Expr *reduction(Builtin op, CallSite &site);
  std::optional<std::vector<unsigned>>
  entriesFor(const CallSite &site, const Type &type, bool isOneAxis);
  /// One axis, which is no `..S`.
  std::optional<unsigned> oneEntry(const CallArgument &given, bool isByName,
                                   const Type &type);
  std::optional<unsigned> entryFor(bool isByName, const ast::Expr &tree,
                                   const Type &type);
  std::optional<int64_t> wholeNumber(const ast::Expr &expr);
  // CheckDerivatives.cpp.
  const Expr *derivative(Builtin op, CallSite &site, std::string_view names);
  std::optional<DerivativeTarget>
  derivativeTarget(Builtin op, const ast::Expr &tree, Type &type);
  /// Where a `v` stands, and that it has to be like x or y.
  struct DerivativeSite {
    Builtin op;
    Range opRange;
    std::string_view like;
    Range likeRange;
  };
  /// `v` of that type; null after an error.
  const Expr *along(const DerivativeSite &site, const Expr *v,
                    const Type &wanted);
  bool isAlong(const DerivativeSite &site, const Type &found, Range range,
               const Type &wanted);
  const Expr *reshape(const ast::Index &callee, CallSite &site);
  const Expr *creation(Builtin builtin, const ast::Expr &expr,
                       const ast::Index &tree);
  const Expr *concat(CallSite &site);
  const Expr *pick(CallSite &site);
  const Expr *pad(CallSite &site);
  const Expr *cumulativeSum(CallSite &site);
  std::optional<Dim> room(const CallArgument &given);

  // Behind `~` (CheckDraws.cpp).
  struct WrittenDistribution;
  std::optional<WrittenDistribution> writtenDistribution(const ast::Expr &expr);
  /// Reports a number that is none, if it is known and has to be one.
  bool isProbability(Distribution::Kind kind, const Expr &argument);
  const Expr *drawArgument(const ast::Expr &tree,
                           const WrittenDistribution &written, const Type &type,
                           const ast::Let &let);
  const Expr *draw(const ast::Let &let);

  // Matrices (CheckMatrices.cpp).
  bool isSquareMatrix(const CallSite &site, const Expr *operand);
  const Expr *solve(CallSite &site, std::string_view parameters);
  const Expr *cholesky(CallSite &site, std::string_view parameters);

  // Windows (CheckWindows.cpp).
  const Expr *convolve(Builtin builtin, CallSite &site,
                       std::string_view parameters);
  const Expr *pool(Builtin builtin, CallSite &site,
                   std::string_view parameters);
  std::optional<std::vector<Dim>> perAxis(const CallSite &site,
                                          const CallArgument *given,
                                          std::string_view name, size_t axes,
                                          int64_t least,
                                          const std::vector<Dim> &byDefault);
  std::optional<std::vector<Window>>
  windows(const CallSite &site, const Expr *operand,
          const std::vector<Dim> &sizes,
          const std::vector<CallArgument *> &settings,
          const std::vector<Dim> &strides);
  std::optional<Dim> positions(const CallSite &site, const Window &window,
                               const Expr *operand, size_t axis);
  bool hasLastAxes(const CallSite &site, const Expr *operand, size_t axes,
                   std::string_view what);
  /// `[i: 3]` where no index is declared.
  void refuseRange(const ast::Name &index, std::string_view where);
  std::optional<Shape> shapeArguments(const ast::Index &tree);

  // Subscripts (CheckSubscripts.cpp).
  struct Subscript;
  std::optional<bool> isFixed(const ast::Expr &expr);
  const Expr *index(const ast::Expr &expr, const ast::Index &tree);
  bool readSubscript(Subscript &subscript, const ast::Expr &tree,
                     const Expr *operand, unsigned entry);
  const Expr *slice(Range range, const Expr *operand,
                    const std::vector<Subscript> &subscripts);
  const Expr *gather(Range range, const Expr *operand,
                     const std::vector<Subscript> &subscripts);
  const Expr *at(Range range, const Expr *operand,
                 const std::vector<Subscript> &subscripts);
  bool takesValue(const Expr *index, const Expr *operand, unsigned entry);

  // Index notation (CheckIndex.cpp).
  /// An index of the `let` or a reduction around.
  struct OpenIndex {
    Local *local = nullptr;
    /// Of the `let`.
    bool isOnLeft = false;
    bool isExplicit = false;
    /// What gave its range; nothing while that is unknown.
    std::optional<Range> source;
  };
  /// A position that has to lie in [0, extent), an axis of `type`.
  struct IndexUse {
    Affine position;
    /// Instead: whole numbers with quotients, not yet of a type of their own.
    const Expr *form = nullptr;
    Dim extent;
    Range range;
    Type type;
  };
  Local *openIndex(const ast::Name &name, const ast::Expr *extent,
                   bool isOnLeft);
  /// Gives the number of errors so far, for `leaveIndices`.
  size_t enterIndices();
  /// False if one of them has no range, or one is used beyond its axis, or
  /// after any other error since they were entered.
  bool leaveIndices(const std::vector<Local *> &indices, size_t errors);
  /// The index alone is a subscript.
  bool useBare(const Local *index, const IndexUse &use);
  bool isInRange(const IndexUse &use);
  struct Reach {
    Dim least, most;
  };
  /// How far whole numbers made of indices reach; nothing if that is not known.
  std::optional<Reach> reachOf(const Expr &expr);
  /// `i // c` and `i % c`.
  const Expr *indexQuotient(const ast::Expr &expr, const ast::Binary &tree,
                            const Expr *left, const Expr *right);
  /// A sum of indices and dims; nothing if it is of another form, which is no
  /// error.
  std::optional<Affine> affine(const ast::Expr &expr);
  /// Whether all that depends on an index is one number. False after an error.
  bool isOneNumber(const Expr *element);
  const Expr *forEach(const ast::Let &let);
  /// `let z[i: B] ~ normal(m[i], 1)`: a number for each index.
  const Expr *drawForEach(const ast::Let &let);
  const Expr *indexReduction(Builtin op, const ast::Index &callee,
                             CallSite &site);

  // Statements.
  void statement(const ast::Stmt &stmt, std::vector<Statement> &out);
  void assign(const ast::Assign &tree, Range range,
              std::vector<Statement> &out);
  void assignState(const ast::Assign &tree, const Entity &target, Range range,
                   std::vector<Statement> &out);
  /// The value for a variable of a type; null after an error.
  const Expr *newValue(const ast::Assign &tree, const Type &type,
                       Range declaration, bool isVar);
  void ifStatement(const ast::If &tree, Range range,
                   std::vector<Statement> &out);
  // (CheckLoops.cpp)
  std::optional<For> loop(const ast::For &tree, bool isValue);
  std::optional<Interval> interval(const ast::For &tree, bool isValue);
  const Expr *loopValue(const ast::Let &let);
  bool liftOverLoops(Requirement &needed) const;
  void returnValue(const ast::Expr &expr, Range range,
                   std::vector<Statement> &out);
  void gradAssign(const ast::GradAssign &tree, Range range,
                  std::vector<Statement> &out);

  CheckerState &state;
  ModuleScope &scope;
  Purpose purpose;
  std::vector<Requirement> *requirements;
  std::map<std::string, const Symbol *, std::less<>> generics;
  /// Those of the outermost `let` or reduction and all within.
  std::vector<OpenIndex> openIndices;
  std::vector<IndexUse> indexUses;
  unsigned indexDepth = 0;
  std::vector<std::map<std::string, Local *, std::less<>>> blocks = {{}};
  /// Every local name of the body and where it was declared.
  std::map<std::string, Range> usedNames;
  /// The counters and elements of the loops around.
  std::map<std::string, Entity, std::less<>> loopNames;
  /// Whether all loops around run at least once.
  bool loopsRun = true;
  /// How many branches of `if` are around within the outermost loop.
  unsigned conditions = 0;
  /// How many of those around are taken only while training.
  unsigned trainingBranches = 0;
  /// The `yield` of the innermost loop that is a value, and what it yields.
  const ast::Yield *yield = nullptr;
  const Expr *yielded = nullptr;
  /// Where the statement that is being checked will stand.
  std::vector<Statement> *current = nullptr;
  /// Calls by the name of what is called.
  std::map<std::string, unsigned> callCounts;
  /// Set while a `backward` is checked.
  typed::Function *backwardOf = nullptr;
};

/// Whether the last statement that runs is always a Return.
bool alwaysReturns(const std::vector<Statement> &statements);

/// A text of the source, shortened if it is long, for headlines.
std::string shortened(std::string_view text);

/// An expression with `.T` or the like behind it, in parentheses if it needs
/// them, and how to make that of it.
struct Suffixed {
  std::string text;
  std::vector<Edit> edits;
};
Suffixed suffixed(const Expr &expr, std::string_view suffix);

} // namespace gradus::typed
