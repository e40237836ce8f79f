// SIGINT and SIGTERM while a run is going: the first asks it to finish its step
// and save, the second ends the process at once with exit code 130.
#pragma once

#include <csignal>

namespace gradus {

/// Handles the signals as long as it lives. There is at most one.
class Interrupt {
public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt &) = delete;
  Interrupt &operator=(const Interrupt &) = delete;

  /// Whether a signal has arrived.
  static bool requested();

  static constexpr int exitCode = 130;

private:
  struct sigaction oldInt, oldTerm;
};

} // namespace gradus
