// See Constants.h.
#include "compiler/check/Constants.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace gradus::typed {

static std::optional<double> applyBuiltin(Builtin op,
                                          const std::vector<double> &v) {
  switch (op) {
  case Builtin::Neg:
    return -v[0];
  case Builtin::Not:
    return v[0] == 0;
  case Builtin::Exp:
    return std::exp(v[0]);
  case Builtin::Expm1:
    return std::expm1(v[0]);
  case Builtin::Log:
    return std::log(v[0]);
  case Builtin::Log1p:
    return std::log1p(v[0]);
  case Builtin::Sqrt:
    return std::sqrt(v[0]);
  case Builtin::Rsqrt:
    return 1 / std::sqrt(v[0]);
  case Builtin::Sin:
    return std::sin(v[0]);
  case Builtin::Cos:
    return std::cos(v[0]);
  case Builtin::Tan:
    return std::tan(v[0]);
  case Builtin::Sinh:
    return std::sinh(v[0]);
  case Builtin::Cosh:
    return std::cosh(v[0]);
  case Builtin::Tanh:
    return std::tanh(v[0]);
  case Builtin::Asin:
    return std::asin(v[0]);
  case Builtin::Acos:
    return std::acos(v[0]);
  case Builtin::Atan:
    return std::atan(v[0]);
  case Builtin::Erf:
    return std::erf(v[0]);
  case Builtin::Floor:
    return std::floor(v[0]);
  case Builtin::Ceil:
    return std::ceil(v[0]);
  case Builtin::Round:
    return std::nearbyint(v[0]);
  case Builtin::Abs:
    return std::abs(v[0]);
  case Builtin::Sign:
    return v[0] > 0 ? 1 : v[0] < 0 ? -1 : v[0];
  case Builtin::IsNan:
    return std::isnan(v[0]);
  case Builtin::IsFinite:
    return std::isfinite(v[0]);
  case Builtin::Add:
    return v[0] + v[1];
  case Builtin::Sub:
    return v[0] - v[1];
  case Builtin::Mul:
    return v[0] * v[1];
  case Builtin::Div:
    return v[0] / v[1];
  case Builtin::FloorDiv:
    return v[1] == 0 ? 0 : std::floor(v[0] / v[1]);
  case Builtin::Remainder:
    return v[1] == 0 ? v[0] : v[0] - std::floor(v[0] / v[1]) * v[1];
  case Builtin::Pow:
    return std::pow(v[0], v[1]);
  case Builtin::Equal:
    return v[0] == v[1];
  case Builtin::NotEqual:
    return v[0] != v[1];
  case Builtin::Less:
    return v[0] < v[1];
  case Builtin::LessEqual:
    return v[0] <= v[1];
  case Builtin::Greater:
    return v[0] > v[1];
  case Builtin::GreaterEqual:
    return v[0] >= v[1];
  case Builtin::And:
    return v[0] != 0 && v[1] != 0;
  case Builtin::Or:
    return v[0] != 0 || v[1] != 0;
  case Builtin::Max:
    return std::isnan(v[0]) || v[0] > v[1] ? v[0] : v[1];
  case Builtin::Min:
    return std::isnan(v[0]) || v[0] < v[1] ? v[0] : v[1];
  case Builtin::Select:
    return v[0] != 0 ? v[1] : v[2];
  default:
    return std::nullopt;
  }
}

static bool isBound(const Dim &dim, const DimEnvironment *environment) {
  for (const Symbol *symbol : dim.symbols())
    if (symbol->kind != Symbol::Declared &&
        (!environment || !environment->dims.contains(symbol)))
      return false;
  return true;
}

namespace {
struct Evaluator {
  const ConstantEnvironment &environment;

  std::optional<double> operator()(const Number &number) const {
    return number.value;
  }
  std::optional<double> operator()(const DimValue &value) const {
    if (!isBound(value.dim, environment.dims))
      return std::nullopt;
    static const DimEnvironment none;
    return value.dim.evaluate(environment.dims ? *environment.dims : none);
  }
  std::optional<double> operator()(const ConstReference &reference) const {
    return reference.constant->value;
  }
  std::optional<double> operator()(const LocalReference &reference) const {
    return environment.local ? environment.local(reference.local)
                             : std::nullopt;
  }
  std::optional<double> operator()(const ScalarReference &reference) const {
    switch (reference.scalar) {
    case Scalar::Pi:
      return std::numbers::pi;
    case Scalar::Inf:
      return std::numeric_limits<double>::infinity();
    case Scalar::Training:
      return environment.training;
    default:
      return std::nullopt;
    }
  }
  std::optional<double> operator()(const Rank &rank) const {
    double count = 0;
    for (const Axis &axis : rank.operand->type.shape) {
      if (!axis.isPack()) {
        ++count;
        continue;
      }
      if (!environment.dims || !environment.dims->packs.contains(axis.pack))
        return std::nullopt;
      count += environment.dims->packs.at(axis.pack).size();
    }
    return count;
  }
  std::optional<double> operator()(const Elementwise &elementwise) const {
    std::vector<double> values;
    for (const Expr *operand : elementwise.operands) {
      auto value = evaluate(*operand, environment);
      if (!value)
        return std::nullopt;
      values.push_back(*value);
    }
    return applyBuiltin(elementwise.op, values);
  }
  std::optional<double> operator()(const Convert &convert) const {
    return evaluate(*convert.operand, environment);
  }
  std::optional<double> operator()(const auto &) const { return std::nullopt; }
};
} // namespace

std::optional<double> evaluate(const Expr &expr,
                               const ConstantEnvironment &environment) {
  if (!expr.type.isScalar())
    return std::nullopt;
  return std::visit(Evaluator{environment}, expr.node);
}

bool isFixedByConfig(const Expr &expr) {
  if (!expr.type.isScalar())
    return false;
  if (auto *elementwise = expr.as<Elementwise>())
    return std::ranges::all_of(elementwise->operands, [](const Expr *operand) {
      return isFixedByConfig(*operand);
    });
  if (auto *convert = expr.as<Convert>())
    return isFixedByConfig(*convert->operand);
  if (auto *reference = expr.as<ScalarReference>())
    return reference->scalar == Scalar::Pi || reference->scalar == Scalar::Inf;
  if (auto *reference = expr.as<LocalReference>())
    return reference->local->kind == Local::Config;
  return expr.as<Number>() || expr.as<DimValue>() ||
         expr.as<ConstReference>() || expr.as<Rank>();
}

bool areElementsFixed(const Expr &expr) {
  if (auto *broadcast = expr.as<Broadcast>())
    return isFixedByConfig(*broadcast->operand);
  if (auto *reshape = expr.as<Reshape>())
    return areElementsFixed(*reshape->operand);
  if (auto *concat = expr.as<Concat>())
    return concat->entry == 0 &&
           std::ranges::all_of(concat->operands, [](const Expr *operand) {
             return areElementsFixed(*operand);
           });
  return expr.as<Eye>() || isFixedByConfig(expr);
}

} // namespace gradus::typed
