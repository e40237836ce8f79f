// The typed AST: every expression with its symbolic type, nothing left
// implicit. Pipes, defaults and named arguments are gone, broadcasts and
// conversions are nodes, names point at what they mean. Function bodies stand
// once, in terms of their generics; `compiler/construct/` inlines them with
// numbers for every dim.
//
// Positions ("entries") count entries of Type::shape, where a pack is one
// entry. All nodes belong to a Program and live as long as it does.
#pragma once

#include "compiler/check/DerivativeNodes.h"
#include "compiler/check/IndexNodes.h"
#include "compiler/check/MatrixNodes.h"
#include "compiler/check/RandomNodes.h"
#include "compiler/check/StoredValues.h"
#include "compiler/check/TypedData.h"
#include "compiler/check/WindowNodes.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace gradus::typed {

struct Const;
struct Function;
struct LayerDecl;
struct Module;
struct Optimizer;
struct Statement;
struct Train;

/// The operators and builtin functions, one for each row of Builtins.def.
enum class Builtin : uint8_t {
#define BUILTIN(ID, NAME, CLASS, PARAMETERS, DOC) ID,
#include "compiler/check/Builtins.def"
};
/// As it is written: `+`, `exp`.
const char *str(Builtin builtin);
/// Whether it takes one number for each it gives, both real: `exp`, `abs`.
bool isElementwise(Builtin builtin);

/// A name that stands for a value inside a body.
struct Local {
  enum Kind : uint8_t {
    Let,
    Var,
    /// Of a function.
    Argument,
    /// Of a module, `eps` in `module LayerNorm[D](eps = 1e-5)`, or of an
    /// optimizer, `lr` in `adam(lr = 1e-3)`.
    Config,
    /// Of the data a `train` is on; the batch axis comes first.
    Field,
    /// `state` of an optimizer. A variable of `step`.
    Slot,
    /// The first parameter of `step`. A variable.
    Updated,
    /// The second parameter of `step`.
    Gradient,
    /// The third parameter of `step`, a function.
    Loss,
    /// `y` of `backward (y, dy)`.
    Result,
    /// `dy` of `backward (y, dy)`.
    Cotangent,
    /// `i` of `let y[i] = ...` and `sum[i](...)`: a weak whole number.
    Index
  } kind = Let;
  std::string name;
  Range range;
  Type type;
  /// Of an index: it runs from 0 to `extent - 1`.
  Dim extent;
  /// Some `grad(y, x)` names it as its x.
  bool isGradientTarget = false;
};

/// A literal, typed. A bool is 0 or 1.
struct Number {
  double value;
};
/// A dim as a scalar value.
struct DimValue {
  Dim dim;
};
/// A `const`; its value is `Const::value`.
struct ConstReference {
  const Const *constant;
};
struct LocalReference {
  Local *local;
};
enum class Statistic : uint8_t { Mean, Std, Min, Max };
const char *str(Statistic statistic);
/// `housing.x.mean`: over the training split, of the shape of one example.
struct StatisticReference {
  const Data *data;
  unsigned field;
  Statistic statistic;
};
enum class Scalar : uint8_t { T, Epoch, Steps, Pi, Inf, Training };
const char *str(Scalar scalar);
/// `t epoch steps pi inf` are real scalars, `training` is a bool that is known
/// when compiling.
struct ScalarReference {
  Scalar scalar;
};
/// `rank(x)`: number of axes, known once packs are bound.
struct Rank {
  const Expr *operand;
};

