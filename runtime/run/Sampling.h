// Text that a model continues: which numbers stand for it, what an exported
// function says about its next character, and which one is drawn.
#pragma once

#include "runtime/run/Variables.h"

namespace gradus {

/// What a text consists of: the characters a model has been trained on, or
/// bytes.
class Alphabet {
public:
  /// All 256 bytes.
  Alphabet() = default;
  /// In the order of their numbers.
  explicit Alphabet(std::vector<std::string> characters)
      : characters(std::move(characters)) {}

  bool isBytes() const { return characters.empty(); }
  int32_t size() const { return isBytes() ? 256 : int32_t(characters.size()); }
  /// Throws E1062 for a character that is not in it, E1032 for a text of
  /// characters that is not UTF-8.
  std::vector<int32_t> numbers(std::string_view text) const;
  std::string text(int32_t number) const;
  /// What a text begins with if nothing says: a newline, or number 0.
  int32_t start() const;

private:
  std::vector<std::string> characters;
};

/// How a number is drawn.
struct Draw {
  /// What logits are divided by. 0: the largest is taken.
  double temperature = 1;
  /// Among the largest so many; 0: among all.
  int64_t largest = 0;
};

/// The number that `uniform`, which is in [0, 1), draws with the probabilities
/// softmax(logits / temperature). Of equal logits the first are the larger
/// ones. Throws E1064 for NaN.
int32_t drawn(std::vector<double> logits, const Draw &draw, double uniform);

/// A function of a window of numbers that gives logits for each place of it.
class NextLogits {
public:
  /// The buffers are argument/`argument` [..., window] and result/0
  /// [..., window, size]; only the first row of several is used.
  NextLogits(BoundFunction &function, const std::string &argument);

  int64_t window() const { return in.shape().back(); }
  /// The logits behind a text, of which the last `window()` numbers count. What
  /// is not there is filled up behind it.
  std::vector<double> after(const std::vector<int32_t> &text, int32_t fill = 0);
  /// Whether what fills up has no say: nothing may look ahead.
  bool isCausal(const std::vector<int32_t> &text, int32_t size);

private:
  BoundFunction &function;
  Tensor &in, &out;
};

} // namespace gradus
