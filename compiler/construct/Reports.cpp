// Reports over a whole split. Each report is emitted for one batch; then it is
// cut at the outermost reductions over the batch axis. What lies before a cut
// runs once a batch and gives partial results; what lies behind runs once, on
// the partial results combined. Sums, and all that lies behind them, are taken
// in f64.
#include "compiler/DiagnosticKinds.h"
#include "compiler/construct/Training.h"
#include "dialect/Einsum.h"
#include "dialect/Loops.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace gradus::construct {

namespace {

/// Where the batch axis of a value is.
class BatchAxes {
public:
  /// Nothing if the value does not run along the batch; -1 if it does, but in a
  /// way that is no axis of its own any more.
  std::optional<int64_t> of(Value value);
  /// Marks an argument whose axis 0 is the batch.
  void start(Value field) { known[field] = 0; }

private:
  std::optional<int64_t> throughLoop(graph::LoopOp loop, unsigned result);
  std::optional<int64_t> throughCall(graph::ExternOp call);
  std::optional<int64_t> find(Value value);
  DenseMap<Value, std::optional<int64_t>> known;
};

/// Emits for evaluation: sums along the batch in f64, means along it divided by
/// the rows of the whole split.
class ReportEmitter : public Emitter {
public:
  ReportEmitter(Model &model, GraphFunction &function, BatchAxes &axes)
      : Emitter(model, function.builder(), &function, /*training=*/false),
        axes(axes) {
    splitsBatch = true;
  }

protected:
  Value sumOver(Value x, ArrayRef<int64_t> dims) override;
  Value meanOver(Value x, ArrayRef<int64_t> dims) override;

private:
  bool isAlongBatch(Value x, ArrayRef<int64_t> dims) {
    auto axis = axes.of(x);
    return axis && llvm::is_contained(dims, *axis);
  }
  Value convert(Value x, Type element) {
    return graph::ConvertOp::create(builder, location, x, element);
  }
  BatchAxes &axes;
};

/// One report, split.
class Splitter {
public:
  Splitter(GraphFunction &batch, GraphFunction &finish, BatchAxes &axes,
           const std::string &name)
      : batch(batch), finish(finish), axes(axes), name(name) {}
  /// Whether every path from the batch to `value` passes exactly one cut.
  bool canSplit(Value value);
  /// Clones what lies behind the cuts of `value` into `finish`.
  Value split(Value value);

private:
  bool isBehindCut(Value value);
  Value cut(Operation *op);
  Value clone(Operation *op, unsigned number);
  GraphFunction &batch, &finish;
  BatchAxes &axes;
  std::string name;
  unsigned partials = 0;
  DenseSet<Value> splittable;
  DenseMap<Value, bool> behindCut;
  /// What is real behind a cut may be f64 although the original is not.
  IRMapping mapping;
};

} // namespace

//===-- Where the batch axis goes -----------------------------------------===//

static ArrayRef<int64_t> shapeOf(Value x) {
  return cast<RankedTensorType>(x.getType()).getShape();
}

/// The axis after the axes `dims` are dropped; nothing if it is one of them.
static std::optional<int64_t> afterDropping(int64_t axis,
                                            ArrayRef<int64_t> dims) {
  if (llvm::is_contained(dims, axis))
    return std::nullopt;
  return axis - llvm::count_if(dims, [&](int64_t dim) { return dim < axis; });
}

static std::optional<int64_t> afterReshaping(int64_t axis, Value from,
                                             Value to) {
  auto product = [](ArrayRef<int64_t> sizes) {
    return std::accumulate(sizes.begin(), sizes.end(), int64_t(1),
                           std::multiplies<>());
  };
  int64_t before = product(shapeOf(from).take_front(axis));
  for (size_t i = 0; i < shapeOf(to).size(); ++i)
    if (product(shapeOf(to).take_front(i)) == before &&
        shapeOf(to)[i] == shapeOf(from)[axis])
      return i;
  return -1;
}

std::optional<int64_t> BatchAxes::of(Value value) {
  if (auto found = known.find(value); found != known.end())
    return found->second;
  auto axis = find(value);
  known[value] = axis;
  return axis;
}

