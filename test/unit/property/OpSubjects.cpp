// One subject for each op of the dialect that has a value. Element-wise ops on
// reals are found by their traits and need a row only if their domain is not
// all numbers; every other op has a recipe.
#include "test/unit/property/MatrixRecipes.h"

#include "dialect/Einsum.h"
#include "dialect/Loops.h"

#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <stdexcept>

using namespace mlir;

namespace gradus::property {

//===-- Element-wise ops on reals -----------------------------------------===//

/// The numbers of the operands of ops that do not take all.
static const std::map<std::string, std::vector<Numbers>> &domains() {
  static const std::map<std::string, std::vector<Numbers>> rows = {
      {"log", {{0.3, 3, {0, 0.5, 1, 2}}}},
      {"log1p", {{-0.6, 2, {-1, -0.5, 0, 1}}}},
      {"sqrt", {{0.3, 3, {0, 1, 2, 4}}}},
      {"tanh", {{-2, 2, {-40, -1, -0.0, 0, 1, 40}}}},
      {"erf", {{-2, 2, {-40, -1, -0.0, 0, 1, 40}}}},
      {"atan", {{-2, 2, {-1e4, -1, -0.0, 0, 1, 1e4}}}},
      {"sin", {{-2, 2, {-100, -1, -0.0, 0, 1, 100}}}},
      {"cos", {{-2, 2, {-100, -1, -0.0, 0, 1, 100}}}},
      {"floor", {{-2, 2, {-1, -0.5, 0, 0.5, 1, 2}}}},
      {"div", {{}, {0.5, 2.5, {-1, 0, 1, 2}}}},
      {"pow", {{0.5, 2, {0, 1, 2}}, {-2, 2, {-1, 0, 0.5, 1, 2, 3}}}},
  };
  return rows;
}

static Sample elementwise(const std::string &name, unsigned operands,
                          Draft &draft) {
  Shape shape = draft.shape();
  OperationState state(draft.location, "graph." + name);
  for (unsigned i = 0; i < operands; ++i) {
    auto row = domains().find(name);
    state.operands.push_back(
        draft.real(shape, row == domains().end() ? Numbers() : row->second[i]));
  }
  state.addTypes(state.operands[0].getType());
  Value y = draft.builder.create(state)->getResult(0);
  // A derivative that is always zero is refused, so x itself is added.
  if (y.getDefiningOp()->hasTrait<graph::ZeroDerivative>())
    y = graph::AddOp::create(draft.builder, draft.location, y,
                             state.operands[0]);
  Sample sample = draft.finish(y, name + " of " + shapeText(shape));
  sample.isElementwise = true;
  sample.isStopped = name == "stop";
  return sample;
}

//===-- Leaves, comparison, choice, conversion ----------------------------===//

static Sample constant(Draft &draft) {
  Type element = draft.elements()[draft.number % 6];
  Shape shape = draft.shape();
  auto type = RankedTensorType::get(shape, element);
  SmallVector<Attribute> values;
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    values.push_back(
        isa<FloatType>(element)
            ? Attribute(draft.builder.getFloatAttr(
                  element, drawReal(draft.random, -2, 2)))
            : draft.builder.getIntegerAttr(
                  element, draft.draw(0, element.isInteger(1) ? 1 : 120)));
  Value y = graph::ConstantOp::create(draft.builder, draft.location, type,
                                      DenseElementsAttr::get(type, values));
  return draft.finish(y, "constant of " + shapeText(shape));
}

static Sample iota(Draft &draft) {
  Type element = draft.elements()[draft.number % 6];
  Value y = graph::IotaOp::create(draft.builder, draft.location,
                                  draft.draw(1, 40), element);
  return draft.finish(y, "iota");
}

/// a z + b u: what is drawn has no derivative, but what scales it has.
static Sample random(Draft &draft) {
  Shape shape = draft.shape();
  auto key = draft.whole({3}, draft.builder.getI32Type());
  auto round = draft.whole({}, draft.builder.getI32Type());
  Value a = draft.real(shape), b = draft.real(shape);
  auto scaled = [&](graph::Law law, Value by, Value at) -> Value {
    Value drawn =
        graph::RandomOp::create(draft.builder, draft.location, law, key, at,
                                shape, getElementTypeOrSelf(by));
    return graph::MulOp::create(draft.builder, draft.location, by, drawn);
  };
  Value y = graph::AddOp::create(draft.builder, draft.location,
                                 scaled(graph::Law::normal, a, round),
                                 scaled(graph::Law::uniform, b, Value()));
  Sample sample = draft.finish(y, "random of " + shapeText(shape));
  sample.isElementwise = true;
  return sample;
}

static Sample compare(Draft &draft) {
  auto predicate = static_cast<graph::Predicate>(draft.number % 6);
  Type element = draft.elements()[draft.number % 5];
  Shape shape = draft.shape();
  Value a = draft.any(shape, element), b = draft.any(shape, element);
  Value y =
      graph::CompareOp::create(draft.builder, draft.location, predicate, a, b);
  return draft.finish(y, fmt::format("compare {} of {}",
                                     graph::stringifyPredicate(predicate),
                                     shapeText(shape)));
}

static Sample select(Draft &draft) {
  Type element = draft.elements()[draft.number % 5 ? draft.number % 5 - 1 : 0];
  Shape shape = draft.shape();
  Value condition = draft.whole(shape, draft.builder.getI1Type());
  Value a = draft.any(shape, element), b = draft.any(shape, element);
  Value y =
      graph::SelectOp::create(draft.builder, draft.location, condition, a, b);
  Sample sample = draft.finish(y, "select of " + shapeText(shape));
  sample.isElementwise = true;
  return sample;
}

static Sample convert(Draft &draft) {
  // 36 pairs of types; the first are those of reals.
  static const unsigned order[] = {1, 2, 3, 4, 5, 0};
  std::vector<Type> types = draft.elements();
  Type from = types[draft.number / 6 % 6], to = types[order[draft.number % 6]];
  Shape shape = draft.shape();
  Value x = draft.any(shape, from);
  Value y = graph::ConvertOp::create(draft.builder, draft.location, x, to);
  Sample sample = draft.finish(y, "convert of " + shapeText(shape));
  sample.isElementwise = true;
  return sample;
}

//===-- Linear ops --------------------------------------------------------===//

static Sample einsum(Draft &draft) {
  graph::EinsumSpec spec;
  std::map<char, int64_t> sizes;
  int64_t letters = draft.draw(1, 4);
  for (char index = 'i'; index < 'i' + letters; ++index) {
    sizes[index] = draft.draw(1, 5);
    // Contracted, of one operand, of both and the result.
    int64_t kind = draft.draw(0, 3);
    if (kind != 1)
      spec.a += index;
    if (kind != 2)
      spec.b += index;
    if (kind != 0)
      spec.y += index;
  }
  for (std::string *list : {&spec.a, &spec.b, &spec.y})
    std::shuffle(list->begin(), list->end(), draft.random);
  auto shapeOf = [&](const std::string &list) {
    return llvm::map_to_vector(list, [&](char index) { return sizes[index]; });
  };
  Value a = draft.real(shapeOf(spec.a)), b = draft.real(shapeOf(spec.b));
  Value y =
      graph::EinsumOp::create(draft.builder, draft.location, a, b, spec.str());
  return draft.finish(y, "einsum " + spec.str());
}

static Sample sum(Draft &draft) {
  Shape shape = draft.shape(), dims = draft.drawAxes(shape.size());
  Value y = graph::SumOp::create(draft.builder, draft.location,
                                 draft.real(shape), dims);
  return draft.finish(y, "sum of " + shapeText(shape));
}

static Sample broadcast(Draft &draft) {
  Shape shape = draft.shape(0, 2);
  Shape dims = draft.drawAxes(shape.size() + 1), sizes;
  // A new axis stands within the result.
  while (!dims.empty() &&
         dims.back() >= static_cast<int64_t>(dims.size() + shape.size()))
    dims.pop_back();
  for (size_t i = 0; i < dims.size(); ++i)
    sizes.push_back(draft.draw(1, 4));
  Value x = draft.any(shape, draft.elements()[draft.number % 3 ? 0 : 2]);
  Value y =
      graph::BroadcastOp::create(draft.builder, draft.location, x, dims, sizes);
  return draft.finish(y, "broadcast of " + shapeText(shape));
}

static Sample transpose(Draft &draft) {
  Shape shape = draft.shape(1, 3), permutation;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    permutation.push_back(axis);
  std::shuffle(permutation.begin(), permutation.end(), draft.random);
  Value y = graph::TransposeOp::create(draft.builder, draft.location,
                                       draft.real(shape), permutation);
  return draft.finish(y, "transpose of " + shapeText(shape));
}

static Sample reshape(Draft &draft) {
  Shape shape = draft.shape(), to = shape;
  std::shuffle(to.begin(), to.end(), draft.random);
  if (to.size() > 1 && draft.draw(0, 1)) {
    to[0] *= to[1];
    to.erase(to.begin() + 1);
  }
  Value y = graph::ReshapeOp::create(draft.builder, draft.location,
                                     draft.real(shape), to);
  return draft.finish(y, "reshape of " + shapeText(shape));
}

static Sample slice(Draft &draft) {
  Shape shape = draft.shape(), offsets, sizes;
  for (int64_t size : shape) {
    offsets.push_back(draft.draw(0, size - 1));
    sizes.push_back(draft.draw(1, size - offsets.back()));
  }
  Value y = graph::SliceOp::create(draft.builder, draft.location,
                                   draft.real(shape), offsets, sizes);
  return draft.finish(y, "slice of " + shapeText(shape));
}

static Sample pad(Draft &draft) {
  Shape shape = draft.shape(), low, high;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    low.push_back(draft.draw(0, 2));
    high.push_back(draft.draw(0, 2));
  }
  Value y = graph::PadOp::create(draft.builder, draft.location,
                                 draft.real(shape), low, high);
  return draft.finish(y, "pad of " + shapeText(shape));
}

