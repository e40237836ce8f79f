// What stands behind `~`: a distribution and its arguments, which of a
// parameter are fixed when compiling and of a `let` are any values.
#include "compiler/check/Body.h"
#include "compiler/check/Constants.h"

#include <algorithm>

namespace gradus::typed {

struct Body::WrittenDistribution {
  Distribution::Kind kind;
  std::string name;
  /// In the order of the parameters.
  std::vector<const ast::Expr *> arguments;
};

std::optional<Body::WrittenDistribution>
Body::writtenDistribution(const ast::Expr &expr) {
  auto *call = expr.as<ast::Call>();
  auto *name = call ? call->callee->as<ast::NameUse>() : nullptr;
  struct Row {
    Distribution::Kind kind;
    std::vector<std::string> parameters;
  };
  static const Row rows[] = {{Distribution::Normal, {"mean", "std"}},
                             {Distribution::Uniform, {"low", "high"}},
                             {Distribution::Bernoulli, {"p"}},
                             {Distribution::He, {"n"}},
                             {Distribution::Xavier, {"n", "m"}}};
  const Row *row = nullptr;
  std::vector<std::string> names;
  for (const Row &candidate : rows) {
    names.push_back(str(candidate.kind));
    if (name && name->text == names.back())
      row = &candidate;
  }
  if (!row) {
    Range range = call ? call->callee->range : expr.range;
    Diagnostic &error = state.diagnostics.report(diag::OutOfPlace, range,
                                                 shortened(range.text()));
    error.here("`~` needs a distribution");
    std::string near = name ? nearest(name->text, names) : "";
    near.empty()
        ? error.help("there are: normal, uniform, bernoulli, he, xavier")
        : error.meant(near);
    return std::nullopt;
  }
  WrittenDistribution result = {row->kind, name->text, {}};
  result.arguments.assign(row->parameters.size(), nullptr);
  size_t position = 0;
  for (const ast::Argument &argument : call->arguments) {
    size_t index = position;
    if (argument.name)
      index = std::ranges::find(row->parameters, argument.name->text) -
              row->parameters.begin();
    else
      ++position;
    if (argument.name && index == row->parameters.size()) {
      state.reportParameter(*argument.name, row->parameters);
      return std::nullopt;
    }
    if (index >= row->parameters.size()) {
      state.diagnostics.report(
          diag::TooManyArguments, argument.value->range, name->text,
          count(row->parameters.size(), "argument"), call->arguments.size());
      return std::nullopt;
    }
    if (result.arguments[index]) {
      state.diagnostics.report(diag::ArgumentTwice, argument.value->range,
                               row->parameters[index]);
      return std::nullopt;
    }
    result.arguments[index] = argument.value.get();
  }
  for (size_t i = 0; i < result.arguments.size(); ++i)
    if (!result.arguments[i]) {
      state.diagnostics.report(diag::MissingArgument, expr.range, name->text,
                               row->parameters[i]);
      return std::nullopt;
    }
  return result;
}

bool Body::isProbability(Distribution::Kind kind, const Expr &argument) {
  auto number = evaluate(argument);
  if (kind != Distribution::Bernoulli || !number ||
      (*number >= 0 && *number <= 1))
    return true;
  state.diagnostics.report(diag::BadProbability, argument.range,
                           fmt::format("{}", *number));
  return false;
}

std::optional<Distribution> Body::distribution(const ast::Expr &expr) {
  auto written = writtenDistribution(expr);
  if (!written)
    return std::nullopt;
  Distribution result = {written->kind, {}};
  for (const ast::Expr *argument : written->arguments) {
    const Expr *value = realScalar(*argument, written->name);
    if (value->type.isPoison() || !isProbability(written->kind, *value))
      return std::nullopt;
    if (!isFixedByConfig(*value)) {
      state.diagnostics.report(diag::NotConstant, value->range, quoted(*value));
      return std::nullopt;
    }
    result.arguments.push_back(value);
  }
  return result;
}

const Expr *Body::drawArgument(const ast::Expr &tree,
                               const WrittenDistribution &written,
                               const Type &type, const ast::Let &let) {
  const Expr *argument = adapt(value(tree), type.element, Dim());
  if (argument->type.isPoison())
    return nullptr;
  if (!argument->type.isTensor() || argument->type.element != type.element) {
    state.diagnostics.report(diag::ArgumentElement, tree.range, written.name,
                             str(type.element), argument->type.str());
    return nullptr;
  }
  bool isFan =
      written.kind == Distribution::He || written.kind == Distribution::Xavier;
  if (isFan && !argument->type.isScalar()) {
    state.diagnostics.report(diag::NeedsOneNumber, tree.range, written.name,
                             argument->type.str());
    return nullptr;
  }
  if (argument->type.isScalar())
    return isProbability(written.kind, *argument) ? argument : nullptr;
  const Expr *drawn = make(type, let.name.range, Draw{});
  std::vector<const Expr *> both = {argument, drawn};
  if (!lineUp(written.name, let.value->range, both))
    return nullptr;
  if (both[1] == drawn)
    return both[0];
  state.diagnostics.report(diag::DeclaredType, tree.range, let.name.text,
                           type.str(), argument->type.str());
  return nullptr;
}

const Expr *Body::draw(const ast::Let &let) {
  const std::string &name = let.name.text;
  if (!let.type) {
    state.diagnostics.report(diag::DrawNeedsType, let.name.range, name)
        .help(fmt::format("say what it is: `let {0}: real ~ ...` for one "
                          "number, `let {0}: real[B, D] ~ ...` for many",
                          name));
    return poison(let.name.range);
  }
  Type type = this->type(*let.type);
  auto written = writtenDistribution(*let.value);
  if (!written || type.isPoison())
    return poison(let.value->range);
  bool isFlag = written->kind == Distribution::Bernoulli && type.isTensor() &&
                type.element == ElementType::Bool;
  if (!isFlag && (!type.isTensor() || !isReal(type.element))) {
    state.diagnostics.report(diag::NeedsReal, let.type->range, written->name,
                             name, type.str());
    return poison(let.value->range);
  }
  Draw result = {{written->kind, {}}, name};
  Type real = isFlag ? type.withElement(ElementType::Real) : type;
  for (const ast::Expr *tree : written->arguments) {
    const Expr *argument = drawArgument(*tree, *written, real, let);
    if (!argument)
      return poison(let.value->range);
    result.distribution.arguments.push_back(argument);
  }
  return make(type, let.value->range, std::move(result));
}

const Expr *Body::drawForEach(const ast::Let &let) {
  Range range = let.value->range;
  Type type =
      let.type ? this->type(*let.type) : Type::tensor(ElementType::Real);
  auto written = writtenDistribution(*let.value);
  if (!written || type.isPoison())
    return poison(range);
  bool isFlag = written->kind == Distribution::Bernoulli && type.isTensor() &&
                type.element == ElementType::Bool;
  if (!isFlag && (!type.isTensor() || type.element != ElementType::Real)) {
    state.diagnostics.report(diag::NeedsReal, let.type->range, written->name,
                             let.name.text, type.str());
    return poison(range);
  }
  size_t errors = enterIndices();
  std::vector<Local *> indices;
  for (const ast::IndexVariable &index : let.indices)
    indices.push_back(openIndex(index.name, index.extent.get(), true));
  std::vector<const Expr *> arguments;
  bool isGood = true;
  for (const ast::Expr *tree : written->arguments) {
    const Expr *argument = adapt(value(*tree), ElementType::Real, Dim());
    isGood &= !argument->type.isPoison() && isOneNumber(argument);
    if (isGood && !(argument->type == Type::tensor(ElementType::Real))) {
      state.diagnostics.report(diag::NeedsOneNumber, tree->range, written->name,
                               argument->type.str());
      isGood = false;
    }
    isGood = isGood && isProbability(written->kind, *argument);
    arguments.push_back(argument);
  }
  if (!leaveIndices(indices, errors) || !isGood)
    return poison(range);
  Shape shape;
  for (const Local *index : indices)
    shape.push_back(index->extent);
  Draw result = {{written->kind, {}}, let.name.text};
  for (const Expr *argument : arguments)
    result.distribution.arguments.push_back(
        freeIndices(*argument).empty()
            ? argument
            : make(argument->type.withShape(shape), argument->range,
                   ForEach{{indices.begin(), indices.end()}, argument}));
  const Expr *drawn =
      make(Type::tensor(isFlag ? ElementType::Bool : ElementType::Real, shape),
           range, std::move(result));
  return let.type ? declared(drawn, range, type, let.name.text) : drawn;
}

} // namespace gradus::typed
