// What compiling a graph gives, as plain data: the plans of its functions and
// the machine code of their kernels. It can be written to a file and read by
// another process; linked, it is functions.
#pragma once

#include "compiler/fuse/Plan.h"
#include "compiler/native/Jit.h"
#include "runtime/Abi.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

struct Compilation {
  std::vector<fuse::Plan> plans;
  /// By the names of the plans; see `CompiledFunction::kept`.
  std::map<std::string, std::vector<KeptRounds>> kept;
  std::vector<native::KernelObject> kernels;
};

/// As bytes, which only the same build reads back.
std::string bytesOf(const Compilation &compilation);

/// Nothing if these are no such bytes.
std::optional<Compilation> readCompilation(std::string_view bytes);

/// Its functions, by their names; kernels that are split are run by `team`, and
/// `externs` are the functions of libraries that they call.
llvm::Expected<std::map<std::string, CompiledFunction>>
link(const Compilation &compilation, const std::shared_ptr<Team> &team,
     const std::map<std::string, void *> &externs);

} // namespace gradus
