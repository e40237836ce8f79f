// Columns of a product as dot products: where one row of A meets columns of B
// that lie contiguously, as in a matrix times a vector. Each column has a
// vector of sums; these are added up across. A panel would be written and read
// once for one use of each element. Takes the nest and the roles of its loops;
// next: ScheduleContraction.cpp finishes and stores the vector.
#pragma once

#include "compiler/lower/ContractionRoles.h"
#include "compiler/lower/Emitter.h"

namespace gradus::lower {

/// Whether a contraction has one row, and its columns are better not packed.
bool areDotProducts(const Nest &nest, const Roles &roles);

/// One vector of the result: the `point.active` columns from `point` on, whole
/// sums over the contracted loop.
mlir::Value dotProducts(const Nest &nest, const Roles &roles, Emitter &emitter,
                        const Point &point);

} // namespace gradus::lower