static Sample concat(Draft &draft) {
  Shape shape = draft.shape(1, 3);
  int64_t dim = draft.draw(0, shape.size() - 1);
  Type element = draft.elements()[draft.number % 4 == 3 ? 2 : 0];
  SmallVector<Value> parts;
  for (int64_t i = draft.draw(1, 3); i > 0; --i) {
    shape[dim] = draft.draw(1, 5);
    parts.push_back(draft.any(shape, element));
  }
  Value y = graph::ConcatOp::create(draft.builder, draft.location, parts, dim);
  return draft.finish(y, "concat of " + shapeText(shape));
}

/// A shape with windows that fit its axes `dims`.
struct Windows {
  Shape shape, dims, sizes, strides, dilations;

  explicit Windows(Draft &draft) : shape(draft.shape(1, 3)) {
    dims = draft.drawAxes(shape.size());
    for (int64_t dim : dims) {
      sizes.push_back(draft.draw(1, 3));
      strides.push_back(draft.draw(1, 3));
      int64_t apart = draft.draw(1, 2);
      dilations.push_back(draft.draw(0, 2) ? apart : -apart);
      shape[dim] = (sizes.back() - 1) * apart + draft.draw(1, 4);
    }
  }
};

static Sample unfold(Draft &draft) {
  Windows w(draft);
  Value y = graph::UnfoldOp::create(draft.builder, draft.location,
                                    draft.real(w.shape), w.dims, w.sizes,
                                    w.strides, w.dilations);
  return draft.finish(y, "unfold of " + shapeText(w.shape));
}

