#include "runtime/run/Interrupt.h"

#include <unistd.h>

namespace gradus {

static volatile std::sig_atomic_t received = 0;

extern "C" {
static void onSignal(int) {
  if (received)
    _exit(Interrupt::exitCode);
  received = 1;
  constexpr char text[] =
      "\nstopping after this step; press Ctrl-C again to stop now\n";
  [[maybe_unused]] ssize_t ignored =
      write(STDERR_FILENO, text, sizeof(text) - 1);
}
}

Interrupt::Interrupt() {
  received = 0;
  struct sigaction action = {};
  action.sa_handler = onSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &oldInt);
  sigaction(SIGTERM, &action, &oldTerm);
}

Interrupt::~Interrupt() {
  sigaction(SIGINT, &oldInt, nullptr);
  sigaction(SIGTERM, &oldTerm, nullptr);
  received = 0;
}

bool Interrupt::requested() { return received; }

} // namespace gradus
