// Philox4x32-10 of J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel Random
// Numbers: As Easy as 1, 2, 3", SC 2011; and how the elements of a tensor take
// their words from it. Written once for all machines: the runtime and the
// interpreter run it on numbers, compiled code on vectors.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

namespace gradus {

/// Ten rounds of Philox4x32: a bijection of the counter for each key. A machine
/// has words of 32 bits and three operations: `product` of a number and a word
/// gives the low and the high word, `exor` and `plus` one word.
template <typename Word, typename Machine>
constexpr std::array<Word, 4> philox(std::array<Word, 4> counter,
                                     std::array<Word, 2> key,
                                     const Machine &machine) {
  for (int round = 0; round < 10; ++round) {
    auto [lowA, highA] = machine.product(0xD2511F53, counter[0]);
    auto [lowB, highB] = machine.product(0xCD9E8D57, counter[2]);
    counter = {machine.exor(machine.exor(highB, counter[1]), key[0]), lowB,
               machine.exor(machine.exor(highA, counter[3]), key[1]), lowA};
    key = {machine.plus(key[0], 0x9E3779B9), machine.plus(key[1], 0xBB67AE85)};
  }
  return counter;
}

/// The machine of plain numbers.
struct PlainWords {
  constexpr std::pair<uint32_t, uint32_t> product(uint32_t a,
                                                  uint32_t b) const {
    uint64_t both = uint64_t(a) * b;
    return {uint32_t(both), uint32_t(both >> 32)};
  }
  constexpr uint32_t exor(uint32_t a, uint32_t b) const { return a ^ b; }
  constexpr uint32_t plus(uint32_t a, uint32_t b) const { return a + b; }
};

constexpr std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter,
                                         std::array<uint32_t, 2> key) {
  return philox(counter, key, PlainWords());
}

/// A draw gives the element in column j of row i (all axes but the last, in
/// row-major order) the place i * pitch + j, where the pitch is the length of a
/// row rounded up to a multiple of `groupOfDraws`. Of each group of places, 16
/// neighbours at a time take the same words of 16 blocks, so that vectors of 16
/// places use up the blocks that they compute.
constexpr uint32_t groupOfDraws = 64;

/// The key of a draw: the two words of Philox' key, and the number of the round
/// of the loops around it, which is word 1 of the counter; word 0 is the block.
using DrawKey = std::array<uint32_t, 3>;

/// Of loops within loops, the round of the inner one is this times the number
/// of the outer one, plus its own.
constexpr uint32_t roundsApart = 0x9E3779B1;

} // namespace gradus
