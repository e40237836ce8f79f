// Logarithms of what overflows or vanishes long before they do: log(1 +
// exp(x)), log(exp(a) + exp(b)), log(sigmoid(x)), log(softmax(x)). Whoever
// writes them means the function of std.nn that is finite wherever they are in
// mathematics, at every order, and gets it.
#include "compiler/construct/Emitter.h"

using namespace mlir;

namespace gradus::construct {

/// A function of std.nn.
static const typed::Function &preludeFunction(const Model &model,
                                              StringRef name) {
  return **llvm::find_if(
      model.program.files.front()->functions,
      [&](const typed::Function *function) { return function->name == name; });
}

/// u of exp(u); null if `x` is no exponential, or one that cannot overflow.
static Value exponentOf(Value x) {
  auto exp = x.getDefiningOp<graph::ExpOp>();
  if (!exp)
    return nullptr;
  auto negated = exp.getX().getDefiningOp<graph::NegOp>();
  return negated && negated.getX().getDefiningOp<graph::AbsOp>() ? Value()
                                                                 : exp.getX();
}

/// The operand of a sum or product whose other operand is this number.
template <typename Op> static Value besideNumber(Value value, double number) {
  auto op = value.getDefiningOp<Op>();
  if (!op)
    return nullptr;
  if (knownNumber(op.getA()) == number)
    return op.getB();
  return knownNumber(op.getB()) == number ? op.getA() : Value();
}

/// x of sigmoid(x) as std.nn has it, 0.5 (tanh(0.5 x) + 1).
static Value logitOf(Value value) {
  Value sum = besideNumber<graph::MulOp>(value, 0.5);
  Value tanh = sum ? besideNumber<graph::AddOp>(sum, 1) : Value();
  auto op = tanh ? tanh.getDefiningOp<graph::TanhOp>() : graph::TanhOp();
  return op ? besideNumber<graph::MulOp>(op.getX(), 0.5) : Value();
}

Value Emitter::callPointwise(StringRef name, const Values &arguments) {
  const typed::Function &function = preludeFunction(model, name);
  Frame frame;
  frame.self = &model.instances.ofFile(function.module);
  auto type = cast<RankedTensorType>(arguments.front().getType());
  frame.dims.packs[function.generics.front()] = type.getShape().vec();
  return callCustom(function, frame, arguments);
}

/// log(softmax(x)) for a call of softmax that is not within indices, where it
/// has axes the function does not know of.
Value Emitter::logOfSoftmax(Value value) {
  auto call = value.getDefiningOp<graph::CustomOp>();
  if (!call)
    return nullptr;
  const Custom &custom = model.custom(call.getForward());
  if (custom.function != &preludeFunction(model, "softmax"))
    return nullptr;
  const typed::Function &function = preludeFunction(model, "log_softmax");
  Frame frame;
  frame.self = custom.self;
  SmallVector<int64_t> shape;
  for (auto [ours, theirs] :
       llvm::zip_equal(function.generics, custom.function->generics)) {
    if (ours->kind == typed::Symbol::Pack) {
      const auto &sizes = custom.dims.packs.at(theirs);
      frame.dims.packs[ours] = sizes;
      llvm::append_range(shape, sizes);
    } else {
      shape.push_back(frame.dims.dims[ours] = custom.dims.dims.at(theirs));
    }
  }
  Value x = call.getOperand(0);
  if (cast<RankedTensorType>(x.getType()).getShape() != ArrayRef(shape))
    return nullptr;
  bind(function.arguments.front(), {x}, frame);
  return run(function.statements, frame)->front();
}

Value Emitter::stableLog(Value x) {
  auto negated = [&](Value y) -> Value {
    return graph::NegOp::create(builder, location, y);
  };
  if (Value other = besideNumber<graph::AddOp>(x, 1))
    if (Value y = stableLog1p(other))
      return y;
  if (auto sum = x.getDefiningOp<graph::AddOp>()) {
    Value a = exponentOf(sum.getA()), b = exponentOf(sum.getB());
    return a && b ? callPointwise("logaddexp", {a, b}) : Value();
  }
  if (Value logit = logitOf(x))
    return negated(callPointwise("softplus", {negated(logit)}));
  return logOfSoftmax(x);
}

Value Emitter::stableLog1p(Value x) {
  Value exponent = exponentOf(x);
  return exponent ? callPointwise("softplus", {exponent}) : Value();
}

} // namespace gradus::construct
