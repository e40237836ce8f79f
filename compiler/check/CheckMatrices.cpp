// What takes whole matrices: `solve` and `cholesky`.
#include "compiler/check/Body.h"

namespace gradus::typed {

bool Body::isSquareMatrix(const CallSite &site, const Expr *operand) {
  if (!isNumeric(site.name(), site.calleeRange, operand, /*needsReal=*/true))
    return false;
  const Shape &shape = operand->type.shape;
  if (!operand->type.hasPack() && shape.size() == 2 &&
      require(shape[0].dim, Relation::Equal, shape[1].dim, site.range))
    return true;
  state.diagnostics
      .report(diag::OperandRank, site.calleeRange, site.name(),
              "a square matrix", operand->type.str())
      .label(operand->range);
  return false;
}

const Expr *Body::solve(CallSite &site, std::string_view parameters) {
  std::vector<CallArgument *> arguments;
  if (!takeArguments(site, parameters, arguments))
    return poison(site.range);
  const Expr *matrix = strong(valueOf(*arguments[0]));
  const Expr *right = strong(valueOf(*arguments[1]));
  std::string name = site.name();
  if (matrix->type.isPoison() || right->type.isPoison() ||
      !isSquareMatrix(site, matrix) ||
      !isNumeric(name, site.calleeRange, right, /*needsReal=*/true) ||
      !sameElement(name, site.calleeRange, matrix, right))
    return poison(site.range);
  const Shape &shape = right->type.shape;
  const Dim &rows = matrix->type.shape[0].dim;
  if (right->type.hasPack() || shape.empty() || shape.size() > 2 ||
      !require(shape[0].dim, Relation::Equal, rows, site.range)) {
    state.diagnostics
        .report(diag::ArgumentShape, right->range, name,
                fmt::format("real[{0}] or real[{0}, K]", rows.str()),
                right->type.str())
        .label(matrix->range, matrix->type.str());
    return poison(site.range);
  }
  return make(right->type, site.range, Solve{matrix, right});
}

const Expr *Body::cholesky(CallSite &site, std::string_view parameters) {
  std::vector<CallArgument *> arguments;
  if (!takeArguments(site, parameters, arguments))
    return poison(site.range);
  const Expr *operand = strong(valueOf(*arguments[0]));
  if (operand->type.isPoison() || !isSquareMatrix(site, operand))
    return poison(site.range);
  return make(operand->type, site.range, Cholesky{operand});
}

} // namespace gradus::typed