std::optional<int64_t> BatchAxes::find(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (auto einsum = dyn_cast<graph::EinsumOp>(op)) {
    auto spec = graph::parseEinsum(einsum.getSpec());
    for (auto [operand, indices] :
         {std::pair(einsum.getA(), spec->a), std::pair(einsum.getB(), spec->b)})
      if (auto axis = of(operand)) {
        if (*axis < 0)
          return -1;
        size_t at = spec->y.find(indices[*axis]);
        return at == spec->y.npos ? std::optional<int64_t>() : at;
      }
    return std::nullopt;
  }

  auto named = op->getAttrOfType<IntegerAttr>(batchAttrName);
  if (named && isa<graph::RandomOp>(op))
    return named.getInt();

  if (auto gather = dyn_cast<graph::GatherOp>(op)) {
    auto row = of(gather.getIndex()), table = of(gather.getX());
    if (!table)
      return row;
    if (auto follows =
            gather->getAttrOfType<DenseI64ArrayAttr>(followsAttrName)) {
      auto reshape = gather.getX().getDefiningOp<graph::ReshapeOp>();
      auto whole = of(reshape.getX());
      int64_t axis = whole && *whole >= 0 ? follows[*whole] : -1;
      return row && *row != axis ? -1 : axis;
    }
    return !row && *table > 0 ? *table - 1 + shapeOf(gather.getIndex()).size()
                              : -1;
  }

  if (auto loop = dyn_cast<graph::LoopOp>(op))
    return throughLoop(loop, cast<OpResult>(value).getResultNumber());

  if (auto call = dyn_cast<graph::ExternOp>(op))
    return throughCall(call);

  if (auto custom = dyn_cast<graph::CustomOp>(op)) {
    auto body = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
        op, custom.getForwardAttr());
    BatchAxes inner;
    for (auto [argument, operand] :
         llvm::zip_equal(body.getArguments(), custom.getOperands()))
      inner.known[argument] = of(operand);
    return inner.of(body.front().getTerminator()->getOperand(0));
  }

  std::optional<int64_t> axis;
  for (Value operand : op->getOperands())
    if (auto other = of(operand)) {
      if (axis && *axis != *other)
        return -1;
      axis = other;
    }
  if (!axis || *axis < 0 || op->hasTrait<OpTrait::Elementwise>() ||
      isa<graph::StopOp>(op))
    return axis;
  if (auto sum = dyn_cast<graph::SumOp>(op))
    return afterDropping(*axis, sum.getDims());
  if (auto max = dyn_cast<graph::ReduceMaxOp>(op))
    return afterDropping(*axis, max.getDims());
  if (auto reduce = dyn_cast<graph::WholeReduceOp>(op))
    return afterDropping(*axis, reduce.getDims());
  if (auto argmax = dyn_cast<graph::ArgmaxOp>(op))
    return *axis == static_cast<int64_t>(argmax.getDim())
               ? -1
               : afterDropping(*axis, {static_cast<int64_t>(argmax.getDim())});
  if (auto broadcast = dyn_cast<graph::BroadcastOp>(op)) {
    for (int64_t dim : broadcast.getDims())
      *axis += dim <= *axis;
    return axis;
  }
  if (auto transpose = dyn_cast<graph::TransposeOp>(op))
    return llvm::find(transpose.getPermutation(), *axis) -
           transpose.getPermutation().begin();
  if (auto reshape = dyn_cast<graph::ReshapeOp>(op))
    return named ? named.getInt()
                 : afterReshaping(*axis, reshape.getX(), reshape.getY());
  if (auto slice = dyn_cast<graph::SliceOp>(op))
    return shapeOf(slice.getX())[*axis] == shapeOf(slice.getY())[*axis] ? *axis
                                                                        : -1;
  // Windows slide along other axes, and their taps come behind.
  if (auto unfold = dyn_cast<graph::UnfoldOp>(op))
    return llvm::is_contained(unfold.getDims(), *axis) ? -1 : *axis;
  if (auto fold = dyn_cast<graph::FoldOp>(op)) {
    bool isWindow = llvm::is_contained(fold.getDims(), *axis) ||
                    *axis >= static_cast<int64_t>(shapeOf(fold.getY()).size());
    return isWindow ? -1 : *axis;
  }
  if (auto pad = dyn_cast<graph::PadOp>(op))
    return shapeOf(pad.getX())[*axis] == shapeOf(pad.getY())[*axis] ? *axis
                                                                    : -1;
  if (auto concat = dyn_cast<graph::ConcatOp>(op))
    return *axis == static_cast<int64_t>(concat.getDim()) ? -1 : *axis;
  return -1;
}

/// Its declaration says where the axes of its operands go.
std::optional<int64_t> BatchAxes::throughCall(graph::ExternOp call) {
  std::optional<int64_t> axis;
  for (auto [attribute, operand] :
       llvm::zip_equal(call.getAxes(), call.getOperands())) {
    auto row = of(operand);
    if (!row)
      continue;
    int64_t to =
        *row < 0 ? -1 : cast<DenseI64ArrayAttr>(attribute).asArrayRef()[*row];
    if (to < 0 || (axis && *axis != to))
      return -1;
    axis = to;
  }
  return axis;
}

