#include "runtime/Execution.h"

#include <stdexcept>

namespace gradus {

Execution::Execution(CompiledFunction function)
    : compiled(std::move(function)), arena(compiled.arenaBytes),
      uses(compiled.buffers.size()), bound(compiled.buffers.size()),
      unbound(compiled.buffers.size()) {
  if (compiled.interpreted) {
    pointers.resize(uses.size());
    for (size_t i = 0; i < uses.size(); ++i)
      uses[i].push_back(i);
  }
  for (const KernelCall &call : compiled.calls) {
    starts.push_back(pointers.size());
    for (const Location &place : call.operands) {
      if (place.space == Location::External) {
        if (place.buffer < 0 || size_t(place.buffer) >= uses.size())
          throw std::logic_error("kernel " + call.name + " of " +
                                 compiled.name + " takes buffer " +
                                 std::to_string(place.buffer));
        uses[size_t(place.buffer)].push_back(pointers.size());
        pointers.push_back(nullptr);
      } else {
        if (place.offset < 0 || place.offset % 64 ||
            place.offset > compiled.arenaBytes)
          throw std::logic_error("kernel " + call.name + " of " +
                                 compiled.name + " takes arena offset " +
                                 std::to_string(place.offset));
        pointers.push_back(static_cast<char *>(arena.get()) + place.offset);
      }
    }
  }
}

void Execution::bind(size_t index, void *memory) {
  if (reinterpret_cast<uintptr_t>(memory) % 64)
    throw std::logic_error("buffer " + compiled.buffers.at(index).name +
                           " is not aligned to 64 bytes");
  for (size_t place : uses.at(index))
    pointers[place] = memory;
  unbound -= !bound[index];
  bound[index] = true;
}

void Execution::bind(size_t index, Tensor &tensor) {
  const BufferInfo &info = compiled.buffers.at(index);
  if (info.element != tensor.element() || info.shape != tensor.shape())
    throw std::logic_error("buffer " + info.name + " of " + compiled.name +
                           " is " + typeText(info.element, info.shape) +
                           ", bound to " +
                           typeText(tensor.element(), tensor.shape()));
  bind(index, tensor.data());
}

int64_t Execution::find(std::string_view name) const {
  for (size_t i = 0; i < compiled.buffers.size(); ++i)
    if (compiled.buffers[i].name == name)
      return int64_t(i);
  return -1;
}

void Execution::run() {
  if (unbound)
    for (size_t i = 0; i < bound.size(); ++i)
      if (!bound[i])
        throw std::logic_error("buffer " + compiled.buffers[i].name + " of " +
                               compiled.name + " is not bound");
  if (compiled.interpreted)
    return compiled.interpreted(pointers.data());
  for (size_t i = 0; i < starts.size(); ++i)
    runCall(i);
}

} // namespace gradus
