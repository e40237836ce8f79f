// The verbs. Each does what its command line says and gives the exit code; it
// throws Rejected and Error.
#pragma once

#include "tools/gradus/CommandLine.h"

namespace gradus::verbs {

ExitCode check(const CommandLine &line);
ExitCode train(const CommandLine &line);
ExitCode resume(const CommandLine &line);
ExitCode test(const CommandLine &line);
ExitCode predict(const CommandLine &line);
ExitCode sample(const CommandLine &line);
ExitCode gradcheck(const CommandLine &line);
ExitCode bench(const CommandLine &line);
ExitCode plan(const CommandLine &line);
ExitCode profile(const CommandLine &line);
ExitCode compile(const CommandLine &line);
ExitCode explain(const CommandLine &line);
ExitCode doc(const CommandLine &line);
ExitCode format(const CommandLine &line);
ExitCode cache(const CommandLine &line);
ExitCode doctor(const CommandLine &line);
ExitCode completion(const CommandLine &line);
ExitCode help(const CommandLine &line);

} // namespace gradus::verbs
