// What the operating system tells about the machine and about the share of it
// that this process may use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gradus {

struct Machine {
  /// The processor as its maker calls it; empty if that is unknown.
  std::string processor;
  /// `Debian GNU/Linux 12 (bookworm)`; empty if that is unknown.
  std::string system;

  struct Cache {
    unsigned level;
    /// `Data`, `Instruction`, `Unified`.
    std::string type;
    int64_t bytes;
  };
  /// Of the first core.
  std::vector<Cache> caches;

  /// Logical processors that are switched on, and those of them that this
  /// process is bound to.
  unsigned processors = 1, allowed = 1;
  /// The cgroup's share of processor time, in processors.
  std::optional<double> quota;

  /// Bytes. `memoryLimit` is the cgroup's, if it is below what there is.
  int64_t memory = 0, memoryAvailable = 0;
  std::optional<int64_t> memoryLimit;

  /// How many threads have a processor for themselves: at least 1.
  unsigned threads() const;
};

/// `root` stands before the paths of /proc, /sys and /etc.
Machine readMachine(const std::string &root = "");

} // namespace gradus
