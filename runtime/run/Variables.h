// The values of a model that outlive a step, by name: parameters, states,
// slots, constants, statistics of the data. Their addresses stay the same.
#pragma once

#include "runtime/Execution.h"
#include "runtime/Random.h"
#include "runtime/data/Batches.h"
#include "runtime/run/Model.h"

#include <map>

namespace gradus {

class Safetensors;

class Variables {
public:
  /// Initial values. Statistics are zero until `setStatistics`.
  Variables(const Model &model, uint64_t seed);

  /// Computes the statistics the model reads.
  void setStatistics(const Model &model, const Dataset &train);

  /// Takes the values of a weights file or checkpoint. A file without slots is
  /// enough for all but `resume`; constants are the program's. With `below`,
  /// the file is that of a model which this one imports under that name. Throws
  /// E1005, E1022.
  void load(const Safetensors &file, bool withSlots,
            const std::string &below = "");
  /// Takes what another run of the same model has left, but for its slots.
  void adopt(const Variables &other);

  /// Null if there is none.
  Tensor *find(std::string_view name);
  /// By name, in alphabetical order.
  const std::map<std::string, Tensor, std::less<>> &all() const {
    return values;
  }

private:
  std::map<std::string, Tensor, std::less<>> values;
};

/// The name in a safetensors file: `param/fc1.W` is `fc1.W`, others keep
/// theirs.
std::string savedName(const std::string &name);

/// A compiled function with its buffers bound: variables to the model's, all
/// others to tensors of its own, which the caller fills and reads.
class BoundFunction {
public:
  /// `variables` outlives this.
  BoundFunction(CompiledFunction function, Variables &variables);

  /// The tensor of a buffer that is no variable; null if it has no such buffer.
  Tensor *find(std::string_view name);
  /// Writes a scalar, if the function takes it.
  void set(std::string_view name, double value);
  /// Writes the keys of what the function draws (see drawKey).
  void setDraws(uint64_t seed, int64_t step, DrawFor purpose);
  /// Writes what a step reads of its number, which counts from 1: `t` and
  /// `every/...`.
  void setStep(int64_t number);
  /// Looks up the buffers `field/...`, or those of another space, that take the
  /// fields of a split. Throws std::logic_error if one has another type.
  void connect(const Dataset &rows, std::string_view space = "field/");
  /// Copies the rows of a batch of the split given to `connect`. Allocates
  /// nothing.
  void feed(const Batches &batches, int64_t index) const;
  void run() { execution.run(); }
  void runCall(size_t call) { execution.runCall(call); }

  const CompiledFunction &function() const { return execution.function(); }

private:
  Execution execution;
  std::map<std::string, Tensor, std::less<>> own;
  /// Index of a field of the split, and the buffer for it.
  std::vector<std::pair<size_t, Tensor *>> feeds;
};

} // namespace gradus
