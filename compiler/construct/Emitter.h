// Typed expressions -> graph ops. A frame holds what the names of a body mean;
// calls are inlined, each in a frame of its own; every broadcast and conversion
// the checker decided becomes an op. One function per kind of node.
#pragma once

#include "compiler/construct/GraphFunction.h"
#include "compiler/construct/Instances.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

#include <deque>
#include <functional>
#include <map>

namespace gradus::construct {

/// Thrown after an error has been reported.
struct Refused {};

/// The dims that are the batch, and the packs that hold it: at which of their
/// axes, or -1 if at several.
using BatchSymbols = std::map<const typed::Symbol *, int64_t>;

/// What a parameter that is a function stands for.
struct Callee {
  const typed::Function *function = nullptr;
  const Instance *self = nullptr;
  typed::DimEnvironment dims;
  BatchSymbols batch;
  /// Set for the loss that an optimizer takes: no function of the model.
  std::function<mlir::Value(mlir::Value)> loss;
};

/// Indices of index notation, outer ones first unless it says otherwise.
using Indices = llvm::SmallVector<const typed::Local *, 4>;

/// A number for all values of some indices at once: a tensor with an axis for
/// each, in any order.
struct Lanes {
  mlir::Value value;
  Indices indices;

  bool has(const typed::Local *index) const {
    return llvm::is_contained(indices, index);
  }
  /// The axis of an index; -1 if it does not depend on it.
  int64_t axisOf(const typed::Local *index) const;
};

/// What the names of a body mean while it is inlined.
struct Frame {
  Frame() = default;
  /// Of the body of a function that is called, before its arguments.
  explicit Frame(const Callee &callee)
      : self(callee.self), dims(callee.dims), batch(callee.batch) {}

  const Instance *self = nullptr;
  typed::DimEnvironment dims;
  llvm::DenseMap<const typed::Local *, llvm::SmallVector<mlir::Value, 1>>
      locals;
  std::map<const typed::Local *, Callee> functions;
  /// Of locals that are numbers and depend on indices: these, an axis each.
  llvm::DenseMap<const typed::Local *, Indices> lanes;
  BatchSymbols batch = {};

  /// Which axis of a shape is the batch by its name; -1 if several are.
  std::optional<int64_t> batchAxis(const typed::Shape &shape) const;
};

/// A function with a derivative of its own, specialised.
struct Custom {
  /// Of the graph function that computes it.
  std::string name;
  const typed::Function *function = nullptr;
  /// Where its body runs, and the numbers of its dims.
  const Instance *self = nullptr;
  typed::DimEnvironment dims;
  bool training = false;
  /// Tells specialisations apart.
  std::string key;
};

/// What all functions of a module under construction share.
struct Model {
  const typed::Program &program;
  Instances instances;
  mlir::ModuleOp module;
  /// f32 or f64: what `real` is.
  mlir::FloatType real;
  Diagnostics &diagnostics;
  /// In the order of their first calls; their addresses are stable.
  std::deque<Custom> customs = {};
  /// Expressions that were emitted, calls written out.
  size_t emitted = 0;

  /// The one whose graph function has this name.
  const Custom &custom(llvm::StringRef name) const;
};

using Values = llvm::SmallVector<mlir::Value, 1>;

/// Of a gather from a reshaped table: for each axis of the table before that,
/// the axis of the result along which nothing but its own part is read, or -1:
/// x[b, ids[b]] depends on x at b only.
inline constexpr llvm::StringLiteral followsAttrName = "follows";
/// Of random numbers: the axis along the batch, or -1 if that is no one axis.
inline constexpr llvm::StringLiteral batchAttrName = "batch";

class Emitter {
public:
  /// `function` is null in the body of a custom function, which sees nothing
  /// but its arguments.
  Emitter(Model &model, mlir::OpBuilder &builder, GraphFunction *function,
          bool training)
      : model(model), builder(builder), function(function), training(training) {
  }
  virtual ~Emitter() = default;

  /// A value that is one tensor.
  mlir::Value emit(const typed::Expr &expr, Frame &frame);
  /// The elements of a tuple, or the one value.
  Values emitAll(const typed::Expr &expr, Frame &frame);
  /// Runs the statements; what `return` gave, if there was one.
  std::optional<Values> run(const std::vector<typed::Statement> &statements,
                            Frame &frame);
  /// Statements that follow each other, from any lists.
  using Work = llvm::SmallVector<const typed::Statement *>;
  static Work workOf(const std::vector<typed::Statement> &statements);
  /// Gives the local a value that depends on no index. One that a derivative is
  /// taken by gets a value of its own, apart from all others.
  void bind(const typed::Local *local, Values values, Frame &frame);