static Sample fold(Draft &draft) {
  Windows w(draft);
  Shape shape = w.shape, extents;
  for (auto [n, dim] : llvm::enumerate(w.dims)) {
    extents.push_back(shape[dim]);
    int64_t span = (w.sizes[n] - 1) * std::abs(w.dilations[n]) + 1;
    shape[dim] = (shape[dim] - span) / w.strides[n] + 1;
  }
  llvm::append_range(shape, w.sizes);
  Value y =
      graph::FoldOp::create(draft.builder, draft.location, draft.real(shape),
                            w.dims, extents, w.strides, w.dilations);
  return draft.finish(y, "fold of " + shapeText(shape));
}

/// Whole numbers below `rows`; they repeat, and not all occur.
static Value drawIndex(Draft &draft, ArrayRef<int64_t> shape, int64_t rows) {
  auto type = RankedTensorType::get(shape, draft.builder.getI32Type());
  SmallVector<Attribute> values;
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    values.push_back(draft.builder.getI32IntegerAttr(draft.draw(0, rows - 1)));
  return graph::ConstantOp::create(draft.builder, draft.location, type,
                                   DenseElementsAttr::get(type, values));
}

static Sample gather(Draft &draft) {
  Shape shape = draft.shape(1, 3);
  Value index = drawIndex(draft, draft.shape(0, 2), shape.front());
  Value x = draft.any(shape, draft.elements()[draft.number % 3 ? 0 : 2]);
  Value y = graph::GatherOp::create(draft.builder, draft.location, x, index);
  return draft.finish(y, "gather of " + shapeText(shape));
}

