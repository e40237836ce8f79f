// See Orders.h.
#include "test/unit/property/Orders.h"

#include "compiler/differentiate/Differentiate.h"
#include "dialect/Duals.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <stdexcept>

using namespace mlir;

namespace gradus::property {

namespace {

/// Writes the sums and gradients.
class Writer {
public:
  Writer(OpBuilder &builder, Location location)
      : builder(builder), location(location) {}

  Value fill(Value like, double number) {
    return graph::fillLike(builder, location, like, number);
  }
  Value mul(Value a, Value b) {
    return graph::MulOp::create(builder, location, a, b);
  }
  Value add(Value a, Value b) {
    return graph::AddOp::create(builder, location, a, b);
  }
  Value choose(Value mask, Value x, double otherwise) {
    return graph::SelectOp::create(builder, location, mask, x,
                                   fill(x, otherwise));
  }
  Value sum(Value x) {
    Shape dims;
    for (int64_t i = 0; i < cast<RankedTensorType>(x.getType()).getRank(); ++i)
      dims.push_back(i);
    return dims.empty() ? x : graph::SumOp::create(builder, location, x, dims);
  }
  Value everywhere(Value number, Value like) {
    Shape dims, sizes(cast<RankedTensorType>(like.getType()).getShape());
    for (size_t i = 0; i < sizes.size(); ++i)
      dims.push_back(i);
    return dims.empty() ? number
                        : graph::BroadcastOp::create(builder, location, number,
                                                     dims, sizes);
  }
  /// w (y + k (y^2/2 + y^3/6)), summed.
  Value curved(Value y, Value w, Value k) {
    Value square = mul(y, y);
    Value bend =
        add(mul(square, fill(y, 0.5)), mul(mul(square, y), fill(y, 1.0 / 6)));
    return sum(mul(w, add(y, mul(everywhere(k, y), bend))));
  }
  ValueRange gradient(Value s, ValueRange x) {
    return graph::GradientOp::create(builder, location, x.getTypes(), s, x)
        .getResults();
  }

private:
  OpBuilder &builder;
  Location location;
};

} // namespace

Orders::Orders(Sample made) : sample(std::move(made)) {
  func::FuncOp function = sample.function();
  resultType = cast<RankedTensorType>(function.getResultTypes()[0]);
  if (isa<FloatType>(resultType.getElementType()))
    for (auto [i, argument] : llvm::enumerate(sample.arguments))
      if (isa<FloatType>(argument.type.getElementType()))
        reals.push_back(i);
  if (isDifferentiable())
    build();
  plain = OwningOpRef<ModuleOp>(sample.module->clone());
  PassManager passes(&context());
  passes.addPass(differentiate::createDifferentiate());
  if (failed(passes.run(*plain)))
    throw std::logic_error(sample.title + " cannot be differentiated");
}

/// Replaces @f by the whole function.
void Orders::build() {
  func::FuncOp simple = sample.function();
  Location location = simple.getLoc();
  OpBuilder builder(&context());
  builder.setInsertionPoint(simple);
  auto function = func::FuncOp::create(builder, location, "f",
                                       builder.getFunctionType({}, {}));
  Block &body = *function.addEntryBlock();
  builder.setInsertionPointToStart(&body);
  auto argument = [&](Type type) { return body.addArgument(type, location); };

  IRMapping mapping;
  SmallVector<Value> x, masks;
  for (Value old : simple.getArguments()) {
    mapping.map(old, argument(old.getType()));
    if (graph::isReal(old))
      x.push_back(mapping.lookup(old));
  }
  if (sample.isElementwise)
    maskTypes = {cast<RankedTensorType>(graph::maskTypeOf(resultType))};
  else
    for (Value real : x)
      maskTypes.push_back(
          cast<RankedTensorType>(graph::maskTypeOf(real.getType())));
  for (RankedTensorType type : maskTypes)
    masks.push_back(argument(type));

  Writer writer(builder, location);
  if (!sample.isElementwise)
    for (auto [i, mask] : llvm::enumerate(masks))
      mapping.map(simple.getArgument(reals[i]), writer.choose(mask, x[i], 1));
  for (Operation &op : simple.front().without_terminator())
    builder.clone(op, mapping);
  Value y =
      mapping.lookupOrDefault(simple.front().getTerminator()->getOperand(0));
  if (sample.isElementwise)
    y = writer.choose(masks[0], y, 0);

  SmallVector<Value> results = {y}, sums, gradients;
  Value w = argument(y.getType());
  SmallVector<Value> v[2];
  for (auto &direction : v)
    for (Value real : x)
      direction.push_back(argument(real.getType()));
  Value k = argument(RankedTensorType::get({}, resultType.getElementType()));
  sums = {writer.curved(y, w, k)};
  for (int order = 1; order <= 3; ++order) {
    ValueRange g = writer.gradient(sums.back(), x);
    gradients.append(g.begin(), g.end());
    if (order == 3)
      break;
    // Arguments may be of both float types; sums are of the result's.
    Value sum;
    for (auto [slope, direction] : llvm::zip_equal(g, v[order - 1])) {
      Value term = writer.sum(writer.mul(slope, direction));
      if (term.getType() != sums.back().getType())
        term = graph::ConvertOp::create(builder, location, term,
                                        resultType.getElementType());
      sum = sum ? writer.add(sum, term) : term;
    }
    sums.push_back(sum);
  }
  results.append(sums);
  results.append(gradients);
  func::ReturnOp::create(builder, location, results);
  function.setFunctionType(builder.getFunctionType(
      body.getArgumentTypes(), ValueRange(results).getTypes()));
  simple.erase();
}

//===-- Points ------------------------------------------------------------===//

static graph::Array uniform(RankedTensorType type, Random &random) {
  graph::Array array(type);
  for (double &x : array.reals)
    x = drawReal(random, -1, 1);
  return array;
}

Point Orders::complete(Arrays x, Random &random) const {
  Point point;
  point.x = std::move(x);
  if (!isDifferentiable())
    return point;
  for (RankedTensorType type : maskTypes) {
    graph::Array &mask = point.masks.emplace_back(type);
    std::fill(mask.wholes.begin(), mask.wholes.end(), 1);
  }
  point.w = uniform(resultType, random);
  for (Arrays *v : {&point.v1, &point.v2})
    for (unsigned i : reals)
      v->push_back(uniform(sample.arguments[i].type, random));
  return point;
}

Point Orders::drawSmooth(Random &random) const {
  return complete(property::drawSmooth(sample.arguments, random), random);
}

Point Orders::drawSeams(Random &random) const {
  Point point = complete(property::drawSeams(sample.arguments, random), random);
  point.k = 0;
  return point;
}

Point Orders::drawMasked(Random &random) const {
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> poison = {0, -1};
  if (!sample.hasCustom())
    poison.insert(poison.end(), {std::nan(""), infinity, -infinity});
  Point point = drawSmooth(random);
  for (auto [number, mask] : llvm::enumerate(point.masks))
    for (auto [i, lane] : llvm::enumerate(mask.wholes)) {
      lane = drawWhole(random, 0, 1);
      if (lane)
        continue;
      for (auto [place, argument] : llvm::enumerate(reals))
        if (sample.isElementwise || place == number)
          point.x[argument].reals[i] =
              poison[drawWhole(random, 0, poison.size() - 1)];
    }
  return point;
}

Arrays Orders::arguments(const Point &at) const {
  Arrays all = at.x;
  if (isDifferentiable()) {
    all.append(at.masks);
    all.push_back(at.w);
    all.append(at.v1);
    all.append(at.v2);
    all.emplace_back(RankedTensorType::get({}, resultType.getElementType()));
    all.back().reals[0] = at.k;
  }
  return all;
}

Arrays Orders::interpret(const Point &at, graph::Watch watch) const {
  return graph::interpret(
      cast<func::FuncOp>(SymbolTable::lookupSymbolIn(*plain, "f")),
      arguments(at), watch);
}

//===-- Results -----------------------------------------------------------===//

double Orders::s(const Arrays &results, unsigned order) const {
  return results[1 + order].reals[0];
}

ArrayRef<graph::Array> Orders::g(const Arrays &results, unsigned order) const {
  return ArrayRef(results).slice(gradientsOf(order), reals.size());
}

std::string Orders::nameOf(unsigned result) const {
  if (result == 0)
    return "y";
  if (result <= 3)
    return fmt::format("s{}", result - 1);
  return fmt::format("g{}[{}]", 1 + (result - 4) / reals.size(),
                     (result - 4) % reals.size());
}

} // namespace gradus::property
