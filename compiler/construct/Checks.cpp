// What `gradus gradcheck` runs: for the loss of every `minimize` and for every
// function with a `backward`, one graph function for the value and one for its
// derivative. What `stop` holds is an argument of the value, so that it stays
// where it is while differences are taken. Second derivatives are the first
// ones of a number again: of the first derivative along a direction.
#include "compiler/construct/Training.h"
#include "dialect/Duals.h"
#include "dialect/Graph.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace gradus::construct {

namespace {

class ChecksBuilder {
public:
  ChecksBuilder(Model &model, int64_t batch, int order,
                std::vector<CheckedDerivative> &checks)
      : model(model), batch(batch), order(order), checks(checks) {}

  void build();

private:
  void loss(const typed::Minimize &minimize, size_t number);
  void gradientOfLoss(const typed::Minimize &minimize,
                      CheckedDerivative &check);
  void backward(const Custom &custom);
  void unreached(const typed::Function &function);
  Value alongDirections(GraphFunction &function, ArrayRef<std::string> names,
                        ValueRange gradients);
  CheckedDerivative &begin(const std::string &name);
  std::vector<std::string> throughSurrogates(GraphFunction &function);

  Model &model;
  int64_t batch;
  int order;
  std::vector<CheckedDerivative> &checks;
};

} // namespace

/// Calls `visit` with each value that `stop` holds, and a name for it.
static void forEachStop(GraphFunction &function,
                        function_ref<void(std::string, Value)> visit) {
  size_t number = 0;
  for (Operation &op : llvm::make_early_inc_range(function.body()))
    if (isa<graph::StopOp>(op))
      visit("stopped/" + std::to_string(number++), op.getResult(0));
}

/// Parameters that reach the loss through a function whose backward is meant to
/// differ from the derivative.
std::vector<std::string>
ChecksBuilder::throughSurrogates(GraphFunction &function) {
  std::vector<std::string> names;
  for (const Parameter &parameter : model.instances.parameters()) {
    DenseSet<Value> reached{function.lookup("param/" + parameter.name)};
    for (Operation &op : function.body()) {
      if (llvm::none_of(op.getOperands(),
                        [&](Value x) { return reached.contains(x); }))
        continue;
      reached.insert_range(op.getResults());
      // The body of a loop may hold such calls.
      WalkResult found = op.walk([&](graph::CustomOp call) {
        return model.custom(call.getForward()).function->backward->surrogate
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      });
      if (found.wasInterrupted()) {
        names.push_back(parameter.name);
        break;
      }
    }
  }
  return names;
}

/// A check of two functions, named after what is checked.
CheckedDerivative &ChecksBuilder::begin(const std::string &name) {
  CheckedDerivative &check = checks.emplace_back();
  check.order = order;
  check.value = name + (order == 2 ? "_slope" : "_value");
  check.gradient = name + (order == 2 ? "_second" : "_gradient");
  return check;
}

/// The sum of the gradients by `names`, each weighted by an argument.
Value ChecksBuilder::alongDirections(GraphFunction &function,
                                     ArrayRef<std::string> names,
                                     ValueRange gradients) {
  OpBuilder &builder = function.builder();
  Value total;
  for (auto [name, gradient] : llvm::zip_equal(names, gradients)) {
    Location loc = gradient.getLoc();
    auto type = cast<RankedTensorType>(gradient.getType());
    Value part = graph::MulOp::create(
        builder, loc, gradient, function.argument("direction/" + name, type));
    part = graph::SumOp::create(
        builder, loc, part,
        llvm::to_vector(llvm::seq<int64_t>(type.getRank())));
    if (type.getElementType() != model.real)
      part = graph::ConvertOp::create(builder, loc, part, model.real);
    total = total ? graph::AddOp::create(builder, loc, total, part) : part;
  }
  return total;
}

/// The derivatives of `y`, those that are always zero included.
static SmallVector<Value> derivativesOf(OpBuilder &builder, Value y,
                                        ValueRange xs) {
  Value one = graph::fillLike(builder, y.getLoc(), y, 1);
  return llvm::to_vector_of<Value>(
      graph::VjpOp::create(builder, y.getLoc(), y, one, xs).getCotangents());
}

