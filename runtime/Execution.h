// A compiled function ready to run: its caller's buffers bound by name, its
// arena allocated, every operand of every kernel resolved to a pointer once. A
// run is then a list of calls and allocates nothing.
#pragma once

#include "runtime/Tensor.h"

namespace gradus {

class Execution {
public:
  /// Allocates the arena. Throws E1052 if there is no memory, and
  /// std::logic_error if a location lies outside of the arena or the buffers.
  explicit Execution(CompiledFunction function);

  const CompiledFunction &function() const { return compiled; }

  /// Gives buffer `index` its memory, 64-byte aligned, which outlives the runs.
  void bind(size_t index, void *memory);
  /// The same with the element type and shape checked.
  void bind(size_t index, Tensor &tensor);
  /// Index of the buffer with this name, or -1.
  int64_t find(std::string_view name) const;

  /// Runs the kernels in order. Throws std::logic_error if a buffer is not
  /// bound.
  void run();
  /// Runs one of the kernels, for profiles; the others must have run before.
  void runCall(size_t call) {
    compiled.calls[call].entry(pointers.data() + starts[call]);
  }

private:
  CompiledFunction compiled;
  AlignedBytes arena;
  /// The operands of all calls, one call after the other.
  std::vector<void *> pointers;
  /// Where the operands of each call begin in `pointers`.
  std::vector<size_t> starts;
  /// For each buffer the places in `pointers` that hold it.
  std::vector<std::vector<size_t>> uses;
  std::vector<bool> bound;
  size_t unbound;
};

} // namespace gradus
