// See InternalError.h. What runs in a signal handler calls nothing but write.
#include "tools/gradus/InternalError.h"
#include "tools/gradus/Messages.h"

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

/// The inside of a JSON string.
static void putEscaped(std::string_view text) {
  static const char digits[] = "0123456789abcdef";
  for (char c : text) {
    if (c == '"' || c == '\\')
      put("\\");
    if (static_cast<unsigned char>(c) >= 0x20) {
      put({&c, 1});
      continue;
    }
    const char escape[] = {'\\',          'u', '0', '0', digits[(c >> 4) & 15],
                           digits[c & 15]};
    put({escape, sizeof escape});
  }
}

ExitCode internalError(std::string_view what) {
  // The first line is the sentence.
  what = what.substr(0, what.find('\n'));
  bool isJson = messagesAreJson();
  auto write = isJson ? putEscaped : put;
  if (isJson)
    put("{\"$message_type\":\"diagnostic\",\"level\":\"error: internal "
        "compiler error\",\"code\":null,\"spans\":[],\"children\":[],"
        "\"message\":\"");
  else
    put("internal error: ");
  write(what);
  if (isJson)
    put("\",\"rendered\":\"internal error: ");
  if (isJson)
    write(what);
  write("\n  = note: this is an error in gradus ");
  write(version);
  write(", not in your model\n  = help: please report it with the model file "
        "and this command:\n      gradus");
  for (int i = 1; i < argumentCount; ++i) {
    write(" ");
    write(arguments[i]);
  }
  write("\n");
  if (isJson)
    put("\"}\n");
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