/// The same, where one that is always zero is an error; `names` of y and xs.
static SmallVector<Value> gradientOf(OpBuilder &builder, Value y, ValueRange xs,
                                     ArrayRef<Attribute> names) {
  auto gradient = graph::GradientOp::create(builder, y.getLoc(), y, xs);
  gradient->setAttr(graph::GraphDialect::namesAttrName,
                    builder.getArrayAttr(names));
  return llvm::to_vector_of<Value>(gradient.getResults());
}

static std::vector<std::string> namesOf(const LossGradient &gradient) {
  std::vector<std::string> names;
  for (const Parameter *parameter : gradient.parameters)
    names.push_back(parameter->name);
  return names;
}

void ChecksBuilder::gradientOfLoss(const typed::Minimize &minimize,
                                   CheckedDerivative &check) {
  GraphFunction function(model.module, check.gradient);
  Emitter emitter(model, function.builder(), &function, /*training=*/true);
  emitter.unrollsStops = true;
  Frame frame = trainFrame(model, emitter, function, batch);
  LossGradient gradient = lossGradient(minimize, emitter, function, frame, {});
  check.surrogates = throughSurrogates(function);
  if (order == 2) {
    gradient.loss =
        alongDirections(function, namesOf(gradient), gradient.values);
    SmallVector<Value> parameters;
    for (const Parameter *parameter : gradient.parameters)
      parameters.push_back(emitter.parameter(*parameter));
    gradient.values =
        derivativesOf(function.builder(), gradient.loss, parameters);
  }
  // The values that functions with a backward see first.
  llvm::StringSet<> seen;
  for (auto call : function.body().getOps<graph::CustomOp>())
    if (seen.insert(call.getForward()).second)
      for (auto [i, operand] : llvm::enumerate(call.getOperands()))
        function.result(
            fmt::format("operand/{}/{}", call.getForward().str(), i), operand);
  forEachStop(function, [&](const std::string &name, Value stopped) {
    function.result(name, stopped);
  });
  for (auto [parameter, value] :
       llvm::zip_equal(gradient.parameters, gradient.values))
    function.result("gradient/" + parameter->name, value);
  function.result("loss", gradient.loss);
  function.finish();
}

void ChecksBuilder::loss(const typed::Minimize &minimize, size_t number) {
  CheckedDerivative &check = begin(fmt::format("loss_{}", number));
  check.minimize = &minimize;
  gradientOfLoss(minimize, check);

  GraphFunction function(model.module, check.value);
  Emitter emitter(model, function.builder(), &function, /*training=*/true);
  emitter.unrollsStops = true;
  Frame frame = trainFrame(model, emitter, function, batch);
  Value loss;
  if (order == 2) {
    LossGradient gradient =
        lossGradient(minimize, emitter, function, frame, {});
    loss = alongDirections(function, namesOf(gradient), gradient.values);
  } else {
    loss = emitLoss(minimize, emitter, frame);
  }
  forEachStop(function, [&](const std::string &name, Value stopped) {
    stopped.replaceAllUsesWith(
        function.argument(name, cast<RankedTensorType>(stopped.getType())));
  });
  function.result("loss", loss);
  function.finish();
}

