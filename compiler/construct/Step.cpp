// One training step as one function: forward, gradients (symbolic still), clip,
// and the optimizer's assignments for each parameter.
#include "compiler/DiagnosticKinds.h"
#include "compiler/construct/Training.h"
#include "dialect/Duals.h"
#include "dialect/Origins.h"

#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace gradus::construct {

Model makeModel(const typed::Program &program, MLIRContext &context,
                Precision precision, Diagnostics &diagnostics) {
  context.loadDialect<graph::GraphDialect, func::FuncDialect>();
  FloatType real = precision == Precision::F64
                       ? FloatType(Float64Type::get(&context))
                       : FloatType(Float32Type::get(&context));
  return {program, Instances(program),
          ModuleOp::create(UnknownLoc::get(&context)), real, diagnostics};
}

Frame trainFrame(Model &model, Emitter &emitter, GraphFunction &function,
                 int64_t batch) {
  const typed::Train &train = *model.program.train;
  Frame frame;
  frame.self = &model.instances.ofFile(model.program.main);
  frame.dims = frame.self->dims;
  frame.dims.dims[train.batch] = batch;
  frame.batch[train.batch] = 0;
  for (const typed::Local *field : train.fields)
    emitter.bind(field,
                 {function.argument("field/" + field->name,
                                    emitter.typeOf(field->type, frame))},
                 frame);
  return frame;
}

/// The parameters to update: those after `over`, or all the loss depends on.
static std::vector<const Parameter *>
targets(const typed::Minimize &minimize, Value loss, Emitter &emitter,
        GraphFunction &function,
        const llvm::SetVector<const Parameter *> &updated) {
  Model &model = emitter.model;
  const Instance &self = model.instances.ofFile(model.program.main);
  std::vector<const Parameter *> result;
  if (!minimize.over.empty()) {
    llvm::DenseSet<const Parameter *> chosen;
    for (const typed::Minimize::Target &target : minimize.over) {
      if (target.param)
        chosen.insert(&model.instances.parameter(
            model.instances.find(self, target.instance, self.dims),
            target.param));
      else
        for (const Parameter &parameter :
             model.instances.parameters(self, target.instance, self.dims))
          chosen.insert(&parameter);
    }
    for (const Parameter &parameter : model.instances.parameters())
      if (chosen.contains(&parameter))
        result.push_back(&parameter);
    return result;
  }

  // Walk back from the loss; what an earlier `minimize` updated is a leaf.
  DenseSet<Value> leaves, reached{loss};
  for (const Parameter *parameter : updated)
    leaves.insert(emitter.parameter(*parameter));
  SmallVector<Value> pending{loss};
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    if (Operation *op = value.getDefiningOp();
        op && !leaves.contains(value) && !isa<graph::StopOp>(op))
      for (Value operand : op->getOperands())
        if (reached.insert(operand).second)
          pending.push_back(operand);
  }
  for (const Parameter &parameter : model.instances.parameters()) {
    Value value = updated.contains(&parameter)
                      ? emitter.parameter(parameter)
                      : function.lookup("param/" + parameter.name);
    if (value && graph::isReal(value) && reached.contains(value))
      result.push_back(&parameter);
  }
  return result;
}

/// The names that the value of an expression is made of.
static void collectLocals(const typed::Expr &expr,
                          DenseSet<const typed::Local *> &locals) {
  if (auto *reference = expr.as<typed::LocalReference>())
    locals.insert(reference->local);
  if (auto *derivative = expr.as<typed::Derivative>())
    for (const typed::DerivativeTarget &target : derivative->targets)
      if (auto *local = std::get_if<typed::Local *>(&target))
        locals.insert(*local);
  for (const typed::Expr *operand : typed::operandsOf(expr))
    collectLocals(*operand, locals);
}

