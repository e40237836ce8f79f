// Counter-based random numbers: element i of a stream is a pure function of
// (seed, site, step, i), so that it never depends on what was drawn before, on
// the order of evaluation or on the number of threads. The generator stands in
// Philox.h.
#pragma once

#include "runtime/Philox.h"
#include "runtime/Tensor.h"

#include <string_view>

namespace gradus {

/// The site of a value by its path, `param/fc1.W`: FNV-1a, 64 bits.
constexpr uint64_t siteOf(std::string_view path) {
  uint64_t hash = 0xCBF29CE484222325;
  for (char c : path)
    hash = (hash ^ uint8_t(c)) * 0x100000001B3;
  return hash;
}

/// What compiled functions draw for: each has numbers of its own.
enum class DrawFor : uint8_t { Training, Evaluation };

/// The key of the buffer `draw/ROUND/PATH`, which is what a compiled function
/// draws from at one site. In training `step` is the number of the step, else
/// that of the batch.
DrawKey drawKey(std::string_view buffer, uint64_t seed, uint32_t step,
                DrawFor purpose);

/// The numbers drawn at one site in one step. Block k is
/// philox({k, step, site low, site high}, {seed low, seed high}); element i
/// takes the words 2 (i mod 2) and 2 (i mod 2) + 1 of block i / 2.
class Stream {
public:
  Stream(uint64_t seed, uint64_t site, uint32_t step = 0)
      : seed(seed), site(site), step(step) {}

  /// 64 random bits, for i < 2^33.
  uint64_t bits(uint64_t i) const;
  /// Uniform in [0, 1) with 53 bits.
  double uniform(uint64_t i) const;
  /// Standard normal by Box and Muller (1958) from the two uniform numbers of
  /// the block: the cosine for even, the sine for odd elements.
  double normal(uint64_t i) const;
  /// Those with the numbers 2 k and 2 k + 1.
  std::array<double, 2> normals(uint64_t k) const;
  /// Uniform among 0, ..., below - 1; the bias is below 2^-32 for below < 2^32.
  uint64_t below(uint64_t i, uint64_t below) const;

private:
  std::array<uint32_t, 4> block(uint64_t k) const;
  uint64_t seed, site;
  uint32_t step;
};

/// The single precision number below `value`: a uniform number in [0, 1) stays
/// below 1, as plain rounding would not guarantee.
float roundDown(double value);

/// Element i is mean + deviation * normal(i).
void fillNormal(Tensor &tensor, const Stream &stream, double mean,
                double deviation);
/// Element i is low + (high - low) * uniform(i), below high.
void fillUniform(Tensor &tensor, const Stream &stream, double low, double high);
/// Element i is 1 if uniform(i) < p, else 0.
void fillBernoulli(Tensor &tensor, const Stream &stream, double p);

/// A uniformly drawn order of 0, ..., count - 1 (Fisher and Yates).
std::vector<uint32_t> permutation(uint32_t count, const Stream &stream);

} // namespace gradus
