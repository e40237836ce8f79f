// Dims and types as they are written, and the relations between dims that a
// body needs: proved, refuted, or left to be decided with actual sizes.
#include "compiler/check/Body.h"

#include <cmath>

namespace gradus::typed {

std::optional<Dim> Body::dim(const ast::Expr &expr) {
  CheckerState::Level level(state);
  auto refuse = [&](std::string_view label = "") {
    Diagnostic &error = state.diagnostics.report(diag::NotADim, expr.range,
                                                 shortened(expr.range.text()));
    if (!label.empty())
      error.here(std::string(label));
    error.note("a dim is made of names of dims, whole numbers and "
               "`+ - * // % /`");
    return std::nullopt;
  };
  if (expr.as<ast::Invalid>())
    return std::nullopt;
  if (auto *number = expr.as<ast::Number>()) {
    if (number->integer)
      return Dim(*number->integer);
    return refuse();
  }
  if (expr.as<ast::NameUse>() || expr.as<ast::Member>()) {
    Entity found = entity(expr);
    if (found.kind == Entity::Unknown)
      return std::nullopt;
    if (found.kind == Entity::Dim)
      return Dim(*found.symbol);
    if (found.kind == Entity::Size)
      return found.size;
    if (found.kind == Entity::Const) {
      double value = found.constant->value;
      if (std::nearbyint(value) == value && std::abs(value) < 1e15)
        return Dim(int64_t(value));
    }
    return refuse(found.kind == Entity::Const
                      ? std::string_view("not a whole number")
                      : found.what);
  }
  if (auto *unary = expr.as<ast::Unary>();
      unary && unary->op == ast::UnaryOp::Negate) {
    auto operand = dim(*unary->operand);
    return operand ? std::optional(-*operand) : std::nullopt;
  }
  auto *binary = expr.as<ast::Binary>();
  if (!binary)
    return refuse();
  switch (binary->op) {
  case ast::BinaryOp::Add:
  case ast::BinaryOp::Subtract:
  case ast::BinaryOp::Multiply:
  case ast::BinaryOp::Divide:
  case ast::BinaryOp::FloorDivide:
  case ast::BinaryOp::Remainder:
    break;
  default:
    return refuse();
  }
  auto left = dim(*binary->left);
  auto right = dim(*binary->right);
  if (!left || !right)
    return std::nullopt;
  switch (binary->op) {
  case ast::BinaryOp::Add:
    return *left + *right;
  case ast::BinaryOp::Subtract:
    return *left - *right;
  case ast::BinaryOp::Multiply:
    return *left * *right;
  default:
    break;
  }
  if (right->constant() == 0) {
    state.diagnostics
        .report(diag::InexactDivision, expr.range, shortened(expr.range.text()))
        .here("a division by zero");
    return std::nullopt;
  }
  if (binary->op == ast::BinaryOp::FloorDivide)
    return Dim::floorDivide(*left, *right);
  if (binary->op == ast::BinaryOp::Remainder)
    return Dim::remainder(*left, *right);
  if (!require(Dim::remainder(*left, *right), Relation::Equal, Dim(0),
               expr.range)) {
    Diagnostic &error = state.diagnostics.report(
        diag::InexactDivision, expr.range, shortened(expr.range.text()));
    auto over = left->constant(), under = right->constant();
    if (over && under)
      error.here(fmt::format("{} / {} leaves {}", *over, *under,
                             Dim::remainder(*over, *under).str()));
    error.help("`//` rounds down");
    return std::nullopt;
  }
  return Dim::exactDivide(*left, *right);
}

bool Body::isTooLarge(const Dim &dim, const ast::Expr &expr) {
  auto value = dim.constant();
  if (!value || *value <= largestDim)
    return false;
  state.diagnostics.report(diag::DimTooLarge, expr.range,
                           shortened(expr.range.text()), largestDim);
  return true;
}

std::optional<Dim> Body::size(const ast::Expr &expr) {
  auto found = dim(expr);
  if (!found || isTooLarge(*found, expr))
    return std::nullopt;
  if (!require(Dim(1), Relation::LessEqual, *found, expr.range)) {
    auto value = found->constant();
    state.diagnostics.report(diag::DimTooSmall, expr.range,
                             value ? fmt::format("{}", *value)
                                   : fmt::format("`{}`", found->str()));
    return std::nullopt;
  }
  return found;
}

// `..S` as an argument is a slice that only has an end.
std::optional<Axis> Body::axis(const ast::Expr &expr) {
  if (auto *slice = expr.as<ast::Slice>();
      slice && !slice->begin && slice->end && slice->end->as<ast::NameUse>()) {
    Entity found = entity(*slice->end);
    if (found.kind == Entity::Unknown)
      return std::nullopt;
    if (found.kind == Entity::Pack)
      return Axis(found.symbol);
    state.diagnostics
        .report(diag::NotADim, expr.range, shortened(expr.range.text()))
        .here(fmt::format("{}, not any number of axes", found.what));
    return std::nullopt;
  }
  auto found = size(expr);
  return found ? std::optional<Axis>(*found) : std::nullopt;
}

static std::optional<ElementType> elementNamed(std::string_view name) {
  for (auto element : {ElementType::Real, ElementType::F32, ElementType::F64,
                       ElementType::I32, ElementType::I64, ElementType::U8,
                       ElementType::Bool, ElementType::Index})
    if (name == str(element))
      return element;
  return std::nullopt;
}

Type Body::type(const ast::Type &tree) {
  if (auto *tuple = tree.as<ast::TupleType>()) {
    std::vector<Type> elements;
    for (const auto &element : tuple->elements)
      elements.push_back(type(*element));
    for (const Type &element : elements)
      if (element.isPoison())
        return element;
    return Type::tuple(std::move(elements));
  }
  if (auto *function = tree.as<ast::FnType>()) {
    std::vector<Type> parameters;
    for (const auto &parameter : function->parameters)
      parameters.push_back(type(*parameter));
    Type result = type(*function->result);
    for (const Type &parameter : parameters)
      if (parameter.isPoison())
        result = parameter;
    return result.isPoison() ? result
                             : Type::function(std::move(parameters), result);
  }
  auto *tensor = tree.as<ast::TensorType>();
  if (!tensor)
    return Type::poison();
  Range range = tensor->element.range;
  const std::string &name = tensor->element.text;
  if (name == "bf16" || name == "int") {
    state.refuse(range, fmt::format("`{}` is", name));
    return Type::poison();
  }
  auto element = elementNamed(name);
  if (!element) {
    Diagnostic &error =
        state.diagnostics.report(diag::UnknownElement, range, name);
    std::string near = nearest(
        name, {"real", "f32", "f64", "i32", "i64", "u8", "bool", "index"});
    near.empty()
        ? error.help("there are: real, f32, f64, i32, i64, u8, bool, index(K)")
        : error.meant(near);
    return Type::poison();
  }
  Type result = Type::tensor(*element);
  if ((*element == ElementType::Index) != (tensor->bound != nullptr)) {
    state.diagnostics.report(diag::BoundMisplaced, range, name,
                             tensor->bound
                                 ? "no number in `( )`"
                                 : "the number of its values: `index(10)`");
    return Type::poison();
  }
  bool isBroken = false;
  if (tensor->bound) {
    if (auto bound = size(*tensor->bound))
      result.bound = *bound;
    else
      isBroken = true;
  }
  for (const ast::Axis &axis : tensor->axes) {
    if (!axis.rest) {
      if (auto dim = size(*axis.dim))
        result.shape.push_back(*dim);
      else
        isBroken = true;
      continue;
    }
    const Symbol *pack = nullptr;
    for (auto *map : {&generics, &scope.generics})
      if (auto found = map->find(axis.rest->text); found != map->end())
        pack = found->second;
    if (pack && pack->kind == Symbol::Pack) {
      result.shape.push_back(Axis(pack));
      continue;
    }
    isBroken = true;
    if (pack)
      state.diagnostics
          .report(diag::NotADim, axis.range, ".." + axis.rest->text)
          .here(fmt::format("`{}` is one dim", axis.rest->text));
    else
      state.diagnostics
          .report(diag::UnknownName, axis.range, ".." + axis.rest->text)
          .help(fmt::format("declare it: `[..{}]` after the name",
                            axis.rest->text));
  }
  return isBroken ? Type::poison() : result;
}

// Whether `fact` says that left <= right, by the same or a smaller margin.
static bool implies(const Requirement &fact, const Dim &slack) {
  auto proves = [&](const Dim &known) {
    auto rest = (slack - known).expanded().leastOverLoops().lowerBound();
    return rest && *rest >= 0;
  };
  Dim difference = fact.right - fact.left;
  switch (fact.relation) {
  case Relation::Equal:
    return proves(difference) || proves(-difference);
  case Relation::Less:
    return proves(difference - Dim(1));
  case Relation::LessEqual:
    return proves(difference);
  case Relation::Greater:
    return proves(-difference - Dim(1));
  case Relation::GreaterEqual:
    return proves(-difference);
  case Relation::NotEqual:
    return false;
  }
  return false;
}

static bool isKnown(const std::vector<Requirement> &facts, const Dim &left,
                    Relation relation, const Dim &right) {
  for (const Requirement &fact : facts) {
    Dim difference = (right - left).expanded();
    Dim known = (fact.right - fact.left).expanded();
    switch (relation) {
    case Relation::Equal:
    case Relation::NotEqual:
      if (fact.relation == relation &&
          (difference == known || difference == -known))
        return true;
      break;
    case Relation::Less:
      if (implies(fact, right - left - Dim(1)))
        return true;
      break;
    case Relation::LessEqual:
      if (implies(fact, right - left))
        return true;
      break;
    case Relation::Greater:
      if (implies(fact, left - right - Dim(1)))
        return true;
      break;
    case Relation::GreaterEqual:
      if (implies(fact, left - right))
        return true;
      break;
    }
  }
  return false;
}

bool Body::require(const Dim &left, Relation relation, const Dim &right,
                   Range range) {
  Verdict verdict = compare(left, relation, right);
  if (verdict == Verdict::Proved)
    return true;
  for (auto *facts : {requirements, scope.module ? &scope.module->requirements
                                                 : requirements})
    if (facts && isKnown(*facts, left, relation, right))
      return true;
  bool isOfRound = (right - left).hasCounter();
  // A condition may keep the rounds out in which it does not hold.
  if (verdict == Verdict::Refuted && !(isOfRound && conditions > 0))
    return false;
  Requirement needed = {left, relation, right, range};
  if (isOfRound && !liftOverLoops(needed)) {
    current->push_back({range, Require{needed}});
    return true;
  }
  if (requirements)
    requirements->push_back(needed);
  return requirements != nullptr;
}

// What is needed in every round comes down to what one round needs, if all
// loops around run at least once.
bool Body::liftOverLoops(Requirement &needed) const {
  bool isLess = needed.relation == Relation::Less ||
                needed.relation == Relation::LessEqual;
  bool isGreater = needed.relation == Relation::Greater ||
                   needed.relation == Relation::GreaterEqual;
  if (conditions > 0 || !loopsRun || !(isLess || isGreater))
    return false;
  auto extreme = [](const Dim &dim, bool isLeast) {
    return isLeast ? dim.leastOverLoops() : dim.greatestOverLoops();
  };
  bool isOneSided = !needed.left.hasCounter() || !needed.right.hasCounter();
  needed.left = extreme(needed.left, isGreater);
  needed.right = extreme(needed.right, isLess);
  return isOneSided && !needed.left.hasCounter() && !needed.right.hasCounter();
}

void Body::require(const std::vector<DeferredEquality> &equalities,
                   Range range) {
  for (const auto &[left, right] : equalities)
    require(left, Relation::Equal, right, range);
}

void Body::addRequirement(const ast::Expr &expr) {
  auto *binary = expr.as<ast::Binary>();
  if (expr.as<ast::Invalid>())
    return;
  if (binary && binary->op == ast::BinaryOp::And) {
    addRequirement(*binary->left);
    addRequirement(*binary->right);
    return;
  }
  static const std::pair<ast::BinaryOp, Relation> relations[] = {
      {ast::BinaryOp::Equal, Relation::Equal},
      {ast::BinaryOp::NotEqual, Relation::NotEqual},
      {ast::BinaryOp::Less, Relation::Less},
      {ast::BinaryOp::LessEqual, Relation::LessEqual},
      {ast::BinaryOp::Greater, Relation::Greater},
      {ast::BinaryOp::GreaterEqual, Relation::GreaterEqual}};
  for (const auto &[op, relation] : relations) {
    if (!binary || binary->op != op)
      continue;
    auto left = dim(*binary->left);
    auto right = dim(*binary->right);
    if (!left || !right)
      return;
    // What is written is a fact, even where it looks impossible: generic dims
    // are rigid only until `requires` says more.
    bool isDecided = (*left - *right).constant().has_value();
    if (isDecided && compare(*left, relation, *right) == Verdict::Refuted)
      state.diagnostics.report(diag::RequirementOfBody, expr.range,
                               shortened(expr.range.text()),
                               "that is never so");
    else if (compare(*left, relation, *right) != Verdict::Proved &&
             !isKnown(*requirements, *left, relation, *right))
      requirements->push_back({*left, relation, *right, expr.range});
    return;
  }
  state.diagnostics.report(diag::BadRequirement, expr.range);
}

std::string Requirement::str() const {
  return fmt::format("{} {} {}", left.str(), typed::str(relation), right.str());
}

} // namespace gradus::typed
