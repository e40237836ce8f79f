// A step given as MLIR text -> the stages differentiate, fuse, lower and native
// -> a compiled function on buffers filled with random numbers.
#pragma once

#include "runtime/Execution.h"
#include "runtime/Team.h"
#include "runtime/Tensor.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradus {

/// What `fuse` made of the function `step` in `text`, without machine code. A
/// failure has been reported as a failure of the test.
std::optional<CompiledFunction> planStep(const std::string &text, bool fuse);

class StepRunner {
public:
  /// Compiles the function `step` or `train_step` of `text`: with plain loops,
  /// or with the schedules of kernels that train, shared among a team.
  StepRunner(const std::string &text, bool fuse, unsigned seed,
             bool schedule = false, std::shared_ptr<Team> team = nullptr);

  /// Runs it `times` on the same buffers; the contents of all that it writes,
  /// in the order of its buffers.
  std::vector<std::vector<double>> run(int times);

private:
  std::optional<Execution> execution;
  std::vector<Tensor> tensors;
};

/// Runs the step twice as it trains, on one worker, on two and on three, which
/// share all loops that can be: they write the same bits.
void expectSameBitsOnAnyWorkers(const std::string &text);

} // namespace gradus
