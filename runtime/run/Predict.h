// Running an exported function: on arguments from the command line, or on every
// row of a split; and writing its results.
#pragma once

#include "runtime/data/Npy.h"
#include "runtime/run/Variables.h"

namespace gradus {

struct NamedTensor {
  std::string name;
  Tensor value;
  /// An `index(K)`: files hold it as int64.
  bool isIndex = false;
};

/// What `name=TEXT` gives: a number, or the array in `@x.npy`, or the array of
/// this name in `@x.npz`. Throws E1017, E1011 and what reading throws.
NpyArray parseArgument(const std::string &name, const std::string &text);

/// Runs a function once. `results` are the names to give back, in this order;
/// what it draws is drawn from `seed`.
/// Throws E1009, E1014.
std::vector<NamedTensor> callFunction(CompiledFunction function,
                                      Variables &variables,
                                      const std::vector<NamedTensor> &arguments,
                                      const std::vector<std::string> &results,
                                      uint64_t seed = 0);

/// Runs a function on all rows of a split, in batches. Its arguments are
/// fields; the first axis of each argument and result is the batch.
std::vector<NamedTensor>
predictSplit(const std::function<CompiledFunction(int64_t batch)> &compile,
             Variables &variables, const Dataset &rows, int64_t batch,
             const std::vector<std::string> &results, uint64_t seed = 0);

/// Writes results as the end of the name says: `.npz` any number, `.npy` and
/// `.csv` one. Throws E1015, E1018, E1019 and what writing throws.
void writeResults(const std::string &path,
                  const std::vector<NamedTensor> &results);

} // namespace gradus
