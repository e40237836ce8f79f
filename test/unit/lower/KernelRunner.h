// Compiles a kernel given as MLIR text, graph or linalg, and runs it on buffers
// of the test: scheduled for each vector unit, which must all give the same
// bits. Any processor runs them, as LLVM cuts vectors to those it has.
#pragma once

#include "compiler/lower/Lower.h"
#include "compiler/native/Jit.h"

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace gradus {

/// Numbers in a 64-byte aligned buffer with a guard behind them.
template <typename T> class Buffer {
public:
  explicit Buffer(size_t count, T value = T())
      : count(count), storage(count * sizeof(T) + 2 * kGuard) {
    auto address = reinterpret_cast<uintptr_t>(storage.data());
    offset = (64 - address % 64) % 64;
    std::fill_n(begin(), count, value);
    std::fill(storage.begin() + offset + count * sizeof(T), storage.end(),
              char(kGuardByte));
  }
  Buffer(const Buffer &other) : Buffer(other.count) {
    std::copy(other.begin(), other.end(), begin());
  }
  Buffer &operator=(const Buffer &other) {
    std::copy(other.begin(), other.end(), begin());
    return *this;
  }

  T *begin() { return reinterpret_cast<T *>(storage.data() + offset); }
  T *end() { return begin() + count; }
  const T *begin() const {
    return reinterpret_cast<const T *>(storage.data() + offset);
  }
  const T *end() const { return begin() + count; }
  T &operator[](size_t i) { return begin()[i]; }
  const T &operator[](size_t i) const { return begin()[i]; }
  size_t size() const { return count; }
  std::string_view bytes() const {
    return {storage.data() + offset, count * sizeof(T)};
  }

  /// Whether nothing was written behind the end.
  bool isIntact() const {
    for (size_t i = offset + count * sizeof(T); i < storage.size(); ++i)
      if (storage[i] != char(kGuardByte))
        return false;
    return true;
  }

private:
  static constexpr size_t kGuard = 128;
  static constexpr int kGuardByte = 0x5a;
  size_t count;
  size_t offset = 0;
  std::vector<char> storage;
};

/// `count` numbers from [-1, 1), the same for the same seed.
template <typename T> Buffer<T> randomNumbers(size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  Buffer<T> numbers(count);
  for (T &number : numbers)
    number = T(std::uniform_real_distribution<double>(-1, 1)(engine));
  return numbers;
}

/// A compiled kernel with its scratch, once for every vector unit if scheduled.
class Kernel {
public:
  /// Compiles the only kernel of `text`; fails the test if that fails.
  Kernel(const std::string &text, bool schedule);

  /// Runs it on the buffers, in the order of its entry point.
  template <typename... Buffers> void operator()(Buffers &...buffers) const {
    std::tuple<Buffers...> before(buffers...);
    for (const Variant &variant : variants) {
      std::tuple<Buffers...> copies(before);
      std::apply(
          [&](auto &...copy) {
            run(variant, {static_cast<void *>(copy.begin())...});
            (check(copy.isIntact()), ...);
            if (&variant == variants.data())
              std::tie(buffers...) = copies;
            (expectSame(variant, copy.bytes(), buffers.bytes()), ...);
          },
          copies);
    }
  }

private:
  struct Variant {
    std::string unit;
    std::shared_ptr<native::Code> code;
    KernelEntry entry = nullptr;
    int64_t scratchBytes = 0;
  };

  void compile(mlir::ModuleOp module, const lower::LowerOptions &options,
               const native::Processor &processor);
  static void run(const Variant &variant, std::vector<void *> operands);
  static void check(bool intact);
  static void expectSame(const Variant &variant, std::string_view bytes,
                         std::string_view expected);

  std::vector<Variant> variants;
};

} // namespace gradus