static Sample scatterAdd(Draft &draft) {
  Shape shape = draft.shape(0, 3);
  int64_t rows = draft.draw(1, 5);
  ArrayRef<int64_t> some =
      ArrayRef(shape).take_front(draft.draw(0, shape.size()));
  Value y = graph::ScatterAddOp::create(draft.builder, draft.location,
                                        draft.real(shape),
                                        drawIndex(draft, some, rows), rows);
  return draft.finish(y, "scatter_add of " + shapeText(shape));
}

//===-- Reductions and customs --------------------------------------------===//

static Sample reduceMax(Draft &draft) {
  Shape shape = draft.shape(), dims = draft.drawAxes(shape.size());
  Value y = graph::ReduceMaxOp::create(draft.builder, draft.location,
                                       draft.real(shape), dims);
  return draft.finish(y, "reduce_max of " + shapeText(shape));
}

static Type wholeType(Draft &draft) {
  return draft.number % 2 ? draft.builder.getI64Type()
                          : draft.builder.getI32Type();
}

/// All formulas of `whole`, one behind the other.
static Sample whole(Draft &draft) {
  Shape shape = draft.shape(1, 3);
  Value a = draft.any(shape, wholeType(draft));
  Value b = draft.any(shape, wholeType(draft));
  SmallVector<Value> results;
  for (unsigned i = 0; i <= graph::getMaxEnumValForArithmetic(); ++i)
    results.push_back(graph::WholeOp::create(draft.builder, draft.location,
                                             static_cast<graph::Arithmetic>(i),
                                             a, b));
  Value y = graph::ConcatOp::create(draft.builder, draft.location, results, 0);
  return draft.finish(y, "whole of " + shapeText(shape));
}

/// All formulas of `whole_reduce`, one behind the other.
static Sample wholeReduce(Draft &draft) {
  Shape shape = draft.shape(), dims = draft.drawAxes(shape.size());
  Value x = draft.any(shape, wholeType(draft));
  SmallVector<Value> results;
  for (graph::Arithmetic formula :
       {graph::Arithmetic::add, graph::Arithmetic::mul, graph::Arithmetic::max,
        graph::Arithmetic::min})
    results.push_back(graph::BroadcastOp::create(
        draft.builder, draft.location,
        graph::WholeReduceOp::create(draft.builder, draft.location, formula, x,
                                     dims),
        ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1}));
  Value y = graph::ConcatOp::create(draft.builder, draft.location, results, 0);
  return draft.finish(y, "whole_reduce of " + shapeText(shape));
}

