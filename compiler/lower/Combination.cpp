#include "compiler/lower/Combination.h"

namespace gradus::lower {
using namespace mlir;

std::optional<Combination> combinationOf(linalg::LinalgOp op) {
  Block &body = *op.getBlock();
  if (op.getNumDpsInits() != 1)
    return std::nullopt;
  Value accumulator = body.getArguments().back();
  Operation *combine = body.getTerminator()->getOperand(0).getDefiningOp();
  if (!combine || !accumulator.hasOneUse() ||
      *accumulator.user_begin() != combine || combine->getNumOperands() != 2 ||
      !combine->getResult(0).hasOneUse())
    return std::nullopt;
  auto neutral = arith::getNeutralElement(combine);
  if (!neutral)
    return std::nullopt;
  Value term = combine->getOperand(combine->getOperand(0) == accumulator);
  return Combination{combine, term, *neutral};
}

Value combine(OpBuilder &builder, const Combination &combination, Value a,
              Value b) {
  OperationState state(combination.combine->getLoc(),
                       combination.combine->getName(), {a, b}, {a.getType()},
                       combination.combine->getAttrs());
  return builder.create(state)->getResult(0);
}

} // namespace gradus::lower
