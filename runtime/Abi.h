// What compiled code and the runtime share: the element types of buffers, the
// entry point of a kernel, and a compiled function as a list of kernel calls
// over one arena. Standard library only; an exported library needs no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace gradus {

/// Element type of a buffer in memory. `Bool` takes one byte, `index(K)` of the
/// language is `I32`.
enum class Element : uint8_t { F32, F64, I32, I64, U8, Bool };

/// Bytes of one element.
constexpr int64_t byteWidth(Element element) {
  switch (element) {
  case Element::F64:
  case Element::I64:
    return 8;
  case Element::F32:
  case Element::I32:
    return 4;
  case Element::U8:
  case Element::Bool:
    return 1;
  }
  return 0;
}

/// How a compiled function uses a buffer that its caller owns.
enum class Access : uint8_t { Read, Write, Update };

/// A dense row-major buffer, 64-byte aligned. A scalar has no dims.
struct BufferInfo {
  /// The path of the value: `param/fc1.W`, `slot/adam/fc1.W.m`,
  /// `field/image`, `data/housing.x.mean`, `t`, `loss`, `report/accuracy/0`.
  std::string name;
  Element element = Element::F32;
  std::vector<int64_t> shape;
  Access access = Access::Read;

  /// At most the largest number there is: then it cannot be allocated.
  int64_t elements() const {
    int64_t count = 1;
    for (int64_t dim : shape)
      if (__builtin_mul_overflow(count, dim, &count))
        return std::numeric_limits<int64_t>::max();
    return count;
  }
  int64_t bytes() const { return elements() * byteWidth(element); }
};

class Team;

/// Who runs a kernel, as compiled code sees it.
struct Worker {
  int64_t number = 0;
  int64_t count = 1;
  Team *team = nullptr;
};

/// The worker that runs a kernel when there are no others.
inline constexpr Worker alone;

/// Every kernel has this type: an array of pointers to its buffers, in the
/// order of its `KernelCall::operands`, and who runs it. A kernel that is split
/// has to be run by all workers of a team.
using KernelEntry = void (*)(void *const *buffers, const Worker *worker);

/// Where an operand of a kernel lies.
struct Location {
  enum Space : uint8_t { Arena, External } space = Arena;
  /// External: index into `CompiledFunction::buffers`.
  int32_t buffer = 0;
  /// Arena: bytes from its start, a multiple of 64.
  int64_t offset = 0;
};

struct LoopCall;

struct KernelCall {
  /// The kernel's name, for profiles and plans.
  std::string name;
  KernelEntry entry = nullptr;
  std::vector<Location> operands;
  /// Of its contractions, a multiply-add counting as two: the arithmetic that
  /// no fusion saves.
  int64_t flops = 0;
  /// Whether all workers run it, each its part.
  bool isSplit = false;
  /// Set if the call runs a loop instead of a kernel.
  std::shared_ptr<const LoopCall> loop = {};
};

/// What a loop of the model keeps of its rounds for derivatives.
struct KeptRounds {
  /// Where the loop stands: `FILE:LINE`.
  std::string place;
  int64_t rounds = 0;
  /// Above 1: only the values at the beginning of every so many rounds are
  /// kept; the rounds between are computed once more.
  int64_t every = 1;
  int64_t bytes = 0;
};

/// A function of the model as native code: run `calls` in order. It allocates
/// nothing; `arenaBytes` of scratch hold every value between kernels.
struct CompiledFunction {
  std::string name;
  std::vector<BufferInfo> buffers;
  std::vector<KernelCall> calls;
  int64_t arenaBytes = 0;
  /// Keeps the machine code alive.
  std::shared_ptr<void> code;
  /// Set for a function that is interpreted instead: computes from the memory
  /// of all `buffers`. It has no calls then.
  std::function<void(void *const *buffers)> interpreted = {};
  /// Runs the kernels that are split; without it one thread does.
  std::shared_ptr<Team> team = {};
  std::vector<KeptRounds> kept = {};
};

/// A loop over a list of kernels. Operands of its call: values that each round
/// takes from the one before (`carried`), tensors of which round i reads row i
/// (`over`), values that all rounds read (`with`), the condition if there is
/// one (a byte: 0, nothing but copies of the carried values is done); then the
/// results: the carried values, in which the rounds work, and tensors of which
/// round i writes row i; then scratch: the number of the round and the arena of
/// the body.
struct LoopCall {
  /// Takes the number of the round, carried values, rows and common values;
  /// updates the carried values and writes rows.
  CompiledFunction body;
  int64_t rounds = 0;
  /// The rounds run from the last to the first.
  bool reverse = false;
  size_t carried = 0, over = 0, with = 0;
  bool isConditional = false;

  /// Of the scratch, before the arena.
  static constexpr int64_t kCounterBytes = 64;
};

} // namespace gradus