/// Operators and elementwise builtins; all operands have the shape of the
/// result. `where` is Select(condition, a, b).
struct Elementwise {
  Builtin op;
  std::vector<const Expr *> operands;
  /// Of the operator, or of the function's name.
  Range opRange = {};
};
/// The operand's entry i becomes the result's entry `entries[i]`; the other
/// entries of the result are new. A scalar has no entries.
struct Broadcast {
  const Expr *operand;
  std::vector<unsigned> entries;
};
/// To the element type of the result: `real(x)`; a bool becomes 0 or 1.
struct Convert {
  const Expr *operand;
};
/// Sum Mean MaxOf MinOf Prod Any All ArgMax ArgMin over these entries, in
/// ascending order.
struct Reduce {
  Builtin op;
  const Expr *operand;
  std::vector<unsigned> entries;
};
/// `a @ b`: the first `batch` entries of both are the same; one entry of each
/// is summed over. The result has the batch entries, then what is left of the
/// left, then what is left of the right.
struct Contract {
  const Expr *left, *right;
  unsigned batch, leftEntry, rightEntry;
};
/// `.T` of a matrix.
struct Transpose {
  const Expr *operand;
};
/// To the shape of the result, row major.
struct Reshape {
  const Expr *operand;
};
/// `pick(z, i)`: z[..S, C] and i: index(C)[..S] give [..S].
struct Pick {
  const Expr *operand, *index;
};
/// `one_hot(i)`: index(K)[..S] gives real[..S, K].
struct OneHot {
  const Expr *index;
};
/// Along one entry.
struct Concat {
  std::vector<const Expr *> operands;
  unsigned entry;
};
/// `pad(x, axis, before, after, value)`: along one entry, which is longer in
/// the result.
struct Pad {
  const Expr *operand;
  unsigned entry;
  Dim before;
  const Expr *value;
};
/// `cumsum(x)`: the sum of all elements up to each, along one entry.
struct CumulativeSum {
  const Expr *operand;
  unsigned entry;
};
/// `x[.., 0]`, `x[1..5]`: for each entry of the operand where it starts and,
/// unless it is dropped, how far it goes. A pack is always taken whole.
struct Slice {
  struct Part {
    Dim begin;
    /// A single index: the entry is missing in the result.
    bool isDropped = false;
  };
  const Expr *operand;
  std::vector<Part> parts;
};
/// `eye[N]`.
struct Eye {};
/// `iota[N]`: 0 to N - 1, of type index(N)[N].
struct Iota {};
/// A constant copy for derivatives.
struct Stop {
  const Expr *operand;
};
struct Tuple {
  std::vector<const Expr *> elements;
};

/// What a generic of the callee stands for, in the caller's terms.
struct GenericBinding {
  const Symbol *generic;
  /// For a pack.
  Shape pack;
  /// For any other.
  Dim dim;
};
struct Call {
  const Function *callee;
  /// Of the callee's module. Its generics are bound by the layers on the way.
  InstancePath instance;
  std::vector<GenericBinding> generics;
  /// In the order of the parameters, defaults filled in.
  std::vector<const Expr *> arguments;
  /// Among the calls in a body of what has that name, from 1.
  unsigned number = 0;
};

/// A function or a layer as an argument.
struct FunctionReference {
  const Function *callee;
  InstancePath instance;
  std::vector<GenericBinding> generics;
};
/// A call of a parameter that is a function.
struct CallLocal {
  Local *local;
  std::vector<const Expr *> arguments;
  unsigned number = 0;
};

/// The whole body of an `extern fn`: its C function, called with its arguments.
struct ExternCall {
  const Function *function;
  std::vector<const Expr *> arguments;
};

/// `for i in 0..N { ... }`: the statements for each number of the counter's
/// interval. A loop over an array of layers counts its elements.
struct For {
  Range keyword;
  const Symbol *counter;
  std::vector<Statement> body;
};
/// `for i in 0..N { ... yield y }`: the yields, each evaluated at the end of
/// its round, stacked on a new first axis.
struct Stack {
  For loop;
  const Expr *yield;
};

struct Expr {
  Type type;
  Range range;
  using Node =
      std::variant<Number, DimValue, ConstReference, LocalReference,
                   ParamReference, StateReference, AllParams,
                   StatisticReference, ScalarReference, Rank, Elementwise,
                   Broadcast, Convert, Reduce, Contract, Transpose, Reshape,
                   Pick, OneHot, Concat, Pad, CumulativeSum, Slice, Convolve,
                   Pool, Solve, Cholesky, Eye, Iota, Draw, Stop, Tuple, Call,
                   FunctionReference, CallLocal, ExternCall, Stack, Derivative,
                   ForEach, IndexReduce, At, Gather>;
  Node node;

  template <typename T> const T *as() const { return std::get_if<T>(&node); }
};

/// A relation that has to hold when a body is specialised: written as
/// `requires`, or deferred because symbols stand in the way.
struct Requirement {
  Dim left;
  Relation relation;
  Dim right;
  /// What needs it.
  Range range;

  /// `D % H == 0`.
  std::string str() const;
};

