// This processor as an LLVM target machine.
#include "compiler/native/Target.h"

#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

#include <mutex>

namespace gradus::native {

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createHostMachine(llvm::CodeGenOptLevel level) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return llvm::createStringError("cannot compile for this processor: " +
                                   message);
  llvm::SubtargetFeatures features;
  for (auto &[name, present] : llvm::sys::getHostCPUFeatures())
    features.AddFeature(name, present);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, llvm::sys::getHostCPUName(), features.getString(), options,
      llvm::Reloc::PIC_, std::nullopt, level, /*JIT=*/true));
}

std::string describeHost() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  llvm::StringRef vectors = features.lookup("avx512f") ? "avx512"
                            : features.lookup("avx2")  ? "avx2"
                            : features.lookup("neon")  ? "neon"
                                                       : "baseline";
  return (llvm::sys::getHostCPUName() + " " + vectors).str();
}

} // namespace gradus::native