/// A carried value runs along the batch if it does so after any round.
std::optional<int64_t> BatchAxes::throughLoop(graph::LoopOp loop,
                                              unsigned result) {
  size_t carried = loop.getCarried().size();
  SmallVector<std::optional<int64_t>> axesOfCarried;
  for (Value init : loop.getCarried())
    axesOfCarried.push_back(of(init));
  for (;;) {
    BatchAxes inner;
    for (auto [argument, axis] :
         llvm::zip_equal(loop.carriedArguments(), axesOfCarried))
      inner.known[argument] = axis;
    for (auto [argument, tensor] :
         llvm::zip_equal(loop.overArguments(), loop.getOver()))
      if (auto axis = of(tensor))
        inner.known[argument] = *axis > 0 ? *axis - 1 : -1;
    for (auto [argument, value] :
         llvm::zip_equal(loop.withArguments(), loop.getWith()))
      inner.known[argument] = of(value);
    bool changes = false;
    for (auto [axis, next] : llvm::zip_equal(axesOfCarried, loop.carriedOn())) {
      auto after = inner.of(next);
      auto joined = !axis || axis == after ? after : !after ? axis : -1;
      changes |= joined != axis;
      axis = joined;
    }
    if (changes)
      continue;
    if (result < carried)
      return axesOfCarried[result];
    auto axis = inner.of(loop.stacked()[result - carried]);
    return axis && *axis >= 0 ? std::optional(*axis + 1) : axis;
  }
}

//===-- Emission ----------------------------------------------------------===//

Value ReportEmitter::sumOver(Value x, ArrayRef<int64_t> dims) {
  if (!isAlongBatch(x, dims))
    return Emitter::sumOver(x, dims);
  Value sum = Emitter::sumOver(convert(x, builder.getF64Type()), dims);
  return convert(sum, getElementTypeOrSelf(x));
}

Value ReportEmitter::meanOver(Value x, ArrayRef<int64_t> dims) {
  if (!isAlongBatch(x, dims))
    return Emitter::meanOver(x, dims);
  Value sum = Emitter::sumOver(convert(x, builder.getF64Type()), dims);
  auto scalar = RankedTensorType::get({}, builder.getF64Type());
  Value count = function->argument("rows", scalar);
  double others = 1;
  for (int64_t dim : dims)
    if (dim != axes.of(x))
      others *= shapeOf(x)[dim];
  count =
      graph::MulOp::create(builder, location, count, constant(scalar, others));
  return convert(
      graph::DivOp::create(builder, location, sum, spread(count, sum)),
      getElementTypeOrSelf(x));
}

//===-- Splitting ---------------------------------------------------------===//

static bool isMaximum(Operation *op) {
  auto reduce = dyn_cast<graph::WholeReduceOp>(op);
  return isa<graph::ReduceMaxOp>(op) ||
         (reduce && reduce.getFormula() == graph::Arithmetic::max);
}

/// Whether `op` is a reduction that ends the batch axis of its operand.
static bool isCut(Operation *op, BatchAxes &axes) {
  bool runsAlong = llvm::any_of(op->getOperands(), [&](Value x) {
    auto axis = axes.of(x);
    return axis && *axis >= 0;
  });
  return runsAlong && !axes.of(op->getResult(0)) &&
         (isa<graph::SumOp, graph::EinsumOp>(op) || isMaximum(op));
}

Value Splitter::cut(Operation *op) {
  std::string path = fmt::format("partial/{}/{}", name, partials++);
  Value part = op->getResult(0);
  auto f64 = batch.builder().getF64Type();
  auto type = cast<RankedTensorType>(part.getType());
  Value wide = part;
  if (type.getElementType() != f64)
    wide = graph::ConvertOp::create(batch.builder(), op->getLoc(), part, f64);
  batch.result(path, wide, isMaximum(op) ? "max" : "sum");

  return finish.argument(path, type.clone(f64));
}

bool Splitter::isBehindCut(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (auto known = behindCut.find(value); known != behindCut.end())
    return known->second;
  bool isBehind =
      isCut(op, axes) || llvm::any_of(op->getOperands(), [&](Value operand) {
        return isBehindCut(operand);
      });
  return behindCut[value] = isBehind;
}

