// What takes whole matrices: each node one op of the dialect.
#include "compiler/construct/Emitter.h"

using namespace mlir;

namespace gradus::construct {

/// A vector is a matrix of one column.
Value Emitter::visit(const typed::Solve &node, const Expr &, Frame &frame) {
  Value a = emit(*node.matrix, frame), b = emit(*node.right, frame);
  auto type = cast<RankedTensorType>(b.getType());
  bool isVector = type.getRank() == 1;
  if (isVector)
    b = graph::ReshapeOp::create(builder, location, b,
                                 ArrayRef<int64_t>{type.getDimSize(0), 1});
  Value x = graph::SolveOp::create(builder, location, a, b);
  if (isVector)
    x = graph::ReshapeOp::create(builder, location, x, type.getShape());
  return x;
}

Value Emitter::visit(const typed::Cholesky &node, const Expr &, Frame &frame) {
  return graph::CholeskyOp::create(builder, location,
                                   emit(*node.operand, frame));
}

} // namespace gradus::construct
