#include "runtime/Execution.h"

#include <cstring>
#include <stdexcept>

namespace gradus {

Execution::Execution(CompiledFunction function)
    : compiled(std::move(function)), arena(compiled.arenaBytes) {
  resolve(static_cast<char *>(arena.get()));
}

Execution::Execution(const CompiledFunction &function, char *arena)
    : compiled(function), arena(0) {
  resolve(arena);
}

void Execution::resolve(char *memory) {
  unbound = compiled.buffers.size();
  uses.resize(unbound);
  bound.resize(unbound);
  for (const BufferInfo &buffer : compiled.buffers)
    sizes.push_back(size_t(buffer.bytes()));
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
        pointers.push_back(memory + place.offset);
      }
    }
    // The scratch of a loop always lies in the arena.
    bodies.emplace_back(
        call.loop ? new Execution(call.loop->body,
                                  static_cast<char *>(pointers.back()) +
                                      LoopCall::kCounterBytes)
                  : nullptr);
  }
}

void Execution::bind(size_t index, void *memory) {
  if (reinterpret_cast<uintptr_t>(memory) % 64)
    throw std::logic_error("buffer " + compiled.buffers.at(index).name +
                           " is not aligned to 64 bytes");
  unbound -= !bound.at(index);
  bound[index] = true;
  place(index, memory);
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

void Execution::runLoop(size_t call) {
  const LoopCall &loop = *compiled.calls[call].loop;
  Execution &body = *bodies[call];
  void *const *operands = pointers.data() + starts[call];
  const size_t firstOver = loop.carried, firstWith = firstOver + loop.over,
               when = firstWith + loop.with,
               firstResult = when + (loop.isConditional ? 1 : 0),
               firstStack = firstResult + loop.carried,
               scratch = compiled.calls[call].operands.size() - 1;
  auto *counter = static_cast<int32_t *>(operands[scratch]);
  // Buffers of the body: the counter, then as the operands of the call, then a
  // row of each stack.
  body.place(0, counter);
  for (size_t j = 0; j < loop.carried; ++j) {
    std::memcpy(operands[firstResult + j], operands[j], body.sizes[1 + j]);
    body.place(1 + j, operands[firstResult + j]);
  }
  if (loop.isConditional && !*static_cast<const uint8_t *>(operands[when]))
    return;
  for (size_t j = firstWith; j < when; ++j)
    body.place(1 + j, operands[j]);
  for (int64_t round = 0; round < loop.rounds; ++round) {
    int64_t i = loop.reverse ? loop.rounds - 1 - round : round;
    *counter = int32_t(i);
    auto row = [&](size_t operand, size_t buffer) {
      body.place(buffer, static_cast<char *>(operands[operand]) +
                             size_t(i) * body.sizes[buffer]);
    };
    for (size_t j = firstOver; j < firstWith; ++j)
      row(j, 1 + j);
    for (size_t j = firstStack; j < scratch; ++j)
      row(j, 1 + when + (j - firstStack));
    for (size_t k = 0; k < body.starts.size(); ++k)
      body.runCall(k);
  }
}

} // namespace gradus
