// See Costs.h.
#include "dialect/Costs.h"
#include "dialect/Einsum.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace gradus::graph {

int64_t bytesOf(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return type.getNumElements() * static_cast<int64_t>(llvm::divideCeil(
                                     type.getElementTypeBitWidth(), 8));
}

int64_t productsOf(EinsumOp einsum) {
  EinsumSpec spec = *parseEinsum(einsum.getSpec());
  int64_t products = cast<RankedTensorType>(einsum.getType()).getNumElements();
  auto a = cast<RankedTensorType>(einsum.getA().getType());
  for (char index : spec.contracted())
    products *= a.getDimSize(static_cast<unsigned>(spec.a.find(index)));
  return products;
}

int64_t flopsOf(Operation *op) {
  if (auto einsum = dyn_cast<EinsumOp>(op))
    return 2 * productsOf(einsum);
  if (!isa<SolveOp, CholeskyOp>(op))
    return 0;
  auto matrices = cast<RankedTensorType>(op->getOperand(0).getType());
  int64_t n = matrices.getShape().back(), all = matrices.getNumElements();
  if (isa<CholeskyOp>(op))
    return all * n / 3;
  auto x = cast<RankedTensorType>(op->getResult(0).getType());
  return 2 * all * n / 3 + 2 * all * x.getShape().back();
}

} // namespace gradus::graph
