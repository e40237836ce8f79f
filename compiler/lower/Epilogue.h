// An element-wise reader of a contraction's result, evaluated on its tiles.
// Next: ScheduleContraction.cpp.
#pragma once

#include "compiler/lower/Nest.h"

namespace gradus::lower {

/// `epilogue` as a nest over the loops of the contraction `op`, which is
/// `nest`; nothing if it reads the result in another order than it is written.
std::optional<Nest> alignEpilogue(mlir::OpBuilder &builder,
                                  mlir::linalg::LinalgOp op, const Nest &nest,
                                  mlir::linalg::LinalgOp epilogue);

/// Whether the nest writes to the buffer that `input` reads.
bool writes(const Nest &nest, const Access &input);

/// Whether it writes to a buffer that it reads.
bool updatesInPlace(const Nest &nest);

} // namespace gradus::lower
