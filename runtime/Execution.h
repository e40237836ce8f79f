// A compiled function ready to run: its caller's buffers bound by name, its
// arena allocated, every operand of every kernel resolved to a pointer once. A
// run is then a list of calls and allocates nothing. The body of a loop is an
// execution of its own in the scratch of the loop, its operands moved on before
// each round.
#pragma once

#include "runtime/Team.h"
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
    if (bodies[call])
      return runLoop(call);
    const KernelCall &kernel = compiled.calls[call];
    void *const *operands = pointers.data() + starts[call];
    if (kernel.isSplit && compiled.team)
      return compiled.team->run(kernel.entry, operands);
    kernel.entry(operands, &alone);
  }

private:
  /// Computes in `arena`, which another owns.
  Execution(const CompiledFunction &function, char *arena);
  void resolve(char *arena);
  void place(size_t index, void *memory) {
    for (size_t use : uses[index])
      pointers[use] = memory;
  }
  void runLoop(size_t call);

  CompiledFunction compiled;
  AlignedBytes arena;
  /// The operands of all calls, one call after the other.
  std::vector<void *> pointers;
  /// Where the operands of each call begin in `pointers`.
  std::vector<size_t> starts;
  /// For each call the body of its loop, if it is one.
  std::vector<std::unique_ptr<Execution>> bodies;
  /// The bytes of each buffer.
  std::vector<size_t> sizes;
  /// For each buffer the places in `pointers` that hold it.
  std::vector<std::vector<size_t>> uses;
  std::vector<bool> bound;
  size_t unbound = 0;
};

} // namespace gradus
