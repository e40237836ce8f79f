// What the schedules know of a processor. Next: Nest.h.
#pragma once

#include "llvm/Support/CommandLine.h"

#include <cstdint>

namespace gradus::lower {

/// The rows of VectorUnits.def.
enum class Vectors : uint8_t {
#define VECTOR_UNIT(NAME, ...) NAME,
#include "compiler/lower/VectorUnits.def"
};

/// One row; see there.
struct VectorUnit {
  llvm::StringLiteral name;
  int64_t bytes, registers, rows, vectors, depth, leastDepth;
  bool packsRows;
  int64_t loadsLanes, storesLanes;
};

/// Bytes of a vector whose lanes are added up, whatever the processor's have:
/// sums are the same.
inline constexpr int64_t kSumBytes = 64;

inline const VectorUnit &unitOf(Vectors vectors) {
  static constexpr VectorUnit units[] = {
#define VECTOR_UNIT(NAME, FLAG, ...) {FLAG, __VA_ARGS__},
#include "compiler/lower/VectorUnits.def"
  };
  return units[size_t(vectors)];
}

/// The values of an option of type `Vectors`.
inline llvm::cl::ValuesClass vectorsValues() {
  return {
#define VECTOR_UNIT(NAME, FLAG, ...) clEnumValN(Vectors::NAME, FLAG, ""),
#include "compiler/lower/VectorUnits.def"
  };
}

} // namespace gradus::lower
