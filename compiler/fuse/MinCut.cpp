// See MinCut.h. Shortest augmenting paths (Edmonds, Karp, 1972): bodies of
// loops have some hundred values.
#include "compiler/fuse/MinCut.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace gradus::fuse {

namespace {

class Network {
public:
  explicit Network(size_t nodes) : arcsOf(nodes) {}

  void add(size_t from, size_t to, int64_t capacity) {
    arcsOf[from].push_back(arcs.size());
    arcs.push_back({to, capacity});
    arcsOf[to].push_back(arcs.size());
    arcs.push_back({from, 0});
  }

  void saturate(size_t source, size_t sink) {
    while (auto path = shortestPath(source, sink)) {
      int64_t least = std::numeric_limits<int64_t>::max();
      for (size_t arc : *path)
        least = std::min(least, arcs[arc].left);
      for (size_t arc : *path) {
        arcs[arc].left -= least;
        arcs[arc ^ 1].left += least;
      }
    }
  }

  /// Nodes from which `sink` can still be reached.
  std::vector<bool> reaching(size_t sink) const {
    std::vector<bool> reaches(arcsOf.size());
    std::vector<size_t> open{sink};
    reaches[sink] = true;
    while (!open.empty()) {
      size_t node = open.back();
      open.pop_back();
      for (size_t arc : arcsOf[node])
        if (size_t from = arcs[arc].to;
            arcs[arc ^ 1].left > 0 && !reaches[from]) {
          reaches[from] = true;
          open.push_back(from);
        }
    }
    return reaches;
  }

private:
  /// The arc at the odd place after it is its reverse.
  struct Arc {
    size_t to;
    int64_t left;
  };

  std::optional<std::vector<size_t>> shortestPath(size_t source,
                                                  size_t sink) const {
    constexpr size_t none = std::numeric_limits<size_t>::max();
    std::vector<size_t> by(arcsOf.size(), none);
    std::vector<size_t> queue{source};
    for (size_t next = 0; next < queue.size() && by[sink] == none; ++next)
      for (size_t arc : arcsOf[queue[next]])
        if (size_t to = arcs[arc].to;
            arcs[arc].left > 0 && by[to] == none && to != source) {
          by[to] = arc;
          queue.push_back(to);
        }
    if (by[sink] == none)
      return std::nullopt;
    std::vector<size_t> path;
    for (size_t node = sink; node != source; node = arcs[path.back() ^ 1].to)
      path.push_back(by[node]);
    return path;
  }

  std::vector<Arc> arcs;
  std::vector<std::vector<size_t>> arcsOf;
};

} // namespace

std::vector<size_t> cheapestCut(const ValueFlow &flow) {
  // Each value is an arc from its way in to its way out.
  size_t values = flow.cost.size(), source = 2 * values, sink = source + 1;
  constexpr int64_t unlimited = std::numeric_limits<int64_t>::max() / 4;
  Network network(2 * values + 2);
  for (size_t value = 0; value < values; ++value)
    network.add(2 * value, 2 * value + 1, flow.cost[value]);
  for (auto [from, to] : flow.edges)
    network.add(2 * from + 1, 2 * to, unlimited);
  for (size_t value : flow.sources)
    network.add(source, 2 * value, unlimited);
  for (size_t value : flow.sinks)
    network.add(2 * value + 1, sink, unlimited);
  network.saturate(source, sink);

  std::vector<bool> reaches = network.reaching(sink);
  std::vector<size_t> cut;
  for (size_t value = 0; value < values; ++value)
    if (!reaches[2 * value] && reaches[2 * value + 1])
      cut.push_back(value);
  return cut;
}

} // namespace gradus::fuse