/// `let x = ...`, and `var x = ...` (the local's kind tells).
struct Let {
  Local *local;
  const Expr *value;
};
struct LetTuple {
  std::vector<Local *> locals;
  const Expr *value;
};
/// To a variable: a `var`, a slot, or the updated parameter.
struct Assign {
  Local *local;
  const Expr *value;
};
/// To a state of the model, under `if training`.
struct AssignState {
  StateReference target;
  const Expr *value;
};
struct Return {
  const Expr *value;
};
/// If the condition is known when compiling (`evaluate` in Constants.h), one of
/// the branches does not exist.
struct If {
  const Expr *condition;
  std::vector<Statement> then, otherwise;
};

/// What has to hold in this round of a loop.
struct Require {
  Requirement requirement;
};

struct Statement {
  Range range;
  std::variant<Let, LetTuple, Assign, AssignState, Return, If, For, Require>
      node;

  template <typename T> const T *as() const { return std::get_if<T>(&node); }
};

struct Backward {
  Range range;
  /// It is meant to differ from the true derivative.
  bool surrogate = false;
  Local *result = nullptr;
  Local *cotangent = nullptr;
  std::vector<Statement> statements;
  /// One per argument of the function, null where it is not real. Evaluated
  /// after the statements, with the forward locals in scope.
  std::vector<const Expr *> gradients;
};

/// Where the C function of an `extern fn` is.
struct Library {
  /// As written; a name without a slash may be one that the system knows.
  std::string path;
  Range range;
};

struct Function {
  std::string name;
  std::string doc;
  Range range;
  /// Whose member it is; a file for free functions.
  const Module *module = nullptr;
  bool isExported = false;
  std::vector<const Symbol *> generics;
  std::vector<Local *> arguments;
  /// Null where there is none.
  std::vector<const Expr *> defaults;
  Type result;
  std::vector<Requirement> requirements;
  /// The last one that runs is a Return.
  std::vector<Statement> statements;
  /// Of an `extern fn`, whose body is one ExternCall.
  std::optional<Library> library;
  std::optional<Backward> backward;

  /// Where the library of an `extern fn` is: its path as seen from the file
  /// that declares it.
  std::string libraryPath() const;
};

/// A scalar, evaluated: literals, overrides and other constants have no more
/// say in it.
struct Const {
  std::string name;
  /// `ridge`, or `base.ridge` of a file imported `as base`.
  std::string path;
  std::string doc;
  Range range;
  bool isExported = false;
  /// Weak unless a type is given.
  ElementType element = ElementType::WeakReal;
  double value = 0;
};

/// `layer fc1 = Linear[784, 256]`, `layer blocks[L] = Block`.
struct LayerDecl {
  std::string name;
  std::string doc;
  Range range;
  /// Of the expression `Linear[784, 256]`.
  Range valueRange;
  bool isExported = false;
  /// Of an array: how many, in terms of the enclosing module.
  std::optional<Dim> count;
  const Module *module = nullptr;
  /// One per generic of the module, in terms of the enclosing module.
  std::vector<Dim> dims;
  /// One per setting that is no whole number.
  std::vector<const Expr *> config;
};

/// `eps` in `module LayerNorm[D](eps = 1e-5)`, or `stride: int = 1`.
struct Setting {
  std::string name;
  /// One of the two; a whole number is one of the module's generics.
  Local *local = nullptr;
  const Symbol *whole = nullptr;
  /// Its default, if it has one.
  const Expr *value = nullptr;
  std::optional<Dim> dim;
};

/// A module, or a file: a module with one instance.
struct Module {
  /// Of a file: its name without folder and `.nn`.
  std::string name;
  std::string doc;
  Range range;
  /// Null for a module without parameters of its own source, never for files.
  const Source *source = nullptr;
  bool isFile = false;
  /// Of a file: what the main file calls it, `base` if it imports it so; its
  /// parameters are saved below that. Empty for the main file and for imports
  /// without `as`.
  std::string path;
  /// Of a file: the paths it imports, as they are written, and what they mean.
  std::vector<std::pair<std::string, const Module *>> imports;
  /// Of a file: its own. Only those of the main file are run.
  std::vector<const Train *> trains;
  bool isExported = false;
  /// What a layer gives in brackets, then its settings of type `int`.
  std::vector<const Symbol *> generics;
  std::vector<Setting> settings;
  /// The settings that are real or bool.
  std::vector<Local *> config;
  std::vector<Requirement> requirements;
  /// In the order of declaration.
  std::vector<const Param *> params;
  std::vector<const State *> states;
  std::vector<const LayerDecl *> layers;
  std::vector<const Function *> functions;
};

