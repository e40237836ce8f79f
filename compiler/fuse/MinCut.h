// The cheapest set of values to keep, as a minimum cut (Ford, Fulkerson:
// Maximal flow through a network, 1956).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace gradus::fuse {

/// A graph of values: node -> nodes that are computed from it.
struct ValueFlow {
  /// What it costs to keep each value.
  std::vector<int64_t> cost;
  std::vector<std::pair<size_t, size_t>> edges;
  /// Values that must not be computed again, and values that are needed.
  std::vector<size_t> sources, sinks;
};

/// The values to keep so that every path from a source to a sink, ends
/// included, meets one, of the least cost in sum; of several such sets the one
/// nearest to the sinks, which leaves the least to compute again.
std::vector<size_t> cheapestCut(const ValueFlow &flow);

} // namespace gradus::fuse
