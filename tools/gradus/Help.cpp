// `gradus help`: help as a verb.
#include "runtime/Error.h"
#include "tools/gradus/HelpText.h"
#include "tools/gradus/ManualPage.h"
#include "tools/gradus/Verbs.h"

#include <fmt/format.h>

namespace gradus {

ExitCode verbs::help(const CommandLine &line) {
  if (line.man) {
    fmt::print("{}", manualPage());
    return Fine;
  }
  if (line.model.empty()) {
    fmt::print("{}", helpText(line.all));
    return Fine;
  }
  const VerbInfo *verb = findVerb(line.model);
  if (!verb)
    throw unknownVerb(line.model);
  fmt::print("{}", helpText(*verb));
  return Fine;
}

} // namespace gradus