/// Over `..S`: run once for each parameter tensor, with S bound to its shape.
/// Over `P`: run once on all parameters as one vector of that size.
struct Optimizer {
  struct State {
    /// A slot; a variable of the step.
    Local *local = nullptr;
    const Expr *initial = nullptr;
  };
  std::string name;
  std::string doc;
  Range range;
  bool isExported = false;
  const Symbol *generic = nullptr;
  std::vector<Local *> arguments;
  /// For each argument: the dim that it is, if it is a whole number, else null.
  std::vector<const Symbol *> wholes;
  /// Null where there is none.
  std::vector<const Expr *> defaults;
  std::vector<State> states;
  /// The parameter, assigned by the statements, and the gradient.
  Local *updated = nullptr;
  Local *gradient = nullptr;
  /// The loss of this batch as a function of the vector, if `step` takes it.
  Local *loss = nullptr;
  std::vector<Statement> statements;

  bool isOverVector() const { return generic->kind != Symbol::Pack; }
};

struct Minimize {
  /// `over gen`, `over fc1.W`: a whole instance, or one of its parameters.
  struct Target {
    InstancePath instance;
    /// Null: every parameter of the instance and of its layers.
    const Param *param = nullptr;
    Range range;
  };
  Range range;
  /// A real scalar.
  const Expr *loss = nullptr;
  /// Empty: every parameter the loss depends on. Targets may overlap.
  std::vector<Target> over;
  const Optimizer *optimizer = nullptr;
  Range optimizerRange;
  /// One per argument of the optimizer: real scalars over constants, `t`,
  /// `epoch` and `steps`; dims for whole numbers.
  std::vector<const Expr *> arguments;
  /// It updates in each step whose number this divides.
  int64_t every = 1;
};

struct Report {
  std::string name;
  Range range;
  const Expr *value = nullptr;
};

/// What a `train` says about the run; absent is the default.
struct Settings {
  std::optional<int64_t> epochs;
  std::optional<int64_t> steps;
  uint64_t seed = 0;
  /// Bound on the global norm of the gradient.
  std::optional<double> clip;
  /// Bound on each element of the gradient.
  std::optional<double> clipValue;
  bool shuffle = true;
  /// Batches whose gradients are averaged for one step.
  int64_t accumulate = 1;
  /// In epochs.
  std::optional<int64_t> evalEvery;
  /// In epochs.
  std::optional<int64_t> checkpointEvery;
};

struct Train {
  /// Empty if it has none.
  std::string name;
  std::string doc;
  Range range;
  const Data *data = nullptr;
  /// The fields it names, each with the batch axis in front, and their
  /// positions in the data.
  std::vector<Local *> fields;
  std::vector<unsigned> fieldIndices;
  const Symbol *batch = nullptr;
  /// Absent: `all`.
  std::optional<int64_t> batchSize;
  /// Let and LetTuple, shared by all that follows.
  std::vector<Statement> lets;
  std::vector<Minimize> minimize;
  std::vector<Report> reports;
  Settings settings;
  std::vector<Requirement> requirements;
};

/// A checked program: what `main` and its imports declare.
struct Program {
  /// Imported files before the files that import them, the prelude first.
  std::vector<const Module *> files;
  /// The last of `files`.
  const Module *main = nullptr;
  /// Of all files, in that order.
  std::vector<const Const *> constants;
  std::vector<const Symbol *> dims;
  std::vector<const Data *> data;
  std::vector<const Module *> modules;
  std::vector<const Optimizer *> optimizers;
  /// Of the main file, in its order.
  std::vector<const Train *> trains;
  /// The one that is meant by the step, the reports and their settings; null
  /// if there is none.
  const Train *train = nullptr;

  /// Owns what all the pointers point at. Addresses are stable.
  template <typename T> using Store = std::deque<T>;
  std::tuple<Store<Symbol>, Store<Local>, Store<Expr>, Store<Const>,
             Store<Param>, Store<State>, Store<LayerDecl>, Store<Module>,
             Store<Function>, Store<Optimizer>, Store<Data>, Store<Train>>
      storage;

  Program() = default;
  Program(const Program &) = delete;

  template <typename T> T *make(T value = T()) {
    return &std::get<Store<T>>(storage).emplace_back(std::move(value));
  }
};

/// The text of an expression, shortened if it is long, for headlines.
std::string quoted(const Expr &expr);

} // namespace gradus::typed
