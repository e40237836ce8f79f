// The command line: one verb, one model. Results go to stdout, messages and
// progress to stderr. Here the verb is found and what it throws becomes an exit
// code; the verbs stand in files of their own.
#include "compiler/native/CodePages.h"
#include "runtime/Timing.h"
#include "runtime/run/OutputFile.h"
#include "tools/gradus/InternalError.h"
#include "tools/gradus/Load.h"
#include "tools/gradus/Messages.h"
#include "tools/gradus/Verbs.h"

#include <cerrno>
#include <cstdio>
#include <new>
#include <system_error>

using namespace gradus;

static ExitCode dispatch(const CommandLine &line) {
#define VERB(FUNCTION, NAME, ...)                                              \
  if (line.verb == NAME)                                                       \
    return verbs::FUNCTION(line);
#include "tools/gradus/Verbs.def"
  return UserError;
}

static ExitCode finish(ExitCode code) {
  // A result that did not reach its reader is no success.
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    throw writeError("standard output", errno ? errno : EIO);
  return code;
}

static ExitCode run(int argc, char **argv) {
  auto parsed = parseCommandLine(argc, argv);
  if (const auto *early = std::get_if<ExitCode>(&parsed))
    return finish(*early);
  const CommandLine &line = std::get<CommandLine>(parsed);
  // What relocating the libraries has touched.
  native::giveBackPages();
  // The first row begins with the process.
  std::shared_ptr<Timing> measured = timing(line);
  ExitCode code = dispatch(line);
  if (measured)
    std::fputs(measured->table().c_str(), stderr);
  return finish(code);
}

static ExitCode report(const Error &error) {
  showError(error);
  return ExitCode(error.exitCode());
}

int main(int argc, char **argv) {
  chooseMessageFormat(argc, argv);
  catchCrashes(argc, argv);
  try {
    return run(argc, argv);
  } catch (const Rejected &rejected) {
    std::fputs(rejected.what(), stderr);
    return UserError;
  } catch (const Error &error) {
    return report(error);
  } catch (const std::bad_alloc &) {
    return report(Error(fault::OutOfMemory, "this model"));
  } catch (const std::system_error &error) {
    // What fmt::print throws if a result does not reach its reader.
    if (std::ferror(stdout))
      return report(writeError("standard output", error.code().value()));
    return internalError(error.what());
  } catch (const std::exception &error) {
    return internalError(error.what());
  }
}
