// What the step and the reports share: the frame of a `train` block.
#pragma once

#include "compiler/construct/Construct.h"
#include "compiler/construct/Emitter.h"

namespace gradus::construct {

/// A model on an empty module of `context`.
Model makeModel(const typed::Program &program, mlir::MLIRContext &context,
                Precision precision, Diagnostics &diagnostics);

/// The fields of a batch of `batch` rows, as arguments.
Frame trainFrame(Model &model, Emitter &emitter, GraphFunction &function,
                 int64_t batch);

} // namespace gradus::construct
