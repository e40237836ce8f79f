// See ContractionRoles.h.
#include "compiler/lower/ContractionRoles.h"

namespace gradus::lower {

/// Registers an AVX-512 tile may take: accumulators, a row of B, a broadcast.
static constexpr int64_t kRegisters = 32;

/// Contracted steps, in several loops, that are summed up at once.
static constexpr int64_t kDepth = 2048;

std::optional<Roles> rolesOf(const Nest &nest) {
  Roles roles;
  const Access &c = nest.output(0);
  for (unsigned loop = 0; loop < nest.loops(); ++loop)
    if (!nest.reduces[loop] && c.strides[loop] == 1 &&
        (roles.n < 0 || nest.sizes[loop] > nest.sizes[roles.n]))
      roles.n = loop;
  if (roles.n < 0)
    return std::nullopt;
  auto reads = [&](unsigned operand, unsigned loop) {
    return nest.accesses[operand].strides[loop] != 0;
  };
  if (reads(0, roles.n) == reads(1, roles.n))
    return std::nullopt;
  if (reads(0, roles.n))
    std::swap(roles.a, roles.b);
  // Rows close to each other in a, if they fill a tile.
  auto worth = [&](unsigned loop) {
    return std::make_pair(std::min<int64_t>(nest.sizes[loop], 8),
                          -std::abs(nest.accesses[roles.a].strides[loop]));
  };
  for (unsigned loop = 0; loop < nest.loops(); ++loop)
    if (!nest.reduces[loop] && int64_t(loop) != roles.n &&
        reads(roles.a, loop) && !reads(roles.b, loop) &&
        (roles.m < 0 || worth(loop) >= worth(roles.m)))
      roles.m = loop;
  for (unsigned loop = 0; loop < nest.loops(); ++loop) {
    if (int64_t(loop) == roles.n || int64_t(loop) == roles.m)
      continue;
    if (nest.reduces[loop])
      roles.contracted.push_back(loop);
    else if (reads(roles.b, loop))
      roles.outside.push_back(loop);
    else
      roles.between.push_back(loop);
  }
  // What lies close in a is walked last.
  llvm::sort(roles.contracted, [&](unsigned left, unsigned right) {
    const auto &strides = nest.accesses[roles.a].strides;
    return std::make_pair(-std::abs(strides[left]), left) <
           std::make_pair(-std::abs(strides[right]), right);
  });
  int64_t depth = 1;
  for (unsigned loop : roles.contracted)
    depth *= nest.sizes[loop];
  while (roles.contracted.size() > 1 && depth > kDepth) {
    roles.blocks.push_back(roles.contracted.front());
    roles.contracted.erase(roles.contracted.begin());
    depth /= nest.sizes[roles.blocks.back()];
  }
  return roles;
}

/// Cycles of one contracted step of a tile: two multiply-adds and two loads a
/// cycle, and an accumulator is ready again after four.
static double stepCost(int64_t rows, int64_t vectors) {
  return std::max({rows * vectors / 2.0, (rows + vectors) / 2.0, 4.0}) + 0.25;
}

int64_t chooseRows(int64_t size, int64_t vectors) {
  int64_t most = (kRegisters - 1 - vectors) / vectors;
  // 8 rows of two vectors are the best on a tie.
  int64_t best = std::min(size, 16 / vectors);
  auto cost = [&](int64_t rows) {
    int64_t full = size / rows, rest = size % rows;
    return double(full) * stepCost(rows, vectors) +
           (rest ? stepCost(rest, vectors) : 0.0);
  };
  for (int64_t rows = 1; rows <= std::min(most, size); ++rows)
    if (cost(rows) < cost(best) * 0.99)
      best = rows;
  return best;
}

} // namespace gradus::lower