static Sample argmax(Draft &draft) {
  Shape shape = draft.shape(1, 3);
  Value y =
      graph::ArgmaxOp::create(draft.builder, draft.location, draft.real(shape),
                              draft.draw(0, shape.size() - 1));
  return draft.finish(y, "argmax of " + shapeText(shape));
}

/// y = a tanh(b), but nothing where c is 0; its derivative by b is written
/// with y.
static Sample custom(Draft &draft) {
  Shape shape = draft.shape();
  std::string extents;
  for (int64_t size : shape)
    extents += std::to_string(size) + "x";
  std::string element = draft.realType.isF32() ? "f32" : "f64";
  ParserConfig config(&context());
  auto functions = parseSourceString<ModuleOp>(
      fmt::format(R"(
func.func private @forward(%a: {0}, %b: {0}, %c: {1}) -> {0} {{
  %t = graph.tanh %b : {0}
  %s = graph.convert %c to {2} : {1}
  %as = graph.mul %a, %s : {0}
  %y = graph.mul %as, %t : {0}
  return %y : {0}
}}
func.func private @backward(%a: {0}, %b: {0}, %c: {1}, %y: {0}, %dy: {0})
    -> ({0}, {0}) {{
  %t = graph.tanh %b : {0}
  %s = graph.convert %c to {2} : {1}
  %st = graph.mul %s, %t : {0}
  %da = graph.mul %dy, %st : {0}
  %as = graph.mul %a, %s : {0}
  %yt = graph.mul %y, %t : {0}
  %slope = graph.sub %as, %yt : {0}
  %db = graph.mul %dy, %slope : {0}
  return %da, %db : {0}, {0}
}}
)",
                  "tensor<" + extents + element + ">",
                  "tensor<" + extents + "i1>", element),
      config);
  for (auto function :
       llvm::make_early_inc_range(functions->getOps<func::FuncOp>())) {
    function->remove();
    draft.module->push_back(function);
  }
  Value a = draft.real(shape), b = draft.real(shape);
  Value c = draft.whole(shape, draft.builder.getI1Type());
  Value y = graph::CustomOp::create(draft.builder, draft.location, a.getType(),
                                    "forward", ValueRange{a, b, c}, "backward");
  Sample sample = draft.finish(y, "custom of " + shapeText(shape));
  sample.isElementwise = true;
  return sample;
}

