// The algebra of einsum's index lists, without any tensor in it: parse
// "ij,jk->ik", check the law, find the result's shape, and exchange index lists
// to differentiate.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::graph {

/// The index lists of `y = einsum(a, b)`, one letter an axis.
struct EinsumSpec {
  std::string a, b, y;

  /// The printed form, `a,b->y`.
  std::string str() const { return a + "," + b + "->" + y; }
  /// The spec of the cotangent of `a` as einsum(dy, b).
  EinsumSpec wrtA() const { return {y, b, a}; }
  /// The spec of the cotangent of `b` as einsum(dy, a).
  EinsumSpec wrtB() const { return {y, a, b}; }
  /// The indices summed over: in `a` and `b`, not in `y`.
  std::string contracted() const;
};

/// Reads `a,b->y` with letters a-z and A-Z; nothing if it is not of that form.
std::optional<EinsumSpec> parseEinsum(std::string_view text);

/// Why the spec breaks the law (every index in at least two of a, b, y; none
/// twice in one of them), or nothing.
std::optional<std::string> einsumLawBroken(const EinsumSpec &spec);

/// The shape of the result for operands of the given shapes; nothing if a rank
/// differs from its index list or an index has two sizes.
std::optional<std::vector<int64_t>> einsumShape(const EinsumSpec &spec,
                                                std::span<const int64_t> a,
                                                std::span<const int64_t> b);

} // namespace gradus::graph
