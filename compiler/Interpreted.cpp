// See Interpreted.h. Buffers hold real numbers in the type of the model; they
// are rounded once, where a result is written.
#include "compiler/Interpreted.h"

#include "compiler/fuse/Plan.h"
#include "dialect/Interpreter.h"

#include <stdexcept>

using namespace mlir;

namespace gradus {

/// Calls `visit` with the elements at `memory`, as a pointer to their type.
static void withElements(const BufferInfo &buffer, void *memory, auto &&visit) {
  switch (buffer.element) {
  case Element::F32:
    return visit(static_cast<float *>(memory));
  case Element::F64:
    return visit(static_cast<double *>(memory));
  case Element::I32:
    return visit(static_cast<int32_t *>(memory));
  case Element::I64:
    return visit(static_cast<int64_t *>(memory));
  case Element::U8:
  case Element::Bool:
    return visit(static_cast<uint8_t *>(memory));
  }
}

static void copyIn(const BufferInfo &buffer, void *memory,
                   graph::Array &array) {
  withElements(buffer, memory, [&](auto *elements) {
    for (int64_t i = 0; i < array.size(); ++i)
      if (array.isReal())
        array.reals[i] = static_cast<double>(elements[i]);
      else
        array.wholes[i] = static_cast<int64_t>(elements[i]);
  });
}

static void copyOut(const graph::Array &array, const BufferInfo &buffer,
                    void *memory) {
  withElements(buffer, memory, [&](auto *elements) {
    using T = std::remove_reference_t<decltype(*elements)>;
    for (int64_t i = 0; i < array.size(); ++i)
      elements[i] = array.isReal() ? static_cast<T>(array.reals[i])
                                   : static_cast<T>(array.wholes[i]);
  });
}

static void run(func::FuncOp function, const std::vector<BufferInfo> &buffers,
                void *const *memory) {
  SmallVector<graph::Array> arguments;
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    arguments.emplace_back(cast<RankedTensorType>(type));
    copyIn(buffers[i], memory[i], arguments.back());
  }
  SmallVector<graph::Array> results = graph::interpret(function, arguments);
  unsigned next = arguments.size();
  for (auto [i, result] : llvm::enumerate(results)) {
    auto updated = fuse::updatedArgument(function, i);
    unsigned place = updated ? static_cast<unsigned>(*updated) : next++;
    copyOut(result, buffers[place], memory[place]);
  }
}

std::map<std::string, CompiledFunction>
interpretedFunctions(OwningOpRef<ModuleOp> module) {
  auto kept = std::make_shared<OwningOpRef<ModuleOp>>(std::move(module));
  std::map<std::string, CompiledFunction> functions;
  for (func::FuncOp function : fuse::steps(kept->get())) {
    auto buffers = fuse::buffersOf(function);
    if (failed(buffers))
      throw std::logic_error("a function updates what it does not take");
    CompiledFunction &result = functions[function.getName().str()];
    result.name = function.getName().str();
    result.buffers = *buffers;
    result.code = kept;
    result.interpreted = [function, buffers = *buffers](void *const *memory) {
      run(function, buffers, memory);
    };
  }
  return functions;
}

} // namespace gradus
