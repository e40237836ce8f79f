// The processor we compile for: this one, with all it can do, or another one to
// look at its code.
#pragma once

#include "compiler/lower/VectorUnit.h"

#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>

namespace gradus::native {

/// A processor, by the names that LLVM has for it and its features.
struct Processor {
  std::string triple, cpu, features;
  lower::Vectors vectors = lower::Vectors::Baseline;
};

/// The one we run on.
Processor thisProcessor();

/// The x86-64 or AArch64 processor that LLVM calls `cpu`, under Linux; an error
/// names some there are.
llvm::Expected<Processor> processorNamed(const std::string &cpu);

/// A code generator for `processor`. Contraction to fma is off: it is
/// decided in our IR. One per thread.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createMachine(const Processor &processor, llvm::CodeGenOptLevel level);

/// Name and vector unit of this processor, e.g. `sapphirerapids avx512`:
/// what a run's bits depend on besides the file, data and seed.
std::string describeHost();

/// The same, and a hash of all that the processor can do: where it is the same,
/// the same graph is compiled to the same code.
std::string identifyHost();

} // namespace gradus::native