Value emitLoss(const typed::Minimize &minimize, Emitter &emitter,
               Frame &frame) {
  DenseSet<const typed::Local *> used;
  collectLocals(*minimize.loss, used);
  std::vector<typed::Statement> lets;
  for (const typed::Statement &statement :
       llvm::reverse(emitter.model.program.train->lets)) {
    auto *let = statement.as<typed::Let>();
    auto *tuple = statement.as<typed::LetTuple>();
    bool isUsed = let ? used.contains(let->local)
                      : llvm::any_of(tuple->locals, [&](const auto *local) {
                          return used.contains(local);
                        });
    if (!isUsed)
      continue;
    collectLocals(let ? *let->value : *tuple->value, used);
    lets.push_back(statement);
  }
  std::ranges::reverse(lets);
  emitter.run(lets, frame);
  return emitter.emit(*minimize.loss, frame);
}

LossGradient lossGradient(const typed::Minimize &minimize, Emitter &emitter,
                          GraphFunction &function, Frame &frame,
                          const llvm::SetVector<const Parameter *> &updated) {
  LossGradient result;
  result.loss = emitLoss(minimize, emitter, frame);
  result.parameters =
      targets(minimize, result.loss, emitter, function, updated);
  if (result.parameters.empty()) {
    emitter.model.diagnostics.report(diag::NothingToMinimize,
                                     minimize.loss->range);
    throw Refused();
  }
  OpBuilder &builder = function.builder();
  SmallVector<Value> values;
  SmallVector<Attribute> names{
      builder.getStringAttr(typed::quoted(*minimize.loss))};
  for (const Parameter *parameter : result.parameters) {
    values.push_back(emitter.parameter(*parameter));
    names.push_back(builder.getStringAttr(parameter->name));
  }
  auto gradient = graph::GradientOp::create(
      builder, emitter.locate(minimize.loss->range), result.loss, values);
  gradient->setAttr(graph::GraphDialect::namesAttrName,
                    builder.getArrayAttr(names));
  llvm::append_range(result.values, gradient.getResults());
  return result;
}

namespace {

class StepBuilder {
public:
  StepBuilder(Model &model, int64_t batch)
      : model(model), function(model.module, "step"), batch(batch),
        emitter(model, function.builder(), &function, /*training=*/true) {}

  void build();

private:
  void minimize(const typed::Minimize &minimize);
  void clip(SmallVector<Value> &gradients);
  /// A run of an optimizer's `step` in the making.
  struct Update {
    Frame frame;
    /// Where its draws are: `adam/fc1.W/`, `lbfgs/`.
    std::string site;
    std::vector<std::string> slots;
  };
  using ParameterValues = SmallVector<std::pair<const Parameter *, Value>>;
  Update begin(const typed::Minimize &minimize, Frame &outer, Frame frame,
               const Parameter *parameter, Value value, Value gradient);
  Value finish(const typed::Minimize &minimize, Update &update);
  void replace(const typed::Minimize &minimize, const Parameter &parameter,
               Value value);
  void updateOne(const typed::Minimize &minimize, const Parameter &parameter,
                 Value gradient, Frame &outer);
  ParameterValues partsOf(Value vector, const LossGradient &gradient);
  void updateAll(const typed::Minimize &minimize, const LossGradient &gradient,
                 const Emitter::States &before, Frame &outer);
  int64_t period(const typed::Minimize &minimize) const;
  Value ifDue(const typed::Minimize &minimize, Value updated, Value old);
  void undoStates(const typed::Minimize &minimize,
                  const Emitter::States &before);
  Value averaged(const typed::Minimize &minimize, const Parameter &parameter,
                 Value gradient);

  Model &model;
  GraphFunction function;
  int64_t batch;
  Emitter emitter;
  /// The values slots have by now, by path, in order of first use.
  llvm::MapVector<StringRef, Value> slots;
  std::deque<std::string> slotNames;
  /// How often an optimizer has updated a parameter, or all (null), in this
  /// step: each time has slots of its own, those of the second start `slot/2.`.
  std::map<std::pair<std::string, const Parameter *>, unsigned> uses;
  /// Updated parameters, in order of first update.
  llvm::SetVector<const Parameter *> updated;
  Value firstLoss;
};

} // namespace