/// A loop whose rounds use all there is: their number, whole and real carried
/// values, rows, common values, a product, a mask; with a loop inside of every
/// third one; every second one runs on a condition. All its results, one behind
/// the other.
static Sample loop(Draft &draft) {
  OpBuilder &builder = draft.builder;
  Location loc = draft.location;
  int64_t n = draft.draw(1, 3), rounds = draft.draw(1, 4);
  Value count = draft.whole({}, builder.getI32Type());
  graph::LoopOperands operands{
      {draft.real({n}), count},
      {draft.real({rounds, n}), draft.whole({rounds, n}, builder.getI1Type())},
      {draft.real({n, n}), draft.real({})}};
  if (draft.number % 2 == 1)
    operands.when = draft.whole({}, builder.getI1Type());
  graph::LoopOp loop =
      graph::beginLoop(builder, loc, rounds, draft.draw(0, 1) == 1, operands);
  OpBuilder body = OpBuilder::atBlockEnd(&loop.getBody().front());
  Value before = loop.carriedArguments()[0];
  Value counted = loop.carriedArguments()[1];
  Value row = loop.overArguments()[0], mask = loop.overArguments()[1];
  Value matrix = loop.withArguments()[0], factor = loop.withArguments()[1];
  auto spread = [&](Value scalar) -> Value {
    return graph::BroadcastOp::create(body, loc, scalar, ArrayRef<int64_t>{0},
                                      ArrayRef<int64_t>{n});
  };
  Value i = graph::ConvertOp::create(body, loc, loop.counter(), draft.realType);
  Value slope = graph::EinsumOp::create(body, loc, matrix, before, "ij,j->i");
  slope = graph::TanhOp::create(body, loc, slope);
  Value shift = graph::MulOp::create(body, loc, row, spread(i));
  shift = graph::AddOp::create(body, loc, shift, spread(factor));
  Value next = graph::SelectOp::create(body, loc, mask, slope, shift);
  if (draft.number % 3 == 2) {
    graph::LoopOp inner =
        graph::beginLoop(body, loc, 2, false, {{next}, {}, {row}});
    OpBuilder inside = OpBuilder::atBlockEnd(&inner.getBody().front());
    Value product = graph::MulOp::create(
        inside, loc, inner.carriedArguments()[0], inner.withArguments()[0]);
    Value sine = graph::SinOp::create(inside, loc, product);
    next = graph::finishLoop(inner, sine, {}).getResult(0);
  }
  Value counting = graph::WholeOp::create(body, loc, graph::Arithmetic::add,
                                          counted, loop.counter());
  SmallVector<Value> stacked;
  if (!operands.when)
    stacked = {next, before};
  loop = graph::finishLoop(loop, {next, counting}, stacked);

  SmallVector<Value> parts;
  for (Value result : loop.getResults()) {
    if (!graph::isReal(result))
      result = graph::ConvertOp::create(builder, loc, result, draft.realType);
    int64_t size = cast<RankedTensorType>(result.getType()).getNumElements();
    parts.push_back(graph::ReshapeOp::create(builder, loc, result,
                                             ArrayRef<int64_t>{size}));
  }
  Value y = graph::ConcatOp::create(builder, loc, parts, 0);
  return draft.finish(y, fmt::format("loop of {} rounds", rounds));
}

//===-- All of them -------------------------------------------------------===//

static const std::map<std::string, Sample (*)(Draft &)> &recipes() {
  static const std::map<std::string, Sample (*)(Draft &)> rows = {
      {"argmax", argmax},
      {"broadcast", broadcast},
      {"cholesky", choleskySample},
      {"compare", compare},
      {"concat", concat},
      {"constant", constant},
      {"convert", convert},
      {"custom", custom},
      {"einsum", einsum},
      {"fold", fold},
      {"gather", gather},
      {"iota", iota},
      {"loop", loop},
      {"pad", pad},
      {"random", random},
      {"reduce_max", reduceMax},
      {"reshape", reshape},
      {"scatter_add", scatterAdd},
      {"select", select},
      {"slice", slice},
      {"solve", solveSample},
      {"sum", sum},
      {"transpose", transpose},
      {"unfold", unfold},
      {"whole", whole},
      {"whole_reduce", wholeReduce},
  };
  return rows;
}

std::vector<Subject> opSubjects() {
  std::vector<Subject> subjects;
  for (RegisteredOperationName op :
       context().getRegisteredOperationsByDialect("graph")) {
    if (!op.hasInterface<graph::Evaluable>())
      continue;
    std::string name = op.stripDialect().str();
    unsigned operands = !op.hasTrait<OpTrait::SameOperandsAndResultType>() ? 0
                        : op.hasTrait<OpTrait::OneOperand>()               ? 1
                        : op.hasTrait<OpTrait::NOperands<2>::Impl>()       ? 2
                                                                           : 0;
    subjects.push_back(
        {name, [name, operands](unsigned number, FloatType real) {
           Draft draft(number, real);
           auto recipe = recipes().find(name);
           if (operands && recipe == recipes().end())
             return elementwise(name, operands, draft);
           if (recipe == recipes().end())
             throw std::logic_error("graph." + name +
                                    " has no recipe in OpSubjects.cpp");
           return recipe->second(draft);
         }});
  }
  return subjects;
}

} // namespace gradus::property
