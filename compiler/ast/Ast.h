// The syntax tree of a model file: plain data, one struct per grammar rule. The
// parser builds it from text; it holds names as they are written and knows
// nothing of their meaning. Next: compiler/check/.
//
// Sums are std::variant, to be walked with `visit`:
//
//   visit(expr, [&](const ast::Binary &binary) { ... },
//               [&](const auto &) { ... });
#pragma once

#include "compiler/Diagnostics.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gradus::ast {

struct Expr;
struct Type;
struct Stmt;
struct Decl;
using ExprPtr = std::unique_ptr<Expr>;
using TypePtr = std::unique_ptr<Type>;
using StmtPtr = std::unique_ptr<Stmt>;
using DeclPtr = std::unique_ptr<Decl>;

/// A name where it is declared, or where it names an argument, field or member.
struct Name {
  std::string text;
  Range range;
};

/// The tree is never higher than this, so it may be walked by recursion.
inline constexpr unsigned maxHeight = 1024;

// Expressions.

/// `10`, `1_000`, `0.5`, `1e-3`. `integer` is set if it was written without
/// point and exponent.
struct Number {
  double value;
  std::optional<int64_t> integer;
};

/// `"mnist.csv"`, without quotes, escapes replaced.
struct String {
  std::string value;
};

/// `true`, `false`.
struct Bool {
  bool value;
};

/// A name that is used as a value: variable, dim, function, module, `all`.
struct NameUse {
  std::string text;
};

/// `(a, b)`: two elements or more.
struct Tuple {
  std::vector<ExprPtr> elements;
};

/// `[a, b]`; may be empty.
struct List {
  std::vector<ExprPtr> elements;
};

enum class UnaryOp : uint8_t { Negate, Not };

/// `-a`, `not a`.
struct Unary {
  UnaryOp op;
  Range opRange;
  ExprPtr operand;
};

enum class BinaryOp : uint8_t {
  Or,
  And,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Add,
  Subtract,
  Multiply,
  Divide,
  FloorDivide,
  Remainder,
  MatMul,
  Power
};

/// As it is written: `//`.
std::string_view spelling(BinaryOp op);
std::string_view spelling(UnaryOp op);

/// `a op b`. The operands of a comparison are no comparisons, unless in `( )`.
struct Binary {
  BinaryOp op;
  Range opRange;
  ExprPtr left, right;
};

/// `value |> target`, which means `target(value)`, or with a Call as target
/// `target.callee(value, target.arguments...)`. The target is a postfix
/// expression and no Pipe, unless in `( )`.
struct Pipe {
  ExprPtr value;
  Range opRange;
  ExprPtr target;
};

/// `a..b`, `a..`, `..b`, `..`: only as an argument, as a subscript, and as what
/// a `for` runs over.
struct Slice {
  ExprPtr begin; // may be null
  Range dots;
  ExprPtr end; // may be null
};

/// `a` or `name = a` in a call.
struct Argument {
  std::optional<Name> name;
  ExprPtr value;
};

/// `callee(arguments)`.
struct Call {
  ExprPtr callee;
  std::vector<Argument> arguments;
};

/// `a` or `index: extent` in `[ ]` behind an expression.
struct Subscript {
  std::optional<Name> index;
  ExprPtr value;
};

/// `base[subscripts]`: indexing, but also dims, as in `zeros[B, H]` and
/// `Linear[784, 10]`, and indices, as in `sum[k](...)`.
struct Index {
  ExprPtr base;
  std::vector<Subscript> subscripts;
};

/// `base.member`.
struct Member {
  ExprPtr base;
  Name member;
};

/// Stands where an expression should be but could not be read. The error has
/// been reported; nothing more should be said about it.
struct Invalid {};

struct Expr {
  /// With the parentheses around it, if there are any.
  Range range;
  bool parenthesized = false;
  /// 1 more than its highest part; at most `maxHeight`.
  uint16_t height = 1;
  std::variant<Invalid, Number, String, Bool, NameUse, Tuple, List, Unary,
               Binary, Pipe, Slice, Call, Index, Member>
      node;

  /// The node if it is a T, else null: `expr->as<Call>()`.
  template <typename T> const T *as() const { return std::get_if<T>(&node); }
};

