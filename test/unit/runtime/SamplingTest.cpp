#include "runtime/run/Sampling.h"

#include "runtime/Error.h"
#include "runtime/Random.h"
#include "test/unit/runtime/ScratchFolder.h"

#include <cmath>
#include <limits>

using namespace gradus;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

class Sampling : public ScratchFolder {};

/// How often each number is drawn.
std::vector<double> shares(const std::vector<double> &logits, Draw draw) {
  constexpr int count = 20'000;
  std::vector<double> found(logits.size());
  Stream stream(3, siteOf("test"));
  for (int i = 0; i < count; ++i)
    found[size_t(drawn(logits, draw, stream.uniform(uint64_t(i))))] +=
        1.0 / count;
  return found;
}

void expectShares(const std::vector<double> &logits, Draw draw,
                  std::vector<double> wanted) {
  std::vector<double> found = shares(logits, draw);
  // Four deviations of a share of one half.
  for (size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(found[i], wanted[i], wanted[i] == 0 ? 0 : 0.015) << i;
}

} // namespace

TEST_F(Sampling, DrawsBySoftmax) {
  expectShares({std::log(0.2), std::log(0.5), std::log(0.3)}, {},
               {0.2, 0.5, 0.3});
  expectShares({1000, 1000 + std::log(3.0), -infinity}, {}, {0.25, 0.75, 0});
}

TEST_F(Sampling, TemperatureDividesLogits) {
  expectShares({0, std::log(2.0)}, {.temperature = 0.5}, {0.2, 0.8});
  expectShares({0, std::log(4.0)}, {.temperature = 2}, {1.0 / 3, 2.0 / 3});
  expectShares({1, 3, 3}, {.temperature = 0}, {0, 1, 0});
}

TEST_F(Sampling, TopKLeavesTheOthersOut) {
  expectShares({0, std::log(3.0), -1, std::log(3.0)}, {.largest = 2},
               {0, 0.5, 0, 0.5});
  expectShares({0, 1, 1}, {.largest = 1}, {0, 1, 0});
  expectShares({0, 0}, {.largest = 9}, {0.5, 0.5});
}

TEST_F(Sampling, TheEndsOfTheDraw) {
  EXPECT_EQ(drawn({0, 0, -infinity}, {}, 0), 0);
  EXPECT_EQ(drawn({0, 0, -infinity}, {}, std::nextafter(1, 0)), 1);
  EXPECT_EQ(drawn({0, infinity}, {}, 0.5), 1);
  EXPECT_THROW(drawn({0, NAN}, {}, 0.5), Error);
}

TEST_F(Sampling, AnAlphabetOfCharacters) {
  Alphabet alphabet({"\n", "a", "\xC3\xA9"});
  EXPECT_EQ(alphabet.numbers("a\xC3\xA9\n"), (std::vector<int32_t>{1, 2, 0}));
  EXPECT_EQ(alphabet.text(2), "\xC3\xA9");
  EXPECT_EQ(alphabet.start(), 0);
  EXPECT_EQ(Alphabet({"a", "b"}).start(), 0);
  EXPECT_EQ(messageOf([&] { alphabet.numbers("ab"); }),
            "error[E1062]: the model does not know the character \"b\"\n"
            "  = note: it knows 3 characters, those of the part it was trained "
            "on\n");
  EXPECT_EQ(messageOf([&] { alphabet.numbers("a\xFF"); }),
            "error[E1032]: `--prompt` must be UTF-8 text, found `?`\n");
}

TEST_F(Sampling, AnAlphabetOfBytes) {
  Alphabet alphabet;
  EXPECT_EQ(alphabet.numbers("a\xFF"), (std::vector<int32_t>{'a', 255}));
  EXPECT_EQ(alphabet.text(255), "\xFF");
  EXPECT_EQ(alphabet.size(), 256);
  EXPECT_EQ(alphabet.start(), '\n');
}
