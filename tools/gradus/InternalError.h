// The end of a process that has found an error in gradus itself: one sentence,
// how to report it, exit code 125; no stack trace, no core.
#pragma once

#include "tools/gradus/CommandLine.h"

#include <string_view>

namespace gradus {

/// Makes aborts, faults of memory and overflows of the stack end in the same
/// way from now on. `argv` outlives the process.
void catchCrashes(int argc, char **argv);

/// Says so on stderr and gives 125.
ExitCode internalError(std::string_view what);

} // namespace gradus
