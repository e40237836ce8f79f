// Calls of C functions: what can be said of them without calling them.
#include "dialect/Graph.h"

using namespace mlir;

namespace gradus::graph {

std::string ExternOp::getCallee() {
  return (getLibrary() + ":" + getSymbol()).str();
}

LogicalResult ExternOp::verify() {
  if (getAxes().size() != getOperands().size())
    return emitOpError("needs the axes of each operand");
  ArrayRef<int64_t> result = cast<RankedTensorType>(getType()).getShape();
  for (auto [attribute, operand] : llvm::zip_equal(getAxes(), getOperands())) {
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(operand.getType()).getShape();
    ArrayRef<int64_t> axes = cast<DenseI64ArrayAttr>(attribute).asArrayRef();
    if (axes.size() != shape.size())
      return emitOpError("needs a number for each axis of ")
             << operand.getType();
    for (auto [axis, size] : llvm::zip_equal(axes, shape))
      if (axis < -1 || axis >= static_cast<int64_t>(result.size()) ||
          (axis >= 0 && result[axis] != size))
        return emitOpError("has no axis ") << axis << " of size " << size;
  }
  return success();
}

} // namespace gradus::graph
