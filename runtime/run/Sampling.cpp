// See Sampling.h.
#include "runtime/run/Sampling.h"

#include "runtime/Error.h"
#include "runtime/Text.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace gradus {

std::vector<int32_t> Alphabet::numbers(std::string_view text) const {
  std::vector<int32_t> result;
  if (isBytes()) {
    for (char c : text)
      result.push_back(uint8_t(c));
    return result;
  }
  while (!text.empty()) {
    size_t length = characterLength(text);
    if (length == 0)
      throw Error(fault::BadFlag, "--prompt", "UTF-8 text", printable(text));
    std::string_view character = text.substr(0, length);
    auto found = std::ranges::find(characters, character);
    if (found == characters.end())
      throw Error(fault::PromptCharacter, characterName(character))
          .note("it knows " + counted(characters.size(), "character") +
                ", those of the part it was trained on");
    result.push_back(int32_t(found - characters.begin()));
    text.remove_prefix(length);
  }
  return result;
}

std::string Alphabet::text(int32_t number) const {
  return isBytes() ? std::string(1, char(number))
                   : characters.at(size_t(number));
}

int32_t Alphabet::start() const {
  if (isBytes())
    return '\n';
  auto found = std::ranges::find(characters, "\n");
  return found == characters.end() ? 0 : int32_t(found - characters.begin());
}

int32_t drawn(std::vector<double> logits, const Draw &draw, double uniform) {
  for (double logit : logits)
    if (std::isnan(logit))
      throw Error(fault::LogitsNaN);
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](int32_t a, int32_t b) {
    return std::pair(-logits[size_t(a)], a) < std::pair(-logits[size_t(b)], b);
  });
  double most = logits[size_t(order.front())];
  if (draw.temperature == 0 || std::isinf(most))
    return order.front();
  if (draw.largest > 0 && draw.largest < int64_t(order.size()))
    order.resize(size_t(draw.largest));
  double total = 0;
  for (int32_t number : order) {
    double &weight = logits[size_t(number)];
    weight = std::exp((weight - most) / draw.temperature);
    total += weight;
  }
  double left = uniform * total;
  for (int32_t number : order) {
    left -= logits[size_t(number)];
    if (left < 0)
      return number;
  }
  // Rounding: the last one that can be drawn at all.
  while (order.size() > 1 && logits[size_t(order.back())] == 0)
    order.pop_back();
  return order.back();
}

static Tensor &bufferNamed(BoundFunction &function, const std::string &name) {
  if (Tensor *tensor = function.find(name))
    return *tensor;
  throw std::logic_error("no buffer " + name);
}

NextLogits::NextLogits(BoundFunction &function, const std::string &argument)
    : function(function), in(bufferNamed(function, "argument/" + argument)),
      out(bufferNamed(function, "result/0")) {}

std::vector<double> NextLogits::after(const std::vector<int32_t> &text,
                                      int32_t fill) {
  std::span<int32_t> numbers = in.as<int32_t>();
  std::ranges::fill(numbers, fill);
  size_t count = std::min(text.size(), size_t(window()));
  std::copy(text.end() - int64_t(count), text.end(), numbers.begin());
  function.run();
  int64_t size = out.shape().back();
  std::vector<double> logits(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i)
    logits[size_t(i)] = out.at((int64_t(count) - 1) * size + i);
  return logits;
}

bool NextLogits::isCausal(const std::vector<int32_t> &text, int32_t size) {
  if (int64_t(text.size()) >= window())
    return true;
  std::vector<double> one = after(text, 0), other = after(text, size - 1);
  double largest = 1;
  for (double logit : one)
    largest = std::max(largest, std::abs(logit));
  for (size_t i = 0; i < one.size(); ++i)
    if (std::abs(one[i] - other[i]) > 1e-4 * largest)
      return false;
  return true;
}

} // namespace gradus