/// `clip`: all gradients scaled so that their common norm is at most the bound.
/// `clip_value`: each element held within the bound.
void StepBuilder::clip(SmallVector<Value> &gradients) {
  const typed::Settings &settings = model.program.train->settings;
  OpBuilder &builder = function.builder();
  Location loc = emitter.locate(model.program.train->range);
  if (settings.clip) {
    Value squares;
    for (Value g : gradients) {
      auto type = cast<RankedTensorType>(g.getType());
      Value square = graph::MulOp::create(builder, loc, g, g);
      Value sum = graph::SumOp::create(
          builder, loc, square,
          llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
      squares =
          squares ? graph::AddOp::create(builder, loc, squares, sum) : sum;
    }
    Value norm = graph::SqrtOp::create(builder, loc, squares);
    Value scale = graph::MinOp::create(
        builder, loc,
        graph::DivOp::create(builder, loc, emitter.scalar(*settings.clip),
                             norm),
        emitter.scalar(1));
    for (Value &g : gradients)
      g = graph::MulOp::create(builder, loc, g, emitter.spread(scale, g));
  }
  if (settings.clipValue)
    for (Value &g : gradients) {
      Value bound = graph::fillLike(builder, loc, g, *settings.clipValue);
      Value below = graph::MinOp::create(builder, loc, g, bound);
      g = graph::MaxOp::create(
          builder, loc, below,
          graph::fillLike(builder, loc, g, -*settings.clipValue));
    }
}

/// It updates in the steps whose number this divides.
int64_t StepBuilder::period(const typed::Minimize &minimize) const {
  // The checker lets only one of the two be more than 1.
  return std::max(minimize.every, model.program.train->settings.accumulate);
}

/// The old value in a step without update. The runtime says which steps these
/// are, because real numbers do not count far enough.
Value StepBuilder::ifDue(const typed::Minimize &minimize, Value updated,
                         Value old) {
  if (period(minimize) == 1)
    return updated;
  OpBuilder &builder = function.builder();
  Location loc = emitter.locate(minimize.range);
  Value flag = function.argument("every/" + std::to_string(period(minimize)),
                                 RankedTensorType::get({}, model.real));
  Value spread = emitter.spread(flag, updated);
  Value isDue =
      graph::CompareOp::create(builder, loc, graph::Predicate::gt, spread,
                               graph::fillLike(builder, loc, spread, 0));
  return graph::SelectOp::create(builder, loc, isDue, updated, old);
}

/// In a step without update the `minimize` has not run at all.
void StepBuilder::undoStates(const typed::Minimize &minimize,
                             const Emitter::States &before) {
  for (auto [key, value] : Emitter::States(emitter.assignedStates())) {
    auto [instance, state] = key;
    Value old = before.lookup(key);
    if (!old)
      old = emitter.storedState(*instance, *state, minimize.range);
    if (value != old)
      emitter.setState(*instance, *state, ifDue(minimize, value, old));
  }
}

/// With `accumulate k`, the mean gradient of the batches since the last update;
/// their sum is kept from step to step.
Value StepBuilder::averaged(const typed::Minimize &minimize,
                            const Parameter &parameter, Value gradient) {
  int64_t count = model.program.train->settings.accumulate;
  if (count == 1)
    return gradient;
  OpBuilder &builder = function.builder();
  Location loc = emitter.locate(minimize.range);
  // Each `minimize` gathers its own.
  auto number = &minimize - model.program.train->minimize.data();
  std::string &name = slotNames.emplace_back(fmt::format(
      "slot/{}accumulate/{}", number ? fmt::format("{}.", number + 1) : "",
      parameter.name));
  Value before =
      function.argument(name, cast<RankedTensorType>(gradient.getType()));
  function.setInitial(name, 0);
  Value sum = graph::AddOp::create(builder, loc, before, gradient);
  slots[name] = ifDue(minimize, graph::fillLike(builder, loc, sum, 0), sum);
  return graph::DivOp::create(
      builder, loc, sum, graph::fillLike(builder, loc, sum, double(count)));
}

/// What the optimizer's arguments, the parameter (all of them, if it is null)
/// and the gradient mean in its `step`, and its slots.
StepBuilder::Update StepBuilder::begin(const typed::Minimize &minimize,
                                       Frame &outer, Frame frame,
                                       const Parameter *parameter, Value value,
                                       Value gradient) {
  const typed::Optimizer &optimizer = *minimize.optimizer;
  frame.self = outer.self;
  for (auto [local, whole, argument] : llvm::zip_equal(
           optimizer.arguments, optimizer.wholes, minimize.arguments))
    if (whole)
      frame.dims.dims[whole] =
          argument->as<typed::DimValue>()->dim.evaluate(outer.dims);
    else
      emitter.bind(local, emitter.emitAll(*argument, outer), frame);
  emitter.bind(optimizer.updated, {value}, frame);
  emitter.bind(optimizer.gradient, {gradient}, frame);
  unsigned use = ++uses[{optimizer.name, parameter}];
  std::string path = (use == 1 ? "" : std::to_string(use) + ".") +
                     optimizer.name + "/" + (parameter ? parameter->name : "");
  Update update{std::move(frame), parameter ? path + "/" : path, {}};
  for (const typed::Optimizer::State &state : optimizer.states) {
    std::string &name = slotNames.emplace_back(
        "slot/" + path + (parameter ? "." : "") + state.local->name);
    update.slots.push_back(name);
    Value &value = slots[name];
    if (!value) {
      value = function.argument(
          name, emitter.typeOf(state.local->type, update.frame));
      auto initial =
          model.instances.evaluate(*state.initial, *update.frame.self);
      if (!initial) {
        model.diagnostics.report(
            diag::NotSupportedYet, state.initial->range,
            "a state that does not start as one number is");
        throw Refused();
      }
      function.setInitial(name, *initial);
    }
    emitter.bind(state.local, {value}, update.frame);
  }
  return update;
}

/// Runs the statements of `step`, keeps its slots, and gives what the parameter
/// is by then.
Value StepBuilder::finish(const typed::Minimize &minimize, Update &update) {
  const typed::Optimizer &optimizer = *minimize.optimizer;
  if (period(minimize) > 1) {
    RankedTensorType real = RankedTensorType::get({}, model.real);
    emitter.updateNumber = graph::DivOp::create(
        function.builder(), emitter.locate(minimize.range),
        function.argument("t", real), emitter.scalar(double(period(minimize))));
  }
  emitter.site.path = update.site;
  emitter.run(optimizer.statements, update.frame);
  emitter.site = {};
  emitter.updateNumber = nullptr;
  for (auto [name, state] : llvm::zip_equal(update.slots, optimizer.states))
    slots[name] =
        ifDue(minimize, update.frame.locals[state.local].front(), slots[name]);
  return update.frame.locals[optimizer.updated].front();
}

void StepBuilder::replace(const typed::Minimize &minimize,
                          const Parameter &parameter, Value value) {
  emitter.updateParameter(parameter,
                          ifDue(minimize, value, emitter.parameter(parameter)));
  updated.insert(&parameter);
}

/// The optimizer's `step` for one parameter, its pack bound to the shape.
void StepBuilder::updateOne(const typed::Minimize &minimize,
                            const Parameter &parameter, Value gradient,
                            Frame &outer) {
  Frame frame;
  frame.dims = outer.dims;
  frame.dims.packs[minimize.optimizer->generic] = parameter.shape;
  Update update = begin(minimize, outer, std::move(frame), &parameter,
                        emitter.parameter(parameter), gradient);
  replace(minimize, parameter, finish(minimize, update));
}

/// The parameters in a vector of all of them.
StepBuilder::ParameterValues
StepBuilder::partsOf(Value vector, const LossGradient &gradient) {
  OpBuilder &builder = function.builder();
  Location loc = vector.getLoc();
  ParameterValues parts;
  int64_t first = 0;
  for (const Parameter *parameter : gradient.parameters) {
    int64_t size = ShapedType::getNumElements(parameter->shape);
    Value part =
        graph::SliceOp::create(builder, loc, vector, ArrayRef<int64_t>{first},
                               ArrayRef<int64_t>{size});
    parts.emplace_back(parameter, graph::ReshapeOp::create(builder, loc, part,
                                                           parameter->shape));
    first += size;
  }
  return parts;
}

/// The optimizer's `step` for all parameters as one vector.
void StepBuilder::updateAll(const typed::Minimize &minimize,
                            const LossGradient &gradient,
                            const Emitter::States &before, Frame &outer) {
  const typed::Optimizer &optimizer = *minimize.optimizer;
  Values values;
  for (const Parameter *parameter : gradient.parameters)
    values.push_back(emitter.parameter(*parameter));
  Value vector = emitter.flattened(values);
  Frame frame;
  frame.dims = outer.dims;
  frame.dims.dims[optimizer.generic] =
      cast<RankedTensorType>(vector.getType()).getNumElements();
  Update update =
      begin(minimize, outer, std::move(frame),
            /*parameter=*/nullptr, vector, emitter.flattened(gradient.values));
  if (optimizer.loss)
    update.frame.functions[optimizer.loss].loss = [&](Value at) {
      return emitter.again(partsOf(at, gradient), before, [&] {
        Frame fresh = trainFrame(model, emitter, function, batch);
        return emitLoss(minimize, emitter, fresh);
      });
    };
  for (auto [parameter, part] : partsOf(finish(minimize, update), gradient))
    replace(minimize, *parameter, part);
}

void StepBuilder::minimize(const typed::Minimize &minimize) {
  Frame frame = trainFrame(model, emitter, function, batch);
  Emitter::States before = emitter.assignedStates();
  LossGradient gradient =
      lossGradient(minimize, emitter, function, frame, updated);
  if (minimize.every > 1)
    undoStates(minimize, before);
  if (!firstLoss)
    firstLoss = gradient.loss;
  llvm::SaveAndRestore from(
      emitter.caller, std::optional(graph::marked(
                          emitter.locate(minimize.range), graph::updateMark)));
  for (auto [parameter, g] :
       llvm::zip_equal(gradient.parameters, gradient.values))
    g = averaged(minimize, *parameter, g);
  clip(gradient.values);
  if (minimize.optimizer->isOverVector())
    return updateAll(minimize, gradient, before, frame);
  for (auto [parameter, g] :
       llvm::zip_equal(gradient.parameters, gradient.values))
    updateOne(minimize, *parameter, g, frame);
}

void StepBuilder::build() {
  for (const typed::Minimize &one : model.program.train->minimize)
    minimize(one);
  for (const Parameter *parameter : updated)
    function.result("param/" + parameter->name, emitter.parameter(*parameter));
  for (auto &[key, value] : emitter.assignedStates())
    function.result("state/" + key.first->member(key.second->name), value);
  for (auto &[name, value] : slots)
    function.result(name.str(), value);
  function.result("loss", firstLoss);
  function.finish();
}

OwningOpRef<ModuleOp> constructStep(const typed::Program &program,
                                    MLIRContext &context, Precision precision,
                                    int64_t batch, Diagnostics &diagnostics) {
  Model model = makeModel(program, context, precision, diagnostics);
  OwningOpRef<ModuleOp> module(model.module);
  try {
    StepBuilder(model, batch).build();
  } catch (const Refused &) {
    return nullptr;
  }
  return module;
}

OwningOpRef<ModuleOp> constructExport(const typed::Program &program,
                                      MLIRContext &context, Precision precision,
                                      const typed::Function &function,
                                      const typed::DimEnvironment &dims,
                                      Diagnostics &diagnostics, bool training) {
  Model model = makeModel(program, context, precision, diagnostics);
  OwningOpRef<ModuleOp> module(model.module);
  try {
    GraphFunction graph(model.module, function.name);
    Emitter emitter(model, graph.builder(), &graph, training);
    Frame frame;
    frame.self = &model.instances.ofFile(function.module);
    frame.dims = dims;
    for (const typed::Local *argument : function.arguments)
      emitter.bind(argument,
                   {graph.argument("argument/" + argument->name,
                                   emitter.typeOf(argument->type, frame))},
                   frame);
    std::optional<Values> values = emitter.run(function.statements, frame);
    for (auto [i, value] : llvm::enumerate(*values))
      graph.result("result/" + std::to_string(i), value);
    graph.finish();
  } catch (const Refused &) {
    return nullptr;
  }
  return module;
}

} // namespace gradus::construct
