// See InternalError.h. What runs in a signal handler calls nothing but write.
#include "tools/gradus/InternalError.h"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace gradus {

static int argumentCount;
static char **arguments;

static void put(std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0)
      return;
    text.remove_prefix(size_t(written));
  }
}

ExitCode internalError(std::string_view what) {
  // The first line is the sentence.
  put("internal error: ");
  put(what.substr(0, what.find('\n')));
  put("\n  = note: this is an error in gradus ");
  put(version);
  put(", not in your model\n  = help: please report it with the model file and "
      "this command:\n      gradus");
  for (int i = 1; i < argumentCount; ++i) {
    put(" ");
    put(arguments[i]);
  }
  put("\n");
  return InternalError;
}

static void onCrash(int signal) {
  internalError(signal == SIGABRT  ? "the program has stopped itself"
                : signal == SIGFPE ? "a division went wrong"
                                   : "memory was used in a wrong way");
  _exit(InternalError);
}

void catchCrashes(int argc, char **argv) {
  argumentCount = argc;
  arguments = argv;
  static char stack[1 << 16];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_handler = onCrash;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND;
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    sigaction(signal, &action, nullptr);
}

} // namespace gradus
