// A function with a `backward` of its own: a pair of graph functions, forward
// and backward, made once for each set of dims, and an opaque call of them.
#include "compiler/construct/Emitter.h"
#include "dialect/Graph.h"

using namespace mlir;

namespace gradus::construct {

/// Marks the ops of a backward body in which its cotangent enters other than
/// linearly: to differentiate them again would be wrong (users would get the
/// derivative of one branch), so it is refused there.
static void markNonlinear(func::FuncOp backward, StringRef name) {
  Block &body = backward.front();
  DenseSet<Value> linear{body.getArguments().back()};
  auto isLinear = [&](Value value) { return linear.contains(value); };
  auto isZero = [](Value value) { return knownNumber(value) == 0; };
  for (Operation &op : body.without_terminator()) {
    unsigned count = llvm::count_if(op.getOperands(), isLinear);
    if (count == 0)
      continue;
    bool ok;
    if (isa<graph::AddOp, graph::SubOp, graph::ConcatOp>(op))
      ok = llvm::all_of(op.getOperands(),
                        [&](Value x) { return isLinear(x) || isZero(x); });
    else if (auto select = dyn_cast<graph::SelectOp>(op))
      ok = !isLinear(select.getCondition()) &&
           llvm::all_of(ValueRange{select.getA(), select.getB()},
                        [&](Value x) { return isLinear(x) || isZero(x); });
    else if (isa<graph::DivOp>(op))
      ok = count == 1 && isLinear(op.getOperand(0));
    else
      ok = count == 1 &&
           isa<graph::NegOp, graph::MulOp, graph::StrongMulOp, graph::EinsumOp,
               graph::SumOp, graph::BroadcastOp, graph::TransposeOp,
               graph::ReshapeOp, graph::SliceOp, graph::PadOp, graph::UnfoldOp,
               graph::FoldOp, graph::GatherOp, graph::ScatterAddOp,
               graph::ConvertOp>(op);
    if (!ok)
      op.setAttr(graph::GraphDialect::nonlinearAttrName,
                 StringAttr::get(op.getContext(), name));
    linear.insert_range(op.getResults());
  }
}

/// Which specialisation of a function is meant.
static std::string keyOf(const typed::Function &callee, const Frame &frame,
                         bool training, const Values &arguments) {
  std::string key = fmt::format("{}/{}/{}/{}", fmt::ptr(&callee), callee.name,
                                frame.self->path, training);
  for (const typed::Symbol *generic : callee.generics) {
    if (generic->kind == typed::Symbol::Pack)
      key += fmt::format("/{}", fmt::join(frame.dims.packs.at(generic), "x"));
    else
      key += fmt::format("/{}", frame.dims.dims.at(generic));
  }
  for (auto [local, argument] : llvm::zip_equal(callee.arguments, arguments))
    if (auto lanes = frame.lanes.find(local); lanes != frame.lanes.end())
      for (auto [index, size] : llvm::zip_equal(
               lanes->second,
               cast<RankedTensorType>(argument.getType()).getShape()))
        key += fmt::format("/{} {} {}", fmt::ptr(local), fmt::ptr(index), size);
  return key;
}

const Custom &Model::custom(StringRef name) const {
  return *llvm::find_if(
      customs, [&](const Custom &custom) { return custom.name == name; });
}

Value Emitter::callCustom(const typed::Function &callee, Frame &inner,
                          const Values &arguments) {
  std::string key = keyOf(callee, inner, training, arguments), name;
  auto known = llvm::find_if(
      model.customs, [&](const Custom &custom) { return custom.key == key; });
  if (known != model.customs.end()) {
    name = known->name;
  } else {
    name = fmt::format("{}_{}", callee.name, model.customs.size() + 1);
    model.customs.push_back(
        {name, &callee, inner.self, inner.dims, training, key});
    OpBuilder::InsertionGuard guard(builder);
    OpBuilder own(model.module.getContext());
    Emitter body(model, own, nullptr, training);
    body.open = open;
    Indices indices;
    for (auto [local, size] : open)
      if (llvm::any_of(inner.lanes, [&](const auto &entry) {
            return llvm::is_contained(entry.second, local);
          }))
        indices.push_back(local);
    TypeRange types = ValueRange(arguments).getTypes();

    // Starts a private function, and gives the frame of its body.
    auto begin = [&](const std::string &symbol, TypeRange inputs) {
      own.setInsertionPointToEnd(model.module.getBody());
      auto function = func::FuncOp::create(own, locate(callee.range), symbol,
                                           own.getFunctionType(inputs, {}));
      function.setPrivate();
      own.setInsertionPointToStart(function.addEntryBlock());
      return function;
    };
    auto end = [&](func::FuncOp function, ArrayRef<Value> values) {
      func::ReturnOp::create(own, function.getLoc(), values);
      function.setFunctionType(own.getFunctionType(
          function.getArgumentTypes(), ValueRange(values).getTypes()));
    };
    auto bindArguments = [&](func::FuncOp function) {
      Frame frame;
      frame.self = inner.self;
      frame.dims = inner.dims;
      for (auto [i, local] : llvm::enumerate(callee.arguments))
        body.bind(local, {function.getArgument(i)}, frame);
      frame.lanes = inner.lanes;
      return frame;
    };

    func::FuncOp forward = begin(name, types);
    Frame frame = bindArguments(forward);
    Value y =
        indices.empty()
            ? body.run(callee.statements, frame)->front()
            : body.align(*body.runLanes(callee.statements, frame), indices);
    end(forward, {y});

    SmallVector<Type> inputs(types);
    inputs.append(2, y.getType());
    func::FuncOp backward = begin(name + "_backward", inputs);
    frame = bindArguments(backward);
    auto run = [&](const std::vector<typed::Statement> &statements) {
      if (indices.empty())
        body.run(statements, frame);
      else
        body.runLanes(statements, frame);
    };
    run(callee.statements);
    unsigned n = arguments.size();
    auto bindNumber = [&](const typed::Local *local, unsigned argument) {
      body.bind(local, {backward.getArgument(argument)}, frame);
      if (!indices.empty())
        frame.lanes[local] = indices;
    };
    bindNumber(callee.backward->result, n);
    bindNumber(callee.backward->cotangent, n + 1);
    // What is linear in the cotangent is found op by op.
    body.rolls = false;
    run(callee.backward->statements);
    SmallVector<Value> gradients;
    for (auto [local, gradient] :
         llvm::zip_equal(callee.arguments, callee.backward->gradients))
      if (gradient)
        gradients.push_back(indices.empty()
                                ? body.emit(*gradient, frame)
                                : body.sumTo(body.lanes(*gradient, frame),
                                             inner.lanes.lookup(local)));
    end(backward, gradients);
    markNonlinear(backward, callee.name);
  }

  auto forward = model.module.lookupSymbol<func::FuncOp>(name);
  return graph::CustomOp::create(builder, location,
                                 forward.getResultTypes().front(), name,
                                 arguments, name + "_backward");
}

} // namespace gradus::construct