  /// The present value of a parameter: an argument until it is updated.
  mlir::Value parameter(const Parameter &parameter);
  void updateParameter(const Parameter &parameter, mlir::Value value) {
    updated[&parameter] = value;
  }

  /// The states that have been assigned, in order of their first assignments,
  /// and their present values.
  using States =
      llvm::MapVector<std::pair<const Instance *, const typed::State *>,
                      mlir::Value>;
  const States &assignedStates() const { return states; }
  /// What a state held before this function.
  mlir::Value storedState(const Instance &instance, const typed::State &state,
                          Range use);
  void setState(const Instance &instance, const typed::State &state,
                mlir::Value value) {
    states[{&instance, &state}] = value;
  }

  /// Evaluates once more, with these values of parameters and states as they
  /// were `before`: the same draws, and nothing that it assigns stays.
  mlir::Value
  again(llvm::ArrayRef<std::pair<const Parameter *, mlir::Value>> values,
        const States &before, llvm::function_ref<mlir::Value()> evaluate);

  /// Calls a function with a `backward` in a frame that has its dims.
  mlir::Value callCustom(const typed::Function &callee, Frame &inner,
                         const Values &arguments);

  /// One vector of all their elements.
  mlir::Value flattened(llvm::ArrayRef<mlir::Value> values, int64_t first = 0);
  mlir::RankedTensorType typeOf(const typed::Type &type, const Frame &frame);
  mlir::Type elementOf(const typed::Type &type);
  mlir::Location locate(Range range);
  mlir::Value constant(mlir::RankedTensorType type, double number);
  mlir::Value scalar(double number) {
    return constant(mlir::RankedTensorType::get({}, model.real), number);
  }
  /// `value` repeated to `type`, all axes of which are new; a scalar stays.
  mlir::Value spread(mlir::Value scalar, mlir::Value like);

  Model &model;
  mlir::OpBuilder &builder;
  /// A loop that is kept as one, while its body is emitted.
  struct Rolled {
    const typed::Symbol *counter;
    int64_t first, rounds;
    graph::LoopOp loop;
    /// The states it carries, behind variables, and what they are at the start
    /// of a round: those that its body has read or assigned so far.
    llvm::SmallVector<std::pair<States::key_type, mlir::Value>, 0> states = {};
  };
  /// Whether loops are kept at all, and those that hold a `stop`; whether what
  /// is reduced along the batch is split there, in no loop that is kept.
  bool rolls = true, unrollsStops = false, splitsBatch = false;
  /// The calls that lead to what is being emitted, `logits/dropout.2/`, and the
  /// round of the loops around: each has draws of its own.
  struct Site {
    std::string path;
    uint32_t round = 0;
    /// The innermost call that does not stand in the prelude.
    Range call = {};
  } site;
  /// What `t` is if not the number of the step: in an optimizer that is not
  /// applied in every step, the number of its updates.
  mlir::Value updateNumber;
  /// The call whose body is being emitted.
  std::optional<mlir::Location> caller;

protected:
  /// Thrown while the body of a loop is emitted that has to be written out.
  struct CannotRoll {};

  /// The sum over `dims`, and the number of elements the mean divides by. An
  /// evaluation of a whole split overrides both.
  virtual mlir::Value sumOver(mlir::Value x, llvm::ArrayRef<int64_t> dims);
  virtual mlir::Value meanOver(mlir::Value x, llvm::ArrayRef<int64_t> dims);

  /// An argument of the function, by its path.
  mlir::Value argument(const std::string &name, mlir::RankedTensorType type,
                       Range range);

