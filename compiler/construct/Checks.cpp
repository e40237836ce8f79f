// What `gradus gradcheck` runs: for the loss of every `minimize` and for every
// function with a `backward`, one graph function for the value and one for its
// derivative. What `stop` holds is an argument of the value, so that it stays
// where it is while differences are taken.
#include "compiler/construct/Training.h"
#include "dialect/Graph.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace gradus::construct {

namespace {

class ChecksBuilder {
public:
  ChecksBuilder(Model &model, int64_t batch,
                std::vector<CheckedDerivative> &checks)
      : model(model), batch(batch), checks(checks) {}

  void build();

private:
  void loss(const typed::Minimize &minimize, size_t number);
  void gradientOfLoss(const typed::Minimize &minimize,
                      CheckedDerivative &check);
  void backward(const Custom &custom);
  void unreached(const typed::Function &function);
  std::vector<std::string> throughSurrogates(GraphFunction &function);

  Model &model;
  int64_t batch;
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

void ChecksBuilder::gradientOfLoss(const typed::Minimize &minimize,
                                   CheckedDerivative &check) {
  GraphFunction function(model.module, check.gradient);
  Emitter emitter(model, function.builder(), &function, /*training=*/true);
  emitter.unrollsStops = true;
  Frame frame = trainFrame(model, emitter, function, batch);
  LossGradient gradient = lossGradient(minimize, emitter, function, frame, {});
  check.surrogates = throughSurrogates(function);
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
  CheckedDerivative &check = checks.emplace_back();
  check.minimize = &minimize;
  check.value = fmt::format("loss_{}", number);
  check.gradient = check.value + "_gradient";
  gradientOfLoss(minimize, check);

  GraphFunction function(model.module, check.value);
  Emitter emitter(model, function.builder(), &function, /*training=*/true);
  emitter.unrollsStops = true;
  Frame frame = trainFrame(model, emitter, function, batch);
  Value loss = emitLoss(minimize, emitter, frame);
  forEachStop(function, [&](const std::string &name, Value stopped) {
    stopped.replaceAllUsesWith(
        function.argument(name, cast<RankedTensorType>(stopped.getType())));
  });
  function.result("loss", loss);
  function.finish();
}

/// The function on its arguments, its value weighted by `cotangent`.
void ChecksBuilder::backward(const Custom &custom) {
  CheckedDerivative &check = checks.emplace_back();
  check.function = custom.function;
  check.value = custom.name + "_value";
  check.gradient = custom.name + "_gradient";
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
    if (isGradient) {
      auto gradient =
          graph::GradientOp::create(function.builder(), loc, sum, real);
      gradient->setAttr(graph::GraphDialect::namesAttrName,
                        function.builder().getArrayAttr(shown));
      for (auto [name, value] : llvm::zip_equal(names, gradient.getResults()))
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
  else // There is nothing to run.
    checks.emplace_back().function = &function;
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
                                      int64_t batch,
                                      std::vector<CheckedDerivative> &checks,
                                      Diagnostics &diagnostics) {
  Model model = makeModel(program, context, precision, diagnostics);
  OwningOpRef<ModuleOp> module(model.module);
  checks.clear();
  try {
    ChecksBuilder(model, batch, checks).build();
  } catch (const Refused &) {
    return nullptr;
  }
  return module;
}

} // namespace gradus::construct