bool Splitter::canSplit(Value value) {
  if (axes.of(value))
    return false;
  Operation *op = value.getDefiningOp();
  if (!op || !splittable.insert(value).second)
    return true;
  if (isCut(op, axes)) // A batch must not need what only all batches give.
    return llvm::none_of(op->getOperands(),
                         [&](Value operand) { return isBehindCut(operand); });
  // Its derivative by what a batch has is lost at the cut.
  if (auto derivative = dyn_cast<graph::Derivative>(op))
    if (llvm::any_of(derivative.getYs(),
                     [&](Value y) { return isBehindCut(y); }))
      return false;
  return llvm::all_of(op->getOperands(),
                      [&](Value operand) { return canSplit(operand); });
}

/// Only this op; its operands are mapped by now. Behind a cut, element-wise ops
/// compute in f64; others keep their type.
Value Splitter::clone(Operation *op, unsigned number) {
  auto f64 = finish.builder().getF64Type();
  auto isF64 = [](Value x) { return getElementTypeOrSelf(x).isF64(); };
  auto to = [&](Value x, Type element) -> Value {
    if (getElementTypeOrSelf(x) == element)
      return x;
    return graph::ConvertOp::create(finish.builder(), op->getLoc(), x, element);
  };
  Value result = op->getResult(number);
  if (isa<graph::ConvertOp>(op) && graph::isReal(result) &&
      isF64(mapping.lookup(op->getOperand(0))))
    return mapping.lookup(op->getOperand(0));
  bool isWide = op->hasTrait<OpTrait::Elementwise>() &&
                !isa<graph::ConvertOp>(op) &&
                llvm::any_of(op->getOperands(), [&](Value operand) {
                  return isF64(mapping.lookup(operand)) && !isF64(operand);
                });
  IRMapping operands;
  for (Value operand : op->getOperands()) {
    Type element = isWide && graph::isReal(operand)
                       ? Type(f64)
                       : getElementTypeOrSelf(operand);
    operands.map(operand, to(mapping.lookup(operand), element));
  }
  Value copy = finish.builder().clone(*op, operands)->getResult(number);
  if (isWide && graph::isReal(result))
    copy.setType(cast<RankedTensorType>(copy.getType()).clone(f64));
  return copy;
}

Value Splitter::split(Value value) {
  if (Value done = mapping.lookupOrNull(value))
    return done;
  Value result;
  Operation *op = value.getDefiningOp();
  if (!op) {
    result = finish.argument(batch.nameOf(cast<BlockArgument>(value)),
                             cast<RankedTensorType>(value.getType()));
  } else if (isCut(op, axes)) {
    result = cut(op);
  } else {
    for (Value operand : op->getOperands())
      split(operand);
    result = clone(op, cast<OpResult>(value).getResultNumber());
  }
  mapping.map(value, result);
  return result;
}

/// A report as one f64.
static Value asDouble(Value value, GraphFunction &function) {
  OpBuilder &builder = function.builder();
  if (getElementTypeOrSelf(value.getType()).isF64())
    return value;
  return graph::ConvertOp::create(builder, value.getLoc(), value,
                                  builder.getF64Type());
}

static void buildReports(Model &model, int64_t rows) {
  const typed::Train &train = *model.program.train;
  GraphFunction batch(model.module, "evaluate");
  GraphFunction finish(model.module, "finish");
  BatchAxes axes;
  ReportEmitter emitter(model, batch, axes);
  Frame frame = trainFrame(model, emitter, batch, rows);
  for (const typed::Local *field : train.fields)
    axes.start(frame.locals[field].front());
  emitter.run(train.lets, frame);

  auto report = [&](const std::string &name, const typed::Expr &expr) {
    Value value = emitter.emit(expr, frame);
    Splitter splitter(batch, finish, axes, name);
    if (!splitter.canSplit(value))
      return false;
    finish.result("report/" + name, asDouble(splitter.split(value), finish));
    return true;
  };
  if (!train.minimize.empty() && llvm::none_of(train.reports, [](auto &report) {
        return report.name == "loss";
      }))
    report("loss", *train.minimize.front().loss);
  for (const typed::Report &one : train.reports)
    if (!report(one.name, *one.value)) {
      model.diagnostics.report(diag::ReportNotSplit, one.value->range, one.name)
          .help("sums, means and maxima over the batch can be combined, but "
                "not one within another, nor a derivative of one");
      throw Refused();
    }
  batch.finish();
  finish.finish();
}

OwningOpRef<ModuleOp> constructReports(const typed::Program &program,
                                       MLIRContext &context,
                                       Precision precision, int64_t batch,
                                       Diagnostics &diagnostics) {
  Model model = makeModel(program, context, precision, diagnostics);
  OwningOpRef<ModuleOp> module(model.module);
  try {
    buildReports(model, batch);
  } catch (const Refused &) {
    return nullptr;
  }
  return module;
}

} // namespace gradus::construct