  GraphFunction *function;
  bool training;
  /// The place of the expression that is being emitted.
  mlir::Location location = builder.getUnknownLoc();

private:
  using Expr = typed::Expr;
  mlir::Value visit(const typed::Number &, const Expr &, Frame &);
  mlir::Value visit(const typed::DimValue &, const Expr &, Frame &);
  mlir::Value visit(const typed::ConstReference &, const Expr &, Frame &);
  mlir::Value visit(const typed::LocalReference &, const Expr &, Frame &);
  mlir::Value visit(const typed::ParamReference &, const Expr &, Frame &);
  mlir::Value visit(const typed::StateReference &, const Expr &, Frame &);
  mlir::Value visit(const typed::AllParams &, const Expr &, Frame &);
  mlir::Value visit(const typed::Stack &, const Expr &, Frame &);
  mlir::Value visit(const typed::StatisticReference &, const Expr &, Frame &);
  mlir::Value visit(const typed::ScalarReference &, const Expr &, Frame &);
  mlir::Value visit(const typed::Rank &, const Expr &, Frame &);
  mlir::Value visit(const typed::Elementwise &, const Expr &, Frame &);
  mlir::Value visit(const typed::Broadcast &, const Expr &, Frame &);
  mlir::Value visit(const typed::Convert &, const Expr &, Frame &);
  mlir::Value visit(const typed::Reduce &, const Expr &, Frame &);
  mlir::Value visit(const typed::Contract &, const Expr &, Frame &);
  mlir::Value visit(const typed::Transpose &, const Expr &, Frame &);
  mlir::Value visit(const typed::Reshape &, const Expr &, Frame &);
  mlir::Value visit(const typed::Pick &, const Expr &, Frame &);
  mlir::Value visit(const typed::OneHot &, const Expr &, Frame &);
  mlir::Value visit(const typed::Concat &, const Expr &, Frame &);
  mlir::Value visit(const typed::Pad &, const Expr &, Frame &);
  mlir::Value visit(const typed::CumulativeSum &, const Expr &, Frame &);
  mlir::Value visit(const typed::Convolve &, const Expr &, Frame &);
  mlir::Value visit(const typed::Pool &, const Expr &, Frame &);
  mlir::Value visit(const typed::Solve &, const Expr &, Frame &);
  mlir::Value visit(const typed::Cholesky &, const Expr &, Frame &);
  mlir::Value visit(const typed::ExternCall &, const Expr &, Frame &);
  mlir::Value visit(const typed::Slice &, const Expr &, Frame &);
  mlir::Value visit(const typed::Eye &, const Expr &, Frame &);
  mlir::Value visit(const typed::Iota &, const Expr &, Frame &);
  mlir::Value visit(const typed::Draw &, const Expr &, Frame &);
  mlir::Value visit(const typed::Stop &, const Expr &, Frame &);
  mlir::Value visit(const typed::ForEach &, const Expr &, Frame &);
  mlir::Value visit(const typed::IndexReduce &, const Expr &, Frame &);
  mlir::Value visit(const typed::At &, const Expr &, Frame &);
  mlir::Value visit(const typed::Gather &, const Expr &, Frame &);

  /// The callee with numbers for its dims.
  Callee resolve(const typed::Function &function,
                 const typed::InstancePath &instance,
                 const std::vector<typed::GenericBinding> &generics,
                 const Frame &frame);
  Callee callee(const Expr &argument, const Frame &frame);
  Values call(const Callee &callee, const std::vector<const Expr *> &arguments,
              unsigned number, const Expr &expr, Frame &frame);
  // Draws (EmitDraws.cpp).
  Site siteOfCall(const Callee &callee, unsigned number, Range call) const;
  void requireProbability(double number, const Expr &argument);
  mlir::Value random(graph::Law law, mlir::RankedTensorType type,
                     const typed::Draw &node, const Expr &expr, Frame &frame);
  /// What kept loops add to the round of the site; null without such loops.
  mlir::Value roundOfKeptLoops(Frame &frame);
  // Index notation (EmitIndex.cpp).
  /// Whether the value depends on an index of `open`.
  bool isIndexed(const Expr &expr, const Frame &frame) const;
  /// A number that may depend on indices.
  Lanes lanes(const Expr &expr, Frame &frame);
  Lanes lanesOfCall(const Callee &callee,
                    const std::vector<const Expr *> &arguments, unsigned number,
                    const Expr &expr, Frame &frame);
  std::optional<Lanes> runLanes(const std::vector<typed::Statement> &statements,
                                Frame &frame);
  std::optional<Lanes> runLanes(const Work &work, Frame &frame);
  void bindLanes(const typed::Local *local, const Expr &value, Frame &frame);
  Lanes reduce(const typed::IndexReduce &node, const Expr &expr, Frame &frame);
  int64_t sizeOf(const typed::Local *index) const;
  /// Those that occur, outer ones first.
  Indices unite(llvm::ArrayRef<Lanes> values) const;
  /// With exactly these axes: what is missing repeats.
  mlir::Value align(const Lanes &value, llvm::ArrayRef<const typed::Local *>);
  /// With exactly these axes: what is superfluous is summed.
  mlir::Value sumTo(const Lanes &value, llvm::ArrayRef<const typed::Local *>);
  Lanes combine(typed::Builtin op, llvm::ArrayRef<Lanes> operands,
                const Expr &expr);

