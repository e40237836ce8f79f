// What the step and the reports share: the frame of a `train` block.
#pragma once

#include "compiler/construct/Construct.h"
#include "compiler/construct/Emitter.h"

#include "llvm/ADT/SetVector.h"

namespace gradus::construct {

/// A model on an empty module of `context`.
Model makeModel(const typed::Program &program, mlir::MLIRContext &context,
                Precision precision, Diagnostics &diagnostics);

/// The fields of a batch of `batch` rows, as arguments.
Frame trainFrame(Model &model, Emitter &emitter, GraphFunction &function,
                 int64_t batch);

/// The loss of a `minimize`, in the frame of `train`, which holds the `let`s it
/// is made of after this. Others do not run: they would change state.
mlir::Value emitLoss(const typed::Minimize &minimize, Emitter &emitter,
                     Frame &frame);

/// The loss of a `minimize`, and its derivatives by the parameters it updates.
struct LossGradient {
  mlir::Value loss;
  std::vector<const Parameter *> parameters;
  llvm::SmallVector<mlir::Value> values;
};
/// `updated`: parameters that an earlier `minimize` has updated. The frame is
/// that of `train`, as for emitLoss.
LossGradient lossGradient(const typed::Minimize &minimize, Emitter &emitter,
                          GraphFunction &function, Frame &frame,
                          const llvm::SetVector<const Parameter *> &updated);

} // namespace gradus::construct
