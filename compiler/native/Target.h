// The processor we compile for: this one, with all it can do.
#pragma once

#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>

namespace gradus::native {

/// A code generator for this processor. Contraction to fma is off: it is
/// decided in our IR. One per thread.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createHostMachine(llvm::CodeGenOptLevel level);

/// Name and vector extension of this processor, e.g. `sapphirerapids avx512`:
/// what a run's bits depend on besides the file, data and seed.
std::string describeHost();

} // namespace gradus::native
