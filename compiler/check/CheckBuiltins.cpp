// Calls of builtin functions by their signature class, and conversions.
#include "compiler/check/Body.h"

#include <algorithm>

namespace gradus::typed {

namespace {
enum class Signature : uint8_t {
  Operator,
  Internal,
  Power,
  RealUnary,
  NumberUnary,
  RealTest,
  Extremum,
  Where,
  Clamp,
  Reduction,
  ArgReduction,
  Dot,
  Reshape,
  Pick,
  OneHot,
  Concat,
  Pad,
  CumSum,
  Convolution,
  Pooling,
  Solve,
  Cholesky,
  Creation,
  Rank,
  Stop,
  Derivative
};
struct Row {
  const char *name;
  Signature signature;
  std::string_view parameters;
};
} // namespace

static const Row rows[] = {
#define BUILTIN(ID, NAME, CLASS, PARAMETERS, DOC)                              \
  {NAME, Signature::CLASS, PARAMETERS},
#include "compiler/check/Builtins.def"
};

bool isElementwise(Builtin builtin) {
  Signature signature = rows[size_t(builtin)].signature;
  return signature == Signature::RealUnary ||
         signature == Signature::NumberUnary;
}

const char *str(Builtin builtin) { return rows[size_t(builtin)].name; }

// `over` and `axis` are left alone if they are allowed. False after an error.
bool Body::takeArguments(CallSite &site, std::string_view names,
                         std::vector<CallArgument *> &found, bool takesAxes) {
  std::vector<std::string> parameters;
  std::vector<bool> isOptional;
  for (size_t begin = 0; begin < names.size();) {
    size_t end = std::min(names.find(' ', begin), names.size());
    std::string_view parameter = names.substr(begin, end - begin);
    size_t equals = parameter.find('=');
    parameters.emplace_back(parameter.substr(0, equals));
    isOptional.push_back(equals != parameter.npos);
    begin = end + 1;
  }
  found.assign(parameters.size(), nullptr);
  size_t position = 0;
  for (CallArgument &argument : site.arguments) {
    size_t index = position;
    if (argument.name) {
      if (takesAxes &&
          (argument.name->text == "over" || argument.name->text == "axis"))
        continue;
      index =
          std::find(parameters.begin(), parameters.end(), argument.name->text) -
          parameters.begin();
      if (index == parameters.size()) {
        if (takesAxes)
          parameters.insert(parameters.end(), {"over", "axis"});
        state.reportParameter(*argument.name, parameters);
        return false;
      }
    } else {
      ++position;
    }
    if (index >= parameters.size()) {
      state.diagnostics.report(
          diag::TooManyArguments, argument.range, site.name(),
          count(parameters.size(), "argument"), site.arguments.size());
      return false;
    }
    if (found[index]) {
      state.diagnostics.report(diag::ArgumentTwice, argument.range,
                               parameters[index]);
      return false;
    }
    found[index] = &argument;
  }
  for (size_t i = 0; i < found.size(); ++i)
    if (!found[i] && !isOptional[i]) {
      state.diagnostics.report(diag::MissingArgument, site.range, site.name(),
                               parameters[i]);
      return false;
    }
  return true;
}

const Expr *Body::callBuiltin(Builtin builtin, CallSite &site) {
  const Row &row = rows[size_t(builtin)];
  Range range = site.range, nameRange = site.calleeRange;
  std::string_view name = row.name;
  size_t plain = std::count_if(
      site.arguments.begin(), site.arguments.end(), [](const auto &argument) {
        return !argument.name ||
               (argument.name->text != "over" && argument.name->text != "axis");
      });
  switch (row.signature) {
  case Signature::Derivative:
    return derivative(builtin, site, row.parameters);
  case Signature::Concat:
    return concat(site);
  case Signature::Pad:
    return pad(site);
  case Signature::CumSum:
    return cumulativeSum(site);
  case Signature::Convolution:
    return convolve(builtin, site, row.parameters);
  case Signature::Pooling:
    return pool(builtin, site, row.parameters);
  case Signature::Solve:
    return solve(site, row.parameters);
  case Signature::Cholesky:
    return cholesky(site, row.parameters);
  case Signature::Reduction:
  case Signature::ArgReduction:
    return reduction(builtin, site);
  case Signature::Extremum:
    if (plain == 1)
      return reduction(
          builtin == Builtin::Max ? Builtin::MaxOf : Builtin::MinOf, site);
    break;
  case Signature::Reshape:
  case Signature::Creation: {
    bool isReshape = row.signature == Signature::Reshape;
    state.diagnostics
        .report(diag::NotCallable, nameRange, name,
                isReshape ? "a function that needs a shape" : "no function")
        .help(isReshape
                  ? "the shape stands in `[ ]`: `reshape[B, 400](x)`"
                  : fmt::format("the shape stands in `[ ]`: `{}[N]`", name));
    return poison(range);
  }
  default:
    break;
  }
  std::vector<CallArgument *> arguments;
  if (!takeArguments(site, row.parameters, arguments))
    return poison(range);
  std::vector<const Expr *> values;
  for (CallArgument *argument : arguments) {
    values.push_back(valueOf(*argument));
    if (values.back()->type.isPoison())
      return poison(range);
  }
  switch (row.signature) {
  case Signature::RealUnary:
  case Signature::RealTest:
    if (!isNumeric(name, nameRange, values[0], /*needsReal=*/true))
      return poison(range);
    return elementwise(builtin, name, nameRange, range, {strong(values[0])},
                       row.signature == Signature::RealTest
                           ? std::optional(ElementType::Bool)
                           : std::nullopt);
  case Signature::NumberUnary:
    if (!isNumeric(name, nameRange, values[0], /*needsReal=*/false))
      return poison(range);
    return elementwise(builtin, name, nameRange, range, {values[0]});
  case Signature::Power:
  case Signature::Extremum:
    return arithmetic(builtin, name, nameRange, range, values[0], values[1]);
  case Signature::Where:
    if (!isBool(name, values[0]) || !isTensor(name, values[1]) ||
        !isTensor(name, values[2]) ||
        !sameElement(name, nameRange, values[1], values[2]))
      return poison(range);
    if (values[1]->type.element == ElementType::Index &&
        !require(values[1]->type.bound, Relation::Equal, values[2]->type.bound,
                 nameRange)) {
      state.diagnostics.report(diag::MixedElements, nameRange, name,
                               values[1]->type.withShape({}).str(),
                               values[2]->type.withShape({}).str());
      return poison(range);
    }
    return elementwise(builtin, name, nameRange, range,
                       {values[0], strong(values[1]), strong(values[2])});
  case Signature::Clamp: {
    const Expr *above =
        arithmetic(Builtin::Max, name, nameRange, range, values[0], values[1]);
    return arithmetic(Builtin::Min, name, nameRange, range, above, values[2]);
  }
  case Signature::Dot: {
    const Expr *product = arithmetic(Builtin::Mul, name, nameRange, range,
                                     strong(values[0]), strong(values[1]));
    if (product->type.isPoison())
      return product;
    if (!compareShapes(values[0]->type.shape, values[1]->type.shape).isEqual) {
      state.diagnostics.report(diag::SameShape, nameRange, name, "a", "b")
          .label(values[0]->range, strong(values[0])->type.str())
          .label(values[1]->range, strong(values[1])->type.str());
      return poison(range);
    }
    if (product->type.isScalar())
      return product;
    std::vector<unsigned> entries(product->type.shape.size());
    for (unsigned i = 0; i < entries.size(); ++i)
      entries[i] = i;
    return make(product->type.withShape({}), range,
                Reduce{Builtin::Sum, product, std::move(entries)});
  }
  case Signature::Pick:
    return pick(site);
  case Signature::OneHot: {
    const Expr *operand = strong(values[0]);
    if (!isTensor(name, operand))
      return poison(range);
    if (operand->type.element != ElementType::Index) {
      state.diagnostics.report(diag::NeedsIndex, operand->range, name,
                               quoted(*operand), operand->type.str());
      return poison(range);
    }
    Shape shape = operand->type.shape;
    shape.push_back(operand->type.bound);
    return make(Type::tensor(ElementType::Real, std::move(shape)), range,
                OneHot{operand});
  }
  case Signature::Rank:
    if (!isTensor(name, values[0]))
      return poison(range);
    return make(Type::tensor(ElementType::WeakWhole), range,
                Rank{strong(values[0])});
  case Signature::Stop:
    if (!isTensor(name, values[0]))
      return poison(range);
    return make(strong(values[0])->type, range, Stop{strong(values[0])});
  default:
    return poison(range);
  }
}

const Expr *Body::convert(ElementType element, CallSite &site) {
  std::vector<CallArgument *> arguments;
  if (!takeArguments(site, "x", arguments))
    return poison(site.range);
  const Expr *operand = valueOf(*arguments[0]);
  if (operand->type.isPoison() || !isTensor(str(element), operand))
    return poison(site.range);
  if (isWeak(operand->type.element))
    return adapt(operand, element, Dim());
  if (operand->type.element == element)
    return operand;
  if (element == ElementType::Bool) {
    state.diagnostics
        .report(diag::NoConversion, site.range, operand->type.str(),
                operand->type.withElement(element).str())
        .help(fmt::format("compare it: `{} != 0`", quoted(*operand)));
    return poison(site.range);
  }
  return make(operand->type.withElement(element), site.range, Convert{operand});
}

} // namespace gradus::typed
