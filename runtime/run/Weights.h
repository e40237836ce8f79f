// Weights and checkpoints as safetensors files: which values they hold, and
// what their metadata say. A checkpoint is weights, slots and the place in the
// run.
#pragma once

#include "runtime/run/Safetensors.h"
#include "runtime/run/Variables.h"

namespace gradus {

/// Where a run stands, for the metadata.
struct RunPosition {
  /// Steps done.
  int64_t step = 0;
  /// Epoch that goes on, from 1, and its next batch.
  int64_t epoch = 1, batch = 0;
  /// Sum of loss times rows, and rows, of this epoch so far.
  double lossSum = 0;
  int64_t lossRows = 0;
  uint64_t seed = 0;
};

/// Writes parameters, states and statistics; with `withSlots` also the slots.
/// Throws E1002, E1051.
void saveWeights(const std::string &path, const Model &model,
                 const Variables &variables, const RunPosition &position,
                 const ClassNames &labels, bool withSlots);

/// The place in the run that a file was saved at. Throws E1004 if its metadata
/// lack it.
RunPosition positionOf(const Safetensors &file);

/// The names of text labels saved with the weights.
ClassNames labelsOf(const Safetensors &file);

/// The file that `--weights PATH` means: PATH/weights.safetensors if it is a
/// run folder.
std::string weightsFile(const std::string &path);

/// The name of a parameter or state that holds NaN or Inf and its first such
/// value; nothing if all are finite.
std::optional<std::pair<std::string, double>>
firstNotFinite(const Variables &variables);

} // namespace gradus