// Types.

/// `D` or `..S` in a type.
struct Axis {
  Range range;
  std::optional<Name> rest; // the S of ..S
  ExprPtr dim;              // null for ..S
};

/// `real`, `real[B, D]`, `index(K)[B]`.
struct TensorType {
  Name element;
  ExprPtr bound; // the K of index(K), may be null
  std::vector<Axis> axes;
};

/// `(real, real[D])`: two types or more.
struct TupleType {
  std::vector<TypePtr> elements;
};

/// `fn(real[P]) -> real`.
struct FnType {
  std::vector<TypePtr> parameters;
  TypePtr result;
};

struct Type {
  Range range;
  std::variant<Invalid, TensorType, TupleType, FnType> node;

  template <typename T> const T *as() const { return std::get_if<T>(&node); }
};

// Statements.

/// `{ ... }`.
struct Block {
  Range range;
  std::vector<StmtPtr> statements;
  /// Something in it could not be read; the error has been reported. Say
  /// nothing about what seems to be missing.
  bool broken = false;
};

/// `for NAME in range { ... }`. The range is a Slice, or any other expression
/// (an array of layers).
struct For {
  Range range;
  Range keyword;
  Name variable;
  ExprPtr over;
  Block body;
};

/// An index of `let y[i, j: H - 1] = ...`.
struct IndexVariable {
  Name name;
  ExprPtr extent; // null: from the uses
};

/// `let a = ...`, `let a[i, j] = ...`, `let a: real[B] ~ normal(0, 1)`,
/// `let a = for ...`.
struct Let {
  Range keyword;
  Name name;
  /// Empty unless it is an index `let`.
  std::vector<IndexVariable> indices;
  TypePtr type;      // may be null
  bool draw = false; // written with `~`
  /// One of the two; `value` is null if `loop` is set.
  ExprPtr value;
  std::unique_ptr<For> loop;
};

/// `let (a, b) = ...`.
struct LetTuple {
  Range keyword;
  std::vector<Name> names;
  ExprPtr value;
};

/// `var a = ...`, `var a: real[B] = ...`.
struct Var {
  Range keyword;
  Name name;
  TypePtr type; // may be null
  ExprPtr value;
};

/// `a = ...`.
struct Assign {
  Name target;
  ExprPtr value;
};

/// `grad a = ...`, in a `backward`.
struct GradAssign {
  Range keyword;
  Name target;
  ExprPtr value;
};

/// `if c { ... } else { ... }`. `else if` is a block whose only statement is an
/// If.
struct If {
  Range keyword;
  ExprPtr condition;
  Block then;
  std::optional<Block> otherwise;
};

/// `return ...`.
struct Return {
  Range keyword;
  ExprPtr value;
};

/// `yield ...`.
struct Yield {
  Range keyword;
  ExprPtr value;
};

struct Stmt {
  Range range;
  std::variant<Invalid, Let, LetTuple, Var, Assign, GradAssign, For, If, Return,
               Yield>
      node;

  template <typename T> const T *as() const { return std::get_if<T>(&node); }
};

// Declarations.

/// A name in `[ ]` behind the name of a function, module or optimizer: `B`,
/// `..S`, `axis D`.
struct Generic {
  enum class Kind : uint8_t { Dim, Rest, Axis };
  Kind kind;
  Name name;
  Range range;
};

/// A parameter of a function, module or optimizer: `x: real[B] = 0`. (`param`
/// is Param.)
struct Parameter {
  Name name;
  TypePtr type;         // may be null
  ExprPtr defaultValue; // may be null
  Range range;
};

/// `backward (y, dy) { ... }`, `surrogate backward (y, dy) { ... }`.
struct Backward {
  Range keyword;
  bool surrogate = false;
  Name result;
  Name cotangent;
  Block body;
};

/// `import "base.nn" as base`.
struct Import {
  std::string path;
  Range pathRange;
  std::optional<Name> alias;
};

/// `dim D = 10, E = 2 * D`.
struct Dims {
  struct Item {
    Name name;
    ExprPtr value;
  };
  std::vector<Item> items;
};

/// `const ridge: real = 1e-3`.
struct Const {
  Name name;
  TypePtr type; // may be null
  ExprPtr value;
};