/// The function on its arguments, its value weighted by `cotangent`.
void ChecksBuilder::backward(const Custom &custom) {
  CheckedDerivative &check = begin(custom.name);
  check.function = custom.function;
  check.operands = custom.name;
  for (bool isGradient : {false, true}) {
    GraphFunction function(model.module,
                           isGradient ? check.gradient : check.value);
    Emitter emitter(model, function.builder(), &function, custom.training);
    emitter.unrollsStops = true;
    Frame frame;
    frame.self = custom.self;
    frame.dims = custom.dims;
    Values arguments;
    SmallVector<Value> real;
    std::vector<std::string> names;
    SmallVector<Attribute> shown{
        function.builder().getStringAttr(custom.function->name)};
    for (const typed::Local *local : custom.function->arguments) {
      RankedTensorType type = emitter.typeOf(local->type, frame);
      Value argument = function.argument("argument/" + local->name, type);
      arguments.push_back(argument);
      if (graph::isReal(argument)) {
        real.push_back(argument);
        names.push_back(local->name);
        shown.push_back(function.builder().getStringAttr(local->name));
      } else if (!isGradient &&
                 local->type.element == typed::ElementType::Index) {
        check.classes["argument/" + local->name] =
            local->type.bound.evaluate(frame.dims);
      }
    }
    Value y = emitter.callCustom(*custom.function, frame, arguments);
    auto type = cast<RankedTensorType>(y.getType());
    Location loc = emitter.locate(custom.function->range);
    Value weighted = graph::MulOp::create(function.builder(), loc, y,
                                          function.argument("cotangent", type));
    Value sum = graph::SumOp::create(
        function.builder(), loc, weighted,
        llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
    if (order == 2)
      sum = alongDirections(function, names,
                            derivativesOf(function.builder(), sum, real));
    if (isGradient) {
      auto gradient = order == 2
                          ? derivativesOf(function.builder(), sum, real)
                          : gradientOf(function.builder(), sum, real, shown);
      for (auto [name, value] : llvm::zip_equal(names, gradient))
        function.result("gradient/" + name, value);
    }
    function.result("loss", sum);
    function.finish();
  }
}

/// Small numbers for the generics of a function under which all it requires
/// holds, different ones where possible.
static std::optional<typed::DimEnvironment>
smallDims(const typed::Function &function, typed::DimEnvironment dims) {
  constexpr int64_t sizes[] = {3, 4, 2, 5, 6, 8, 1};
  constexpr size_t count = std::size(sizes), mostTries = 20000;
  std::vector<const typed::Symbol *> symbols;
  for (const typed::Symbol *generic : function.generics) {
    if (generic->kind == typed::Symbol::Pack)
      dims.packs[generic] = {2};
    else
      symbols.push_back(generic);
  }
  std::vector<size_t> choice(symbols.size());
  for (size_t i = 0; i < choice.size(); ++i)
    choice[i] = i % count;
  for (size_t tries = 0; tries < mostTries; ++tries) {
    for (size_t i = 0; i < symbols.size(); ++i)
      dims.dims[symbols[i]] = sizes[choice[i]];
    if (llvm::all_of(function.requirements, [&](const auto &requirement) {
          return typed::holds(requirement.left.evaluate(dims),
                              requirement.relation,
                              requirement.right.evaluate(dims));
        }))
      return dims;
    size_t i = 0;
    while (i < choice.size() &&
           (choice[i] = (choice[i] + 1) % count) == i % count)
      ++i;
    if (i == choice.size())
      break;
  }
  return std::nullopt;
}

/// A function that no loss runs through, at small dims.
void ChecksBuilder::unreached(const typed::Function &function) {
  const Instance &self = model.instances.ofFile(function.module);
  if (auto dims = smallDims(function, self.dims))
    backward({.name = fmt::format("{}_alone_{}", function.name, checks.size()),
              .function = &function,
              .self = &self,
              .dims = *dims,
              .training = true,
              .key = ""});
  else { // There is nothing to run.
    checks.emplace_back().function = &function;
    checks.back().order = order;
  }
}

void ChecksBuilder::build() {
  if (const typed::Train *train = model.program.train)
    for (const auto &[i, minimize] : llvm::enumerate(train->minimize))
      loss(minimize, i);
  SmallVector<const typed::Function *> others;
  for (const typed::Module *file : llvm::drop_begin(model.program.files))
    for (const typed::Function *function : file->functions)
      if (function->backward &&
          llvm::none_of(model.customs, [&](const Custom &custom) {
            return custom.function == function;
          }))
        others.push_back(function);
  for (const Custom &custom : model.customs)
    backward(custom);
  for (const typed::Function *function : others)
    unreached(*function);
}

OwningOpRef<ModuleOp> constructChecks(const typed::Program &program,
                                      MLIRContext &context, Precision precision,
                                      int64_t batch, int order,
                                      std::vector<CheckedDerivative> &checks,
                                      Diagnostics &diagnostics) {
  Model model = makeModel(program, context, precision, diagnostics);
  OwningOpRef<ModuleOp> module(model.module);
  checks.clear();
  try {
    ChecksBuilder(model, batch, order, checks).build();
  } catch (const Refused &) {
    return nullptr;
  }
  return module;
}

} // namespace gradus::construct
