#include "runtime/Random.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <string>

namespace gradus {

DrawKey drawKey(std::string_view buffer, uint64_t seed, uint32_t step,
                DrawFor purpose) {
  constexpr std::string_view space = "draw/";
  uint32_t round = 0;
  const char *begin = buffer.data() + space.size();
  const char *end = buffer.data() + buffer.size();
  auto [rest, error] = std::from_chars(begin, end, round);
  if (!buffer.starts_with(space) || error != std::errc() || rest == end)
    throw std::logic_error("no draw: " + std::string(buffer));
  // Rounds of a loop share the key, whether they are one buffer or many.
  uint64_t site = siteOf(std::string_view(rest, size_t(end - rest)));
  auto words =
      philox({step, uint32_t(purpose), uint32_t(site), uint32_t(site >> 32)},
             {uint32_t(seed), uint32_t(seed >> 32)});
  return {words[0], words[1], round};
}

std::array<uint32_t, 4> Stream::block(uint64_t k) const {
  return philox({uint32_t(k), step, uint32_t(site), uint32_t(site >> 32)},
                {uint32_t(seed), uint32_t(seed >> 32)});
}

static uint64_t pairOf(const std::array<uint32_t, 4> &block, unsigned half) {
  return uint64_t(block[2 * half + 1]) << 32 | block[2 * half];
}

/// The upper 53 bits as a number in [0, 1).
static double unit(uint64_t bits) { return double(bits >> 11) * 0x1p-53; }

uint64_t Stream::bits(uint64_t i) const {
  return pairOf(block(i / 2), unsigned(i % 2));
}

double Stream::uniform(uint64_t i) const { return unit(bits(i)); }

double Stream::normal(uint64_t i) const { return normals(i / 2)[i % 2]; }

std::array<double, 2> Stream::normals(uint64_t k) const {
  auto words = block(k);
  // 1 - u lies in (0, 1], so the logarithm is finite.
  double radius = std::sqrt(-2 * std::log(1 - unit(pairOf(words, 0))));
  double angle = 2 * std::numbers::pi * unit(pairOf(words, 1));
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

uint64_t Stream::below(uint64_t i, uint64_t below) const {
  return uint64_t((unsigned __int128)(bits(i)) * below >> 64);
}

float roundDown(double value) {
  float nearest = float(value);
  return double(nearest) <= value
             ? nearest
             : std::nextafterf(nearest,
                               -std::numeric_limits<float>::infinity());
}

void fillNormal(Tensor &tensor, const Stream &stream, double mean,
                double deviation) {
  for (int64_t i = 0; i < tensor.elements(); i += 2) {
    auto [first, second] = stream.normals(uint64_t(i / 2));
    tensor.set(i, mean + deviation * first);
    if (i + 1 < tensor.elements())
      tensor.set(i + 1, mean + deviation * second);
  }
}

void fillUniform(Tensor &tensor, const Stream &stream, double low,
                 double high) {
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    double value = low + (high - low) * stream.uniform(uint64_t(i));
    // Rounding may reach the open end in either precision.
    if (value >= high && low < high)
      value = std::nextafter(high, low);
    if (tensor.element() == Element::F32)
      value = roundDown(value);
    tensor.set(i, value);
  }
}

void fillBernoulli(Tensor &tensor, const Stream &stream, double p) {
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tensor.set(i, stream.uniform(uint64_t(i)) < p);
}

std::vector<uint32_t> permutation(uint32_t count, const Stream &stream) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  for (uint32_t i = count; i > 1; --i)
    std::swap(order[i - 1], order[stream.below(i - 1, i)]);
  return order;
}

} // namespace gradus