  // Sums of products (EmitProducts.cpp).
  struct Product;
  Indices indicesOf(const Expr &expr, const Frame &frame) const;
  void factor(const Expr &expr, Frame &frame, bool isInverse, Product &product);
  bool isContraction(const Expr &expr,
                     llvm::ArrayRef<const typed::Local *> over,
                     const Frame &frame) const;
  Lanes sumOfProducts(const Expr &expr,
                      llvm::ArrayRef<const typed::Local *> over, Frame &frame);
  Lanes contract(const Lanes &a, const Lanes &b,
                 llvm::ArrayRef<const typed::Local *> dropped,
                 const Expr &expr);
  Lanes sumLanes(const Lanes &x, llvm::ArrayRef<const typed::Local *> over);

  // Subscripts that are no slices (EmitSubscripts.cpp).
  struct Position;
  struct Taking;
  Lanes lanesAt(const typed::At &node, const Expr &expr, Frame &frame);
  void takeWindows(Taking &taking);
  Lanes lanesOf(const Position &position, const Expr &expr);
  mlir::Value gatherRows(mlir::Value x, llvm::ArrayRef<int64_t> axes,
                         llvm::ArrayRef<mlir::Value> positions,
                         const Expr &expr);

  // Derivatives (EmitDerivatives.cpp).
  struct Targets;
  Targets targetsOf(const typed::Derivative &node, Frame &frame);
  Values derivative(const typed::Derivative &node, const Expr &expr,
                    Frame &frame);
  std::optional<Values> run(const Work &work, Frame &frame);
  /// Puts statements before what is left, which stands last first.
  static void enter(const std::vector<typed::Statement> &statements,
                    Work &left);
  // Branches (EmitBranches.cpp).
  /// An `if` on what is known only when running, and what follows it, if a
  /// branch may leave: then it `ends` the statements.
  std::optional<Values> branch(const typed::If &tree, const Work &rest,
                               Frame &frame, bool &ends);
  /// Runs the branch that is taken. Throws CannotRoll, with nothing changed but
  /// locals, if that is impossible or not worth it.
  std::optional<Values> runOne(mlir::Value condition, const Work &then,
                               const Work &otherwise, Frame &frame);
  /// Runs both and chooses.
  std::optional<Values> runBoth(mlir::Value condition, const Work &then,
                                const Work &otherwise, Frame &frame);
  /// The same in index notation: both branches, and a choice for each index.
  std::optional<Lanes> branchLanes(const typed::If &tree, const Work &rest,
                                   Frame &frame, bool &ends);
  // Loops (EmitLoops.cpp).
  using Assigned = llvm::SmallSetVector<const typed::Local *, 4>;
  /// The locals from outside that the statements assign.
  static Assigned assignedBy(const Work &work, const Frame &frame);
  /// Keeps what `round` emits as the body of a loop that carries `locals`,
  /// states, and what `round` adds. Throws CannotRoll, with nothing changed.
  graph::LoopOp
  keep(const Rolled &loop, const Assigned &locals, Frame &frame,
       llvm::function_ref<void(llvm::SmallVectorImpl<mlir::Value> &,
                               llvm::SmallVectorImpl<mlir::Value> &)>
           round);
  /// The locals are what the loop carried.
  static void takeCarried(graph::LoopOp loop, const Assigned &locals,
                          Frame &frame);
  /// Runs all rounds; what they yield, stacked, if they yield.
  mlir::Value loop(const typed::For &tree, const Expr *yield, Frame &frame);
  /// Runs `round` for each number of the counter.
  void writeOut(const typed::For &tree, Frame &frame,
                llvm::function_ref<void()> round);
  mlir::Value roll(const typed::For &tree, int64_t first, int64_t rounds,
                   const Expr *yield, Frame &frame);
  /// Called where something is reduced along the batch.
  void leaveLoops() const {
    if (splitsBatch && !rolled.empty())
      throw CannotRoll();
  }
  void capture(Rolled &loop, llvm::MutableArrayRef<mlir::Value> yielded);
  bool isOutside(mlir::Value value, const Rolled &loop) const;
  mlir::Value rowInRound(mlir::Value x, Rolled &loop);
  /// Whether a dim depends on the round of a loop that is kept.
  bool isRolled(const typed::Dim &dim) const;
  /// Such a dim as a number.
  mlir::Value numberInRound(const typed::Dim &dim, mlir::RankedTensorType type,
                            Frame &frame);
  /// x without `axis`, at such a position of it.
  mlir::Value takeInRound(mlir::Value x, int64_t axis,
                          const typed::Dim &position, Frame &frame);
  /// Refuses what would take minutes to compile.
  void countExpression(Range range);
  void countStatement();
  void requireInRound(const typed::Requirement &requirement, Frame &frame,
                      size_t depth = 0);
  mlir::Value pointwise(typed::Builtin op, llvm::ArrayRef<mlir::Value> x,
                        const Expr &expr);
  /// log(x) and log(1 + x) of an x that overflows or vanishes before they do;
  /// null for any other (EmitLogarithms.cpp).
  mlir::Value stableLog(mlir::Value x);
  mlir::Value stableLog1p(mlir::Value x);
  mlir::Value logOfSoftmax(mlir::Value x);
  /// Calls a function of std.nn over `..S` with a `backward`.
  mlir::Value callPointwise(llvm::StringRef name, const Values &arguments);
  /// Arithmetic of i32 and i64 (EmitWhole.cpp).
  mlir::Value wholePointwise(typed::Builtin op, llvm::ArrayRef<mlir::Value> x,
                             const Expr &expr);
  mlir::Value wholeReduction(typed::Builtin op, mlir::Value x,
                             llvm::ArrayRef<int64_t> dims, Range range);
  mlir::Value reduce(typed::Builtin op, mlir::Value x,
                     llvm::ArrayRef<int64_t> dims, typed::ElementType element,
                     Range range);
  mlir::Value power(mlir::Value base, mlir::Value exponent);
  mlir::Value roundToEven(mlir::Value x);
  mlir::Value number(mlir::Value like, double value);
  /// `pads` zeros at either end of the axes from `firstAxis` on.
  mlir::Value padAround(mlir::Value x, int64_t firstAxis,
                        llvm::ArrayRef<int64_t> pads);
  /// One axis as `parts` times the rest; an axis and the next as one.
  mlir::Value splitAxis(mlir::Value x, int64_t axis, int64_t parts);
  mlir::Value mergeAxis(mlir::Value x, int64_t axis);
  mlir::Value compareWithIota(mlir::Value index, int64_t size);
  mlir::Value sliceAlong(mlir::Value x, int64_t axis, int64_t begin,
                         int64_t size);
  mlir::Value padAlong(mlir::Value x, int64_t axis, int64_t before,
                       int64_t after);
  mlir::Value productOver(mlir::Value x, llvm::ArrayRef<int64_t> dims);
  // State (EmitState.cpp).
  /// What it holds now; the loops around carry it from here on.
  mlir::Value presentState(const Instance &instance, const typed::State &state,
                           Range use);
  void assignState(const typed::AssignState &assign, Frame &frame);
  /// What all states hold, and how many of them the innermost loop carries.
  struct StateMark {
    States states;
    size_t carried;
  };
  StateMark markStates() const;
  /// As if nothing had been assigned since. Loops go on carrying.
  void rewindStates(const StateMark &mark);
  /// What a condition is, if that is known when compiling; a scalar may be
  /// spread over a shape.
  std::optional<bool> known(const Expr &condition, const Frame &frame) const;
  /// The one of `where(c, a, b)` that is taken, if that is known.
  const Expr *taken(const typed::Elementwise &node, const Frame &frame) const;
  void require(const std::vector<typed::Requirement> &requirements,
               const typed::DimEnvironment &dims, const std::string &name,
               Range call);
  [[noreturn]] void refuse(Range range, const std::string &construct);

  std::map<const Parameter *, mlir::Value> updated;
  /// Outer ones first.
  llvm::SmallVector<Rolled, 2> rolled;
  /// All loops around: the counters of those that are kept, else null.
  llvm::SmallVector<const typed::Symbol *> levels;
  States states;
  /// The outermost of `rolled` that carries what is assigned now.
  size_t firstCarrying = 0;
  /// The outermost loop around what is being emitted, and the statements that
  /// loops ran so far.
  Range outermostLoop;
  size_t unrolled = 0;
  /// The indices in scope and how far they run, outer ones first.
  llvm::SmallVector<std::pair<const typed::Local *, int64_t>> open;
};

/// The number a value holds in every element, if it is written in the model.
std::optional<double> knownNumber(mlir::Value value);

/// Whether it holds i32 or i64.
bool isWhole(mlir::Value value);

/// The axes that entry `entry` of `shape` stands for: first and past the last.
std::pair<int64_t, int64_t> axesOf(const typed::Shape &shape, unsigned entry,
                                   const typed::DimEnvironment &dims);

} // namespace gradus::construct