/// A field of `data`: `image: u8[28, 28]`.
struct Field {
  std::string doc;
  Name name;
  TypePtr type;
};

/// A split of `data`: `train from csv(...)`.
struct Split {
  Name name;
  ExprPtr source;
};

/// `data NAME { ... }`.
struct Data {
  Name name;
  std::vector<Field> fields;
  std::vector<Split> splits;
};

/// `param W: real[D] ~ he(D)`, `param b: real = 0`.
struct Param {
  Name name;
  TypePtr type;
  bool draw = false; // written with `~`
  ExprPtr value;
};

/// `state mu: real[C] = 0`.
struct State {
  Name name;
  TypePtr type;
  ExprPtr value;
};

/// `layer a = Linear[2, 3]`, `layer blocks[L] = Block`.
struct Layer {
  Name name;
  ExprPtr count; // null unless it is an array
  ExprPtr value;
};

/// `module NAME[generics](parameters) { ... }`. Members are Param, State, Layer
/// and Fn.
struct Module {
  Name name;
  std::vector<Generic> generics;
  std::vector<Parameter> parameters;
  ExprPtr requirement; // may be null
  std::vector<DeclPtr> members;
};

/// The C library that an `extern fn` is from, as written.
struct Library {
  std::string path;
  Range range;
};

/// `fn NAME[generics](parameters) -> type = ...` or with a block, or
/// `extern fn NAME[generics](parameters) -> type from "library"`.
struct Fn {
  Name name;
  std::vector<Generic> generics;
  std::vector<Parameter> parameters;
  TypePtr result;      // may be null
  ExprPtr requirement; // may be null
  /// One of the three; `value` is null if it is another.
  ExprPtr value;
  std::optional<Block> body;
  std::optional<Library> library;
  std::optional<Backward> backward;
};

/// `optimizer NAME[generics](parameters) { state ...; step(...) { ... } }`.
struct Optimizer {
  Name name;
  std::vector<Generic> generics;
  std::vector<Parameter> parameters;
  std::vector<DeclPtr> states; // each a State
  Range stepKeyword;
  std::vector<Parameter> stepParameters;
  Block step;
};

/// `minimize loss over a, b using adam() every 5`.
struct Minimize {
  Range keyword;
  ExprPtr loss;
  std::vector<ExprPtr> over; // empty: all it depends on
  ExprPtr optimizer;
  ExprPtr every; // may be null
};

/// `report accuracy = ...`.
struct Report {
  Name name;
  ExprPtr value;
};

/// `epochs = 10`.
struct Setting {
  Name name;
  ExprPtr value;
};

struct Clause {
  Range range;
  std::variant<Invalid, Let, LetTuple, Minimize, Report, Setting> node;

  template <typename T> const T *as() const { return std::get_if<T>(&node); }
};

/// `train NAME on data(fields), batch B = 32 { ... }`.
struct Train {
  Range keyword;
  std::optional<Name> name;
  /// `base` of `train on base.mnist(...)`.
  std::optional<Name> dataFile;
  Name data;
  std::vector<Name> fields;
  Name batch;
  ExprPtr batchSize;
  std::vector<Clause> clauses;
};

struct Decl {
  Range range;
  /// The lines of `##` before it, without `##`, joined by newlines.
  std::string doc;
  bool exported = false;
  /// A part of it could not be read; see Block::broken.
  bool broken = false;
  std::variant<Invalid, Import, Dims, Const, Data, Param, State, Layer, Module,
               Fn, Optimizer, Train>
      node;

  template <typename T> const T *as() const { return std::get_if<T>(&node); }
};

/// A model file.
struct File {
  const Source *source = nullptr;
  std::vector<DeclPtr> declarations;
};

// Walking.

template <typename... Functions> struct Overloaded : Functions... {
  using Functions::operator()...;
};

/// Calls the function that fits what an Expr, Type, Stmt, Decl or Clause is.
/// The functions must fit every case; `const auto &` takes the rest.
template <typename Node, typename... Functions>
decltype(auto) visit(Node &&node, Functions &&...functions) {
  return std::visit(
      Overloaded<std::decay_t<Functions>...>{
          std::forward<Functions>(functions)...},
      node.node);
}

} // namespace gradus::ast
