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

bool multipliesAndAdds(linalg::LinalgOp op) {
  Block &body = *op.getBlock();
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      !llvm::hasNItems(body, 3))
    return false;
  auto add = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  Value accumulator = body.getArgument(2);
  Value product = add.getLhs() == accumulator ? add.getRhs() : add.getLhs();
  auto multiply = product.getDefiningOp<arith::MulFOp>();
  if (!multiply || (add.getLhs() != accumulator && add.getRhs() != accumulator))
    return false;
  Value x = body.getArgument(0), y = body.getArgument(1);
  return (multiply.getLhs() == x && multiply.getRhs() == y) ||
         (multiply.getLhs() == y && multiply.getRhs() == x);
}

} // namespace gradus::lower
