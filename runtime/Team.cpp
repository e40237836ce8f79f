#include "runtime/Team.h"

#include <algorithm>

namespace gradus {

/// Polls before a thread sleeps: about 50 us, more than a serial kernel between
/// two that are split takes, less than a person would notice of a fan.
static constexpr int kPolls = 2000;

static void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Returns when `value` is no longer `old`.
template <typename T> static void waitFor(std::atomic<T> &value, T old) {
  for (int i = 0; i < kPolls; ++i) {
    if (value.load(std::memory_order_acquire) != old)
      return;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
}

Team::Team(unsigned workers, int64_t worth) : leastWork(worth) {
  for (unsigned i = 0; i < std::max(workers, 1U); ++i)
    members.push_back({int64_t(i), int64_t(std::max(workers, 1U)), this});
  for (size_t i = 1; i < members.size(); ++i)
    threads.emplace_back([this, i] { work(i); });
}

Team::~Team() {
  isEnding = true;
  runs.fetch_add(1, std::memory_order_release);
  runs.notify_all();
  for (std::thread &thread : threads)
    thread.join();
}

void Team::run(KernelEntry kernel, void *const *operands) {
  entry = kernel;
  buffers = operands;
  done.store(0, std::memory_order_relaxed);
  runs.fetch_add(1, std::memory_order_release);
  runs.notify_all();
  kernel(operands, members.data());
  for (unsigned others = unsigned(threads.size());;) {
    unsigned now = done.load(std::memory_order_acquire);
    if (now == others)
      return;
    waitFor(done, now);
  }
}

void Team::work(size_t number) {
  for (unsigned seen = 0;; ++seen) {
    waitFor(runs, seen);
    if (isEnding)
      return;
    entry(buffers, &members[number]);
    done.fetch_add(1, std::memory_order_release);
    done.notify_one();
  }
}

void Team::meet() {
  unsigned meeting = meetings.load(std::memory_order_acquire);
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == members.size()) {
    arrived.store(0, std::memory_order_relaxed);
    meetings.fetch_add(1, std::memory_order_release);
    meetings.notify_all();
    return;
  }
  waitFor(meetings, meeting);
}

} // namespace gradus

void gradusBarrier(const gradus::Worker *worker) {
  if (worker->count > 1)
    worker->team->meet();
}
