// `let z: real[B, Z] ~ normal(0, 1)`: numbers of `graph.random` at a site of
// their own, and arithmetic that gives them the distribution, through which
// derivatives flow to its arguments.
#include "compiler/DiagnosticKinds.h"
#include "compiler/construct/Emitter.h"
#include "dialect/Duals.h"
#include "runtime/Philox.h"

using namespace mlir;

namespace gradus::construct {

using typed::Distribution;

std::optional<int64_t> Frame::batchAxis(const typed::Shape &shape) const {
  std::optional<int64_t> found;
  int64_t position = 0;
  for (const typed::Axis &axis : shape) {
    const typed::Symbol *symbol = axis.isPack() ? axis.pack : axis.dim.symbol();
    if (auto known = batch.find(symbol); symbol && known != batch.end())
      found = found || known->second < 0 ? -1 : position + known->second;
    position += axis.isPack() ? dims.packs.at(axis.pack).size() : 1;
  }
  return found;
}

Emitter::Site Emitter::siteOfCall(const Callee &callee, unsigned number,
                                  Range call) const {
  Site inner = site;
  inner.path += callee.self->member(callee.function->name);
  if (number > 1)
    inner.path += fmt::format(".{}", number);
  inner.path += "/";
  if (call.source != model.program.files.front()->source)
    inner.call = call;
  return inner;
}

/// As if every loop were written out: see `writeOut`.
Value Emitter::roundOfKeptLoops(Frame &frame) {
  auto type = RankedTensorType::get({}, builder.getI32Type());
  auto combine = [&](graph::Arithmetic formula, Value a, Value b) -> Value {
    return graph::WholeOp::create(builder, location, formula, a, b);
  };
  Value round;
  for (const typed::Symbol *counter : levels) {
    if (round)
      round = combine(graph::Arithmetic::mul, round,
                      graph::ConstantOp::create(
                          builder, location,
                          DenseElementsAttr::get(
                              type, builder.getI32IntegerAttr(
                                        static_cast<int32_t>(roundsApart)))));
    if (!counter)
      continue;
    Value i = numberInRound(typed::Dim(*counter), type, frame);
    round = round ? combine(graph::Arithmetic::add, round, i) : i;
  }
  return round;
}

/// The numbers the distribution is made of.
Value Emitter::random(graph::Law law, RankedTensorType type,
                      const typed::Draw &node, const Expr &expr, Frame &frame) {
  auto key = RankedTensorType::get({3}, builder.getI32Type());
  Value round = roundOfKeptLoops(frame);
  auto random = graph::RandomOp::create(
      builder, location, law,
      argument(fmt::format("draw/{}/{}{}", site.round, site.path, node.name),
               key, expr.range),
      round, type.getShape(), type.getElementType());
  if (auto axis = frame.batchAxis(expr.type.shape))
    random->setAttr(batchAttrName, builder.getI64IntegerAttr(*axis));
  return random;
}

void Emitter::requireProbability(double number, const Expr &argument) {
  if (number >= 0 && number <= 1)
    return;
  // What the prelude is given is told where it is given.
  bool isUsers = argument.range.source != model.program.files.front()->source;
  model.diagnostics.report(diag::BadProbability,
                           isUsers || !site.call ? argument.range : site.call,
                           fmt::format("{}", number));
  throw Refused();
}

Value Emitter::visit(const typed::Draw &node, const Expr &expr, Frame &frame) {
  if (!function) {
    model.diagnostics.report(diag::DrawInBackward, expr.range, node.name)
        .help("draw it where the function is called, and pass it as an "
              "argument");
    throw Refused();
  }
  if (!open.empty())
    refuse(expr.range, "drawing for each index is");
  RankedTensorType type = typeOf(expr.type, frame);
  bool isFlag = type.getElementType().isInteger(1);
  RankedTensorType real = isFlag ? type.clone(model.real) : type;
  const Distribution &distribution = node.distribution;
  SmallVector<Value> x;
  SmallVector<std::optional<double>> known;
  for (const Expr *argument : distribution.arguments) {
    x.push_back(emit(*argument, frame));
    known.push_back(knownNumber(x.back()));
    auto form = cast<RankedTensorType>(x.back().getType());
    if (form.getRank() == 0 && real.getRank() > 0)
      x.back() = graph::BroadcastOp::create(
          builder, location, x.back(),
          llvm::to_vector(llvm::seq<int64_t>(0, real.getRank())),
          real.getShape());
  }
  auto add = [&](Value a, Value b) -> Value {
    return graph::AddOp::create(builder, location, a, b);
  };
  auto times = [&](Value a, Value b) -> Value {
    return graph::MulOp::create(builder, location, a, b);
  };
  auto draw = [&](graph::Law law) {
    return random(law, real, node, expr, frame);
  };
  auto fill = [&](double number) { return constant(real, number); };
  switch (distribution.kind) {
  case Distribution::Normal: {
    Value z = draw(graph::Law::normal);
    z = known[1] == 1 ? z : times(x[1], z);
    return known[0] == 0 ? z : add(x[0], z);
  }
  case Distribution::Uniform: {
    Value u = draw(graph::Law::uniform);
    if (known[0] == 0)
      return known[1] == 1 ? u : times(x[1], u);
    Value width = graph::SubOp::create(builder, location, x[1], x[0]);
    return add(x[0], times(width, u));
  }
  case Distribution::Bernoulli: {
    if (known[0])
      requireProbability(*known[0], *distribution.arguments[0]);
    // Dropout that is switched off draws nothing.
    if (known[0] == 0 || known[0] == 1)
      return constant(type, *known[0]);
    Value isOne =
        graph::CompareOp::create(builder, location, graph::Predicate::lt,
                                 draw(graph::Law::uniform), x[0]);
    if (isFlag)
      return isOne;
    return graph::ConvertOp::create(builder, location, isOne,
                                    real.getElementType());
  }
  case Distribution::He: {
    Value variance = graph::DivOp::create(builder, location, fill(2), x[0]);
    Value deviation = graph::SqrtOp::create(builder, location, variance);
    return times(deviation, draw(graph::Law::normal));
  }
  case Distribution::Xavier: {
    Value square =
        graph::DivOp::create(builder, location, fill(6), add(x[0], x[1]));
    Value bound = graph::SqrtOp::create(builder, location, square);
    Value u = draw(graph::Law::uniform);
    return times(bound, add(add(u, u), fill(-1)));
  }
  }
  llvm_unreachable("a distribution beyond the enumeration");
}

} // namespace gradus::construct
