// Threads that run a kernel together: each its part of it. They spin for work
// for a moment, then sleep. Which of them does what depends on the number of
// workers and on nothing else.
#pragma once

#include "runtime/Abi.h"

#include <atomic>
#include <thread>
#include <vector>

namespace gradus {

class Team {
public:
  /// Operations, a vector's counting as one, from which on it is worth to split
  /// a loop: 20 us of work, and workers take one to meet.
  static constexpr int64_t usualWorth = 64 * 1024;

  /// The thread that calls `run` is one of `workers`; the others are started.
  explicit Team(unsigned workers, int64_t worth = usualWorth);
  ~Team();
  Team(const Team &) = delete;
  Team &operator=(const Team &) = delete;

  unsigned size() const { return unsigned(members.size()); }
  int64_t worth() const { return leastWork; }

  /// Runs `entry` on all workers; returns when all are done.
  void run(KernelEntry entry, void *const *buffers);

  /// Returns when every worker of a run has called it. What one has written
  /// before, all see behind.
  void meet();

private:
  void work(size_t number);

  // Each on a line of its own, as others write it: how many runs there have
  // been, who is done with the last one, who waits in the meeting, and how many
  // meetings there have been.
  alignas(64) std::atomic<unsigned> runs = 0;
  bool isEnding = false;
  int64_t leastWork;
  KernelEntry entry = nullptr;
  void *const *buffers = nullptr;
  std::vector<Worker> members;
  std::vector<std::thread> threads;
  alignas(64) std::atomic<unsigned> done = 0;
  alignas(64) std::atomic<unsigned> arrived = 0;
  alignas(64) std::atomic<unsigned> meetings = 0;
};

} // namespace gradus

/// Called by compiled code, which has the address as a number.
extern "C" void gradusBarrier(const gradus::Worker *worker);
