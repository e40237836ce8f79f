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
      ok = llvm::all_of(ValueRange{select.getA(), select.getB()},
                        [&](Value x) { return isLinear(x) || isZero(x); });
    else if (isa<graph::DivOp>(op))
      ok = count == 1 && isLinear(op.getOperand(0));
    else
      ok = count == 1 &&
           isa<graph::NegOp, graph::MulOp, graph::StrongMulOp, graph::EinsumOp,
               graph::SumOp, graph::BroadcastOp, graph::TransposeOp,
               graph::ReshapeOp, graph::SliceOp, graph::PadOp, graph::UnfoldOp,
               graph::FoldOp, graph::ConvertOp>(op);
    if (!ok)
      op.setAttr(graph::GraphDialect::nonlinearAttrName,
                 StringAttr::get(op.getContext(), name));
    linear.insert_range(op.getResults());
  }
}

/// Which specialisation of a function is meant.
static std::string keyOf(const typed::Function &callee, const Frame &frame,
                         bool training) {
  std::string key = fmt::format("{}/{}/{}/{}", fmt::ptr(&callee), callee.name,
                                frame.self->path, training);
  for (const typed::Symbol *generic : callee.generics) {
    if (generic->kind == typed::Symbol::Pack)
      key += fmt::format("/{}", fmt::join(frame.dims.packs.at(generic), "x"));
    else
      key += fmt::format("/{}", frame.dims.dims.at(generic));
  }
  return key;
}

const Custom &Model::custom(StringRef name) const {
  return *llvm::find_if(
      customs, [&](const Custom &custom) { return custom.name == name; });
}

Value Emitter::callCustom(const typed::Function &callee, Frame &inner,
                          const Values &arguments) {
  std::string key = keyOf(callee, inner, training), name;
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
      return frame;
    };

    func::FuncOp forward = begin(name, types);
    Frame frame = bindArguments(forward);
    Value y = body.run(callee.statements, frame)->front();
    end(forward, {y});

    SmallVector<Type> inputs(types);
    inputs.append(2, y.getType());
    func::FuncOp backward = begin(name + "_backward", inputs);
    frame = bindArguments(backward);
    body.run(callee.statements, frame);
    unsigned n = arguments.size();
    body.bind(callee.backward->result, {backward.getArgument(n)}, frame);
    body.bind(callee.backward->cotangent, {backward.getArgument(n + 1)}, frame);
    body.run(callee.backward->statements, frame);
    SmallVector<Value> gradients;
    for (const typed::Expr *gradient : callee.backward->gradients)
      if (gradient)
        gradients.push_back(body.emit(*gradient, frame));
    end(backward, gradients);
    markNonlinear(backward, callee.name);
  }

  auto forward = model.module.lookupSymbol<func::FuncOp>(name);
  return graph::CustomOp::create(builder, location,
                                 forward.getResultTypes().front(), name,
                                 arguments, name + "_backward");
}

} // namespace gradus::construct
