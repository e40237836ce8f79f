// What a tensor takes and what an op does: facts for whoever has to choose.
#pragma once

#include "dialect/Graph.h"

namespace gradus::graph {

/// The bytes of a tensor in memory; truth values take one each.
int64_t bytesOf(mlir::Type tensor);

/// The multiplications with an addition of a contraction: the elements of its
/// iteration space.
int64_t productsOf(EinsumOp einsum);

/// Multiplications and additions of contractions and of what takes whole
/// matrices; element-wise work counts as none.
int64_t flopsOf(mlir::Operation *op);

} // namespace gradus::graph
